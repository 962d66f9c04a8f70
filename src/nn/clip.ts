import type { Tensor } from "../graph/index.js";
import { add, addAll, clip, div, minimum, mul, scope, sqrt, sumOfSquares } from "../graph/index.js";
import { StriateError, check } from "../util/errors.js";
import type { Named } from "./optimizer.js";

/** Euclidean norm of all gradients, taken together as one vector; a scalar. */
export function globalNorm(gradients: Named): Tensor {
  if (gradients.size === 0) throw new StriateError("gradient norm: there is no gradient");
  return scope("gradientNorm", () => {
    // Begin with the gradient of the last parameter. This is the order in which the backward pass computes
    // gradients, so each is still in the cache.
    const squares = Array.from(gradients.values(), (gradient) => sumOfSquares(gradient)).reverse();
    return sqrt(addAll(squares));
  });
}

/**
 * Multiplies all gradients by min(1, largest / (norm + 1e-6)), as PyTorch's `clip_grad_norm_` does (Pascanu
 * et al. 2013, algorithm 1). Also returns the norm before clipping.
 */
export function clipByGlobalNorm(
  gradients: Named,
  largest: number,
  norm: Tensor = globalNorm(gradients),
): { readonly gradients: Named; readonly norm: Tensor } {
  checkLimit("norm", largest);
  return scope("clipByGlobalNorm", () => {
    const factor = minimum(div(largest, add(norm, 1e-6)), 1);
    return { gradients: mapNamed(gradients, (gradient) => mul(gradient, factor)), norm };
  });
}

/** Clips every element to [-largest, largest], as PyTorch's `clip_grad_value_` does. */
export function clipByValue(gradients: Named, largest: number): Named {
  checkLimit("limit", largest);
  return scope("clipByValue", () => mapNamed(gradients, (gradient) => clip(gradient, -largest, largest)));
}

function mapNamed(tensors: Named, map: (tensor: Tensor) => Tensor): Named {
  return new Map(Array.from(tensors, ([name, tensor]) => [name, map(tensor)]));
}

/** Accepts Infinity, which clips nothing; with it, `clipByGlobalNorm` only measures the norm. */
function checkLimit(what: string, value: number): void {
  check(value > 0, () => `gradient clipping: ${what}: expected a number above 0, got ${value}`);
}
