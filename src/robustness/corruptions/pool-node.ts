import { availableParallelism } from "node:os";
import type { RgbImage } from "../../data/images/rgb-image.js";
import { checkImage, withOwnMemory } from "../../data/images/rgb-image.js";
import { RequestThread } from "../../runtime/request-thread-node.js";
import { checkWhole } from "../../util/check.js";
import type { CorruptOptions } from "./corrupt.js";
import type { CorruptionName, Severity } from "./kinds.js";

/** One corruption at one severity. */
export interface CorruptionTask {
  readonly name: CorruptionName;
  readonly severity: Severity;
}

/** Options that say how `corruptAll` corrupts the images of a data set. */
export interface CorruptAllOptions extends Omit<CorruptOptions, "index" | "draws"> {
  /** Number of worker threads. Default: one per core. */
  readonly threads?: number;
  /** Aborts the work and ends the threads. */
  readonly signal?: AbortSignal;
}

/** An item of the source, with all corrupted versions of its image in the order of the tasks. */
export type WithCorrupted<T> = T & { readonly corrupted: readonly RgbImage[] };

/** The data that every thread gets when it starts. */
export interface CorruptionThreadData {
  readonly tasks: readonly CorruptionTask[];
  readonly options: Omit<CorruptOptions, "index" | "draws">;
}

/** A request from the main thread to a worker thread. */
export interface CorruptionRequest {
  readonly image: RgbImage;
  readonly index: number;
}

/** The corrupted versions of an image, in the order of the tasks. */
export type CorruptionAnswer = readonly RgbImage[];

/**
 * Corrupts images on all cores. Each image of the source gives one result, in the source's order. At most two
 * images per thread are in progress or waiting, so memory use does not grow with the length of the source.
 * The bytes are the same as those of `corrupt` with the same seed and the image's index. If the caller leaves
 * the loop early, the threads end. Throws `StriateError` as `corrupt` does, or the error of the source.
 *
 * @example
 * ```ts
 * import { readImages } from "striate";
 * import { corruptAll, imageFolder } from "striate/node";
 *
 * const images = readImages(await imageFolder("photos"), { skipped: [] });
 * for await (const { corrupted } of corruptAll(images, [{ name: "fog", severity: 3 }], { seed: 1 }))
 *   console.log(corrupted[0]!.data.length);
 * ```
 */
export async function* corruptAll<T extends { readonly index: number; readonly image: RgbImage }>(
  source: Iterable<T> | AsyncIterable<T>,
  tasks: readonly CorruptionTask[],
  options: CorruptAllOptions = {},
): AsyncGenerator<WithCorrupted<T>, void, undefined> {
  const { threads = availableParallelism(), signal, ...shared } = options;
  checkWhole("corruptions: threads", threads);
  const workers = Array.from(
    { length: threads },
    () =>
      new RequestThread<CorruptionRequest, CorruptionAnswer>("./corruption-thread-node.js", import.meta.url, {
        tasks,
        options: shared,
      } satisfies CorruptionThreadData),
  );
  const pending: Promise<WithCorrupted<T>>[] = [];
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let ended = false;
  let next = 0;
  try {
    for (;;) {
      while (!ended && pending.length < 2 * threads) {
        signal?.throwIfAborted();
        const item = await iterator.next();
        if (item.done === true) {
          ended = true;
          break;
        }
        const { image, index } = item.value;
        checkImage(image, `image ${index}`);
        const worker = workers[next++ % threads]!;
        const job = worker.ask({ image: withOwnMemory(image), index });
        const result = job.then((corrupted) => ({ ...item.value, corrupted }));
        // An error is thrown only when its image is due, and must not count as unhandled before.
        result.catch(() => undefined);
        pending.push(result);
      }
      const first = pending.shift();
      if (first === undefined) return;
      const result = await first;
      signal?.throwIfAborted();
      yield result;
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
    if (!ended) await iterator.return?.();
  }
}
