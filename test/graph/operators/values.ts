import fc from "fast-check";
import type { DType } from "../../../src/graph/index.js";

/** Numbers for an input of a test graph. */
export interface Values {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: readonly number[];
}

/** A stream of uniforms in [0, 1) (Mulberry32): a case needs nothing but its seed to be made again. */
function uniforms(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Uniform in [low, high). */
export function uniform(
  shape: readonly number[],
  seed: number,
  low = -1,
  high = 1,
  dtype: DType = "float64",
): Values {
  const next = uniforms(seed);
  return {
    shape,
    dtype,
    data: Array.from({ length: sizeOfShape(shape) }, () => low + (high - low) * next()),
  };
}

/** Either sign, no smaller than 0.3: away from a kink at 0. */
export function awayFromZero(shape: readonly number[], seed: number, dtype: DType = "float64"): Values {
  const values = uniform(shape, seed, -1, 1, dtype);
  return { ...values, data: values.data.map((v) => v + (v < 0 ? -0.3 : 0.3)) };
}

/** All different, at least `gap` apart, in random order: away from every tie. */
export function distinct(
  shape: readonly number[],
  seed: number,
  dtype: DType = "float64",
  gap = 0.15,
): Values {
  const next = uniforms(seed);
  const size = sizeOfShape(shape);
  const data = Array.from({ length: size }, (_, i) => (i - (size - 1) / 2) * gap);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [data[i], data[j]] = [data[j]!, data[i]!];
  }
  return { shape, dtype, data };
}

/** int64 in [low, high). */
export function whole(shape: readonly number[], seed: number, low: number, high: number): Values {
  const values = uniform(shape, seed, low, high, "int64");
  return { ...values, data: values.data.map(Math.floor) };
}

export function flags(shape: readonly number[], seed: number): Values {
  const values = uniform(shape, seed, 0, 2, "bool");
  return { ...values, data: values.data.map(Math.floor) };
}

// ---- arbitraries --------------------------------------------------------------------------------------------------------

export const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

export function shapes(minRank: number, maxRank: number, longest = 4): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: longest }), { minLength: minRank, maxLength: maxRank });
}

/** Two shapes that broadcast: axes of the longer one are dropped in front or set to 1, on either side. */
export const broadcastPairs: fc.Arbitrary<[number[], number[]]> = shapes(0, 4).chain((full) =>
  fc
    .tuple(
      fc.nat(full.length),
      fc.array(fc.constantFrom("both", "left", "right"), { minLength: full.length, maxLength: full.length }),
      fc.boolean(),
    )
    .map(([dropped, kept, swap]): [number[], number[]] => {
      const left = full.map((dim, axis) => (kept[axis] === "right" ? 1 : dim));
      const right = full.map((dim, axis) => (kept[axis] === "left" ? 1 : dim)).slice(dropped);
      return swap ? [right, left] : [left, right];
    }),
);

export function orders(rank: number): fc.Arbitrary<number[]> {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return fc.shuffledSubarray(axes, { minLength: rank, maxLength: rank });
}

export function subsets(rank: number, atLeast = 1): fc.Arbitrary<number[]> {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return fc.subarray(axes, { minLength: Math.min(atLeast, rank), maxLength: rank });
}
