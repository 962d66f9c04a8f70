import type { Tensor } from "../../tensor.js";
import {
  apply,
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  rejectCall,
} from "../../operator.js";
import { expandLike } from "../broadcast.js";
import { channelVector } from "../shape/shape.js";
import { add, addAll, div, mul, neg, sub } from "../elementwise/elementwise.js";
import { EPSILON, allButChannels, checkChannels, inverseDeviation, spaceOf } from "./normalise-parts.js";
import { countOf, mean, sum, sumOfSquares } from "../reduce/reduce.js";

defineOperator({
  type: "BatchNormalization",
  infer: (call) => {
    const x = checkChannels(call, 1, 4);
    if (intAttribute(call.attributes, "training_mode", 0) === 1) {
      rejectCall(
        call,
        "training mode is not supported as an operator: normalise with batch statistics instead",
      );
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (call, x, scale, _bias, average, variance) => {
    const { dy } = call;
    const inverse = inverseDeviation(variance, floatAttribute(call.attributes, "epsilon", EPSILON));
    const factor = mul(scale, inverse);
    const total = sum(dy, allButChannels(x));
    const wantsScale = call.needs(1) || call.needs(4);
    const centred = wantsScale ? sub(x, channelVector(average, x.rank)) : undefined;
    const product = centred && sum(mul(dy, centred), allButChannels(x));
    return [
      () => mul(dy, channelVector(factor, x.rank)),
      product && (() => mul(product, inverse)),
      total,
      () => neg(mul(total, factor)),
      product && (() => mul(mul(product, mul(factor, mul(inverse, inverse))), -0.5)),
    ];
  },
});

/**
 * Computes (x - mean) / sqrt(variance + epsilon) * scale + bias with given statistics. All operands except x
 * have one element per channel.
 */
export function batchNormInference(
  x: Tensor,
  scale: Tensor,
  bias: Tensor,
  statistics: { readonly mean: Tensor; readonly variance: Tensor },
  epsilon = EPSILON,
): Tensor {
  const inputs = [x, scale, bias, statistics.mean, statistics.variance];
  return applySingle("BatchNormalization", inputs, { epsilon: { float: epsilon } });
}

/** A normalised batch and the statistics by which it was normalised. */
export interface BatchNormResult {
  readonly y: Tensor;
  /** Mean of each channel over the batch and space. */
  readonly mean: Tensor;
  /** Biased variance of each channel. */
  readonly variance: Tensor;
  /** Number of elements over which the statistics of one channel are computed, as a scalar. */
  readonly count: Tensor;
}

/**
 * Batch normalisation with the batch's own statistics (Ioffe and Szegedy 2015, algorithm 1). The results
 * include everything that running statistics need. (PyTorch's running variance is the unbiased one, variance
 * * count / (count - 1).)
 */
export function batchNormTraining(
  x: Tensor,
  scale: Tensor,
  bias: Tensor,
  epsilon = EPSILON,
): BatchNormResult {
  const attributes = { epsilon: { float: epsilon } };
  const [y, average, variance] = apply("BatchNormTraining", [x, scale, bias], attributes, { outputs: 3 });
  return { y: y!, mean: average!, variance: variance!, count: countOf(x, allButChannels(x)) };
}

defineOperator({
  type: "BatchNormTraining",
  infer: (call) => {
    const x = checkChannels(call, 1, 2);
    const perChannel = { dtype: x.dtype, shape: [x.shape[1]!] };
    return [{ dtype: x.dtype, shape: x.shape }, perChannel, perChannel];
  },
  gradient: (call, x, scale) => {
    const [average, variance] = [call.outputs[1]!, call.outputs[2]!];
    const [dy, dMean, dVariance] = [call.received(0), call.received(1), call.received(2)];
    const inverse = inverseDeviation(variance, floatAttribute(call.attributes, "epsilon", EPSILON));
    const centred = sub(x, channelVector(average, x.rank));
    const axes = allButChannels(x);
    const count = countOf(x, axes);
    const total = dy && sum(dy, axes);
    const product = dy && mul(sum(mul(dy, centred), axes), inverse);
    const vectors = [product ?? "zero", total ?? "zero"] as const;
    if (!call.needs(0)) return [undefined, ...vectors];
    // dx = factor * (dy - mean(dy) - normalised * mean(dy * normalised)). The factor is multiplied last, so
    // that the gradients of a convolution before the normalisation can include it in their kernels.
    const fewer = neg(count);
    const spread =
      dy &&
      add(
        dy,
        applySingle(
          "BatchNormalization",
          [x, div(product!, fewer), div(total!, fewer), average, variance],
          call.attributes,
        ),
      );
    const viaOutput = spread && mul(spread, channelVector(mul(scale, inverse), x.rank));
    const viaMean = dMean && expandLike(channelVector(div(dMean, count), x.rank), x);
    const viaVariance = dVariance && mul(centred, channelVector(div(mul(dVariance, 2), count), x.rank));
    const parts = [viaOutput, viaMean, viaVariance].filter((part) => part !== undefined);
    return [addAll(parts), ...vectors];
  },
  lower: (call) => {
    const [x, scale, bias] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]!];
    const axes = allButChannels(x);
    const average = mean(x, axes);
    const centred = sub(x, channelVector(average, x.rank));
    const squares = x.rank > 2 ? sum(sumOfSquares(centred, spaceOf(x)), 0) : sumOfSquares(centred, 0);
    const variance = div(squares, countOf(x, axes));
    const y = applySingle("BatchNormalization", [x, scale, bias, average, variance], call.attributes);
    return [y, average, variance];
  },
});
