import { check } from "../../util/errors.js";
import type { Random } from "../../util/random.js";
import { resizeImage } from "../images/resize.js";
import type { RgbImage } from "../images/rgb-image.js";
import { crop, roundHalfEven } from "../images/rgb-image.js";

/**
 * The areas and aspect ratios that random crops are drawn from: uniform in area and in the logarithm of the aspect
 * ratio.
 */
export interface CropRanges {
  /** Smallest and largest share of the image's area. */
  readonly scale: readonly [number, number];
  /** Smallest and largest ratio of width to height. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
}

/** A rectangle inside an image, in pixels from the upper left corner. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const TRIES = 10;

/**
 * Draws a random box of an image: its share of the area is uniform, the logarithm of its aspect ratio is uniform, its
 * sides are rounded, and its position is uniform. If ten boxes in a row do not fit, the result is the largest central
 * box of an allowed aspect ratio (Szegedy et al. 2015, as in torchvision's RandomResizedCrop).
 *
 * @throws StriateError for ranges that are empty or not above 0.
 */
export function drawCrop(
  { width, height }: { readonly width: number; readonly height: number },
  ranges: CropRanges,
  random: Random,
): Box {
  const { scale, ratio = [3 / 4, 4 / 3] } = ranges;
  check(
    scale[0] > 0 && scale[0] <= scale[1] && ratio[0] > 0 && ratio[0] <= ratio[1],
    () => `random crop: expected ranges from low to high above 0, got ${JSON.stringify({ scale, ratio })}`,
  );
  for (let tries = 0; tries < TRIES; tries++) {
    const area = width * height * (scale[0] + (scale[1] - scale[0]) * random.uniform());
    const [low, high] = [Math.log(ratio[0]), Math.log(ratio[1])];
    const proportion = Math.exp(low + (high - low) * random.uniform());
    const w = roundHalfEven(Math.sqrt(area * proportion));
    const h = roundHalfEven(Math.sqrt(area / proportion));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const top = random.integer(0, height - h + 1);
    return { left: random.integer(0, width - w + 1), top, width: w, height: h };
  }
  const imageRatio = width / height;
  const w = imageRatio > ratio[1] ? Math.max(1, roundHalfEven(height * ratio[1])) : width;
  const h = imageRatio < ratio[0] ? Math.max(1, roundHalfEven(width / ratio[0])) : height;
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/**
 * Crops a random box of an image and resizes it to a square of `size` pixels (bilinear, antialiased, 8 bits); see
 * {@link drawCrop}.
 */
export function randomResizedCrop(
  image: RgbImage,
  size: number,
  ranges: CropRanges,
  random: Random,
): RgbImage {
  const { left, top, width, height } = drawCrop(image, ranges, random);
  return resizeImage(crop(image, left, top, width, height), size, size);
}

/** Mirrors an image left to right, in place. */
export function mirror({ width, height, data }: RgbImage): void {
  for (let y = 0; y < height; y++) {
    for (let left = 0, right = width - 1; left < right; left++, right--) {
      const [a, b] = [3 * (y * width + left), 3 * (y * width + right)];
      for (let c = 0; c < 3; c++) [data[a + c], data[b + c]] = [data[b + c]!, data[a + c]!];
    }
  }
}
