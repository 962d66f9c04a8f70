import { isStatic, sizeOf, unknownDim } from "../../dims.js";
import { isFloat } from "../../dtype.js";
import type { TensorType } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import { expandLike, reshapeLike } from "../broadcast.js";
import { knownNumber } from "../known-numbers.js";

defineOperator({
  type: "Shape",
  infer: (call): TensorType[] => {
    const x = required(call, 0, "x");
    const known = x.shape.slice(
      intAttribute(call.attributes, "start", 0),
      intAttribute(call.attributes, "end", x.rank),
    );
    return [{ dtype: "int64", shape: [known.length], known }];
  },
  gradient: "zero",
});

defineOperator({
  type: "Size",
  infer: (call) => [{ dtype: "int64", shape: [], known: [sizeOf(required(call, 0, "x").shape)] }],
  gradient: "zero",
});

defineOperator({
  type: "ConstantOfShape",
  infer: (call) => {
    const shape = required(call, 0, "shape").known;
    if (shape === undefined)
      rejectCall(
        call,
        "the shape must be known when the graph is built: fix the shapes of the inputs (inputShapes)",
      );
    const value = call.attributes.value;
    const data = typeof value === "object" && "tensor" in value ? value.tensor : undefined;
    const size = sizeOf(shape);
    const small =
      shape.length <= 1 && isStatic(size) && size <= 64 && data !== undefined && !isFloat(data.dtype);
    const known = small ? Array.from({ length: size }, () => Number(data.data[0])) : undefined;
    return [{ dtype: data?.dtype ?? "float32", shape, known }];
  },
  gradient: "zero",
});

defineOperator({
  type: "Range",
  infer: (call) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => knownNumber(required(call, i, "bound")));
    const dtype = call.inputs[0]!.dtype;
    if (
      !["float32", "float64", "int16", "int32", "int64"].includes(dtype) ||
      call.inputs.some((x) => x!.dtype !== dtype)
    )
      rejectCall(call, "expected three float32, float64, int16, int32 or int64 numbers of the same type");
    if (start === undefined || limit === undefined || delta === undefined)
      return [{ dtype, shape: [unknownDim()] }];
    const length = Math.max(0, Math.ceil((limit - start) / delta));
    const known =
      isFloat(dtype) || length > 64 ? undefined : Array.from({ length }, (_, i) => start + i * delta);
    return [{ dtype, shape: [length], known }];
  },
  // Element i is start + i delta. The limit only decides how many elements there are.
  gradient: ({ dy }, start, _limit, delta) => {
    const total = (x: Tensor, like: Tensor) =>
      reshapeLike(applySingle("ReduceSum", [x], { keepdims: 0 }), like);
    const ones = expandLike(constant(1, [], dy.dtype), dy);
    const indices = () => applySingle("CumSum", [ones, constant(0, [], "int64")], { exclusive: 1 });
    return [() => total(dy, start), "zero", () => total(applySingle("Mul", [dy, indices()]), delta)];
  },
});

/** Zeros of the type and shape of another tensor. */
export function zerosLike(x: Tensor): Tensor {
  return expandLike(constant(0, [], x.dtype), x);
}
