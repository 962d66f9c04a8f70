import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { checkEveryFinite, checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/**
 * Principal component analysis (Pearson 1901): projects points `[count, dims]` onto the `components`
 * directions of largest variance, in descending order of variance, and returns `[count, components]`. The
 * points are centred but not whitened, and the covariance is divided by count - 1. The result involves no
 * randomness; the sign of each direction is chosen so that its entry of largest magnitude is positive.
 *
 * @throws StriateError if lengths do not match, or for fewer than two points or more components than dims.
 */
export function principalComponents(
  points: ArrayLike<number>,
  count: number,
  dims: number,
  components: number,
): Float64Array {
  check(
    Number.isInteger(count) && Number.isInteger(dims) && count > 1 && points.length === count * dims,
    () => `PCA: expected at least two points of ${dims} numbers, got ${points.length} numbers`,
  );
  checkWhole("PCA: components", components, { to: dims });
  const centred = centre(points, count, dims);
  const { realEigenvalues: variances, eigenvectorMatrix: directions } = new EigenvalueDecomposition(
    covariance(centred, count, dims),
    { assumeSymmetric: true },
  );
  const order = Array.from(variances.keys()).sort((a, b) => variances[b]! - variances[a]!);
  const out = new Float64Array(count * components);
  for (let k = 0; k < components; k++) {
    const direction = upright(directions.getColumn(order[k]!));
    for (let n = 0; n < count; n++) {
      let sum = 0;
      for (let d = 0; d < dims; d++) sum += centred[n * dims + d]! * direction[d]!;
      out[n * components + k] = sum;
    }
  }
  return out;
}

function centre(points: ArrayLike<number>, count: number, dims: number): Float64Array {
  const mean = new Float64Array(dims);
  for (let i = 0; i < points.length; i++) mean[i % dims]! += points[i]! / count;
  const centred = Float64Array.from(points, (value, i) => value - mean[i % dims]!);
  checkEveryFinite("PCA: centred points", centred);
  return centred;
}

function covariance(centred: Float64Array, count: number, dims: number): Matrix {
  const matrix = Matrix.zeros(dims, dims);
  const sums = new Float64Array(dims * dims);
  for (let n = 0; n < count; n++) {
    const row = n * dims;
    for (let a = 0; a < dims; a++) {
      const value = centred[row + a]!;
      for (let b = 0; b <= a; b++) sums[a * dims + b]! += value * centred[row + b]!;
    }
  }
  for (let a = 0; a < dims; a++) {
    for (let b = 0; b <= a; b++) {
      const value = sums[a * dims + b]! / (count - 1);
      matrix.set(a, b, value);
      matrix.set(b, a, value);
    }
  }
  return matrix;
}

function upright(direction: readonly number[]): readonly number[] {
  const largest = direction.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  return largest < 0 ? direction.map((value) => -value) : direction;
}
