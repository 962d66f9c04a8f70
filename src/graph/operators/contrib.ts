import { broadcastShapes, isStatic } from "../dims.js";
import { defineOperator, intAttribute, misfit, required } from "../operator.js";

// ONNX Runtime's own operator, emitted by lowerings for its CPU provider only. Never differentiated: lowering is last.
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
      misfit(call, `inner lengths ${inner} and ${outer} differ`);
    const batch =
      broadcastShapes(left.slice(0, -2), right.slice(0, -2)) ??
      misfit(call, "the leading axes do not broadcast");
    return [{ dtype: a.dtype, shape: [...batch, left.at(-2)!, right.at(-1)!] }];
  },
});
