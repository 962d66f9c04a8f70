import { isStatic } from "../../dims.js";
import type { Call } from "../../operator.js";
import { applySingle, defineOperator, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { floatConstant } from "./axis-matrix.js";

/**
 * Largest size of a matrix with a gradient. The gradient takes as many determinants as the matrix has
 * elements.
 */
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
/** Determinants of square matrices in the last two axes. */
export function determinant(x: Tensor): Tensor {
  return applySingle("Det", [x]);
}

/**
 * The gradient of a determinant consists of the cofactors: for each element, the determinant of the matrix
 * without its row and column, with a sign. Cofactors exist for singular matrices, too.
 */
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
  // Pick the rows, [..., size * (size - 1), size], and then the columns in the same way. After reshaping, the
  // parts are [..., size, size - 1, size, size - 1].
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
