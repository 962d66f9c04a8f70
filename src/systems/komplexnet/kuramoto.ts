import type { Tensor } from "../../graph/index.js";
import { add, addAll, conv, cos, mul, scope, sin, sub, sum, tanh } from "../../graph/index.js";
import { stackBatch, unstackBatch } from "./batch-stack.js";

/** Phases of oscillators, [batch, oscillators, height, width], with what the equations need of them. */
export interface Phases {
  /** Unwrapped: never reduced modulo 2 pi. */
  readonly radians: Tensor;
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** The constants of the equation of the phases. */
export interface KuramotoOptions {
  /** Step size eta; a scalar tensor where it may change from run to run. */
  readonly rate: Tensor | number;
  /** Global repulsion epsilon, likewise. */
  readonly desynchrony: Tensor | number;
}

/** Gives the increment of the phases in one step. */
export type PhaseIncrement = (phases: Phases) => Tensor;

/** Phases in radians, with their cosines and sines. */
export function phasesOf(radians: Tensor): Phases {
  return { radians, cos: cos(radians), sin: sin(radians) };
}

/** Phases plus increments that were all computed from the same old phases. */
export function advance(phases: Phases, increments: readonly Tensor[]): Phases {
  return phasesOf(add(phases.radians, addAll(increments)));
}

/**
 * Coupled oscillators (Kuramoto 1975), gated by the amplitudes a of the units, with a learned local coupling K and a global
 * repulsion epsilon:
 *
 *     dphi_i = eta sum_j (K_ij - epsilon) tanh(a_j) sin(phi_j - phi_i)
 *
 * Written out with sin(p - q) = sin p cos q - cos p sin q the sum over j is a convolution of tanh(a) cos phi and of tanh(a) sin phi.
 * Both go through one convolution, stacked in the batch. The gate and eta K do not change over the timesteps.
 *
 * @param amplitude [batch, oscillators, height, width]
 * @param coupling K, [to, from, size, size], size odd
 */
export function kuramoto(amplitude: Tensor, coupling: Tensor, options: KuramotoOptions): PhaseIncrement {
  const { rate } = options;
  // A rate that is fed scales the result: a kernel that stays constant is convolved with faster.
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
 * The increment by a field that lacks the global repulsion, and lacks the rate if that is a tensor.
 *
 * @param active what the field was made of
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

/** cos phi S - sin phi C for a field whose cosine part C and sine part S are stacked in the batch. */
export function couplingTerm(phases: Phases, field: Tensor): Tensor {
  const [cosPart, sinPart] = unstackBatch(field, 2) as [Tensor, Tensor];
  return sub(mul(phases.cos, sinPart), mul(phases.sin, cosPart));
}
