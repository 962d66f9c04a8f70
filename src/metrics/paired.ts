import { checkEveryFinite, checkLength, checkSome } from "../util/check.js";
import { check } from "../util/errors.js";
import { NORMAL_QUANTILE as Z } from "./statistics.js";

/** The difference of two classifiers on the same images. */
export interface PairedDifference {
  /** Number of images. */
  readonly count: number;
  /** Mean of the second minus the first, such as the difference of two accuracies. */
  readonly difference: number;
  /** 95 % confidence interval of the difference. */
  readonly low: number;
  readonly high: number;
  /** Number of images on which the second is better, and on which it is worse. */
  readonly gained: number;
  readonly lost: number;
  /** Two-sided p-value of McNemar's exact test, if all values are 0 or 1. */
  readonly p?: number;
  /** How the interval was computed. */
  readonly method: string;
}

/**
 * Compares two classifiers image by image. Each value is the share of right answers for one image: 0 or 1, or a mean
 * over several conditions. If all values are 0 or 1, the interval is the adjusted Wald interval for paired proportions
 * (Bonett and Price 2012, doi:10.3102/1076998611411915), and p is that of McNemar's exact test (1947). Otherwise the
 * interval is the mean of the differences plus or minus 1.96 standard errors.
 *
 * @throws StriateError for lists that are empty, of different lengths, or with values outside 0 to 1
 * @example
 * ```ts
 * import { metrics } from "striate";
 *
 * const { difference, gained, lost } = metrics.pairedDifference([1, 0, 0, 1], [1, 1, 1, 0]);
 * console.log(difference, gained, lost); // 0.25 2 1
 * ```
 */
export function pairedDifference(first: ArrayLike<number>, second: ArrayLike<number>): PairedDifference {
  const count = first.length;
  checkSome("paired difference", count, "image");
  checkLength("paired difference: second list", second, count);
  checkEveryFinite("paired difference", first);
  checkEveryFinite("paired difference", second);
  let [sum, squares, gained, lost, isBinary] = [0, 0, 0, 0, true];
  for (let i = 0; i < count; i++) {
    const [a, b] = [first[i]!, second[i]!];
    check(
      a >= 0 && a <= 1 && b >= 0 && b <= 1,
      () => `paired difference: expected shares from 0 to 1, got ${a} and ${b}`,
    );
    isBinary &&= (a === 0 || a === 1) && (b === 0 || b === 1);
    sum += b - a;
    squares += (b - a) ** 2;
    if (b > a) gained++;
    if (b < a) lost++;
  }
  const difference = sum / count;
  if (isBinary) {
    const [up, down] = [(gained + 1) / (count + 2), (lost + 1) / (count + 2)];
    const centre = up - down;
    const half = Z * Math.sqrt((up + down - centre ** 2) / (count + 2));
    return {
      count,
      difference,
      low: Math.max(-1, centre - half),
      high: Math.min(1, centre + half),
      gained,
      lost,
      p: mcNemar(gained, lost),
      method: "adjusted Wald interval of Bonett and Price, McNemar's exact test",
    };
  }
  const variance = count > 1 ? Math.max(0, squares - count * difference ** 2) / (count - 1) : Infinity;
  const half = Z * Math.sqrt(variance / count);
  return {
    count,
    difference,
    low: Math.max(-1, difference - half),
    high: Math.min(1, difference + half),
    gained,
    lost,
    method: "normal interval of the differences per image",
  };
}

/** Two-sided p of McNemar's exact test: that of a fair coin which fell on the rarer side this seldom. */
function mcNemar(gained: number, lost: number): number {
  const tosses = gained + lost;
  const fewer = Math.min(gained, lost);
  // Binomial coefficients times 2^-n, one from the other, in logarithms so that they do not underflow.
  let [term, sum] = [-tosses * Math.LN2, 0];
  for (let k = 0; k <= fewer; k++) {
    sum += Math.exp(term);
    term += Math.log(tosses - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * sum);
}
