import type { Dim } from "../../dims.js";
import { isStatic, normaliseAxis, unknownDim } from "../../dims.js";
import type { Call } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { reshapeLike } from "../broadcast.js";
import { countedTo } from "./rank.js";
import { reshape } from "../shape/shape.js";

/* Operators that pick or reorder elements by values that are known only when the graph runs. */

/** The axis of a call, or undefined if the call has none and reads x as a flat vector. */
function axisIfNamed(call: Call): number | undefined {
  const { axis } = call.attributes;
  if (typeof axis !== "number") return undefined;
  return normaliseAxis(axis, required(call, 0, "x").rank, call.type);
}

/**
 * The gradient of x, computed from the gradient dy of the picked elements. `places` holds the index of each
 * picked element in x.
 */
function scatterBack(call: Call, dy: Tensor, places: Tensor): Tensor {
  const x = call.inputs[0]!;
  const axis = axisIfNamed(call);
  if (axis !== undefined) return applySingle("GatherGradient", [dy, places, x], { axis });
  return reshapeLike(applySingle("GatherGradient", [dy, places, reshape(x, [-1])], { axis: 0 }), x);
}

defineOperator({
  type: "Compress",
  infer: (call) => {
    const [x, condition] = [required(call, 0, "x"), required(call, 1, "condition")];
    if (condition.dtype !== "bool" || condition.rank !== 1)
      rejectCall(call, "the condition must be a bool vector");
    const axis = axisIfNamed(call);
    return [
      { dtype: x.dtype, shape: axis === undefined ? [unknownDim()] : x.shape.with(axis, unknownDim()) },
    ];
  },
  gradient: (call, x, condition) => {
    const axis = axisIfNamed(call);
    const all = axis === undefined ? countedTo(reshape(x, [-1]), 0) : countedTo(x, axis);
    return [scatterBack(call, call.dy, applySingle("Compress", [all, condition], { axis: 0 })), undefined];
  },
});

// The second result holds the index at which each element occurs first. This occurrence gets the gradient.
defineOperator({
  type: "Unique",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axis = axisIfNamed(call);
    const found: Dim = unknownDim();
    const size = axis === undefined ? reshape(x, [-1]).shape[0]! : x.shape[axis]!;
    const types = [
      { dtype: x.dtype, shape: axis === undefined ? [found] : x.shape.with(axis, found) },
      { dtype: "int64" as const, shape: [found] },
      { dtype: "int64" as const, shape: [size] },
      { dtype: "int64" as const, shape: [found] },
    ];
    return types.slice(0, call.outputCount);
  },
  gradient: (call) => {
    const places = call.outputs[1];
    if (places === undefined) rejectCall(call, "no gradient without its second result");
    return [scatterBack(call, call.dy, places)];
  },
});

defineOperator({
  type: "ReverseSequence",
  infer: (call) => {
    const [x, lengths] = [required(call, 0, "x"), required(call, 1, "lengths")];
    const [time, batch] = ["time_axis", "batch_axis"].map((name, i) =>
      intAttribute(call.attributes, name, i),
    );
    if (x.rank < 2 || time === batch || ![0, 1].includes(time!) || ![0, 1].includes(batch!))
      rejectCall(call, "time and batch must be its first two axes");
    const [count, expected] = [lengths.shape[0], x.shape[batch!]!];
    if (lengths.rank !== 1 || (isStatic(count!) && isStatic(expected) && count !== expected))
      rejectCall(call, `expected one length for each of ${expected} sequences`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // Reversing twice restores the order, so the operator is its own inverse.
  gradient: ({ dy, attributes }, _x, lengths) => [
    applySingle("ReverseSequence", [dy, lengths], attributes),
    undefined,
  ],
});
