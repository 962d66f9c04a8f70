import type { Tensor } from "./tensor.js";
import { constant } from "./tensor.js";

const made = new Map<string, Tensor>();

/**
 * A constant that is made once for each name. Calls with the same constant are equal calls, which `lower` makes once,
 * so several convolutions share the results. The name must contain everything that decides the values.
 */
export function sharedConstant(name: string, make: () => Tensor): Tensor {
  const known = made.get(name);
  if (known !== undefined) return known;
  const tensor = make();
  made.set(name, tensor);
  return tensor;
}

/** {@link sharedConstant} of a float32 matrix from a formula; its size is part of the name. */
export function sharedMatrix(
  name: string,
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Tensor {
  return sharedConstant(`${name} ${rows} ${columns}`, () => matrixOf(rows, columns, value));
}

/** A float32 matrix from a formula. */
export function matrixOf(
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Tensor {
  const data = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) data[r * columns + c] = value(r, c);
  return constant({ dtype: "float32", shape: [rows, columns], data });
}
