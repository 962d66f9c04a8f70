import { broadcastShapes, isStatic, unknownDim } from "../dims.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { outputLength, windowOf } from "../window.js";

// ONNX Runtime's own operators, which appear only in graphs that are lowered for its CPU provider. They need
// no gradient rules, because lowering comes after differentiation.

defineOperator({
  type: "com.microsoft::FusedMatMul",
  infer: (call) => {
    const [a, b] = [required(call, 0, "a"), required(call, 1, "b")];
    const swap = (shape: readonly (number | string)[], flag: string) =>
      intAttribute(call.attributes, flag, 0) === 1
        ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]
        : shape;
    const [left, right] = [swap(a.shape, "transA"), swap(b.shape, "transB")];
    const [inner, outer] = [left.at(-1)!, right.at(-2)!];
    if (inner !== outer && isStatic(inner) && isStatic(outer))
      rejectCall(call, `inner lengths ${inner} and ${outer} differ`);
    const batch =
      broadcastShapes(left.slice(0, -2), right.slice(0, -2)) ??
      rejectCall(call, "the leading axes do not broadcast");
    return [{ dtype: a.dtype, shape: [...batch, left.at(-2)!, right.at(-1)!] }];
  },
});

/** The product a·b, in which either operand may be transposed over its last two axes. */
export function fusedMatmul(
  a: Tensor,
  b: Tensor,
  transposes: { readonly transA?: 1; readonly transB?: 1 },
): Tensor {
  return applySingle("com.microsoft::FusedMatMul", [a, b], { ...transposes });
}

/*
 * The blocked layout [batch, channels / B, ...space, B] with B = 8 or 16, depending on the width of the
 * processor's vectors. Shapes are those of the standard layout, so a shape does not show which layout a
 * tensor has. Channels are padded to whole blocks.
 */

defineOperator({
  type: "com.microsoft.nchwc::ReorderInput",
  infer: (call) => {
    const x = required(call, 0, "x");
    const channels = x.shape[1]!;
    const filled = isStatic(channels) && channels % 16 !== 0 ? unknownDim() : channels;
    return [{ dtype: x.dtype, shape: x.shape.with(1, filled) }];
  },
});

defineOperator({
  type: "com.microsoft.nchwc::ReorderOutput",
  infer: (call) => {
    const x = required(call, 0, "x");
    return [{ dtype: x.dtype, shape: x.shape.with(1, intAttribute(call.attributes, "channels", 0)) }];
  },
});

defineOperator({
  type: "com.microsoft.nchwc::Conv",
  infer: (call) => {
    const [x, w] = [required(call, 0, "x"), required(call, 1, "weight")];
    const space = x.shape.slice(2);
    const window = windowOf(call, w.shape.slice(2) as number[], space);
    const lengths = space.map((dim, axis) => outputLength(dim, window, axis));
    return [{ dtype: x.dtype, shape: [x.shape[0]!, w.shape[0]!, ...lengths] }];
  },
});
