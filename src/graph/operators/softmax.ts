import { normaliseAxis } from "../dims.js";
import { isFloat } from "../dtype.js";
import type { Call, TensorType } from "../operator.js";
import { apply1, defineOperator, intAttribute, misfit, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { exp, greater, isNaN, log, mul, sub, where } from "./elementwise.js";
import { max, sum } from "./reduce.js";

function inferSoftmax(call: Call): TensorType[] {
  const x = required(call, 0, "x");
  if (!isFloat(x.dtype)) misfit(call, "expected floating-point values");
  normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, call.type);
  return [{ dtype: x.dtype, shape: x.shape }];
}

defineOperator({
  type: "Softmax",
  infer: inferSoftmax,
  gradient: (call) => {
    const [dy, x] = [call.dy, call.inputs[0]!];
    // A row of -Infinity has no softmax. A graph that puts something else in its place sends no gradient there.
    const y = mayBeMasked(x) ? where(isNaN(call.outputs[0]!), 0, call.outputs[0]!) : call.outputs[0]!;
    const weighted = mul(dy, y);
    const total = sum(weighted, intAttribute(call.attributes, "axis", -1), { keepAxes: true });
    return [sub(weighted, mul(y, total))];
  },
});
/** e^x normalised to sum 1 along an axis (default the last). */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply1("Softmax", [x], { axis });
}

/** What scores pass on their way from a mask to a softmax. */
const PASSED = new Set([
  "Cast",
  "Clip",
  "Div",
  "Expand",
  "Identity",
  "Mul",
  "Reshape",
  "Squeeze",
  "Transpose",
]);

/** Whether a mask of -Infinity may have been added to x, or chosen in its place. */
function mayBeMasked(x: Tensor): boolean {
  let { node } = x;
  while (PASSED.has(node.type)) ({ node } = node.inputs[0]!);
  return ["Add", "Sub", "Sum", "Where"].includes(node.type);
}

/** Softmax of scores with a mask: a row of -Infinity throughout becomes zeros, in values and gradients. */
export function maskedSoftmax(x: Tensor, axis = -1): Tensor {
  const open = greater(max(x, axis, { keepAxes: true }), -Infinity);
  return where(open, softmax(where(open, x, 0), axis), 0);
}

defineOperator({
  type: "LogSoftmax",
  infer: inferSoftmax,
  gradient: (call) => {
    const [dy, y] = [call.dy, call.outputs[0]!];
    const total = sum(dy, intAttribute(call.attributes, "axis", -1), { keepAxes: true });
    return [sub(dy, mul(exp(y), total))];
  },
  // WebGPU has no LogSoftmax and would copy to the CPU and back.
  lower: (call, target) => {
    if (target !== "webgpu") return undefined;
    const x = call.inputs[0]!;
    const axis = intAttribute(call.attributes, "axis", -1);
    const shifted = sub(x, max(x, axis, { keepAxes: true }));
    return [sub(shifted, log(sum(exp(shifted), axis, { keepAxes: true })))];
  },
});
/** log(softmax(x)) along an axis (default the last), without overflow. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return apply1("LogSoftmax", [x], { axis });
}
