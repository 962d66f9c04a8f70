import type { RgbImage } from "../../../data/images/rgb-image.js";
import { roundHalfEven } from "../../../data/images/rgb-image.js";
import type { ConstantSet } from "../constants.js";

const SIDE = 640;

/**
 * Mean and standard deviation of red, green and blue of each texture, equal to those of the photographs of ImageNet-C.
 */
const COLOURS = [
  { mean: [78, 149, 166], std: [27, 17, 15] },
  { mean: [201, 205, 215], std: [21, 22, 23] },
  { mean: [201, 205, 215], std: [21, 22, 23] },
  { mean: [138, 153, 165], std: [29, 29, 30] },
  { mean: [112, 123, 135], std: [44, 43, 42] },
] as const;

const CELLS = [2, 4, 8, 16, 32, 64, 128, 256] as const;
const WEIGHTS = [0.9, 0.75, 0.65, 0.55, 0.55, 0.55, 0.65, 0.9] as const;
/** First octave whose noise is folded into ridges. */
const RIDGES = 4;

/** Number of frost textures that Striate generates. */
export const FROST_TEXTURES = COLOURS.length;

const textures: (RgbImage | undefined)[] = [];

/**
 * Generates the frost texture with this number (0 to 4), which has 640 x 640 pixels. A texture is value noise
 * in eight octaves with the colours, the contrast and roughly the spatial correlation of the benchmark's
 * photographs, which may not be redistributed. The result is cached.
 */
export function frostTexture(number: number): RgbImage {
  return (textures[number] ??= makeTexture(number));
}

function makeTexture(number: number): RgbImage {
  const height = new Float64Array(SIDE * SIDE);
  CELLS.forEach((cell, octave) => {
    addOctave(height, cell, 1000 * (number + 1) + octave, 2 * WEIGHTS[octave]!, octave < RIDGES);
  });
  let mean = 0;
  for (const z of height) mean += z;
  mean /= height.length;
  let variance = 0;
  for (const z of height) variance += (z - mean) ** 2;
  const std = Math.sqrt(variance / height.length);
  const colour = COLOURS[number]!;
  const data = new Uint8Array(height.length * 3);
  for (let i = 0; i < height.length; i++) {
    const z = (height[i]! - mean) / std;
    for (let c = 0; c < 3; c++) {
      const value = Math.floor(colour.mean[c]! + colour.std[c]! * z + 0.5);
      data[i * 3 + c] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }
  return { width: SIDE, height: SIDE, data };
}

/**
 * Adds one octave of value noise: random values on a lattice with a spacing of `cell` pixels, smoothly
 * interpolated.
 */
function addOctave(height: Float64Array, cell: number, seed: number, weight: number, ridge: boolean): void {
  const points = Math.ceil(SIDE / cell) + 1;
  const lattice = new Float64Array(points * points);
  for (let y = 0; y < points; y++) {
    for (let x = 0; x < points; x++) lattice[y * points + x] = hash(x, y, seed);
  }
  const steps = Float64Array.from({ length: cell }, (_, i) => (i / cell) ** 2 * (3 - 2 * (i / cell)));
  for (let y = 0, i = 0; y < SIDE; y++) {
    const row = Math.floor(y / cell) * points;
    const ty = steps[y % cell]!;
    for (let x = 0; x < SIDE; x++, i++) {
      const at = row + Math.floor(x / cell);
      const tx = steps[x % cell]!;
      const above = lattice[at]! * (1 - tx) + lattice[at + 1]! * tx;
      const below = lattice[at + points]! * (1 - tx) + lattice[at + points + 1]! * tx;
      const v = above * (1 - ty) + below * ty;
      height[i]! += weight * (ridge ? 1 - Math.abs(2 * v - 1) : v);
    }
  }
}

/**
 * A hash of the arguments, scaled to [0, 1]. It uses only integer arithmetic, so it is the same on every
 * machine.
 */
function hash(x: number, y: number, seed: number): number {
  let v = (Math.imul(x, 374761393) + Math.imul(y, 668265263) + Math.imul(seed, 1274126177)) | 0;
  v = Math.imul(v ^ (v >>> 13), 1274126177);
  v ^= v >>> 16;
  return (v >>> 0) / 2 ** 32;
}

/** Factor by which frost is shrunk for small images. */
const FROST_SCALE: Readonly<Record<ConstantSet, number>> = { 224: 1, 64: 0.3, 32: 0.2 };

const scaled = new WeakMap<RgbImage, Map<number, RgbImage>>();

/**
 * Scales a frost texture to the size for a set of constants: by 0.3 for 64 pixels and by 0.2 for 32. The
 * result is cached.
 */
export function scaledFrost(frost: RgbImage, set: ConstantSet): RgbImage {
  const scale = FROST_SCALE[set];
  if (scale === 1) return frost;
  const known = scaled.get(frost) ?? new Map<number, RgbImage>();
  scaled.set(frost, known);
  const found = known.get(scale) ?? shrink(frost, scale);
  known.set(scale, found);
  return found;
}

/** Weights of bilinear resizing are multiples of 1/2048, as in OpenCV for bytes. */
const WEIGHT_BITS = 11;

/** Resizes by bilinear interpolation between the four nearest pixels (pixel centres at 0.5), without antialiasing. */
function shrink(image: RgbImage, scale: number): RgbImage {
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const data = new Uint8Array(width * height * 3);
  const columns = linearAxis(image.width, width, scale);
  const rows = linearAxis(image.height, height, scale);
  for (let y = 0, o = 0; y < height; y++) {
    const { low: top, high: bottom, lowWeight: topWeight, highWeight: bottomWeight } = rows[y]!;
    for (let x = 0; x < width; x++) {
      const { low, high, lowWeight, highWeight } = columns[x]!;
      for (let c = 0; c < 3; c++, o++) {
        const at = (row: number, column: number) => image.data[(row * image.width + column) * 3 + c]!;
        const above = at(top, low) * lowWeight + at(top, high) * highWeight;
        const below = at(bottom, low) * lowWeight + at(bottom, high) * highWeight;
        data[o] = (((topWeight * (above >> 4)) >> 16) + ((bottomWeight * (below >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
  return { width, height, data };
}

interface LinearSample {
  readonly low: number;
  readonly high: number;
  readonly lowWeight: number;
  readonly highWeight: number;
}

function linearAxis(from: number, to: number, scale: number): LinearSample[] {
  return Array.from({ length: to }, (_, i) => {
    const position = Math.min(Math.max(Math.fround((i + 0.5) / scale - 0.5), 0), from - 1);
    const low = Math.floor(position);
    const part = Math.fround(position - low);
    const weight = (share: number) => roundHalfEven(share * 2 ** WEIGHT_BITS);
    return {
      low,
      high: Math.min(low + 1, from - 1),
      lowWeight: weight(1 - part),
      highWeight: weight(part),
    };
  });
}
