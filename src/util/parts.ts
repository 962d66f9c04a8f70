/**
 * Long work that may be interrupted at every `yield`. Other work of the same thread may run in between, so a part
 * must not leave anything behind that the other work would see.
 */
export type Parts<T> = Generator<undefined, T>;

/** Milliseconds of work before a page may draw: half of a frame at 60 frames a second. */
const SLICE = 8;

/** Does all parts without a pause. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
  }
}

/**
 * Does the parts in slices of some 8 ms, and lets a page draw and answer its user between them. Where nothing is drawn (Node, a
 * worker), all are done at once.
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

/** Turns of the event loop. By messages, because browsers make timers of tabs in the background wait for a second. */
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
