import { availableParallelism } from "node:os";
import { RequestThread, ThreadEndedError } from "../../runtime/request-thread-node.js";
import { checkWhole } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import type { RandomLabel } from "../../util/random.js";
import type { ImageSource, SkippedImage } from "./image-source.js";
import { describeSkipped } from "./image-source.js";
import { IMAGES, LABELS } from "./prepared-images.js";
import type { Preprocessing } from "./preprocessing.js";
import type { RgbImage } from "./rgb-image.js";
import { ownBytes, withOwnMemory } from "./rgb-image.js";
import type { ImageTransform } from "./transform.js";
import { checkTransform } from "./transform.js";

/** Options of `openImageLoader`. */
export interface ImageLoaderOptions {
  readonly transform: ImageTransform;
  readonly preprocessing: Preprocessing;
  /** Number of channels of the network's images, 1 or 3. Default 3. */
  readonly channels?: 1 | 3;
  /** Number of threads that decode and augment. Default: one per core, at most 8. */
  readonly threads?: number;
}

/** What a thread gets for one image. */
export interface ImageRequest {
  /** The bytes of the image's file, or its pixels. */
  readonly picture: { readonly bytes: Uint8Array } | { readonly image: RgbImage };
  readonly name: string;
  readonly transform: ImageTransform;
  readonly channels: 1 | 3;
  readonly preprocessing: Preprocessing;
  /** The random labels that decide the augmentation. */
  readonly draw: readonly RandomLabel[];
}

/** The values of one image, [channels, height, width]. */
export type ImageAnswer = Float32Array;

/** Images of a source as training data, read and augmented by worker threads while the network trains. */
export interface ImageLoader {
  readonly count: number;
  readonly preprocessing: Preprocessing;
  /** The images that could not be read so far. Others take their places. */
  readonly skipped: readonly SkippedImage[];
  /**
   * Writes the values of images to the field "images", [batch, channels, height, width], and their labels to "labels".
   * The random labels in `draw` and the position in the batch decide the augmentation, so equal labels give equal
   * values, whatever the number of threads.
   *
   * @throws StriateError if more than one image in a hundred (and more than ten) cannot be read
   */
  fill(
    indices: ArrayLike<number>,
    fields: Readonly<Record<string, Float32Array>>,
    draw?: readonly RandomLabel[],
  ): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** Unreadable images that are accepted: this many, or this share of all. */
const [FEW, SHARE] = [10, 0.01];

/**
 * Opens a loader, which reads, decodes and augments the images of a source in worker threads. Only the images of the
 * batches in progress are in memory, so a source may be larger than memory. In place of an image that cannot be read,
 * the next readable one is used.
 *
 * @throws StriateError for a transform with values that are not allowed
 * @example
 * ```ts
 * import { imageFolder, openImageLoader } from "striate/node";
 *
 * const loader = openImageLoader(await imageFolder("photos"), {
 *   transform: { width: 64, height: 64, shortSide: 73, crop: { scale: [0.35, 1] }, flip: 0.5 },
 *   preprocessing: { mean: [0.5], std: [0.5] },
 * });
 * const images = new Float32Array(2 * 3 * 64 * 64);
 * await loader.fill([0, 1], { images });
 * await loader.close();
 * ```
 */
export function openImageLoader(source: ImageSource, options: ImageLoaderOptions): ImageLoader {
  const { transform, preprocessing, channels = 3, threads = Math.min(8, availableParallelism()) } = options;
  checkTransform(transform);
  checkWhole("image loader: threads", threads);
  check(source.count > 0, () => `${source.name}: expected at least one image, got none`);
  const pool = Array.from(
    { length: threads },
    () => new RequestThread<ImageRequest, ImageAnswer>("./image-thread-node.js", import.meta.url, undefined),
  );
  const reasons = new Map<number, string>();
  const skipped: SkippedImage[] = [];
  const most = Math.max(FEW, Math.floor(SHARE * source.count));

  const read = async (index: number, draw: readonly RandomLabel[]): Promise<ImageAnswer> => {
    const picture = source.bytes
      ? { bytes: ownBytes(await source.bytes(index)) }
      : { image: withOwnMemory(await source.read(index)) };
    const thread = pool.reduce((a, b) => (b.pending < a.pending ? b : a));
    return thread.ask({ picture, name: source.nameOf(index), transform, channels, preprocessing, draw });
  };
  /** The first readable image from `start` on, with the values of that image. */
  const readFrom = async (
    start: number,
    draw: readonly RandomLabel[],
  ): Promise<{ readonly index: number; readonly values: ImageAnswer }> => {
    for (let index = start; ; index = (index + 1) % source.count) {
      if (reasons.has(index)) continue;
      try {
        return { index, values: await read(index, draw) };
      } catch (error) {
        if (!(error instanceof StriateError) || error instanceof ThreadEndedError) throw error;
        if (!reasons.has(index)) skipped.push({ name: source.nameOf(index), reason: error.message });
        reasons.set(index, error.message);
        check(skipped.length <= most && skipped.length < source.count, () => {
          const text = describeSkipped(skipped, source.count)!;
          return `${source.name}: expected at most ${most} unreadable images, got more: ${text}`;
        });
      }
    }
  };
  return {
    count: source.count,
    preprocessing,
    skipped,
    fill: async (indices, fields, draw = ["images"]) => {
      const { [IMAGES]: images, [LABELS]: labels } = fields;
      const own = (n: number) => [...draw, "augmentation", n];
      if (images === undefined) {
        if (labels) for (let n = 0; n < indices.length; n++) labels[n] = source.labels[indices[n]!]!;
        return;
      }
      const size = images.length / indices.length;
      await Promise.all(
        Array.from(indices, async (wanted, n) => {
          const { index, values } = await readFrom(wanted, own(n));
          images.set(values, n * size);
          if (labels) labels[n] = source.labels[index]!;
        }),
      );
    },
    close: async () => {
      await Promise.all(pool.map((thread) => thread.close()));
    },
  };
}
