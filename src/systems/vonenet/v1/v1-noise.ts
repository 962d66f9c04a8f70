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
 *
 * The published values are scale 0.35 and level 0.07 (Dapello et al. 2020).
 */
export interface V1Noise {
  readonly kind: "neuronal" | "gaussian";
  /** Default 0.35. */
  readonly scale?: number;
  /** Default 0.07. */
  readonly level?: number;
}

/** Throws `StriateError` if the kind is unknown, the scale is not positive, or the level is below 0. */
export function checkNoise({ kind, scale = 0.35, level = 0.07 }: V1Noise): Required<V1Noise> {
  checkOneOf("V1 noise: kind", kind, ["neuronal", "gaussian"]);
  checkPositive("V1 noise: scale", scale);
  checkAtLeast("V1 noise: level", level, 0);
  return { kind, scale, level };
}

/** Adds noise to responses, which must be 0 or more. */
export function addNoise(responses: Tensor, z: Tensor, noise: V1Noise): Tensor {
  const { kind, scale, level } = checkNoise(noise);
  if (kind === "gaussian") return relu(add(responses, mul(z, scale)));
  const t = add(mul(responses, scale), level);
  const noisy = add(t, mul(z, sqrt(add(relu(t), 1e-4))));
  return relu(div(sub(noisy, level), scale));
}
