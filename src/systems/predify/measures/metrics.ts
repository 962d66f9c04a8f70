import { checkSome } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/**
 * Correlation distance d = 1 - <a - mean a, b - mean b> / (|a - mean a| |b - mean b|) over all elements of one image's
 * representation, as in the paper's manifold projection. It is 0 for equal directions, and NaN if `a` or `b` is constant.
 */
export function correlationDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  check(
    a.length === b.length && a.length > 0,
    () => `correlation distance: expected two lists of equal length above 0, got ${a.length} and ${b.length}`,
  );
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return 1 - ab / Math.sqrt(aa * bb);
}

function meanOf(values: ArrayLike<number>): number {
  let [total, i] = [0, values.length];
  while (i > 0) total += values[--i]!;
  return total / values.length;
}

/** Error rates of one timestep, [corruption][severity]: the fraction of images answered wrongly. */
export type ErrorsBySeverity = readonly (readonly number[])[];

/** The sum over severities of each corruption's error rates. */
export function corruptionError(errors: ErrorsBySeverity): number[] {
  return errors.map((severities) => severities.reduce((a, b) => a + b, 0));
}

/** The mean over corruptions of {@link corruptionError}. */
export function meanSummedError(errors: ErrorsBySeverity): number {
  const sums = corruptionError(errors);
  checkSome("corruption error", sums.length, "corruption");
  return sums.reduce((a, b) => a + b, 0) / sums.length;
}

/**
 * Relative mCE of every timestep, as the paper plots it: the mean corruption error divided by that of timestep 0, which
 * is the network's own feed-forward pass. (The mean corruption error divided by AlexNet's is `mce` of the metrics.)
 * Below 1 the dynamics help.
 */
export function relativeErrorOverTime(errorsByTimestep: readonly ErrorsBySeverity[]): number[] {
  const means = errorsByTimestep.map(meanSummedError);
  return means.map((mean) => mean / means[0]!);
}
