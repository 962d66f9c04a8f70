import type { Tensor } from "../../../graph/index.js";
import { abs, add, mul, sqrt } from "../../../graph/index.js";
import { checkAtLeast } from "../../../util/check.js";

/** Noise of the responses of retina and thalamus. It is active in training and in inference. */
export interface SubcorticalNoise {
  /** Fano factor F, the ratio of the variance of a response to its magnitude. Default 0.4. */
  readonly fano?: number;
}

/** Throws `StriateError` if the Fano factor is below 0. Fills in the default. */
export function checkSubcorticalNoise({ fano = 0.4 }: SubcorticalNoise): Required<SubcorticalNoise> {
  checkAtLeast("retina noise: fano", fano, 0);
  return { fano };
}

/**
 * Adds noise to responses t (Piper et al. 2025):
 *
 *     t + z sqrt(F (|t| + 1e-5))
 *
 * where z are standard-normal draws of the same shape. Responses have signs and stay unrectified. Near t = 0
 * the slope is as large as 100 z, so compare gradients under noise by their relative L2 error only.
 */
export function addSubcorticalNoise(
  responses: Tensor,
  z: Tensor,
  { fano }: Required<SubcorticalNoise>,
): Tensor {
  return add(responses, mul(z, sqrt(mul(add(abs(responses), 1e-5), fano))));
}
