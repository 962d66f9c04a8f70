import { Random, writeSceneImage } from "striate";

/** Side in pixels of the canvas on which digits are placed. */
export const CANVAS = 50;
/** Side in pixels of the network's image. */
export const IMAGE = 32;

/**
 * Reduces a canvas of ink [50, 50], 0 to 255, to the network's image [32, 32], 0 to 1, and adds noise that
 * the random seed decides.
 */
export function networkImage(ink: Uint16Array, noise: number, seed: number): Float32Array {
  const image = new Float32Array(IMAGE ** 2);
  writeSceneImage({ ink }, image, 0);
  if (noise === 0) return image;
  const draws = Random.derive(seed, "noise").fillNormal(new Float32Array(image.length));
  return image.map((value, i) => Math.min(1, Math.max(0, value + noise * draws[i]!)));
}
