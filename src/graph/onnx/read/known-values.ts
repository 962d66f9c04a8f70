import type { Dim } from "../../dims.js";
import { isStatic, isStaticShape } from "../../dims.js";
import type { DType, TensorData } from "../../dtype.js";
import { fromNumbers, holdsNumbers, isFloat } from "../../dtype.js";
import type { Tensor } from "../../tensor.js";
import { constantData } from "../../tensor.js";

/**
 * Largest number of elements of a tensor that is computed while a file is read. The limit is low, because
 * only shape arithmetic is folded.
 */
export const LARGEST_FOLDED = 4096;

/** A small tensor whose elements are known while a file is read. An element may be a named axis length. */
export interface Value {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elements: readonly Dim[];
}

export function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** The number of elements of a tensor; undefined unless all of them are known. */
export function knownSize(tensor: Tensor): number | undefined {
  const { dtype, shape, known } = tensor;
  if (!isStaticShape(shape) || sizeOfShape(shape) > LARGEST_FOLDED || !holdsNumbers(dtype)) return undefined;
  const size = sizeOfShape(shape);
  return constantData(tensor) !== undefined || known?.length === size ? size : undefined;
}

/** The elements of a tensor, or undefined unless all of them are known. */
export function valueOf(tensor: Tensor): Value | undefined {
  if (knownSize(tensor) === undefined) return undefined;
  const { dtype, known } = tensor;
  const shape = tensor.shape as readonly number[];
  const data = constantData(tensor);
  if (data !== undefined)
    return { dtype, shape, elements: Array.from(data.data as ArrayLike<number | bigint>, Number) };
  return known && { dtype, shape, elements: known };
}

/** The value as constant data, or undefined if an element is a named length or does not fit the type. */
export function dataOf({ dtype, shape, elements }: Value): TensorData | undefined {
  if (!elements.every(isStatic)) return undefined;
  if (!isFloat(dtype) && !elements.every(Number.isSafeInteger)) return undefined;
  const data = fromNumbers(dtype, elements);
  const kept = isFloat(dtype) || elements.every((element, i) => Number(data[i]) === element);
  return kept ? { dtype, shape, data } : undefined;
}

/** Calls `body` for every element, in row-major order, with its index along each axis. */
export function mapElements<T>(shape: readonly number[], body: (index: readonly number[]) => T): T[] {
  const index = shape.map(() => 0);
  return Array.from({ length: sizeOfShape(shape) }, () => {
    const result = body(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = index[axis]! + 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
    return result;
  });
}

/**
 * The element of a value at an index. The index is aligned with the last axes, and axes of length 1
 * broadcast, as in NumPy.
 */
export function elementAt({ shape, elements }: Value, index: readonly number[]): Dim {
  const skipped = index.length - shape.length;
  let at = 0;
  for (const [axis, length] of shape.entries())
    at = at * length + (length === 1 ? 0 : index[axis + skipped]!);
  return elements[at]!;
}
