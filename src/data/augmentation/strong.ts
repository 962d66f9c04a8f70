import type { Random } from "../../util/random.js";
import type { RgbImage } from "../images/rgb-image.js";
import { augMix } from "./aug-mix.js";
import { jitterColours } from "./colour.js";
import { mirror, randomResizedCrop } from "./random-crop.js";
import { AKORN_JITTER } from "./simclr.js";

/**
 * The augmentation with which AKOrN's classifiers are trained: a random crop of 20 % to 100 % of the area,
 * resized to `size` x `size`; mirroring with probability 1/2; colour jitter; AugMix. All steps work on 8-bit
 * values.
 */
export function strongAugmentation(image: RgbImage, size: number, random: Random): RgbImage {
  const view = randomResizedCrop(image, size, { scale: [0.2, 1] }, random);
  if (random.uniform() < 0.5) mirror(view);
  jitterColours(view.data, AKORN_JITTER, random);
  return augMix(view, random);
}
