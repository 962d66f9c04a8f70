import { tensorData } from "../dtype.js";
import { floatAttribute } from "../operator.js";
import type { GraphNode, Tensor } from "../tensor.js";
import { constant, constantData } from "../tensor.js";

/** One convolution that replaces a convolution and the normalisation after it. */
export interface MergedConvolution {
  readonly convolution: GraphNode;
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/**
 * Merges y = (Conv(x) - mean) scale / sqrt(variance + epsilon) + offset into one convolution. The new weight
 * and bias are computed in double precision. Returns undefined if a weight or statistic is not a float32
 * constant.
 */
export function mergedNormalisation(
  convolution: GraphNode,
  normalisation: GraphNode,
): MergedConvolution | undefined {
  const [weight, bias] = [convolution.inputs[1], convolution.inputs[2]].map(floatsOf);
  const [scale, offset, mean, variance] = normalisation.inputs.slice(1).map(floatsOf);
  if (!weight || !scale || !offset || !mean || !variance || (convolution.inputs[2] && !bias))
    return undefined;
  const epsilon = floatAttribute(normalisation.attributes, "epsilon", 1e-5);
  const factors = Float64Array.from(scale, (value, c) => value / Math.sqrt(variance[c]! + epsilon));
  const size = weight.length / factors.length;
  return {
    convolution,
    weight: constant(
      tensorData(
        weight.map((value, i) => value * factors[Math.floor(i / size)]!),
        convolution.inputs[1]!.shape as number[],
      ),
    ),
    bias: constant(
      tensorData(
        Float32Array.from(factors, (factor, c) => ((bias?.[c] ?? 0) - mean[c]!) * factor + offset[c]!),
      ),
    ),
  };
}

/** The values of a float32 constant, or undefined for any other tensor. */
export function floatsOf(tensor: Tensor | undefined): Float32Array | undefined {
  const data = tensor && constantData(tensor);
  return data?.dtype === "float32" ? (data.data as Float32Array) : undefined;
}
