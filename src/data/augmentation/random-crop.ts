import { check } from "../../util/errors.js";
import type { Random } from "../../util/random.js";
import { resizeImage } from "../images/resize.js";
import type { RgbImage } from "../images/rgb-image.js";
import { crop, roundHalfEven } from "../images/rgb-image.js";

/**
 * Ranges of the area and the aspect ratio of random crops. The area and the logarithm of the aspect ratio are
 * drawn uniformly.
 */
export interface CropRanges {
  /** Smallest and largest area, as shares of the image's area. */
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
 * Draws a random box in an image. Its area and the logarithm of its aspect ratio are uniform within `ranges`,
 * its sides are rounded to whole pixels, and its position is uniform. If ten boxes in a row do not fit into
 * the image, the result is the largest centred box of an allowed aspect ratio (Szegedy et al. 2015, as in
 * torchvision's RandomResizedCrop).
 *
 * @throws StriateError for ranges that are empty or contain numbers that are not above 0.
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
 * Crops a random box from an image (see {@link drawCrop}) and resizes it to `size` x `size` pixels, by
 * antialiased bilinear interpolation of 8-bit values.
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
