import type { Tensor } from "../../../graph/index.js";
import { add, cast, div, greater, maximum, mean, mul, sub, sum } from "../../../graph/index.js";

/**
 * The form of light adaptation. "mean" divides by the mean of the whole image; "thresholded" leaves dark
 * values out of the mean; "none" expects images in [-1, 1] and leaves them as they are.
 */
export const LIGHT_ADAPTATIONS = ["mean", "thresholded", "none"] as const;
/** Name of a form of light adaptation. */
export type LightAdaptation = (typeof LIGHT_ADAPTATIONS)[number];

const EPSILON = 1e-5;
/** Values above it count for the mean, and it also keeps the divisor away from 0. */
const THRESHOLD = 0.05;

/**
 * Adapts images [batch, colours, height, width] with values in [0, 1] to their own light (Piper et al. 2025):
 *
 *     u = (x - m) / (m + epsilon)
 *
 * where m is the mean of all values of an image, over colours and pixels. There is one mean for each image,
 * and no spatial window. For "mean", epsilon is 1e-5. For "thresholded", m is the mean of the values above
 * 0.05 (0 if there are none), all values are transformed, and epsilon is 0.05.
 */
export function adaptToLight(images: Tensor, kind: LightAdaptation): Tensor {
  if (kind === "none") return images;
  const thresholded = kind === "thresholded";
  const light = thresholded ? meanAbove(images, THRESHOLD) : inTwoSteps(mean, images);
  return div(sub(images, light), add(light, thresholded ? THRESHOLD : EPSILON));
}

/** The mean of the values of each image that are above a threshold; 0 for an image that has none. */
function meanAbove(images: Tensor, threshold: number): Tensor {
  const bright = cast(greater(images, threshold), images.dtype);
  const count = inTwoSteps(sum, bright);
  return div(inTwoSteps(sum, mul(images, bright)), maximum(count, 1));
}

/**
 * Reduces whole images, first their rows and then the results. A runtime that adds up all values one by one
 * in float32 would lose a digit, which dark images and noise near 0 make visible.
 */
function inTwoSteps(reduce: typeof mean, images: Tensor): Tensor {
  return reduce(reduce(images, [3], { keepAxes: true }), [1, 2], { keepAxes: true });
}
