import { Random } from "striate";

/** Side of the canvas that digits are placed on, and of the image that the network gets, in pixels. */
export const CANVAS = 50;
export const IMAGE = 32;

/**
 * The network's image [32, 32], 0 to 1, of a canvas's ink [50, 50], 0 to 255: bilinear between pixel centres without antialiasing,
 * as the scenes that it was trained on (the authors' generator). Noise follows from the seed.
 */
export function networkImage(ink: Uint8Array, noise: number, seed: number): Float32Array {
  const draws =
    noise === 0 ? undefined : Random.derive(seed, "noise").fillNormal(new Float32Array(IMAGE ** 2));
  return Float32Array.from({ length: IMAGE ** 2 }, (_, i) => {
    const [row, wy] = sourceOf(Math.floor(i / IMAGE));
    const [column, wx] = sourceOf(i % IMAGE);
    const at = (dy: number, dx: number) => ink[(row + dy) * CANVAS + column + dx]! / 255;
    const value =
      (1 - wy) * ((1 - wx) * at(0, 0) + wx * at(0, 1)) + wy * ((1 - wx) * at(1, 0) + wx * at(1, 1));
    return draws === undefined ? value : Math.min(1, Math.max(0, value + noise * draws[i]!));
  });
}

function sourceOf(i: number): readonly [first: number, weight: number] {
  const source = ((i + 0.5) * CANVAS) / IMAGE - 0.5;
  return [Math.floor(source), source - Math.floor(source)];
}
