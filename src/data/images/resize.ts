import { checkSizes } from "../../util/check.js";
import { check } from "../../util/errors.js";
import { centreCrop, checkImage, crop, roundHalfEven } from "./rgb-image.js";
import type { RgbImage } from "./rgb-image.js";

/**
 * The filter that gives the weights with which source pixels enter a pixel of the result. `triangle` is
 * bilinear interpolation with antialiasing: the weight is 1 - |t| for |t| below 1, and 0 otherwise. `box`
 * gives equal weights to all source pixels with |t| up to 0.5, and does not weight pixels by how much of them
 * the box covers. The distance t between the centres of the two pixels is in pixels of the result when
 * shrinking, and in pixels of the source when enlarging. Both filters follow Pillow.
 */
export type ResizeFilter = "triangle" | "box";

const FIXED_BITS = 22;
const HALF = 2 ** (FIXED_BITS - 1);

interface Weights {
  /** For each result pixel, its first source pixel. */
  readonly first: Int32Array;
  /** For each result pixel, the number of its source pixels. */
  readonly count: Int32Array;
  /** Fixed-point weights: `stride` of them for each result pixel. */
  readonly taps: Int32Array;
  readonly stride: number;
}

function weightsFor(from: number, to: number, filter: ResizeFilter): Weights {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = (filter === "box" ? 0.5 : 1) * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const taps = new Int32Array(to * stride);
  const raw = new Float64Array(stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const high = Math.min(Math.trunc(centre + support + 0.5), from);
    let sum = 0;
    for (let j = low; j < high; j++) {
      const t = (j - centre + 0.5) / filterScale;
      const w = filter === "box" ? (t > -0.5 && t <= 0.5 ? 1 : 0) : Math.max(0, 1 - Math.abs(t));
      raw[j - low] = w;
      sum += w;
    }
    const norm = sum === 0 ? 0 : 1 / sum;
    for (let k = 0; k < high - low; k++) {
      taps[i * stride + k] = Math.trunc(raw[k]! * norm * 2 ** FIXED_BITS + 0.5);
    }
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, taps, stride };
}

/**
 * Resizes an image horizontally, then vertically. Each pass rounds to bytes; a pass that would not change the
 * length is skipped.
 */
export function resizeImage(
  image: RgbImage,
  width: number,
  height: number,
  filter: ResizeFilter = "triangle",
): RgbImage {
  checkImage(image, "image to resize");
  checkSizes("resize", { width, height });
  let { data } = image;
  if (width !== image.width) data = resizeRows(data, image.width, image.height, width, filter);
  if (height !== image.height) data = resizeColumns(data, width, image.height, height, filter);
  return { width, height, data: data === image.data ? data.slice() : data };
}

function resizeRows(
  source: Uint8Array,
  from: number,
  rows: number,
  to: number,
  filter: ResizeFilter,
): Uint8Array {
  const { first, count, taps, stride } = weightsFor(from, to, filter);
  const out = new Uint8Array(rows * to * 3);
  for (let y = 0, o = 0; y < rows; y++) {
    for (let x = 0; x < to; x++, o += 3) {
      let p = (y * from + first[x]!) * 3;
      let [r, g, b] = [HALF, HALF, HALF];
      for (let k = x * stride, end = k + count[x]!; k < end; k++, p += 3) {
        const w = taps[k]!;
        r += w * source[p]!;
        g += w * source[p + 1]!;
        b += w * source[p + 2]!;
      }
      out[o] = toByte(r);
      out[o + 1] = toByte(g);
      out[o + 2] = toByte(b);
    }
  }
  return out;
}

function resizeColumns(
  source: Uint8Array,
  width: number,
  from: number,
  to: number,
  filter: ResizeFilter,
): Uint8Array {
  const { first, count, taps, stride } = weightsFor(from, to, filter);
  const length = width * 3;
  const out = new Uint8Array(to * length);
  const sums = new Int32Array(length);
  for (let y = 0; y < to; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]!; k++) {
      const w = taps[y * stride + k]!;
      const at = (first[y]! + k) * length;
      for (let i = 0; i < length; i++) sums[i]! += w * source[at + i]!;
    }
    for (let i = 0; i < length; i++) out[y * length + i] = toByte(sums[i]!);
  }
  return out;
}

function toByte(sum: number): number {
  const value = sum >> FIXED_BITS;
  return value > 255 ? 255 : value;
}

/**
 * Resizes an image so that its short side has `side` pixels; the long side follows from the aspect ratio and
 * is rounded down, as in torchvision.
 */
export function resizeShortSide(image: RgbImage, side: number): RgbImage {
  const { width, height } = image;
  return width <= height
    ? resizeImage(image, side, Math.trunc((side * height) / width))
    : resizeImage(image, Math.trunc((side * width) / height), side);
}

/**
 * The usual evaluation protocol of classifiers: resizes the short side to `resize` (default: `size` x 256/224, rounded)
 * and crops the central square.
 */
export function resizeAndCrop(
  image: RgbImage,
  size: number,
  resize: number = Math.round((size * 256) / 224),
): RgbImage {
  check(resize >= size, () => `resize: expected a short side of at least the crop of ${size}, got ${resize}`);
  return centreCrop(resizeShortSide(image, resize), size);
}

/**
 * Brings an image to the size that a network takes. An image of that size stays unchanged; other images are
 * resized so that their short side is `shortSide`, or longer if they would not cover that size otherwise.
 * They are then cropped to the centre, as in the evaluation of classifiers.
 *
 * @param shortSide default: the short side of `width` and `height`
 */
export function fitImage(
  image: RgbImage,
  width: number,
  height: number,
  shortSide = Math.min(width, height),
): RgbImage {
  if (image.width === width && image.height === height) return image;
  const short = Math.min(image.width, image.height);
  const least = Math.max(width / image.width, height / image.height);
  const factor = Math.max(shortSide / short, least);
  // Rounded down, as torchvision does for the long side.
  const scaled = (length: number, target: number) => Math.max(target, Math.trunc(factor * length + 1e-9));
  const resized = resizeImage(image, scaled(image.width, width), scaled(image.height, height));
  const left = roundHalfEven((resized.width - width) / 2);
  return crop(resized, left, roundHalfEven((resized.height - height) / 2), width, height);
}
