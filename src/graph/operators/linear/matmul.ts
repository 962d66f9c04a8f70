import type { Dim } from "../../dims.js";
import { broadcastShapes, isStatic } from "../../dims.js";
import type { Call, TensorType } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  rejectCall,
  required,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { reshapeLike, unbroadcast } from "../broadcast.js";
import { mul } from "../elementwise/elementwise.js";
import { reshape, transpose, unsqueeze } from "../shape/shape.js";

function inferMatMul(call: Call): TensorType[] {
  const a = required(call, 0, "a");
  const b = required(call, 1, "b");
  if (a.dtype !== b.dtype) rejectCall(call, "both operands must have the same element type");
  if (a.rank === 0 || b.rank === 0) rejectCall(call, "a scalar cannot be multiplied as a matrix");
  const left: readonly Dim[] = a.rank === 1 ? [1, ...a.shape] : a.shape;
  const right: readonly Dim[] = b.rank === 1 ? [...b.shape, 1] : b.shape;
  const [inner, outer] = [left.at(-1)!, right.at(-2)!];
  if (inner !== outer && isStatic(inner) && isStatic(outer))
    rejectCall(call, `inner lengths ${inner} and ${outer} differ`);
  const batch =
    broadcastShapes(left.slice(0, -2), right.slice(0, -2)) ??
    rejectCall(call, "the leading axes do not broadcast");
  const shape = [...batch];
  if (a.rank > 1) shape.push(left.at(-2)!);
  if (b.rank > 1) shape.push(right.at(-1)!);
  return [{ dtype: a.dtype, shape }];
}

/** Swaps the last two axes of x. */
export function transposeMatrix(x: Tensor): Tensor {
  const order = x.shape.map((_, axis) => axis);
  [order[x.rank - 2], order[x.rank - 1]] = [x.rank - 1, x.rank - 2];
  return transpose(x, order);
}

defineOperator({
  type: "MatMul",
  infer: inferMatMul,
  gradient: ({ dy }, a, b) => {
    const left = a.rank === 1 ? unsqueeze(a, [0]) : a;
    const right = b.rank === 1 ? unsqueeze(b, [1]) : b;
    let gradient = dy;
    if (b.rank === 1) gradient = unsqueeze(gradient, [gradient.rank]);
    if (a.rank === 1) gradient = unsqueeze(gradient, [gradient.rank - 1]);
    return [
      () => reshapeLike(leftGradient(left, right, gradient), a),
      () => reshapeLike(rightGradient(left, right, gradient), b),
    ];
  },
});

/**
 * The gradient of A in A·B. If A is one matrix and B is a batch of matrices with few columns, all columns go
 * into one product. With one product per matrix, one dA per matrix would have to be written and then summed.
 * A single product takes two copies, which put the matrices of dy and of B side by side. Runtimes copy the
 * right operand of a product once more, so the operand with fewer rows goes on the right.
 */
function leftGradient(a: Tensor, b: Tensor, dy: Tensor): Tensor {
  const [rows, inner] = a.shape.slice(-2);
  const columns = b.shape.at(-1)!;
  const known = isStatic(rows!) && isStatic(inner!) && isStatic(columns);
  if (a.rank > 2 || b.rank === 2 || !known || rows * inner < columns * (rows + inner)) {
    return unbroadcast(matmul(dy, transposeMatrix(b)), a);
  }
  const sideBySide = (x: Tensor) => {
    const batch = x.shape.slice(2).map((_, axis) => axis);
    return reshape(transpose(x, [x.rank - 2, ...batch, x.rank - 1]), [x.shape.at(-2)!, -1]);
  };
  const [left, right] = [sideBySide(dy), sideBySide(b)];
  return rows < inner
    ? transposeMatrix(matmul(right, transposeMatrix(left)))
    : matmul(left, transposeMatrix(right));
}

/**
 * The gradient of B in A·B. If B is one matrix and A is a batch of matrices, all rows of A go into one
 * product.
 */
function rightGradient(a: Tensor, b: Tensor, dy: Tensor): Tensor {
  if (b.rank === 2 && a.rank > 2) {
    const rows = (x: Tensor) => reshape(x, [-1, x.shape.at(-1)!]);
    return matmul(transposeMatrix(rows(a)), rows(dy));
  }
  return unbroadcast(matmul(transposeMatrix(a), dy), b);
}

/**
 * Matrix product over the last two axes; the axes before them broadcast.
 *
 * @example
 * ```ts
 * import { input, matmul } from "striate/graph";
 *
 * const product = matmul(input("a", ["batch", 5, 3]), input("b", [3, 4]));
 * console.log(product.shape.join(", ")); // batch, 5, 4
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  return applySingle("MatMul", [a, b]);
}

defineOperator({
  type: "Gemm",
  infer: (call) => {
    const [a, b] = [required(call, 0, "a"), required(call, 1, "b")];
    if (a.rank !== 2 || b.rank !== 2) rejectCall(call, "both operands must be matrices");
    const [rows, inner] =
      intAttribute(call.attributes, "transA", 0) === 1
        ? [a.shape[1]!, a.shape[0]!]
        : [a.shape[0]!, a.shape[1]!];
    const [outer, columns] =
      intAttribute(call.attributes, "transB", 0) === 1
        ? [b.shape[1]!, b.shape[0]!]
        : [b.shape[0]!, b.shape[1]!];
    if (inner !== outer && isStatic(inner) && isStatic(outer))
      rejectCall(call, `inner lengths ${inner} and ${outer} differ`);
    const shape = [rows, columns];
    const c = call.inputs[2];
    if (c !== undefined && broadcastShapes(c.shape, shape) === undefined)
      rejectCall(call, "the added term does not broadcast");
    return [{ dtype: a.dtype, shape }];
  },
  gradient: ({ dy, attributes }, a, b, c) => {
    const transA = intAttribute(attributes, "transA", 0);
    const transB = intAttribute(attributes, "transB", 0);
    const alpha = floatAttribute(attributes, "alpha", 1);
    const beta = floatAttribute(attributes, "beta", 1);
    const product = (x: Tensor, y: Tensor, tx: number, ty: number) =>
      gemm(x, y, undefined, { transA: tx, transB: ty, alpha });
    return [
      () => (transA === 1 ? product(b, dy, transB, 1) : product(dy, b, 0, 1 - transB)),
      () => (transB === 1 ? product(dy, a, 1, transA) : product(a, dy, 1 - transA, 0)),
      () => unbroadcast(beta === 1 ? dy : mul(dy, beta), c),
    ];
  },
});

/**
 * Attributes of ONNX's Gemm: whether an operand is transposed (1) or not (0, the default), and the factor of
 * the product (default 1).
 */
export interface GemmOptions {
  readonly transA?: number;
  readonly transB?: number;
  readonly alpha?: number;
}

/** The product a·b (+ c) of two matrices. Each matrix may be transposed. */
export function gemm(a: Tensor, b: Tensor, c?: Tensor, options: GemmOptions = {}): Tensor {
  const { transA = 0, transB = 0, alpha = 1 } = options;
  return applySingle("Gemm", c ? [a, b, c] : [a, b], {
    transA,
    transB,
    ...(alpha !== 1 && { alpha: { float: alpha } }),
  });
}
