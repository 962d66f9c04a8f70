import { batchNormTraining } from "../graph/operators/normalise/batch-norm.js";
import { div, mul, sub } from "../graph/index.js";
import { floatAttribute } from "../graph/operator.js";
import type { Rewrite } from "../graph/substitute.js";
import type { Tensor } from "../graph/index.js";
import { EPSILON } from "../graph/operators/normalise/normalise-parts.js";
import type { TrainingPass } from "./layers/layer.js";
import { movingMean } from "./optimizer.js";

/** PyTorch's default weight of the batch's own statistics in the running ones. */
const MOMENTUM = 0.1;

/**
 * Makes the batch normalisations of an imported graph train: they normalise by the statistics of the batch, and the
 * running statistics, which the file stores as parameters, follow as in PyTorch's `nn.BatchNorm2d` with momentum 0.1.
 * Normalisations whose statistics are constants, and those that `trains` refuses, keep the statistics of the file.
 *
 * @param pass collects the next values of the running statistics
 * @param trains whether a normalisation with the scale of this name uses the batch's statistics
 */
export function batchStatistics(pass: TrainingPass, trains: (scale: string) => boolean): Rewrite {
  return (node, inputs) => {
    if (node.type !== "BatchNormalization") return undefined;
    const [x, scale, bias, mean, variance] = inputs as readonly [Tensor, Tensor, Tensor, Tensor, Tensor];
    const name = nameOf(scale);
    if (name === undefined || !trains(name) || nameOf(mean) === undefined || nameOf(variance) === undefined)
      return undefined;
    const fresh = batchNormTraining(x, scale, bias, floatAttribute(node.attributes, "epsilon", EPSILON));
    const unbiased = mul(fresh.variance, div(fresh.count, sub(fresh.count, 1)));
    for (const [buffer, next] of [
      [mean, fresh.mean],
      [variance, unbiased],
    ] as const)
      pass.update(buffer, movingMean(pass.current(buffer), next, 1 - MOMENTUM));
    return [fresh.y];
  };
}

/** The name of a parameter or buffer; undefined for any other tensor. */
function nameOf({ node: { leaf } }: Tensor): string | undefined {
  return leaf?.kind === "parameter" ? leaf.name : undefined;
}
