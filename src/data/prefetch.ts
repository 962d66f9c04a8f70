import { checkWhole } from "../util/check.js";

/**
 * Prepares the next items of a source while the consumer waits for something else, such as a training step on another
 * thread. At most `depth` items are ready or in preparation in addition to the one that the consumer holds. So a source
 * may reuse memory by rotating `depth + 1` buffers, provided that the consumer no longer needs an item when it requests
 * the next.
 *
 * A synchronous source, such as an ordinary generator, produces one item at a time whenever the consumer
 * waits. An error of the source reaches the consumer after all items that were made before it. If the
 * consumer leaves the loop early, the source is closed. Nothing is prepared before the consumer requests the
 * first item.
 */
export async function* prefetch<T>(
  source: Iterable<T> | AsyncIterable<T>,
  depth = 2,
): AsyncGenerator<T, void, undefined> {
  checkWhole("prefetch: depth", depth);
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const ready: T[] = [];
  const errors: unknown[] = [];
  const producer = signal();
  const consumer = signal();
  const flags = { closed: false, ended: false, hungry: false };
  const is = (flag: keyof typeof flags): boolean => flags[flag];

  const produce = async (): Promise<void> => {
    try {
      while (!is("closed")) {
        if (ready.length >= depth) {
          await producer.wait();
          continue;
        }
        // Waits for one turn of the event loop, so that the consumer starts its own work before the next item is made.
        if (!is("hungry")) await new Promise((resolve) => setTimeout(resolve, 0));
        if (is("closed")) return;
        const result = await iterator.next();
        if (result.done === true) break;
        ready.push(result.value);
        flags.hungry = false;
        consumer.wake();
      }
      flags.ended = !is("closed");
    } catch (error) {
      errors.push(error);
      flags.ended = true;
    }
    consumer.wake();
  };

  const producing = produce();
  try {
    for (;;) {
      while (ready.length === 0 && !is("ended")) {
        flags.hungry = true;
        await consumer.wait();
      }
      if (ready.length === 0) {
        if (errors.length > 0) throw errors[0];
        return;
      }
      const item = ready.shift()!;
      producer.wake();
      yield item;
    }
  } finally {
    flags.closed = true;
    producer.wake();
    await producing;
    if (!is("ended")) await iterator.return?.();
  }
}

/** A signal that one part of the code waits for and another sends. */
function signal(): { wait: () => Promise<void>; wake: () => void } {
  let resolveWaiting = (): void => undefined;
  return {
    wait: () => new Promise((resolve) => (resolveWaiting = resolve)),
    wake: () => {
      resolveWaiting();
    },
  };
}
