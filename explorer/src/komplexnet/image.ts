import { Random, writeSceneImage } from "striate";

/** Side of the canvas that digits are placed on, and of the image that the network gets, in pixels. */
export const CANVAS = 50;
export const IMAGE = 32;

/** The network's image [32, 32], 0 to 1, of a canvas's ink [50, 50], 0 to 255. Noise follows from the seed. */
export function networkImage(ink: Uint16Array, noise: number, seed: number): Float32Array {
  const image = new Float32Array(IMAGE ** 2);
  writeSceneImage({ ink }, image, 0);
  if (noise === 0) return image;
  const draws = Random.derive(seed, "noise").fillNormal(new Float32Array(image.length));
  return image.map((value, i) => Math.min(1, Math.max(0, value + noise * draws[i]!)));
}
