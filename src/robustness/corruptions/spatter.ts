import type { SpatterConstants } from "./constants.js";
import { SPATTER } from "./constants.js";
import type { CorruptionKind } from "./kind.js";
import { UNIT, clip255 } from "./kind.js";
import { reflect101 } from "./pixels/disk.js";
import { cannyEdges, chamferDistance } from "./pixels/edges.js";
import { gaussianFilter } from "./pixels/gaussian.js";

export interface SpatterDraws {
  /** For every pixel, a normally distributed number with the mean and standard deviation in the constants. */
  readonly layer: Float32Array;
}

const single = Math.fround;
const WATER = [175 / 255, 238 / 255, 238 / 255] as const;
const MUD = [63 / 255, 42 / 255, 20 / 255] as const;

/** Draws drops of water or stains of mud on those pixels at which smooth noise is high. */
export const spatter: CorruptionKind<SpatterConstants, SpatterDraws> = {
  group: "extra",
  constants: SPATTER,
  draw: (random, { side }, { mean, std }) => ({
    layer: random.fillNormal(new Float32Array(side * side), mean, std),
  }),
  apply({ pixels, side }, constants, { layer }) {
    const { sigma, threshold, strength, liquid } = constants;
    const liquidLayer = gaussianFilter(new Float64Array(layer), { rows: side, columns: side, sigma });
    return liquid === "water"
      ? water(pixels, side, liquidLayer, threshold, strength)
      : mud(pixels, side, liquidLayer, threshold, strength);
  },
};

function water(
  pixels: Uint8Array,
  side: number,
  layer: Float64Array,
  threshold: number,
  strength: number,
): Float64Array | Uint8Array {
  const level = new Uint8Array(layer.length);
  for (let i = 0; i < level.length; i++) level[i] = layer[i]! < threshold ? 0 : layer[i]! * 255;
  const relief = light(side, chamferDistance(cannyEdges(level, side, 50, 150), side));
  const drops = new Float32Array(level.length);
  let highest = 0;
  for (let i = 0; i < drops.length; i++) {
    drops[i] = level[i]! * relief[i]!;
    highest = Math.max(highest, drops[i]!);
  }
  // If there is no drop, the published code divides 0 by 0, which turns the image black. Here the image then
  // stays as it is.
  if (highest === 0) return pixels.slice();
  const out = new Float64Array(pixels.length);
  for (let i = 0, o = 0; i < drops.length; i++) {
    const m = single(single(drops[i]! / highest) * strength);
    for (let c = 0; c < 3; c++, o++) {
      out[o] = single(clip255(single(single(UNIT[pixels[o]!]!) + single(m * single(WATER[c]!)))));
    }
  }
  return out;
}

/**
 * Treats the distance from the edges of drops as a relief that is lit from one side, and returns its
 * brightness as whole numbers from 0 to 255.
 */
function light(side: number, distance: Float64Array): Float64Array {
  const count = distance.length;
  for (let i = 0; i < count; i++) distance[i] = Math.min(distance[i]!, 20);
  const smooth = aroundEach(distance, side, MEAN);
  for (let i = 0; i < count; i++) smooth[i] = Math.trunc(single(smooth[i]! / 9));
  equaliseHistogram(smooth);
  const lit = aroundEach(smooth, side, RELIEF);
  for (let i = 0; i < count; i++) lit[i] = Math.min(Math.max(lit[i]!, 0), 255);
  const relief = aroundEach(lit, side, MEAN);
  for (let i = 0; i < count; i++) relief[i] = Math.floor((relief[i]! + 4) / 9);
  return relief;
}

type Weights = readonly [number, number, number, number, number, number, number, number, number];
const MEAN: Weights = [1, 1, 1, 1, 1, 1, 1, 1, 1];
const RELIEF: Weights = [-2, -1, 0, -1, 1, 1, 0, 1, 2];

/** Correlates an image with 3 x 3 weights; {@link reflect101} extends the image beyond its border. */
function aroundEach(values: Float64Array, side: number, [a, b, c, d, e, f, g, h, k]: Weights): Float64Array {
  const out = new Float64Array(values.length);
  for (let y = 0, i = 0; y < side; y++) {
    const [above, row, below] = [reflect101(y - 1, side) * side, y * side, reflect101(y + 1, side) * side];
    for (let x = 0; x < side; x++, i++) {
      const left = x === 0 ? 1 : x - 1;
      const right = x === side - 1 ? side - 2 : x + 1;
      out[i] =
        values[above + left]! * a +
        values[above + x]! * b +
        values[above + right]! * c +
        values[row + left]! * d +
        values[row + x]! * e +
        values[row + right]! * f +
        values[below + left]! * g +
        values[below + x]! * h +
        values[below + right]! * k;
    }
  }
  return out;
}

/**
 * Equalises the histogram of levels from 0 to 255, in place; an image of a single level does not change.
 */
function equaliseHistogram(values: Float64Array): void {
  const counts = new Int32Array(256);
  for (const value of values) counts[value]!++;
  const first = counts.findIndex((count) => count > 0);
  const rest = values.length - counts[first]!;
  if (rest === 0) return;
  const scale = single(255 / rest);
  const levels = new Float64Array(256);
  let sum = 0;
  for (let level = first + 1; level < 256; level++) {
    sum += counts[level]!;
    levels[level] = Math.min(Math.round(sum * scale), 255);
  }
  for (let i = 0; i < values.length; i++) values[i] = levels[values[i]!]!;
}

function mud(
  pixels: Uint8Array,
  side: number,
  layer: Float64Array,
  threshold: number,
  sigma: number,
): Float64Array {
  const stains = new Float64Array(layer.length);
  for (let i = 0; i < stains.length; i++) stains[i] = layer[i]! > threshold ? 1 : 0;
  const smooth = gaussianFilter(stains, { rows: side, columns: side, sigma, single: true });
  const out = new Float64Array(pixels.length);
  for (let i = 0, o = 0; i < smooth.length; i++) {
    const m = smooth[i]! < 0.8 ? 0 : smooth[i]!;
    for (let c = 0; c < 3; c++, o++) {
      const x = single(single(UNIT[pixels[o]!]!) * single(1 - m));
      out[o] = clip255(x + MUD[c]! * m);
    }
  }
  return out;
}
