import { checkEveryFinite, checkPositive, checkSome, checkWhole } from "../util/check.js";

/** Mean and spread of repeated measurements, such as one quantity over several random seeds. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation, with the divisor count - 1; NaN for a single value. */
  readonly standardDeviation: number;
  /** Standard error of the mean, standard deviation / sqrt(count); NaN for a single value. */
  readonly standardError: number;
}

/**
 * Computes mean, standard deviation and standard error. Throws `StriateError` if there are no values or one
 * is not finite.
 *
 * @example
 * ```ts
 * import { metrics } from "striate";
 *
 * const { mean, standardError } = metrics.summarise([1, 2, 3]);
 * console.log(mean, standardError.toFixed(3)); // 2 0.577
 * ```
 */
export function summarise(values: ArrayLike<number>): Summary {
  const count = values.length;
  checkSome("statistics", count, "value");
  checkEveryFinite("statistics", values);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += values[i]!;
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) ** 2;
  const standardDeviation = count > 1 ? Math.sqrt(squares / (count - 1)) : NaN;
  return { count, mean, standardDeviation, standardError: standardDeviation / Math.sqrt(count) };
}

/** The mean; NaN if there are no values. Unlike {@link summarise}, it accepts NaN as a value. */
export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A confidence interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The 97.5 % quantile of the normal distribution: half the width of a 95 % interval in standard errors. */
export const NORMAL_QUANTILE = 1.959963984540054;

/**
 * Computes Wilson's score interval for a proportion, such as an accuracy (Wilson 1927). `z` is the quantile
 * of the normal distribution; the default, 1.96, gives 95 % confidence. Throws `StriateError` unless 0 <=
 * successes <= trials and trials > 0.
 */
export function wilsonInterval(successes: number, trials: number, z = NORMAL_QUANTILE): Interval {
  checkWhole("Wilson interval: trials", trials);
  checkWhole("Wilson interval: successes", successes, { from: 0, to: trials });
  checkPositive("Wilson interval: quantile z", z);
  const p = successes / trials;
  const shrink = 1 + (z * z) / trials;
  const centre = (p + (z * z) / (2 * trials)) / shrink;
  const half = (z / shrink) * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials));
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === trials ? 1 : Math.min(1, centre + half),
  };
}

/** Pearson's correlation of two lists; NaN if one of them is constant. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  let [sa, sb] = [0, 0];
  for (let i = 0; i < n; i++) {
    sa += a[i]!;
    sb += b[i]!;
  }
  const [ma, mb] = [sa / n, sb / n];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i]! - ma, b[i]! - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? NaN : ab / Math.sqrt(aa * bb);
}

/** The middle value, or the mean of the two middle values; NaN if there are no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The 97.5 % quantiles of Student's t distribution with 1 to 30 degrees of freedom. */
const T_QUANTILES = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604,
  2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
  2.0518, 2.0484, 2.0452, 2.0423,
];

/**
 * Half the width of a 95 % confidence interval in standard errors, if the error was estimated from a few values: the
 * 97.5 % quantile of Student's t distribution, which is 12.7 for two values, 4.3 for three, and 1.96 for many.
 *
 * @param degrees degrees of freedom, one less than the number of values
 */
export function tQuantile(degrees: number): number {
  checkWhole("t quantile: degrees of freedom", degrees);
  // For more than 30 degrees of freedom the error of this formula (Cornish and Fisher) is below 0.0005.
  return T_QUANTILES[degrees - 1] ?? 1.959964 + 2.3723 / degrees + 2.8225 / degrees ** 2;
}
