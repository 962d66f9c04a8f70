import { checkEveryFinite, checkLength, checkSome } from "../util/check.js";
import { check } from "../util/errors.js";
import type { VerdictStatus } from "./judgement.js";
import { judgeDifferences } from "./judgement.js";
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
  /** "holds" if the whole interval is above 0, so that the second is better; "reversed" if it is below 0. */
  readonly status: VerdictStatus;
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
 * (Bonett and Price 2012, doi:10.3102/1076998611411915), and p is that of McNemar's exact test (1947). Otherwise
 * {@link judgeDifferences} judges the differences of the images by Student's t. The verdict is about these two networks
 * and images like these: it does not say what networks trained with other seeds would do.
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
  let [sum, gained, lost, isBinary] = [0, 0, 0, true];
  for (let i = 0; i < count; i++) {
    const [a, b] = [first[i]!, second[i]!];
    check(
      a >= 0 && a <= 1 && b >= 0 && b <= 1,
      () => `paired difference: expected shares from 0 to 1, got ${a} and ${b}`,
    );
    isBinary &&= (a === 0 || a === 1) && (b === 0 || b === 1);
    sum += b - a;
    if (b > a) gained++;
    if (b < a) lost++;
  }
  const common = { count, difference: sum / count, gained, lost };
  if (isBinary) {
    const [up, down] = [(gained + 1) / (count + 2), (lost + 1) / (count + 2)];
    const centre = up - down;
    const half = Z * Math.sqrt((up + down - centre ** 2) / (count + 2));
    const [low, high] = [Math.max(-1, centre - half), Math.min(1, centre + half)];
    return {
      ...common,
      low,
      high,
      status: low > 0 ? "holds" : high < 0 ? "reversed" : "undecided",
      p: mcNemar(gained, lost),
      method: "adjusted Wald interval of Bonett and Price, McNemar's exact test",
    };
  }
  const { mean, margin, status } = judgeDifferences(Array.from(first, (value, i) => second[i]! - value));
  const half = Number.isNaN(margin) ? Infinity : margin;
  return {
    ...common,
    low: Math.max(-1, mean - half),
    high: Math.min(1, mean + half),
    status,
    method: "Student's t interval of the differences per image",
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
