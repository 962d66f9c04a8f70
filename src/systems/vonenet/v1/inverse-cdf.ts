import { check } from "../../../util/errors.js";
import type { Histogram } from "./histograms.js";

/**
 * Interpolates linearly between the points (xp, fp), as `numpy.interp` does. Outside the range of `xp` the
 * result is constant. If several points have the same xp, the last one counts.
 */
export function interpolate(x: number, xp: ArrayLike<number>, fp: ArrayLike<number>): number {
  const last = xp.length - 1;
  if (x > xp[last]!) return fp[last]!;
  if (x < xp[0]!) return fp[0]!;
  let low = 0;
  let high = xp.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xp[middle]! <= x) low = middle;
    else high = middle;
  }
  if (low === last) return fp[last]!;
  const slope = (fp[low + 1]! - fp[low]!) / (xp[low + 1]! - xp[low]!);
  return slope * (x - xp[low]!) + fp[low]!;
}

const SCALES: Record<Histogram["scale"], readonly [to: (x: number) => number, from: (x: number) => number]> =
  {
    linear: [(x) => x, (x) => x],
    log2: [Math.log2, (x) => 2 ** x],
    log10: [Math.log10, (x) => 10 ** x],
  };

/**
 * Makes the inverse of the cumulative histogram, a function that converts a uniform number in [0, 1) to a
 * value of the property.
 */
export function inverseCdf({ edges, counts, scale }: Histogram): (u: number) => number {
  const total = counts.reduce((a, b) => a + b, 0);
  check(
    total > 0 && counts.length === edges.length - 1,
    () => `histogram: expected ${edges.length - 1} counts that are not all 0, got [${counts.join(", ")}]`,
  );
  const [to, from] = SCALES[scale];
  const cumulative = new Float64Array(edges.length);
  counts.forEach((count, i) => (cumulative[i + 1] = cumulative[i]! + count / total));
  const positions = edges.map(to);
  return (u) => from(interpolate(u, cumulative, positions));
}

/**
 * Keeps the bins from the first edge >= min to the last edge <= max. Throws `StriateError` if there are none
 * or they contain no cells.
 */
export function truncated(histogram: Histogram, min: number, max: number): Histogram {
  const { edges, counts, scale } = histogram;
  const high = edges.findLastIndex((edge) => edge <= max);
  const low = edges.findIndex((edge) => edge >= min);
  check(
    low >= 0 && high > low,
    () =>
      `spatial frequencies: expected a range with at least two of the edges ${edges.join(", ")} cycles per degree, ` +
      `got ${min} to ${max}`,
  );
  const remaining = counts.slice(low, high);
  check(
    remaining.some((count) => count > 0),
    () =>
      `spatial frequencies: the histogram has no cells from ${edges[low]!} to ${edges[high]!} cycles per degree`,
  );
  return { edges: edges.slice(low, high + 1), counts: remaining, scale };
}
