import type { RgbImage } from "../../data/images/rgb-image.js";
import { checkImage } from "../../data/images/rgb-image.js";
import { checkOneOf } from "../../util/check.js";
import { check } from "../../util/errors.js";
import { Random, type RandomLabel } from "../../util/random.js";
import type { ConstantSet } from "./constants.js";
import { CONSTANT_SETS } from "./constants.js";
import type { CorruptionKind, PixelValues, Square } from "./kind.js";
import { truncateToBytes } from "./kind.js";
import type { CorruptionDraws, CorruptionName, Severity } from "./kinds.js";
import { KINDS, SEVERITIES, corruptionName } from "./kinds.js";
import { jpegRoundTrip } from "./pixels/jpeg.js";

/** The set of constants that was published for the image size nearest to this side, in pixels. */
export function nearestConstants(side: number): ConstantSet {
  return [...CONSTANT_SETS].sort((a, b) => Math.abs(a - side) - Math.abs(b - side))[0]!;
}

/**
 * The set of constants that was published for square images with this side. Throws `StriateError` if
 * there is none.
 */
export function constantSet(side: number): ConstantSet {
  const set = CONSTANT_SETS.find((known) => known === side);
  check(
    set,
    () =>
      `corruptions: constants were published for images of ${CONSTANT_SETS.join(", ")} pixels, not for ${side}: ` +
      `say which constants to use`,
  );
  return set;
}

/** Image sides that every corruption can handle. */
const [SMALLEST, LARGEST] = [16, 1024] as const;

/** Options that say how an image is corrupted. */
export interface CorruptOptions<N extends CorruptionName = CorruptionName> {
  /** Random seed. Default 0. */
  readonly seed?: RandomLabel;
  /**
   * Position of the image in its data set. Together with the random seed, the corruption and the severity, it
   * determines the random draws. Default 0.
   */
  readonly index?: number;
  /**
   * Side of the images for which the constants to be used were published. Default: the side of the image,
   * which must then be 224, 64 or 32.
   */
  readonly constants?: ConstantSet;
  /**
   * Quality of the JPEG compression that is applied after the corruption, or false for none. The published
   * ImageNet-C and Tiny-ImageNet-C were stored as JPEG files. Default: 85 with the constants for 224 and 64,
   * none with those for 32.
   */
  readonly reencode?: number | false;
  /** Recorded random draws to use instead of new ones. */
  readonly draws?: CorruptionDraws<N>;
  /**
   * Photographs of frost. They are used unchanged with the constants for 224 pixels, and shrunk with those
   * for smaller images. Default: textures that Striate generates.
   */
  readonly frost?: readonly RgbImage[];
}

/**
 * Returns a corrupted copy of a square image (Hendrycks & Dietterich 2019). The same image, corruption,
 * severity, seed and index give the same bytes, in whatever order images are corrupted, and on any machine
 * with IEEE arithmetic. Throws `StriateError` for an unknown name, a severity that is not 1 to 5, and an
 * image that is not square or whose side has no constants.
 *
 * @example
 * ```ts
 * import { corrupt } from "striate/robustness";
 *
 * const image = { width: 32, height: 32, data: new Uint8Array(32 * 32 * 3).fill(100) };
 * const noisy = corrupt(image, "gaussian_noise", 3, { seed: 1 });
 * console.log(noisy.data.length); // 3072
 * ```
 */
export function corrupt<N extends CorruptionName>(
  image: RgbImage,
  name: N,
  severity: Severity,
  options: CorruptOptions<N> = {},
): RgbImage {
  const side = image.width;
  const values = corruptedValues(image, name, severity, options);
  const corrupted = { width: side, height: side, data: truncateToBytes(values) };
  const { reencode = defaultReencode(options.constants ?? constantSet(side)) } = options;
  return reencode === false ? corrupted : jpegRoundTrip(corrupted, reencode);
}

/**
 * Applies {@link corrupt} to several images in order. The image at position i has the index `firstIndex + i`
 * (`firstIndex` is 0 by default), so the resulting bytes do not depend on how a data set is split into
 * batches.
 */
export function corruptBatch(
  images: readonly RgbImage[],
  name: CorruptionName,
  severity: Severity,
  options: Omit<CorruptOptions, "index" | "draws"> & { readonly firstIndex?: number } = {},
): RgbImage[] {
  const { firstIndex = 0, ...shared } = options;
  return images.map((image, i) => corrupt(image, name, severity, { ...shared, index: firstIndex + i }));
}

/** The default of {@link CorruptOptions.reencode}. */
export function defaultReencode(set: ConstantSet): number | false {
  return set === 32 ? false : 85;
}

/**
 * Computes the values of {@link corrupt} on a scale of 0..255, before they are truncated to bytes and
 * compressed as JPEG.
 */
export function corruptedValues<N extends CorruptionName>(
  image: RgbImage,
  name: N,
  severity: Severity,
  options: CorruptOptions<N> = {},
): PixelValues {
  checkImage(image, "image to corrupt");
  check(
    image.width === image.height && image.width >= SMALLEST && image.width <= LARGEST,
    () =>
      `image to corrupt: expected a square of ${SMALLEST} to ${LARGEST} pixels, got ${image.width} x ${image.height}`,
  );
  checkOneOf("corruption severity", severity, SEVERITIES);
  const { seed = 0, index = 0, constants: set = constantSet(image.width), frost: textures } = options;
  const known = corruptionName(name);
  const kind = KINDS[known] as unknown as CorruptionKind<unknown, unknown>;
  const square: Square = {
    side: image.width,
    pixels: image.data,
    set,
    ...(textures !== undefined && { frost: textures }),
  };
  const constants = kind.constants[set][severity - 1];
  const draws =
    options.draws ??
    kind.draw?.(Random.derive(seed, "corruption", known, severity, index), square, constants);
  return kind.apply(square, constants, draws);
}
