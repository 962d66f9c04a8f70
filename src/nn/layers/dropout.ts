import type { Tensor } from "../../graph/index.js";
import { dropout, greaterOrEqual, mul, scope, where } from "../../graph/index.js";
import { uniformNumber } from "../../graph/operators/known-numbers.js";
import type { Rewrite } from "../../graph/substitute.js";
import { checkHalfOpen } from "../../util/check.js";
import type { Layer, TrainingPass } from "./layer.js";

/**
 * Dropout (Srivastava et al. 2014). In training, the layer sets each element to 0 with the given probability
 * (default 0.5) and divides the others by 1 - probability. For this it adds a graph input of uniform noise in
 * the shape of x; an element is kept if its noise is at least the probability. In evaluation, the layer passes x on; an
 * exported file keeps the probability as ONNX's Dropout, for a training that continues from it. Throws `StriateError` for a probability outside [0, 1).
 */
export class Dropout implements Layer {
  constructor(readonly probability = 0.5) {
    checkHalfOpen("dropout: probability", probability, 0, 1);
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    if (this.probability === 0) return x;
    return scope("dropout", () =>
      pass === undefined ? dropout(x, this.probability) : dropped(x, this.probability, pass),
    );
  }
}

/** Sets elements of x to 0 with a probability, and divides the others by 1 - probability. */
function dropped(x: Tensor, probability: number, pass: TrainingPass): Tensor {
  const kept = greaterOrEqual(pass.uniform(x.shape), probability);
  return where(kept, mul(x, 1 / (1 - probability)), 0);
}

/**
 * Makes the dropout of an imported graph train: each Dropout that the file keeps for evaluation drops elements, with noise
 * that the pass collects.
 */
export function activeDropout(pass: TrainingPass): Rewrite {
  return (node, [x, ratio]) => {
    if (node.type !== "Dropout" || x === undefined || ratio === undefined) return undefined;
    const probability = uniformNumber(ratio);
    return probability === undefined ? undefined : [dropped(x, probability, pass)];
  };
}
