import type { Tensor } from "../../../graph/index.js";
import { add, div, mul, relu, sqrt, sub } from "../../../graph/index.js";
import { checkAtLeast, checkOneOf, checkPositive } from "../../../util/check.js";

/**
 * Noise of V1's responses r, computed from standard-normal draws z, which have the shape of r. It is active
 * in training and in inference.
 *
 * - "neuronal" noise has a variance proportional to the mean: t = scale r + level, t' = t + z sqrt(max(t,
 *   0) + 1e-4), and the response is max((t' - level) / scale, 0).
 * - With "gaussian" noise, the response is max(r + scale z, 0); `level` is not used.
 * - "signed-neuronal" noise is that of EVNet, which neither undoes scale and level nor rectifies: the response
 *   is t + z sqrt(fano max(t, 0) + 1e-5). It can be negative.
 * - With "signed-gaussian" noise, the response is r + scale z.
 *
 * The published values are scale 0.35 and level 0.07 (Dapello et al. 2020), and for the signed forms scale 1,
 * level 0 and a Fano factor of 0.93 (Piper et al. 2025).
 */
export interface V1Noise {
  readonly kind: V1NoiseKind;
  /** Default 0.35, or 1 for signed noise. */
  readonly scale?: number;
  /** Default 0.07, or 0 for signed noise. */
  readonly level?: number;
  /** Fano factor, the ratio of variance to mean; only for "signed-neuronal" noise. Default 0.93. */
  readonly fano?: number;
}

const KINDS = ["neuronal", "gaussian", "signed-neuronal", "signed-gaussian"] as const;
/** Name of a kind of noise; see `V1Noise`. */
export type V1NoiseKind = (typeof KINDS)[number];

/**
 * Fills in the defaults. Throws `StriateError` if the kind is unknown, the scale is not positive, or the
 * level or the Fano factor is below 0.
 */
export function checkNoise(noise: V1Noise): Required<V1Noise> {
  const { kind } = noise;
  checkOneOf("V1 noise: kind", kind, KINDS);
  const isSigned = kind === "signed-neuronal" || kind === "signed-gaussian";
  const { scale = isSigned ? 1 : 0.35, level = isSigned ? 0 : 0.07, fano = isSigned ? 0.93 : 1 } = noise;
  checkPositive("V1 noise: scale", scale);
  checkAtLeast("V1 noise: level", level, 0);
  checkAtLeast("V1 noise: fano", fano, 0);
  return { kind, scale, level, fano };
}

/** Adds noise to responses, which must be 0 or more. */
export function addNoise(responses: Tensor, z: Tensor, noise: V1Noise): Tensor {
  const { kind, scale, level, fano } = checkNoise(noise);
  if (kind === "gaussian") return relu(add(responses, mul(z, scale)));
  if (kind === "signed-gaussian") return add(responses, mul(z, scale));
  const t = add(mul(responses, scale), level);
  if (kind === "signed-neuronal") return add(t, mul(z, sqrt(add(mul(relu(t), fano), 1e-5))));
  const noisy = add(t, mul(z, sqrt(add(relu(t), 1e-4))));
  return relu(div(sub(noisy, level), scale));
}
