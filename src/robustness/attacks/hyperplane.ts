import type { Norm } from "./ball.js";

/**
 * The smallest displacement (Linf or L2) that moves a point of [0, 1]^n to the hyperplane <w, v> = b without
 * leaving the box. If the box does not reach the plane, the displacement leads to the corner nearest to the
 * plane. Coordinates i with w_i = 0 do not move. Source: arXiv:1907.02044, equations 5 and 6.
 *
 * If <w, point> >= b, each coordinate moves against the sign of w_i by min(lambda r_i, c_i). Here r_i is 1
 * for Linf and |w_i| for L2, and c_i is the distance to the border of the box. The sum of |w_i| times these
 * moves must equal <w, point> - b. It is concave and piecewise linear in lambda, so Newton's iteration from 0
 * climbs to the solution and passes at most n linear pieces. If <w, point> < b, all signs are reversed.
 */
export function towardsHyperplane(
  point: ArrayLike<number>,
  w: ArrayLike<number>,
  b: number,
  norm: Norm,
): Float64Array {
  const size = point.length;
  let gap = -b;
  for (let i = 0; i < size; i++) gap += w[i]! * point[i]!;
  const flip = gap < 0 ? -1 : 1;
  const need = Math.abs(gap);
  const weight = new Float64Array(size);
  const room = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    weight[i] = Math.abs(w[i]!);
    room[i] = flip * w[i]! > 0 ? point[i]! : 1 - point[i]!;
  }
  const rate = norm === "Linf" ? new Float64Array(size).fill(1) : weight;
  const lambda = solve(need, weight, rate, room);
  return room.map((most, i) =>
    weight[i] === 0 ? 0 : -flip * Math.sign(w[i]!) * Math.min(lambda * rate[i]!, most),
  );
}

/**
 * Solves the equation sum_i weight_i min(lambda rate_i, room_i) = need for lambda; Infinity if there is no
 * solution.
 */
function solve(need: number, weight: Float64Array, rate: Float64Array, room: Float64Array): number {
  let lambda = 0;
  for (;;) {
    let [capped, slope] = [0, 0];
    for (let i = 0; i < weight.length; i++) {
      if (room[i]! <= lambda * rate[i]!) capped += weight[i]! * room[i]!;
      else slope += weight[i]! * rate[i]!;
    }
    if (slope === 0) return need > capped ? Infinity : lambda;
    const next = (need - capped) / slope;
    if (!(next > lambda * (1 + 1e-12))) return lambda;
    lambda = next;
  }
}
