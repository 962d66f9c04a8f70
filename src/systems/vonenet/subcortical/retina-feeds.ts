import type { TensorData } from "../../../graph/index.js";
import { check } from "../../../util/errors.js";
import { fixedDraws } from "../v1/fixed-draws.js";
import { areBytes, checkImageValues } from "../v1/image-values.js";
import type { SubcorticalBlock } from "./subcortical-block.js";

/**
 * Checks the shape of images and the range of their values before a run. The graph itself cannot check values.
 *
 * @throws StriateError if the images do not have the block's colours or are too small, or if a value is not
 * finite or is outside [0, 1] (or [-1, 1] without light adaptation); if the values look like bytes, the
 * message mentions it.
 */
export function checkRetinaImages(retina: SubcorticalBlock, images: TensorData): void {
  const { colours, smallestSide, imageRange } = retina;
  const [batch = 0, channels, height = 0, width = 0] = images.shape;
  check(
    images.shape.length === 4 && batch > 0 && channels === colours && Math.min(height, width) >= smallestSide,
    () =>
      `retina: expected images [batch, ${colours}, height, width] of at least ${smallestSide} x ${smallestSide} pixels, ` +
      `got [${images.shape.join(", ")}]`,
  );
  const adapts = imageRange[0] === 0;
  checkImageValues("retina", images, imageRange, (low, high) => {
    if (areBytes(low, high)) return " (if they are bytes, divide by 255)";
    return adapts && low >= -1 && low < 0
      ? " (a retina that adapts to light takes images that are not normalised)"
      : "";
  });
}

/**
 * Makes noise that is the same in every run: standard-normal draws for a block's images from a random seed.
 * Call the function that is returned with the number of images in the current batch. After `batch` images
 * (default 128), the draws start again from the first.
 */
export function fixedRetinaNoise(
  retina: SubcorticalBlock,
  options: { readonly seed: number; readonly batch?: number },
): (batch: number) => TensorData {
  const { seed, batch = 128 } = options;
  return fixedDraws({
    what: "retina noise",
    shape: [retina.channels, retina.imageSize, retina.imageSize],
    seed,
    batch,
  });
}
