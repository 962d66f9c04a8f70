import type { TensorData } from "../../../graph/index.js";
import { check } from "../../../util/errors.js";
import { fixedDraws } from "./fixed-draws.js";
import { areBytes, checkImageValues } from "./image-values.js";
import type { VOneBlock } from "./vone-block.js";

/**
 * Converts pixels in the range from 0 to 255 to the range from -1 to 1, which V1 expects, by (pixel / 255 -
 * 0.5) / 0.5. Medium grey becomes 0.
 */
export function v1Pixels(pixels: Uint8Array | Uint8ClampedArray): Float32Array {
  return Float32Array.from(pixels, (pixel) => (pixel / 255 - 0.5) / 0.5);
}

/**
 * Checks the shape of images and the range of their values before a run.
 *
 * @throws StriateError if the images do not have the shape that the block takes, or if a value is not finite
 * or is outside [-1, 1]; if the values look like bytes, the message mentions it.
 */
export function checkV1Images({ imageSize, channels, pixelsPerDegree }: VOneBlock, images: TensorData): void {
  const [batch, ...rest] = images.shape;
  check(
    images.shape.length === 4 && rest.join() === `${channels},${imageSize},${imageSize}` && batch! > 0,
    () =>
      `V1: expected images [batch, ${channels}, ${imageSize}, ${imageSize}] at ${pixelsPerDegree} pixels per degree, ` +
      `got [${images.shape.join(", ")}]`,
  );
  checkImageValues("V1", images, [-1, 1], (low, high) =>
    areBytes(low, high) ? " (if they are bytes, `v1Pixels` converts them)" : "",
  );
}

/**
 * Makes noise that is the same in every run: standard-normal draws for a block from a random seed. Call the
 * function that is returned with the number of images in the current batch. The first image of a batch gets
 * the first draw, and so on; after `batch` images (default 256), the draws start again from the first.
 */
export function fixedV1Noise(
  block: VOneBlock,
  options: { readonly seed: number; readonly batch?: number },
): (batch: number) => TensorData {
  const { seed, batch = 256 } = options;
  return fixedDraws({
    what: "V1 noise",
    shape: [block.cells, block.outputSize, block.outputSize],
    seed,
    batch,
  });
}
