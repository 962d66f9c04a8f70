import { isStatic } from "../../dims.js";
import type { DType } from "../../dtype.js";
import { fromNumbers } from "../../dtype.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import { applySingle } from "../../operator.js";
import { shapeTensor } from "../broadcast.js";
import { matmul } from "./matmul.js";

/**
 * A constant matrix that acts on one axis, in row-major order. Average pooling and resizing use one such
 * matrix per axis.
 */
export interface AxisMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/**
 * Makes a matrix from its entries. `entries` calls its argument with a row, a column and a value; values at
 * the same position add up.
 */
export function axisMatrix(
  rows: number,
  columns: number,
  entries: (add: (row: number, column: number, value: number) => void) => void,
): AxisMatrix {
  const values = new Float64Array(rows * columns);
  entries((row, column, value) => {
    values[row * columns + column]! += value;
  });
  return { rows, columns, values };
}

export function transposed(matrix: AxisMatrix): AxisMatrix {
  const { rows, columns, values } = matrix;
  return axisMatrix(columns, rows, (add) => {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) add(column, row, values[row * columns + column]!);
    }
  });
}

/** Float values as a constant of any floating-point type. */
export function floatConstant(
  values: Float64Array | readonly number[],
  shape: readonly number[],
  dtype: DType,
): Tensor {
  return constant({ dtype, shape, data: fromNumbers(dtype, values) });
}

function isIdentity({ rows, columns, values }: AxisMatrix): boolean {
  return rows === columns && values.every((value, i) => value === (i % (columns + 1) === 0 ? 1 : 0));
}

/** result[.., row, ..] = sum over columns of matrix[row, column] * x[.., column, ..] along one axis of x. */
export function multiplyAxis(x: Tensor, axis: number, matrix: AxisMatrix): Tensor {
  if (isIdentity(matrix)) return x;
  const { rows, columns } = matrix;
  if (axis === x.rank - 1) {
    return matmul(x, floatConstant(transposed(matrix).values, [columns, rows], x.dtype));
  }
  const left = floatConstant(matrix.values, [rows, columns], x.dtype);
  if (axis === x.rank - 2) return matmul(left, x);
  const lead = x.shape.slice(0, axis).map(() => 0);
  const folded = applySingle("Reshape", [x, constant([...lead, columns, -1], undefined, "int64")]);
  const product = matmul(left, folded);
  const shape = x.shape.with(axis, rows);
  const free = shape.filter((dim) => !isStatic(dim)).length;
  const target =
    free <= 1
      ? constant(
          shape.map((dim) => (isStatic(dim) ? dim : -1)),
          undefined,
          "int64",
        )
      : shapeTensor(shape, [x]);
  return applySingle("Reshape", [product, target]);
}

/**
 * Multiplies x [batch, channels, ...space] by one matrix along each spatial axis. Axes that shrink come
 * first, which saves multiply-adds.
 */
export function multiplySpace(x: Tensor, matrices: readonly AxisMatrix[]): Tensor {
  const order = matrices
    .map((matrix, i) => ({ matrix, axis: i + 2 }))
    .sort((a, b) => a.matrix.rows / a.matrix.columns - b.matrix.rows / b.matrix.columns);
  return order.reduce((value, { matrix, axis }) => multiplyAxis(value, axis, matrix), x);
}
