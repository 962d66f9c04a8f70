import { broadcastShapes } from "../../dims.js";
import { bytesPerElement, dtypeFromOnnx, isFloat } from "../../dtype.js";
import type { Call, TensorType } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";

/* Operators on the bits of integers. Their gradients are zero. */

function inferBits(call: Call): TensorType[] {
  const [a, b] = [required(call, 0, "a"), required(call, 1, "b")];
  if (a.dtype !== b.dtype || isFloat(a.dtype) || a.dtype === "bool")
    rejectCall(call, "expected integers of the same element type");
  const shape = broadcastShapes(a.shape, b.shape) ?? rejectCall(call, "the shapes do not broadcast");
  return [{ dtype: a.dtype, shape }];
}

for (const type of ["BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift"])
  defineOperator({ type, infer: inferBits, gradient: "zero" });

/** Bitwise and of two integer tensors of the same type; shapes broadcast. */
export const bitwiseAnd = (a: Tensor, b: Tensor): Tensor => applySingle("BitwiseAnd", [a, b]);
/** Bitwise or of two integer tensors of the same type; shapes broadcast. */
export const bitwiseOr = (a: Tensor, b: Tensor): Tensor => applySingle("BitwiseOr", [a, b]);
/** Bitwise exclusive or of two integer tensors of the same type; shapes broadcast. */
export const bitwiseXor = (a: Tensor, b: Tensor): Tensor => applySingle("BitwiseXor", [a, b]);

defineOperator({
  type: "BitwiseNot",
  infer: (call) => {
    const x = required(call, 0, "x");
    if (isFloat(x.dtype) || x.dtype === "bool") rejectCall(call, "expected integers");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: "zero",
});

// The same bits, read as another type of the same width.
defineOperator({
  type: "BitCast",
  infer: (call) => {
    const x = required(call, 0, "x");
    const dtype = dtypeFromOnnx(intAttribute(call.attributes, "to", 0), "BitCast");
    if (bytesPerElement(dtype) !== bytesPerElement(x.dtype))
      rejectCall(call, `expected a type with as many bits as ${x.dtype}, got ${dtype}`);
    return [{ dtype, shape: x.shape }];
  },
  gradient: "zero",
});
