/** Calls `tick` with the seconds since the last frame while the page is visible. Returns a function that stops the calls. */
export function everyFrame(tick: (seconds: number) => void): () => void {
  let last = performance.now();
  let request = requestAnimationFrame(function frame(now) {
    tick(Math.min(0.25, (now - last) / 1000));
    last = now;
    request = requestAnimationFrame(frame);
  });
  return () => {
    cancelAnimationFrame(request);
  };
}
