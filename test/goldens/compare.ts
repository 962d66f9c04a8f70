import type { TensorData } from "../../src/graph/index.js";

/** Largest allowed |actual - expected|: absolute + relative x |expected|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative?: number;
  /** Largest allowed mean of |actual - expected|, where that is bounded too. */
  readonly mean?: number;
}

export interface Comparison {
  readonly name: string;
  /** |actual - expected| where it is furthest beyond (or nearest to) what is allowed. */
  readonly difference: number;
  /** What is allowed there. */
  readonly allowed: number;
  /** Why it fails, if it does. */
  readonly failure?: string;
}

/** Difference over what is allowed; above 1 the comparison failed. */
export function badness({ difference, allowed, failure }: Comparison): number {
  if ((failure !== undefined && difference === 0) || difference === Infinity) return Infinity;
  return allowed === 0 ? (difference === 0 ? 0 : Infinity) : difference / allowed;
}

/** Compares two tensors; NaN equals nothing but NaN. */
export function compare(
  name: string,
  expected: TensorData,
  actual: TensorData | undefined,
  tolerance: Tolerance | undefined,
): Comparison {
  const nothing = { name, difference: 0, allowed: 0 };
  if (actual === undefined) return { ...nothing, failure: `not compared: ${name}` };
  if (tolerance === undefined) return { ...nothing, failure: `no tolerance is given for ${name}` };
  if (withoutOnes(actual.shape) !== withoutOnes(expected.shape)) {
    return {
      ...nothing,
      failure: `${name}: expected shape [${expected.shape.join(", ")}], got [${actual.shape.join(", ")}]`,
    };
  }
  const { absolute, relative = 0 } = tolerance;
  const allowedAt = (e: number) => absolute + (Number.isFinite(e) ? relative * Math.abs(e) : 0);
  let worst: Comparison = { ...nothing, allowed: absolute };
  let total = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [Number(actual.data[i]), Number(expected.data[i])];
    if (Object.is(a, e) || (a === 0 && e === 0)) continue;
    const difference = Number.isNaN(a - e) ? Infinity : Math.abs(a - e);
    total += difference;
    const here = { name, difference, allowed: allowedAt(e) };
    if (badness(here) > badness(worst)) worst = here;
  }
  if (tolerance.mean !== undefined) {
    const mean = {
      name: `mean of ${name}`,
      difference: total / expected.data.length,
      allowed: tolerance.mean,
    };
    if (badness(mean) > badness(worst)) worst = mean;
  }
  if (badness(worst) <= 1) return worst;
  return {
    ...worst,
    failure: `${worst.name}: off by ${show(worst.difference)}, allowed ${show(worst.allowed)}`,
  };
}

/** A scalar and a vector of one element are the same thing to a reader of numbers. */
function withoutOnes(shape: readonly number[]): string {
  return shape.filter((length) => length !== 1).join();
}

export function show(value: number): string {
  return value === 0 || !Number.isFinite(value) ? String(value) : value.toExponential(1);
}
