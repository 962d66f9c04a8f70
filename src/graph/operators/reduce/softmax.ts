import { normaliseAxis } from "../../dims.js";
import { isFloat } from "../../dtype.js";
import type { Call, TensorType } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { isMasked } from "../elementwise/masked-gradient.js";
import { exp, greater, isNaN, log, mul, sub, where } from "../elementwise/elementwise.js";
import { max, sum } from "./reduce.js";

function inferSoftmax(call: Call): TensorType[] {
  const x = required(call, 0, "x");
  if (!isFloat(x.dtype)) rejectCall(call, "expected floating-point values");
  normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, call.type);
  return [{ dtype: x.dtype, shape: x.shape }];
}

defineOperator({
  type: "Softmax",
  infer: inferSoftmax,
  gradient: ({ dy, y, attributes }) => {
    const shares = orZero(y, dy);
    const weighted = mul(dy, shares);
    const total = sum(weighted, intAttribute(attributes, "axis", -1), { keepAxes: true });
    return [sub(weighted, mul(shares, total))];
  },
});
/**
 * e^x, normalised so that the sum along an axis (default: the last axis) is 1.
 *
 * @example
 * ```ts
 * import { input, softmax } from "striate/graph";
 *
 * const probabilities = softmax(input("logits", ["batch", 10]));
 * console.log(probabilities.shape.join(", ")); // batch, 10
 * ```
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  return applySingle("Softmax", [x], { axis });
}

/**
 * Replaces NaN in y by 0 if a Where masks dy. The softmax of a row of -Infinity is NaN. If a graph replaces
 * the result for such a row, the gradient there is 0.
 */
function orZero(y: Tensor, dy: Tensor): Tensor {
  return isMasked(dy) ? where(isNaN(y), 0, y) : y;
}

/** Softmax of masked scores: if a whole row is -Infinity, its values and gradients are zeros. */
export function maskedSoftmax(x: Tensor, axis = -1): Tensor {
  const open = greater(max(x, axis, { keepAxes: true }), -Infinity);
  return where(open, softmax(where(open, x, 0), axis), 0);
}

defineOperator({
  type: "LogSoftmax",
  infer: inferSoftmax,
  gradient: ({ dy, y, attributes }) => {
    const total = sum(dy, intAttribute(attributes, "axis", -1), { keepAxes: true });
    return [sub(dy, mul(orZero(exp(y), dy), total))];
  },
  // WebGPU has no LogSoftmax, so ONNX Runtime would copy the tensor to the CPU and back.
  lower: (call, target) => {
    if (target !== "webgpu") return undefined;
    const x = call.inputs[0]!;
    const axis = intAttribute(call.attributes, "axis", -1);
    const shifted = sub(x, max(x, axis, { keepAxes: true }));
    return [sub(shifted, log(sum(exp(shifted), axis, { keepAxes: true })))];
  },
});
/** log(softmax(x)) along an axis (default: the last axis), without overflow. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return applySingle("LogSoftmax", [x], { axis });
}
