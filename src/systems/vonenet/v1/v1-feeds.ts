import type { TensorData } from "../../../graph/index.js";
import { checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import { Random } from "../../../util/random.js";
import type { VOneBlock } from "./vone-block.js";

/** Pixels 0 to 255 as V1 takes them: (pixel / 255 - 0.5) / 0.5, so that medium grey is 0. */
export function v1Pixels(pixels: Uint8Array | Uint8ClampedArray): Float32Array {
  return Float32Array.from(pixels, (pixel) => (pixel / 255 - 0.5) / 0.5);
}

/**
 * Checks images before they are fed.
 *
 * @throws StriateError for another shape than the block's, values that are no numbers, and values outside [-1, 1], with a
 * guess at what they are.
 */
export function checkV1Images({ imageSize, pixelsPerDegree }: VOneBlock, images: TensorData): void {
  const [batch, ...rest] = images.shape;
  check(
    images.shape.length === 4 && rest.join() === `3,${imageSize},${imageSize}` && batch! > 0,
    () =>
      `V1: expected images [batch, 3, ${imageSize}, ${imageSize}] at ${pixelsPerDegree} pixels per degree, ` +
      `got [${images.shape.join(", ")}]`,
  );
  let [low, high] = [Infinity, -Infinity];
  for (const value of images.data as Float32Array) {
    check(Number.isFinite(value), () => `V1: an image holds ${value}, expected numbers in [-1, 1]`);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  check(low >= -1 && high <= 1, () => {
    const guess = low >= 0 && high > 2 && high <= 255 ? " (bytes? `v1Pixels` brings them into range)" : "";
    return `V1: expected image values in [-1, 1], got ${low} to ${high}${guess}`;
  });
}

/**
 * Noise that stays the same from run to run: standard normal numbers for a block, from a seed (any number, 0 too). Give it
 * the batch at hand: the first images take the first draws, and those beyond `batch` (default 256) start over.
 */
export function fixedV1Noise(
  block: VOneBlock,
  options: { readonly seed: number; readonly batch?: number },
): (batch: number) => TensorData {
  const { seed, batch: fixed = 256 } = options;
  checkWhole("V1 noise: batch", fixed);
  const shape = [block.cells, block.outputSize, block.outputSize];
  const length = shape.reduce((a, b) => a * b, 1);
  const drawn = new Map<number, Float32Array>();
  const imageNoise = (index: number): Float32Array => {
    const values =
      drawn.get(index) ?? Random.derive(seed, "V1 noise", index).fillNormal(new Float32Array(length));
    drawn.set(index, values);
    return values;
  };
  return (batch) => {
    checkWhole("V1 noise: batch", batch);
    const data = new Float32Array(batch * length);
    for (let i = 0; i < batch; i++) data.set(imageNoise(i % fixed), i * length);
    return { dtype: "float32", shape: [batch, ...shape], data };
  };
}
