import type { TensorData } from "../../../graph/index.js";
import { checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import { Random } from "../../../util/random.js";
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
  const [least, most] = imageRange;
  let [low, high] = [Infinity, -Infinity];
  for (const value of images.data as Float32Array) {
    check(Number.isFinite(value), () => `retina: expected image values in [${least}, ${most}], got ${value}`);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  check(low >= least && high <= most, () => {
    const bytes = low >= 0 && high > 2 && high <= 255;
    const normalised = least === 0 && low >= -1 && low < 0;
    const guess = bytes
      ? " (if they are bytes, divide by 255)"
      : normalised
        ? " (a retina that adapts to light takes images that are not normalised)"
        : "";
    return `retina: expected image values in [${least}, ${most}], got ${low} to ${high}${guess}`;
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
  const { seed, batch: fixed = 128 } = options;
  checkWhole("retina noise: batch", fixed);
  const shape = [retina.channels, retina.imageSize, retina.imageSize];
  const length = shape.reduce((a, b) => a * b, 1);
  return (batch) => {
    checkWhole("retina noise: batch", batch);
    const data = new Float32Array(batch * length);
    for (let i = 0; i < batch; i++) {
      const image = data.subarray(i * length, (i + 1) * length);
      Random.derive(seed, "retina noise", i % fixed).fillNormal(image);
    }
    return { dtype: "float32", shape: [batch, ...shape], data };
  };
}
