import type { Tensor } from "../../graph/index.js";
import { add, addAll, conv, cos, mul, scope, sin, sub, sum, tanh } from "../../graph/index.js";
import { stackBatch, unstackBatch } from "./batch-stack.js";

/** Phases of oscillators, [batch, oscillators, height, width], with their cosines and sines. */
export interface Phases {
  /** The phases, never reduced modulo 2 pi. */
  readonly radians: Tensor;
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** The constants of the equation of the phases. */
export interface KuramotoOptions {
  /** Step size eta. A scalar tensor is a graph input that may differ from run to run. */
  readonly rate: Tensor | number;
  /** Global repulsion epsilon, a number or a scalar tensor as for `rate`. */
  readonly desynchrony: Tensor | number;
}

/** Computes the increment of the phases in one timestep. */
export type PhaseIncrement = (phases: Phases) => Tensor;

/** Makes phases from radians, with their cosines and sines. */
export function phasesOf(radians: Tensor): Phases {
  return { radians, cos: cos(radians), sin: sin(radians) };
}

/** Adds increments to phases. All increments must have been computed from the same old phases. */
export function advance(phases: Phases, increments: readonly Tensor[]): Phases {
  return phasesOf(add(phases.radians, addAll(increments)));
}

/**
 * Coupled oscillators (Kuramoto 1975), gated by the amplitudes a of the units, with a learned local coupling K and a global
 * repulsion epsilon:
 *
 *     dphi_i = eta sum_j (K_ij - epsilon) tanh(a_j) sin(phi_j - phi_i)
 *
 * By sin(p - q) = sin p cos q - cos p sin q, the sum over j consists of a convolution of tanh(a) cos phi and one of
 * tanh(a) sin phi. Both are computed in one call, concatenated along the batch axis. The gate tanh(a) and eta K do not
 * change over the timesteps.
 *
 * @param amplitude [batch, oscillators, height, width]
 * @param coupling K, [to, from, size, size], size odd
 */
export function kuramoto(amplitude: Tensor, coupling: Tensor, options: KuramotoOptions): PhaseIncrement {
  const { rate } = options;
  // A rate that is a graph input multiplies the result instead of the kernel, because convolution with a constant
  // kernel is faster.
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
 * Computes an increment from the field K * active. Applies the global repulsion, and the rate if it is a tensor; a rate
 * that is a number must already be part of the field.
 *
 * @param active activity from which the field was computed
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
 * Computes cos phi S - sin phi C for a field whose cosine part C and sine part S are concatenated along the batch axis.
 */
export function couplingTerm(phases: Phases, field: Tensor): Tensor {
  const [cosPart, sinPart] = unstackBatch(field, 2) as [Tensor, Tensor];
  return sub(mul(phases.cos, sinPart), mul(phases.sin, cosPart));
}
