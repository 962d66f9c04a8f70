import { normaliseAxis } from "../../dims.js";
import { isFloat } from "../../dtype.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { maximum, mul, reciprocal, sqrt, sub } from "../elementwise/elementwise.js";
import { sum } from "../reduce/reduce.js";

/** Smallest divisor: shorter vectors are divided by this length. */
const SHORTEST = 1e-12;

/** Computes 1 / max(|x|, 1e-12) for every vector along an axis. The axis is kept with length 1. */
function inverseLength(x: Tensor, axis: number): Tensor {
  return reciprocal(sqrt(maximum(sum(mul(x, x), axis, { keepAxes: true }), SHORTEST ** 2)));
}

// This is not ONNX's LpNormalization, whose gradient would have to pass through a division by zero.
defineOperator({
  type: "UnitVectors",
  infer: (call) => {
    const x = required(call, 0, "x");
    if (!isFloat(x.dtype)) rejectCall(call, "expected floating-point values");
    normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, call.type);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // dx = (dy - y (y · dy)) / |x|. `lower` merges the computation of |x| with that of the forward pass.
  gradient: ({ dy, y, attributes }, x) => {
    const axis = intAttribute(attributes, "axis", -1);
    const along = sum(mul(dy, y), axis, { keepAxes: true });
    return [mul(sub(dy, mul(y, along)), inverseLength(x, axis))];
  },
  lower: (call) => {
    const x = call.inputs[0]!;
    return [mul(x, inverseLength(x, intAttribute(call.attributes, "axis", -1)))];
  },
});
/**
 * Normalises vectors along an axis (default: the last axis) to length 1: x / max(|x|, 1e-12), as PyTorch's
 * `normalize` does.
 */
export function unitVectors(x: Tensor, axis = -1): Tensor {
  return applySingle("UnitVectors", [x], { axis: axis < 0 ? axis + x.rank : axis });
}
