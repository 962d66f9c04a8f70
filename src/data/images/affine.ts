import { check } from "../../util/errors.js";
import type { Random } from "../../util/random.js";
import type { RgbImage } from "./rgb-image.js";
import { checkImage, roundHalfEven } from "./rgb-image.js";

/** An affine change of a whole image: rotation and scaling about its centre, then translation, then mirroring. */
export interface Affine {
  /** Rotation in degrees, clockwise when the image is displayed. Default 0. */
  readonly angle?: number;
  /** Scale factor; a factor above 1 enlarges. Default 1. */
  readonly scale?: number;
  /** Translation in pixels, to the right and down. Default [0, 0]. */
  readonly translate?: readonly [x: number, y: number];
  /** Whether the image is mirrored left to right at the end. Default false. */
  readonly flip?: boolean;
}

/** Ranges from which {@link drawAffine} draws uniformly. */
export interface AffineRanges {
  /** Largest rotation in either direction, in degrees. Default 30. */
  readonly degrees?: number;
  /** Largest translation in each direction as a share of the image's side, rounded to whole pixels. Default 0.05. */
  readonly translate?: number;
  /** Smallest and largest scale factor. Default [1, 1.2]. */
  readonly scale?: readonly [number, number];
  /** Probability of mirroring. Default 0.5. */
  readonly flip?: number;
}

/**
 * Draws a random affine change. The default ranges are those of the augmentation in the VOneNet
 * receptive-field study (Barbulescu et al. 2023). Throws `StriateError` for invalid ranges.
 */
export function drawAffine(
  random: Random,
  size: { readonly width: number; readonly height: number },
  ranges: AffineRanges = {},
): Required<Affine> {
  const { degrees = 30, translate = 0.05, scale = [1, 1.2], flip = 0.5 } = ranges;
  check(
    [degrees, translate, ...scale, flip].every((value) => Number.isFinite(value) && value >= 0) &&
      scale[0] > 0 &&
      scale[0] <= scale[1] &&
      flip <= 1,
    () =>
      `augmentation: expected ranges of at least 0, scales above 0 and a probability, got ${JSON.stringify(ranges)}`,
  );
  const within = (low: number, high: number): number => low + (high - low) * random.uniform();
  const angle = within(-degrees, degrees);
  const x = roundHalfEven(within(-translate, translate) * size.width);
  const y = roundHalfEven(within(-translate, translate) * size.height);
  return { angle, translate: [x, y], scale: within(scale[0], scale[1]), flip: random.uniform() < flip };
}

/**
 * Computes, for every pixel in row-major order, the index of the source pixel that an affine change moves
 * there (nearest neighbour), or -1 if the source lies outside the image. The pixel (x, y) reads the source at
 * floor(M^-1 (x + 1/2, y + 1/2)), before the optional mirroring. Here M = T(centre + translate) R(angle)
 * scale T(-centre), T(v) is the translation by v, R = [[cos, -sin], [sin, cos]], x points to the right and y
 * down. The result equals that of torchvision's `affine` with Pillow. Throws `StriateError` for numbers that
 * are not finite and scales that are not above 0.
 */
export function affineSources(
  affine: Affine,
  { width, height }: { readonly width: number; readonly height: number },
): Int32Array {
  const { angle = 0, scale = 1, translate = [0, 0], flip = false } = affine;
  check(
    [angle, scale, ...translate].every(Number.isFinite) && scale > 0,
    () => `affine change: expected finite numbers and a scale above 0, got ${JSON.stringify(affine)}`,
  );
  const radians = (angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(radians) / scale, Math.sin(radians) / scale];
  const [centreX, centreY] = [width / 2, height / 2];
  const sources = new Int32Array(width * height).fill(-1);
  for (let y = 0; y < height; y++) {
    const dy = y + 0.5 - centreY - translate[1];
    for (let x = 0; x < width; x++) {
      const dx = x + 0.5 - centreX - translate[0];
      const fromX = Math.floor(cos * dx + sin * dy + centreX);
      const fromY = Math.floor(-sin * dx + cos * dy + centreY);
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      sources[y * width + (flip ? width - 1 - x : x)] = fromY * width + fromX;
    }
  }
  return sources;
}

/** Applies an affine change to an image; pixels from outside the image are black. See {@link affineSources}. */
export function affineImage(image: RgbImage, affine: Affine): RgbImage {
  checkImage(image, "image to change");
  const data = new Uint8Array(image.data.length);
  affineSources(affine, image).forEach((from, to) => {
    if (from >= 0) data.set(image.data.subarray(3 * from, 3 * from + 3), 3 * to);
  });
  return { width: image.width, height: image.height, data };
}
