import type { Tensor } from "./tensor.js";
import { constant } from "./tensor.js";

const made = new Map<string, Tensor>();

/**
 * A constant that is made only once for each name. Two calls of an operator with this same constant
 * and the same other operands count as equal, and `lower` merges equal calls. So several convolutions can
 * share the result of one call. The name must contain everything that decides the values.
 */
export function sharedConstant(name: string, make: () => Tensor): Tensor {
  const known = made.get(name);
  if (known !== undefined) return known;
  const tensor = make();
  made.set(name, tensor);
  return tensor;
}

/**
 * A {@link sharedConstant} that is a float32 matrix with the elements `value(row, column)`. The size is added
 * to the name.
 */
export function sharedMatrix(
  name: string,
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Tensor {
  return sharedConstant(`${name} ${rows} ${columns}`, () => matrixOf(rows, columns, value));
}

/** A float32 matrix with the elements `value(row, column)`. */
export function matrixOf(
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Tensor {
  const data = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) data[r * columns + c] = value(r, c);
  return constant({ dtype: "float32", shape: [rows, columns], data });
}
