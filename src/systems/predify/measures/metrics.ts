import { checkSome } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/**
 * Computes the correlation distance of the paper's manifold projection, 1 minus the correlation of a and b:
 * 1 - <a - mean(a), b - mean(b)> / (|a - mean(a)| |b - mean(b)|). `a` and `b` are all elements of the
 * representations of one image. The distance is 0 if they are perfectly correlated, and NaN if one of them is
 * constant.
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

/**
 * Error rates at one timestep, as [corruption][severity]: the fraction of images that are classified wrongly.
 */
export type ErrorsBySeverity = readonly (readonly number[])[];

/** Returns for each corruption the sum of its error rates over severities. */
export function corruptionError(errors: ErrorsBySeverity): number[] {
  return errors.map((severities) => severities.reduce((a, b) => a + b, 0));
}

/** Returns {@link corruptionError} averaged over corruptions. */
export function meanSummedError(errors: ErrorsBySeverity): number {
  const sums = corruptionError(errors);
  checkSome("corruption error", sums.length, "corruption");
  return sums.reduce((a, b) => a + b, 0) / sums.length;
}

/**
 * Computes the mCE of every timestep relative to timestep 0, as the paper plots it: the mean corruption error
 * divided by that at timestep 0, which is the network's own feed-forward pass. If it is below 1, the dynamics
 * help. (`metrics.mce` divides by the errors of AlexNet or another baseline instead.)
 */
export function relativeErrorOverTime(errorsByTimestep: readonly ErrorsBySeverity[]): number[] {
  const means = errorsByTimestep.map(meanSummedError);
  return means.map((mean) => mean / means[0]!);
}
