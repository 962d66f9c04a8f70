import { StriateError } from "../../../util/errors.js";
import { stringAttribute } from "../../operator.js";
import { div, equal, mul, neg, where } from "../../operators/elementwise/elementwise.js";
import { expandLike } from "../../operators/broadcast.js";
import { mean, sum } from "../../operators/reduce/reduce.js";
import { gather, gatherElements } from "../../operators/select/select.js";
import { squeeze, unsqueeze } from "../../operators/shape/shape.js";
import { logSoftmax } from "../../operators/reduce/softmax.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import type { ComposedCall, Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";

/** The loss of log probabilities [batch, classes, ...places] for targets [batch, ...places]. */
function lossOf(logs: Tensor, call: ComposedCall): Tensor {
  const [target, weight] = [operand(call, 1), call.inputs[2]];
  if (logs.rank < 2 || target.rank !== logs.rank - 1) {
    throw new StriateError(
      `expected scores [batch, classes, ...] and targets with one axis less, got ${logs.toString()} and ${target.toString()}`,
    );
  }
  const { ignore_index: ignored } = call.attributes;
  const isLeftOut =
    typeof ignored === "number" ? equal(target, constant(ignored, [], target.dtype)) : undefined;
  // The ignored index may lie outside the range of classes, so 0 takes its place.
  const places = isLeftOut ? where(isLeftOut, 0, target) : target;
  const zeroIfLeftOut = (x: Tensor): Tensor => (isLeftOut ? where(isLeftOut, 0, x) : x);
  const picked = squeeze(gatherElements(logs, unsqueeze(places, [1]), 1), [1]);
  const weights = weight && gather(weight, places);
  const losses = zeroIfLeftOut(neg(weights ? mul(picked, weights) : picked));
  const reduction = stringAttribute(call.attributes, "reduction", "mean");
  switch (reduction) {
    case "none":
      return losses;
    case "sum":
      return sum(losses);
    case "mean": {
      if (!weights && !isLeftOut) return mean(losses);
      const ones = () => expandLike(constant(1, [], logs.dtype), losses);
      return div(sum(losses), sum(zeroIfLeftOut(weights ?? ones())));
    }
    default:
      throw new StriateError(`expected the reduction none, sum or mean, got "${reduction}"`);
  }
}

/**
 * The negative log-likelihood loss of opsets 12, 13 and 22. Targets equal to `ignore_index` do not count in
 * the mean, with or without weights.
 */
const negativeLogLikelihoodLoss: Composition = (call) => [lossOf(operand(call, 0), call)];

const softmaxCrossEntropyLoss: Composition = (call) => {
  const logs = logSoftmax(operand(call, 0), 1);
  return [lossOf(logs, call), logs];
};

export const LOSSES: readonly (readonly [string, Composition])[] = [
  ["NegativeLogLikelihoodLoss", negativeLogLikelihoodLoss],
  ["SoftmaxCrossEntropyLoss", softmaxCrossEntropyLoss],
];
