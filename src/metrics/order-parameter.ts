import { checkEveryFinite, checkLength } from "../util/check.js";
import { StriateError } from "../util/errors.js";

/** The (weighted) mean of the unit vectors that point in the directions of a group's phases. */
export interface OrderParameter {
  /** Length of the mean vector: 1 if all phases are equal, 0 if they cancel out or there are none. */
  readonly length: number;
  /** Mean phase in radians, from -π to π; 0 if the length is 0. */
  readonly angle: number;
}

/** Options of {@link orderParameters}. */
export interface OrderParameterOptions {
  /** Weight of each phase, such as the unit's amplitude; 0 or more. Default: 1. */
  readonly weights?: ArrayLike<number>;
  /** Group of each phase, a whole number from 0. Default: all phases are in group 0. */
  readonly groups?: ArrayLike<number>;
  /** Number of groups. Default: the largest group number plus 1. */
  readonly groupCount?: number;
}

/**
 * Computes Kuramoto's order parameter of each group of phases (Kuramoto 1984, "Chemical Oscillations, Waves,
 * and Turbulence"), with weights w: the sum of w exp(i phase), divided by the sum of w.
 *
 * @throws StriateError if lengths differ, a phase is not finite, a weight is below 0 or not finite, or a group is out of range
 * @example
 * ```ts
 * import { orderParameters } from "striate/draw";
 *
 * const [agreeing, opposed] = [orderParameters([1, 1, 1]), orderParameters([0, Math.PI])];
 * console.log(agreeing[0]!.length.toFixed(2), opposed[0]!.length.toFixed(2)); // 1.00 0.00
 * ```
 */
export function orderParameters(
  phases: ArrayLike<number>,
  options: OrderParameterOptions = {},
): OrderParameter[] {
  const { weights, groups } = options;
  for (const [name, values] of Object.entries({ weights, groups })) {
    if (values !== undefined) checkLength(`order parameters: ${name}`, values, phases.length);
  }
  checkEveryFinite("order parameters: phases", phases);
  let most = 0;
  for (let i = 0; i < (groups?.length ?? 0); i++) most = Math.max(most, groups![i]!);
  const { groupCount = most + 1 } = options;
  const sums = Array.from({ length: groupCount }, () => ({ cos: 0, sin: 0, total: 0 }));
  for (let i = 0; i < phases.length; i++) {
    const [phase, weight, group] = [phases[i]!, weights?.[i] ?? 1, groups?.[i] ?? 0];
    const own = sums[group];
    if (own === undefined)
      throw new StriateError(`order parameters: expected groups 0 to ${groupCount - 1}, got ${group}`);
    if (!(weight >= 0 && weight < Infinity))
      throw new StriateError(`order parameters: weight ${i}: expected a number of at least 0, got ${weight}`);
    own.cos += weight * Math.cos(phase);
    own.sin += weight * Math.sin(phase);
    own.total += weight;
  }
  return sums.map(({ cos, sin, total }) => {
    const length = total > 0 ? Math.min(1, Math.hypot(cos, sin) / total) : 0;
    return { length, angle: length > 0 ? Math.atan2(sin, cos) : 0 };
  });
}
