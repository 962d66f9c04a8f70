import type { ValueRange } from "../graph/quantisation/quantise-graph.js";
import { check } from "../util/errors.js";

/** A method that derives the range of a value from the numbers observed for it. */
export type CalibrationMethod = "minmax" | "percentile" | "entropy";

/** The names of all calibration methods. */
export const CALIBRATIONS: readonly CalibrationMethod[] = ["minmax", "percentile", "entropy"];

const BINS = 2048;

/**
 * Statistics of the numbers observed for one value (tensor) of a network: the smallest and largest number
 * from a first pass, and a histogram with 2048 bins from a second pass.
 */
export class ValueRangeEstimate {
  #low = Infinity;
  #high = -Infinity;
  readonly #counts = new Float64Array(BINS);
  /** Histogram of the absolute values, from 0 to the largest one. */
  readonly #sizes = new Float64Array(BINS);

  /**
   * First pass: extends the range by the given numbers. `what` names the value in error messages.
   *
   * @throws StriateError if a number is infinite or NaN
   */
  widen(values: Float32Array, what: string): void {
    // Use local variables, because private fields are slow in a loop over millions of elements.
    let [low, high, isFinite] = [this.#low, this.#high, true];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
      if (value - value !== 0) isFinite = false;
    }
    [this.#low, this.#high] = [low, high];
    check(isFinite, () => `${what}: calibration: expected finite numbers, got NaN or an infinite one`);
  }

  count(values: Float32Array): void {
    const [low, width] = [this.#low, this.#high - this.#low || 1];
    const largest = Math.max(Math.abs(low), Math.abs(this.#high)) || 1;
    const [counts, sizes] = [this.#counts, this.#sizes];
    const [perWidth, perSize] = [BINS / width, BINS / largest];
    for (const value of values) {
      const place = Math.min(BINS - 1, Math.max(0, Math.floor(perWidth * (value - low))));
      counts[place] = counts[place]! + 1;
      const size = Math.min(BINS - 1, Math.floor(perSize * Math.abs(value)));
      sizes[size] = sizes[size]! + 1;
    }
  }

  /**
   * Returns the range that a calibration method derives from the statistics.
   *
   * @param percentile for the calibration "percentile": the percentage of numbers inside the range
   */
  range(calibration: CalibrationMethod, percentile: number): ValueRange {
    const [low, high] = [this.#low, this.#high];
    if (calibration === "minmax" || low === high) return { low, high };
    if (calibration === "percentile") return this.#central(percentile);
    const largest = Math.max(Math.abs(low), Math.abs(high));
    const limit = (largest * leastDivergence(this.#sizes, low < 0 ? 128 : 256)) / BINS;
    return { low: Math.max(low, -limit), high: Math.min(high, limit) };
  }

  #central(percentile: number): ValueRange {
    const width = (this.#high - this.#low) / BINS;
    const total = this.#counts.reduce((a, b) => a + b, 0);
    const outside = (total * (1 - percentile / 100)) / 2;
    const first = firstBeyond(this.#counts, outside);
    const last = BINS - firstBeyond(this.#counts.toReversed(), outside);
    // If no number is negative, as after a rectifier, keep the lowest number: zeros are common there and not
    // a tail to cut off.
    return {
      low: this.#low >= 0 ? this.#low : this.#low + first * width,
      high: this.#low + last * width,
    };
  }
}

/** Returns the first bin at which the cumulative count exceeds `outside`. */
function firstBeyond(counts: Float64Array, outside: number): number {
  let seen = 0;
  for (const [i, count] of counts.entries()) {
    seen += count;
    if (seen > outside) return i;
  }
  return counts.length - 1;
}

/**
 * Returns the number of bins to keep (Migacz, "8-bit inference with TensorRT", 2017). It minimises the
 * Kullback-Leibler divergence of two distributions: the kept bins with all counts beyond them added to the
 * last one, and the kept bins quantised to `levels` levels.
 */
function leastDivergence(sizes: Float64Array, levels: number): number {
  let [best, least] = [sizes.length, Infinity];
  let beyond = sizes.subarray(levels).reduce((a, b) => a + b, 0);
  const step = 8;
  for (let bins = levels; bins <= sizes.length; bins += step) {
    const divergence = divergenceOf(sizes.subarray(0, bins), beyond, levels);
    if (divergence < least) [best, least] = [bins, divergence];
    for (let i = bins; i < Math.min(bins + step, sizes.length); i++) beyond -= sizes[i]!;
  }
  return best;
}

function divergenceOf(kept: Float64Array, beyond: number, levels: number): number {
  const total = kept.reduce((a, b) => a + b, 0);
  let divergence = 0;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * kept.length) / levels);
    const to = Math.floor(((level + 1) * kept.length) / levels);
    let [sum, filled] = [0, 0];
    for (let i = from; i < to; i++) {
      sum += kept[i]!;
      if (kept[i]! > 0) filled++;
    }
    for (let i = from; i < to; i++) {
      const p = (kept[i]! + (i === kept.length - 1 ? beyond : 0)) / (total + beyond);
      if (p === 0) continue;
      // Only the last bin can get here with a count of 0: its share then comes from beyond the kept range.
      // Give it almost no probability.
      const q = kept[i]! > 0 ? sum / filled / total : 1e-9;
      divergence += p * Math.log(p / q);
    }
  }
  return divergence;
}
