import type { Tensor } from "../../graph/index.js";
import { greaterOrEqual, mul, scope, where } from "../../graph/index.js";
import { checkHalfOpen } from "../../util/check.js";
import type { Layer, TrainingPass } from "./layer.js";

/**
 * Sets each value to 0 with a probability (default 0.5) and divides the others by 1 - probability; Srivastava et al.
 * 2014. In evaluation, the layer does nothing. In training, it adds an input of uniform noise of x's shape, and a value
 * stays if its noise is at least the probability. Throws `StriateError` for a probability outside [0, 1).
 */
export class Dropout implements Layer {
  constructor(readonly probability = 0.5) {
    checkHalfOpen("dropout: probability", probability, 0, 1);
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    if (pass === undefined || this.probability === 0) return x;
    return scope("dropout", () => {
      const kept = greaterOrEqual(pass.uniform(x.shape), this.probability);
      return where(kept, mul(x, 1 / (1 - this.probability)), 0);
    });
  }
}
