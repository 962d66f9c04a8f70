import type { Dim } from "../../dims.js";
import { isStatic, normaliseAxis, unknownDim } from "../../dims.js";
import type { Call } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { floatConstant } from "../linear/axis-matrix.js";
import { reshapeLike } from "../broadcast.js";
import { countedTo } from "./rank.js";
import { reshape } from "../shape/shape.js";

/* Operators that pick elements by what is found out when the graph runs. */

/** The axis of a call that reads x flat where it names none. */
function axisOrFlat(call: Call): number | undefined {
  const { axis } = call.attributes;
  if (typeof axis !== "number") return undefined;
  return normaliseAxis(axis, required(call, 0, "x").rank, call.type);
}

/** What picked elements send back to x: `places` says where each came from. */
function scattered(call: Call, dy: Tensor, places: Tensor): Tensor {
  const x = call.inputs[0]!;
  const axis = axisOrFlat(call);
  if (axis !== undefined) return applySingle("GatherGradient", [dy, places, x], { axis });
  return reshapeLike(applySingle("GatherGradient", [dy, places, reshape(x, [-1])], { axis: 0 }), x);
}

defineOperator({
  type: "Compress",
  infer: (call) => {
    const [x, condition] = [required(call, 0, "x"), required(call, 1, "condition")];
    if (condition.dtype !== "bool" || condition.rank !== 1)
      rejectCall(call, "the condition must be a bool vector");
    const axis = axisOrFlat(call);
    return [
      { dtype: x.dtype, shape: axis === undefined ? [unknownDim()] : x.shape.with(axis, unknownDim()) },
    ];
  },
  gradient: (call, x, condition) => {
    const axis = axisOrFlat(call);
    const all = axis === undefined ? countedTo(reshape(x, [-1]), 0) : countedTo(x, axis);
    return [scattered(call, call.dy, applySingle("Compress", [all, condition], { axis: 0 })), undefined];
  },
});

// Its second result says where each element was found first: there the gradient goes.
defineOperator({
  type: "Unique",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axis = axisOrFlat(call);
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
    return [scattered(call, call.dy, places)];
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
  // The order that it makes is its own inverse.
  gradient: ({ dy, attributes }, _x, lengths) => [
    applySingle("ReverseSequence", [dy, lengths], attributes),
    undefined,
  ],
});

// ---- determinants ------------------------------------------------------------------------------------------------------

/** The gradient of larger ones takes as many determinants as they have elements. */
const LARGEST_MATRIX = 16;

defineOperator({
  type: "Det",
  infer: (call) => {
    const x = required(call, 0, "x");
    const [rows, columns] = [x.shape.at(-2), x.shape.at(-1)];
    if (x.rank < 2 || (isStatic(rows!) && isStatic(columns!) && rows !== columns))
      rejectCall(call, "expected square matrices");
    return [{ dtype: x.dtype, shape: x.shape.slice(0, -2) }];
  },
  gradient: (call) => [determinantGradient(call, call.dy)],
});
/** Determinants of square matrices, the last two axes. */
export function determinant(x: Tensor): Tensor {
  return applySingle("Det", [x]);
}

/** Cofactors: determinants of what is left without the row and the column of an element, also of singular matrices. */
function determinantGradient(call: Call, dy: Tensor): Tensor {
  const x = call.inputs[0]!;
  const size = x.shape.at(-1)!;
  if (!isStatic(size) || size > LARGEST_MATRIX)
    rejectCall(call, `its gradient needs matrices of a known size up to ${LARGEST_MATRIX}`);
  const column = applySingle("Unsqueeze", [dy, integers([-2, -1])]);
  if (size === 1) return column;
  const all = Array.from({ length: size }, (_, i) => i);
  const without = (i: number) => all.filter((at) => at !== i);
  const signs = all.flatMap((i) => all.map((j) => ((i + j) % 2 === 0 ? 1 : -1)));
  // [..., size * (size - 1), size] rows, then the same of its columns: [..., size, size - 1, size, size - 1].
  const picks = integers(all.flatMap(without));
  const rows = applySingle("Gather", [x, picks], { axis: x.rank - 2 });
  const both = applySingle("Gather", [rows, picks], { axis: x.rank - 1 });
  const lead = x.shape.slice(0, -2).map(() => 0);
  const parts = applySingle("Reshape", [both, integers([...lead, size, size - 1, size, size - 1])]);
  const order = [...lead.keys()].concat([0, 2, 1, 3].map((axis) => axis + lead.length));
  const minors = determinant(applySingle("Transpose", [parts], { perm: order }));
  const signed = applySingle("Mul", [minors, floatConstant(signs, [size, size], x.dtype)]);
  return applySingle("Mul", [signed, column]);
}
