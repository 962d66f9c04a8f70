import { check } from "../../util/errors.js";
import type { Random } from "../../util/random.js";
import { resizeImage } from "../images/resize.js";
import type { RgbImage } from "../images/rgb-image.js";
import { crop, roundHalfEven } from "../images/rgb-image.js";

/** The sizes and proportions that random crops are drawn from, evenly in area and in the logarithm of the proportion. */
export interface CropRanges {
  /** Smallest and largest part of the image's area. */
  readonly scale: readonly [number, number];
  /** Smallest and largest width over height. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
}

/** A rectangle inside a picture, in pixels from its left upper corner. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const TRIES = 10;

/**
 * A random box of an image: the part of the area uniform, the logarithm of the proportion uniform, sides rounded, the place
 * uniform. After 10 boxes that do not fit, the largest middle box of an allowed proportion (Szegedy et al. 2015, as in
 * torchvision's RandomResizedCrop).
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
  const own = width / height;
  const w = own > ratio[1] ? Math.max(1, roundHalfEven(height * ratio[1])) : width;
  const h = own < ratio[0] ? Math.max(1, roundHalfEven(width / ratio[0])) : height;
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/** A random box of an image as a square of `size` pixels (bilinear, antialiased, 8 bits); see {@link drawCrop}. */
export function randomResizedCrop(
  image: RgbImage,
  size: number,
  ranges: CropRanges,
  random: Random,
): RgbImage {
  const { left, top, width, height } = drawCrop(image, ranges, random);
  return resizeImage(crop(image, left, top, width, height), size, size);
}

/** Left and right exchanged, in place. */
export function mirror({ width, height, data }: RgbImage): void {
  for (let y = 0; y < height; y++) {
    for (let left = 0, right = width - 1; left < right; left++, right--) {
      const [a, b] = [3 * (y * width + left), 3 * (y * width + right)];
      for (let c = 0; c < 3; c++) [data[a + c], data[b + c]] = [data[b + c]!, data[a + c]!];
    }
  }
}
