import { isStatic, normaliseAxis } from "../../dims.js";
import type { Call, GradientCall } from "../../operator.js";
import {
  apply,
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  rejectCall,
  required,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { floatConstant } from "../linear/axis-matrix.js";
import { expandLike, reshapeLike, unbroadcast } from "../broadcast.js";
import { channelVector } from "../shape/shape.js";
import { addAll, cast, div, mul, neg, sub } from "../elementwise/elementwise.js";
import {
  EPSILON,
  affine,
  allButChannels,
  checkChannels,
  inverseDeviation,
  spaceOf,
} from "./normalise-parts.js";
import { countOf, mean, sum } from "../reduce/reduce.js";
import { reshape } from "../shape/shape.js";

// ---- instance, group ---------------------------------------------------------------------------------------------------

/**
 * What the gradient of a normalisation over `axes` needs: the normalised value and the inverse standard
 * deviation.
 */
function normalised(x: Tensor, axes: readonly number[], epsilon: number): { value: Tensor; inverse: Tensor } {
  const centred = sub(x, mean(x, axes, { keepAxes: true }));
  const inverse = inverseDeviation(mean(mul(centred, centred), axes, { keepAxes: true }), epsilon);
  return { value: mul(centred, inverse), inverse };
}

/**
 * The gradient of x, if g is the gradient of the normalised value v: (g - mean(g) - v * mean(g * v)) /
 * deviation.
 */
function normalisedGradient(g: Tensor, value: Tensor, inverse: Tensor, axes: readonly number[]): Tensor {
  const shift = mean(g, axes, { keepAxes: true });
  const slope = mean(mul(g, value), axes, { keepAxes: true });
  return mul(sub(sub(g, shift), mul(value, slope)), inverse);
}

defineOperator({
  type: "InstanceNormalization",
  infer: (call) => {
    const x = checkChannels(call, 1, 2);
    if (x.rank < 3) rejectCall(call, "expected [batch, channels, ...space]");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ dy, attributes }, x, scale) => {
    const space = spaceOf(x);
    const { value, inverse } = normalised(x, space, floatAttribute(attributes, "epsilon", EPSILON));
    const g = mul(dy, channelVector(scale, x.rank));
    return [
      () => normalisedGradient(g, value, inverse, space),
      () => sum(mul(dy, value), allButChannels(x)),
      () => sum(dy, allButChannels(x)),
    ];
  },
});
/**
 * Normalises each channel of each image over its space, then multiplies each channel by its scale and adds
 * its bias.
 */
export function instanceNorm(x: Tensor, scale: Tensor, bias: Tensor, epsilon = EPSILON): Tensor {
  return applySingle("InstanceNormalization", [x, scale, bias], { epsilon: { float: epsilon } });
}

/**
 * Divides the channels into `groups` equal groups and normalises each group over its channels and space (Wu
 * and He 2018). Then multiplies each channel by its scale and adds its bias. The number of channels must be
 * known.
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  scale?: Tensor,
  bias?: Tensor,
  epsilon = EPSILON,
): Tensor {
  const channels = x.shape[1]!;
  const call: Call = { type: "groupNorm", inputs: [x], attributes: {}, outputCount: 1 };
  if (x.rank < 2 || !isStatic(channels) || channels % groups !== 0) {
    rejectCall(call, `expected [batch, channels, ...] with channels that ${groups} groups share equally`);
  }
  const vector = (value: number) =>
    floatConstant(
      Array.from({ length: groups }, () => value),
      [groups],
      x.dtype,
    );
  const grouped = applySingle("Reshape", [x, integers([0, groups, -1])]);
  const flat = instanceNorm(grouped, vector(1), vector(0), epsilon);
  const y = reshapeLike(flat, x);
  if (scale === undefined && bias === undefined) return y;
  const zeros = () => floatConstant(new Float64Array(channels), [channels], x.dtype);
  const ones = () => floatConstant(new Float64Array(channels).fill(1), [channels], x.dtype);
  return affine(y, scale ?? ones(), bias ?? zeros());
}

// In imported files of opset 21 and later, there is one scale for each channel; in opset 18, there is one for
// each group. The shape of the scale shows which form it has.
defineOperator({
  type: "GroupNormalization",
  infer: (call) => {
    const { x, groups } = groupsOf(call);
    if (!isStatic(x.shape[1]!)) rejectCall(call, "the number of channels must be known");
    for (const [i, name] of [
      [1, "scale"],
      [2, "bias"],
    ] as const) {
      const length = required(call, i, name).shape[0];
      if (length !== x.shape[1] && length !== groups)
        rejectCall(call, `the ${name} must have one element for each channel`);
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (call) => {
    const { dy } = call;
    const { x, scale, bias, groups } = groupsOf(call);
    const grouped = (tensor: Tensor) => applySingle("Reshape", [tensor, integers([0, groups, -1])]);
    const { value, inverse } = normalised(
      grouped(x),
      [2],
      floatAttribute(call.attributes, "epsilon", EPSILON),
    );
    const g = mul(dy, channelVector(perChannel(scale, x), x.rank));
    const axes = allButChannels(x);
    return [
      () => reshapeLike(normalisedGradient(grouped(g), value, inverse, [2]), x),
      () => perVector(sum(mul(dy, reshapeLike(value, x)), axes), scale),
      () => perVector(sum(dy, axes), bias),
    ];
  },
  lower: (call) => {
    const { x, scale, bias, groups } = groupsOf(call);
    const epsilon = floatAttribute(call.attributes, "epsilon", EPSILON);
    return [groupNorm(x, groups, perChannel(scale, x), perChannel(bias, x), epsilon)];
  },
});

function groupsOf(call: Call): { x: Tensor; scale: Tensor; bias: Tensor; groups: number } {
  const [x, scale, bias] = [required(call, 0, "x"), required(call, 1, "scale"), required(call, 2, "bias")];
  return { x, scale, bias, groups: intAttribute(call.attributes, "num_groups", 1) };
}

/**
 * Repeats the number of each group for each of its channels. A vector with one number for each channel stays
 * as it is.
 */
function perChannel(vector: Tensor, x: Tensor): Tensor {
  const [groups, channels] = [vector.shape[0] as number, x.shape[1] as number];
  if (groups === channels) return vector;
  const column = reshape(vector, [groups, 1]);
  return reshape(applySingle("Expand", [column, integers([groups, channels / groups])]), [channels]);
}

/** The adjoint of `perChannel`. */
function perVector(gradient: Tensor, vector: Tensor): Tensor {
  return sum(reshape(gradient, [vector.shape[0]!, -1]), 1);
}

// ---- layer -------------------------------------------------------------------------------------------------------------

function layerAxes(call: Call): number[] {
  const x = required(call, 0, "x");
  const first = normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, call.type);
  return x.shape.flatMap((_, axis) => (axis >= first ? [axis] : []));
}

defineOperator({
  type: "LayerNormalization",
  infer: (call) => {
    const [x, scale] = [required(call, 0, "x"), required(call, 1, "scale")];
    const axes = layerAxes(call);
    for (const vector of [scale, call.inputs[2]]) {
      const fits = vector?.shape.every((dim, i) => {
        const length = x.shape[x.rank - vector.rank + i]!;
        return dim === length || dim === 1 || !isStatic(dim) || !isStatic(length);
      });
      if (fits === false || (vector && vector.rank > axes.length)) {
        rejectCall(call, `scale and bias must fit the last ${axes.length} axes`);
      }
    }
    const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    const statistics = { dtype: "float32" as const, shape: kept };
    return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics].slice(0, call.outputCount);
  },
  gradient: (call, x, scale, bias) => {
    const [dy, dMean, dInverse] = [call.received(0), call.received(1), call.received(2)];
    const axes = layerAxes(call);
    const { value, inverse } = layerValue(call, axes);
    const parts = () => [
      dy && normalisedGradient(mul(dy, scale), value, inverse, axes),
      dMean && expandLike(div(cast(dMean, x.dtype), countOf(x, axes)), x),
      // The derivative of the inverse deviation r with respect to x is -r^2 value / count.
      dInverse && mul(value, div(mul(neg(cast(dInverse, x.dtype)), mul(inverse, inverse)), countOf(x, axes))),
    ];
    return [
      () => addAll(parts().filter((part) => part !== undefined)),
      dy ? () => unbroadcast(mul(dy, value), scale) : "zero",
      dy ? () => unbroadcast(dy, bias) : "zero",
    ];
  },
});

/** The normalised values. If the outputs of the call contain the statistics, these are used. */
function layerValue(call: GradientCall, axes: readonly number[]): { value: Tensor; inverse: Tensor } {
  const x = call.inputs[0]!;
  const [average, inverse] = [call.outputs[1], call.outputs[2]];
  if (x.dtype === "float32" && average !== undefined && inverse !== undefined) {
    return { value: mul(sub(x, average), inverse), inverse };
  }
  return normalised(x, axes, floatAttribute(call.attributes, "epsilon", EPSILON));
}

/**
 * Normalises x over the axes from `axis` on (default: the last axis), then multiplies by `scale` and adds
 * `bias`, which have these axes.
 */
export function layerNorm(
  x: Tensor,
  scale: Tensor,
  bias?: Tensor,
  options: { readonly axis?: number; readonly epsilon?: number } = {},
): Tensor {
  const { axis = -1, epsilon = EPSILON } = options;
  const inputs = bias ? [x, scale, bias] : [x, scale];
  return apply("LayerNormalization", inputs, { axis, epsilon: { float: epsilon } }, { outputs: 3 })[0]!;
}
