/**
 * Long work that may be interrupted at every `yield`. Other work on the same thread may run then, so at a
 * `yield` nothing that other work can see may be in an unfinished state.
 */
export type Parts<T> = Generator<undefined, T>;

/** Milliseconds of work before a page may redraw: half of a frame at 60 frames per second. */
const SLICE = 8;

/** Runs all parts without a pause. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
  }
}

/**
 * Runs the parts in slices of about 8 ms. Between slices, a page can redraw and respond to its user. In Node
 * and in workers, which draw nothing, all parts run without a pause.
 */
export async function inSlices<T>(parts: Parts<T>): Promise<T> {
  if (typeof globalThis.requestAnimationFrame !== "function" || typeof document === "undefined")
    return atOnce(parts);
  const turns = new Turns();
  try {
    for (;;) {
      await turns.next();
      const end = performance.now() + SLICE;
      while (performance.now() < end) {
        const { done, value } = parts.next();
        if (done === true) return value;
      }
    }
  } finally {
    turns.close();
  }
}

/**
 * Waits for turns of the event loop. It uses messages instead of timers, because browsers delay the timers of
 * background tabs by a second.
 */
class Turns {
  readonly #channel = new MessageChannel();

  next(): Promise<unknown> {
    const { port1, port2 } = this.#channel;
    return new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(undefined);
    });
  }

  close(): void {
    this.#channel.port1.close();
  }
}
