import type { Tensor } from "../../graph/index.js";
import { greaterOrEqual, mul, scope, where } from "../../graph/index.js";
import { checkHalfOpen } from "../../util/check.js";
import type { Layer, TrainingPass } from "./layer.js";

/**
 * Dropout (Srivastava et al. 2014). In training, the layer sets each element to 0 with the given probability
 * (default 0.5) and divides the others by 1 - probability. For this it adds a graph input of uniform noise in
 * the shape of x; an element is kept if its noise is at least the probability. In evaluation, the layer does
 * nothing. Throws `StriateError` for a probability outside [0, 1).
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
