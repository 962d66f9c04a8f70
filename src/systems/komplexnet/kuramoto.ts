import type { Tensor } from "../../graph/index.js";
import { add, addAll, conv, cos, mul, scope, sin, sub, sum, tanh } from "../../graph/index.js";
import { stackBatch, unstackBatch } from "./batch-stack.js";

/** Phases of oscillators, [batch, oscillators, height, width], with their cosines and sines. */
export interface Phases {
  /** The phases in radians. They are never reduced modulo 2 pi. */
  readonly radians: Tensor;
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** The constants of the equation of the phases. */
export interface KuramotoOptions {
  /**
   * Step size eta: a number, or a scalar tensor for a graph input whose value may change from call to call.
   */
  readonly rate: Tensor | number;
  /** Global repulsion epsilon: a number or, as for `rate`, a scalar tensor. */
  readonly desynchrony: Tensor | number;
}

/** Computes the increment of the phases in one timestep. */
export type PhaseIncrement = (phases: Phases) => Tensor;

/** Computes the cosines and sines of phases that are given in radians. */
export function phasesOf(radians: Tensor): Phases {
  return { radians, cos: cos(radians), sin: sin(radians) };
}

/** Adds increments to phases. All increments must have been computed from the phases before the addition. */
export function advance(phases: Phases, increments: readonly Tensor[]): Phases {
  return phasesOf(add(phases.radians, addAll(increments)));
}

/**
 * Makes the function that computes the increments of coupled oscillators (Kuramoto 1975). The oscillators are
 * gated by the amplitudes a of their units, and have a learned local coupling K and a global repulsion
 * epsilon:
 *
 *     dphi_i = eta sum_j (K_ij - epsilon) tanh(a_j) sin(phi_j - phi_i)
 *
 * Because sin(p - q) = sin p cos q - cos p sin q, the sum over j needs a convolution of tanh(a) cos phi and
 * one of tanh(a) sin phi. Both are computed in one call, with their inputs concatenated along the batch axis.
 * The gate tanh(a) and the kernel eta K are computed once, since they do not change over the timesteps.
 *
 * @param amplitude [batch, oscillators, height, width]
 * @param coupling K, [to, from, size, size], size odd
 */
export function kuramoto(amplitude: Tensor, coupling: Tensor, options: KuramotoOptions): PhaseIncrement {
  const { rate } = options;
  // If the rate is a graph input, multiply the result by it instead of the kernel, because convolution with a
  // constant kernel is faster.
  const [gate, kernel] = scope("kuramoto", () => [
    tanh(amplitude),
    typeof rate === "number" ? mul(coupling, rate) : coupling,
  ]);
  const padding = ((coupling.shape[2] as number) - 1) / 2;
  return (phases) =>
    scope("kuramoto", () => {
      const active = stackBatch([mul(gate, phases.cos), mul(gate, phases.sin)]);
      const local = conv(active, kernel, undefined, { padding });
      return pulledAtRate(phases, local, active, options);
    });
}

/**
 * Computes the increment of the phases from the field, which is `active` convolved with the coupling kernel.
 * It applies the global repulsion, and also the rate if that is a tensor. If the rate is a number, the field
 * must already be multiplied by it.
 *
 * @param active the gated cosines and sines from which the field was computed, concatenated along the batch
 * axis
 */
export function pulledAtRate(
  phases: Phases,
  field: Tensor,
  active: Tensor,
  { rate, desynchrony }: KuramotoOptions,
): Tensor {
  const repelled = () => {
    const total = sum(active, [1, 2, 3], { keepAxes: true });
    if (typeof rate !== "number") return sub(field, mul(total, desynchrony));
    const strength = typeof desynchrony === "number" ? rate * desynchrony : mul(desynchrony, rate);
    return sub(field, mul(total, strength));
  };
  const increment = couplingTerm(phases, desynchrony === 0 ? field : repelled());
  return typeof rate === "number" ? increment : mul(increment, rate);
}

/**
 * Computes cos(phi) S - sin(phi) C for phases phi. C and S are the cosine and sine parts of the field, which
 * are concatenated along its batch axis.
 */
export function couplingTerm(phases: Phases, field: Tensor): Tensor {
  const [cosPart, sinPart] = unstackBatch(field, 2) as [Tensor, Tensor];
  return sub(mul(phases.cos, sinPart), mul(phases.sin, cosPart));
}
