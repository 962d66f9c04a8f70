import { IMAGES, LABELS } from "../dataset.js";
import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import type { RandomLabel } from "../../util/random.js";
import { Random } from "../../util/random.js";
import type { AffineRanges } from "./affine.js";
import { affineSources, drawAffine } from "./affine.js";
import type { ImageSource, SkippedImage } from "./image-source.js";
import { imageSubset, readImages } from "./image-source.js";
import type { Preprocessing } from "./preprocessing.js";
import { completePreprocessing, resizedShortSide } from "./preprocessing.js";
import { fitImage } from "./resize.js";
import type { RgbImage } from "./rgb-image.js";
import { greyOf } from "./rgb-image.js";

export { IMAGES, LABELS };

/** Images of one size, stored as bytes, channel by channel. */
export interface PreparedImages {
  readonly count: number;
  /** The shape of one image, [channels, height, width]. */
  readonly shape: readonly number[];
  /** The pixels of all images, [count, channels, height, width]. */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

/** Largest allowed size of all prepared images together, in bytes. */
const LARGEST = 4 * 2 ** 30;

/** Options that say which images of a source to prepare, and how. */
export interface PrepareOptions {
  /**
   * The part of the preprocessing that determines how images are resized and cropped to the network's size.
   */
  readonly preprocessing?: Pick<Preprocessing, "resize" | "cropFraction">;
  /** Largest number of images to use, chosen at random. Default: all. */
  readonly most?: number;
  /** Random seed for choosing images. Default 1. */
  readonly seed?: number;
  /** Receives the images that cannot be read. */
  readonly skipped?: SkippedImage[];
  readonly signal?: AbortSignal;
  /** Called with the number of images processed so far, including unreadable ones. */
  readonly onProgress?: (done: number, count: number) => void;
}

/**
 * Reads the images of a source into memory and brings them to the size that a network takes, by antialiased
 * bilinear resizing and a centre crop. For a network with one channel, images become grey.
 *
 * @param shape [channels, height, width] of the network's images
 * @throws StriateError for a network that does not take images of 1 or 3 channels, or for more than 4 GB of
 * images. If `signal` is aborted, throws its reason.
 */
export async function prepareImages(
  source: ImageSource,
  shape: readonly number[],
  options: PrepareOptions = {},
): Promise<PreparedImages> {
  const [channels, height, width] = shape as [number, number, number];
  check(
    shape.length === 3 && (channels === 1 || channels === 3),
    () =>
      `${source.name}: expected a network that takes images of shape [1 or 3, height, width], got [${shape.join(", ")}]`,
  );
  const chosen = choose(source, options.most, options.seed ?? 1);
  const perImage = channels * height * width;
  check(
    chosen.count * perImage <= LARGEST,
    () =>
      `${source.name}: expected at most 4 GB of images, got ${chosen.count} images of shape [${shape.join(", ")}]; use fewer images`,
  );
  const pixels = new Uint8Array(chosen.count * perImage);
  const labels = new Int32Array(chosen.count);
  const side = resizedShortSide(options.preprocessing ?? {}, Math.min(height, width));
  let [count, reported] = [0, 0];
  const skipped = options.skipped ?? [];
  const before = skipped.length;
  const report = (done: number) => {
    if (done > reported) options.onProgress?.((reported = done), chosen.count);
  };
  options.signal?.throwIfAborted();
  for await (const { image, label } of readImages(chosen, { skipped })) {
    options.signal?.throwIfAborted();
    const fitted = fitImage(image, width, height, side);
    writePlanes(fitted, channels, pixels.subarray(count * perImage, (count + 1) * perImage));
    labels[count++] = label;
    report(count + skipped.length - before);
  }
  report(chosen.count);
  return {
    count,
    shape,
    pixels: pixels.subarray(0, count * perImage),
    labels: labels.subarray(0, count),
    classes: source.classes,
  };
}

function choose(source: ImageSource, most: number | undefined, seed: number): ImageSource {
  if (most === undefined || most >= source.count) return source;
  return imageSubset(source, Random.derive(seed, "images").permutation(source.count).slice(0, most).sort());
}

/** Returns one of the prepared images as 8-bit RGB. Throws `StriateError` for grey images. */
export function pictureOf({ pixels, shape }: PreparedImages, index: number): RgbImage {
  const [channels, height, width] = shape as [number, number, number];
  check(channels === 3, () => `prepared image: expected images of 3 channels, got ${channels}`);
  const plane = height * width;
  const from = index * 3 * plane;
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = pixels[from + c * plane + i]!;
  return { width, height, data };
}

/** Writes an image to `out` channel by channel, in colour or, if `channels` is 1, in grey. */
export function writePlanes({ data }: RgbImage, channels: number, out: Uint8Array): void {
  const positions = data.length / 3;
  for (let i = 0; i < positions; i++) {
    const [r, g, b] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    if (channels === 1) out[i] = greyOf(r, g, b);
    else for (const [c, value] of [r, g, b].entries()) out[c * positions + i] = value;
  }
}

/** The values of one channel of a network's input. */
export interface PixelTable {
  /** The channel of the image from which the bytes are read. */
  readonly plane: number;
  /** The network's value for each of the 256 byte values. */
  readonly values: Float32Array;
}

/** Lookup tables of a preprocessing, one for each of the network's channels. */
export function pixelTables(preprocessing: Preprocessing, channels: number): PixelTable[] {
  const { scale, mean, std, layout, colours } = completePreprocessing(preprocessing, channels);
  check(layout === "NCHW", () => `preprocessing: expected the layout NCHW for training, got ${layout}`);
  const planes = Array.from({ length: channels }, (_, c) => (colours === "BGR" ? channels - 1 - c : c));
  return planes.map((plane) => ({
    plane,
    values: Float32Array.from(
      { length: 256 },
      (_, byte) => (byte / (255 / scale) - mean[plane]!) / std[plane]!,
    ),
  }));
}

/** Writes the values of an image for a network, channel by channel; with a single table, those of the grey image. */
export function writeValues(image: RgbImage, tables: readonly PixelTable[], out: Float32Array): void {
  const { data } = image;
  const positions = data.length / 3;
  for (const [c, { plane, values }] of tables.entries()) {
    const at = c * positions;
    if (tables.length === 1)
      for (let i = 0; i < positions; i++)
        out[at + i] = values[greyOf(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!)]!;
    else for (let i = 0; i < positions; i++) out[at + i] = values[data[3 * i + plane]!]!;
  }
}

/** Options for feeding prepared images to a network. */
export interface ImageDataOptions {
  /**
   * Ranges for a random affine change of the images. A new change is drawn each time an image is used.
   * Default: images are not changed.
   */
  readonly augmentation?: AffineRanges;
}

/** Images as samples for training and evaluation. */
export interface ImageData {
  readonly count: number;
  readonly preprocessing: Preprocessing;
  /**
   * Writes the samples with the given indices. The random labels `draw` determine the augmentation; the same
   * labels give the same images.
   */
  fill(
    indices: ArrayLike<number>,
    fields: Readonly<Record<string, Float32Array>>,
    draw?: readonly RandomLabel[],
  ): void;
}

/** Turns prepared images into training data with the fields "images" and "labels". */
export function imageData(
  images: PreparedImages,
  preprocessing: Preprocessing,
  { augmentation }: ImageDataOptions = {},
): ImageData {
  const { pixels, shape, labels, count } = images;
  const lookup = pixelTables(preprocessing, shape[0]!);
  const [, height, width] = shape as [number, number, number];
  const positions = height * width;
  const size = lookup.length * positions;
  return {
    count,
    preprocessing,
    fill: (indices, fields, draw = ["images"]) => {
      const [out, classes] = [fields[IMAGES], fields[LABELS]];
      for (let n = 0; n < indices.length; n++) {
        const index = indices[n]!;
        if (classes !== undefined) classes[n] = labels[index]!;
        if (out === undefined) continue;
        const random = augmentation && Random.derive(draw[0]!, ...draw.slice(1), "augmentation", n);
        const sources =
          random && affineSources(drawAffine(random, { width, height }, augmentation), { width, height });
        for (const [c, { plane, values: table }] of lookup.entries()) {
          const from = index * size + plane * positions;
          const to = n * size + c * positions;
          if (sources) {
            for (let i = 0; i < positions; i++)
              out[to + i] = table[sources[i]! < 0 ? 0 : pixels[from + sources[i]!]!]!;
          } else for (let i = 0; i < positions; i++) out[to + i] = table[pixels[from + i]!]!;
        }
      }
    },
  };
}

/** Combines some of the images into one batch of shape [batch, ...shape]. */
export function imageBatch(
  images: PreparedImages,
  preprocessing: Preprocessing,
  indices: ArrayLike<number>,
): TensorData {
  const size = images.shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(indices.length * size);
  imageData(images, preprocessing).fill(indices, { [IMAGES]: values });
  return tensorData(values, [indices.length, ...images.shape]);
}

/** Returns images from..to-1 as views that share the memory of `images`. */
export function sliceImages(images: PreparedImages, from: number, to: number): PreparedImages {
  const size = images.pixels.length / images.count;
  return {
    ...images,
    count: to - from,
    pixels: images.pixels.subarray(from * size, to * size),
    labels: images.labels.subarray(from, to),
  };
}
