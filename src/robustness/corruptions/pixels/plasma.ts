import type { Random } from "../../../util/random.js";

/** The smallest power of two that is not below `side`. */
export function plasmaSize(side: number): number {
  return 2 ** Math.ceil(Math.log2(side));
}

/**
 * Draws the size^2 - 1 perturbations of a plasma fractal, in the order in which they are used. They are
 * uniform in (-w, w); w is 100 in the first octave and is divided by `decay` in each further one.
 */
export function drawPlasma(random: Random, size: number, decay: number): Float32Array {
  const out = new Float32Array(size * size - 1);
  let at = 0;
  for (let step = size, w = 100; step >= 2; step /= 2, w /= decay) {
    const count = 3 * (size / step) ** 2;
    random.fillUniform(out.subarray(at, at + count), -w, w);
    at += count;
  }
  return out;
}

/**
 * Computes a diamond-square fractal on a torus (Fournier, Fussell & Carpenter 1982), scaled to 0..1. It has
 * `size` x `size` values; `size` is a power of two. As in the published code, the octave's amplitude w counts
 * twice: the perturbations, which are already uniform in (-w, w), are multiplied by w.
 */
export function plasma(size: number, decay: number, perturbations: Float32Array): Float64Array {
  const map = new Float64Array(size * size);
  let at = 0;
  for (let step = size, w = 100; step >= 2; step /= 2, w /= decay) {
    const half = step / 2;
    for (let y = 0; y < size; y += step) {
      const row = y * size;
      const below = ((y + step) % size) * size;
      for (let x = 0; x < size; x += step) {
        const right = (x + step) % size;
        const q = map[row + x]! + map[below + x]! + (map[row + right]! + map[below + right]!);
        map[row + half * size + x + half] = q / 4 + w * perturbations[at++]!;
      }
    }
    for (let y = 0; y < size; y += step) {
      const row = y * size;
      const centres = row + half * size + half;
      const above = ((y - half + size) % size) * size + half;
      for (let x = 0; x < size; x += step) {
        const q = map[centres + x]! + map[above + x]! + (map[row + x]! + map[row + ((x + step) % size)]!);
        map[row + x + half] = q / 4 + w * perturbations[at++]!;
      }
    }
    for (let y = 0; y < size; y += step) {
      const row = y * size;
      const middle = row + half * size;
      const below = ((y + step) % size) * size;
      for (let x = 0; x < size; x += step) {
        const left = (x - half + size) % size;
        const q = map[middle + x + half]! + map[middle + left]! + (map[row + x]! + map[below + x]!);
        map[middle + x] = q / 4 + w * perturbations[at++]!;
      }
    }
  }
  return toUnitRange(map);
}

function toUnitRange(map: Float64Array): Float64Array {
  let low = Infinity;
  for (const value of map) low = Math.min(low, value);
  let high = 0;
  for (let i = 0; i < map.length; i++) {
    map[i]! -= low;
    high = Math.max(high, map[i]!);
  }
  for (let i = 0; i < map.length; i++) map[i]! /= high;
  return map;
}
