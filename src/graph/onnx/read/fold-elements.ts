import type { Dim } from "../../dims.js";
import {
  addDims,
  broadcastShapes,
  divideDims,
  isStatic,
  isStaticShape,
  multiplyDims,
  unknownDim,
} from "../../dims.js";
import type { DType } from "../../dtype.js";
import { isFloat } from "../../dtype.js";
import type { Attributes, Tensor } from "../../tensor.js";
import type { Value } from "./known-values.js";
import { LARGEST_FOLDED, elementAt, mapElements, sizeOfShape } from "./known-values.js";

/** A call whose operands are known. */
export interface FoldedCall {
  readonly inputs: readonly (Tensor | undefined)[];
  /** One value for each input; absent optional inputs are undefined. */
  readonly values: readonly (Value | undefined)[];
  readonly attributes: Attributes;
}

export type Rule = (call: FoldedCall) => Value | undefined;

type Scalar = (operands: readonly Dim[], dtype: DType) => Dim | undefined;

/**
 * A rule that computes each element with `compute`. If `compute` returns undefined, an integer element
 * becomes an unknown length; for all other types, the whole result is undefined.
 */
function elementwise(compute: Scalar, output?: DType): Rule {
  return ({ values }) => {
    const operands = values.filter((value) => value !== undefined);
    const shape = operands
      .map((value) => value.shape)
      .reduce<readonly Dim[] | undefined>((a, b) => a && broadcastShapes(a, b), []);
    if (shape === undefined || !isStaticShape(shape) || sizeOfShape(shape) > LARGEST_FOLDED) return undefined;
    const dtype = operands.at(-1)!.dtype;
    if (operands.length > 1 && operands.at(-2)!.dtype !== dtype) return undefined;
    const result = output ?? dtype;
    const elements = mapElements(shape, (index) => {
      const element = compute(
        operands.map((value) => elementAt(value, index)),
        dtype,
      );
      if (typeof element === "number" && result === "float32") return Math.fround(element);
      return element ?? (result === "int64" || result === "int32" ? unknownDim() : undefined);
    });
    return elements.includes(undefined) ? undefined : { dtype: result, shape, elements: elements as Dim[] };
  };
}

const numeric =
  (compute: (a: number, b: number, dtype: DType) => number): Scalar =>
  ([a, b = 0], dtype) =>
    isStatic(a!) && isStatic(b) ? compute(a, b, dtype) : undefined;

/** Compares elements. An axis length is at least 1, so it is known to differ from 0 and from negative numbers. */
const comparison =
  (compare: (a: number, b: number) => boolean): Scalar =>
  ([a, b]) => {
    if (isStatic(a!) && isStatic(b!)) return Number(compare(a, b));
    if (a === b) return Number(compare(1, 1));
    if (isStatic(b!) && b < 1) return Number(compare(1, b));
    if (isStatic(a!) && a < 1) return Number(compare(a, 1));
    return undefined;
  };

const SCALARS: Readonly<Record<string, Scalar>> = {
  Add: ([a, b]) => (isStatic(a!) && isStatic(b!) ? a + b : addDims(a!, b!)),
  Sub: ([a, b]) => (isStatic(a!) && isStatic(b!) ? a - b : a === b ? 0 : b === 0 ? a : undefined),
  Mul: ([a, b]) => (isStatic(a!) && isStatic(b!) ? a * b : multiplyLengths(a!, b!)),
  Div: ([a, b], dtype) => {
    if (!isStatic(a!) || !isStatic(b!)) return divideDims(a!, b!);
    return isFloat(dtype) ? a / b : b === 0 ? undefined : Math.trunc(a / b);
  },
  Mod: numeric((a, b) => ((a % b) + b) % b),
  Pow: numeric((a, b) => a ** b),
  Max: numeric((a, b) => Math.max(a, b)),
  Min: numeric((a, b) => Math.min(a, b)),
  Neg: numeric((a) => 0 - a),
  Abs: ([a]) => (isStatic(a!) ? Math.abs(a) : a),
  Floor: numeric(Math.floor),
  Ceil: numeric(Math.ceil),
  Sqrt: numeric(Math.sqrt),
  // A named length is at least 1.
  Relu: ([a]) => (isStatic(a!) ? Math.max(a, 0) : a),
  Sign: ([a]) => (isStatic(a!) ? Math.sign(a) : 1),
  Round: numeric(roundHalfEven),
  Reciprocal: numeric((a) => 1 / a),
  Identity: ([a]) => a,
  Where: ([condition, a, b]) => (isStatic(condition!) ? (condition !== 0 ? a : b) : undefined),
};

/** Rounds to the nearest integer, and halves to the even one. */
function roundHalfEven(a: number): number {
  const low = Math.floor(a);
  const isHalf = a - low === 0.5;
  return isHalf ? low + (Math.abs(low) % 2) : Math.round(a);
}

/**
 * Clips an element to bounds. A named axis length is at least 1 and below any bound that means "no limit".
 * With other bounds, its clipped value is unknown (undefined).
 */
function clipped(a: Dim, low: Dim | undefined, high: Dim | undefined): Dim | undefined {
  if (isStatic(a) && isStatic(low ?? 0) && isStatic(high ?? 0)) {
    const least = Math.max(a, (low as number | undefined) ?? -Infinity);
    return Math.min(least, (high as number | undefined) ?? Infinity);
  }
  const isAbove = low === undefined || (isStatic(low) && low <= 1);
  const isBelow = high === undefined || (isStatic(high) && high >= 2 ** 31 - 1);
  return isAbove && isBelow ? a : undefined;
}

/** The product of two lengths, or undefined if a factor is negative. */
export function multiplyLengths(a: Dim, b: Dim): Dim | undefined {
  if ((isStatic(a) && a < 0) || (isStatic(b) && b < 0)) return undefined;
  return multiplyDims(a, b);
}

const COMPARISONS: Readonly<Record<string, Scalar>> = {
  Equal: comparison((a, b) => a === b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  And: numeric((a, b) => a & b),
  Or: numeric((a, b) => a | b),
  Xor: numeric((a, b) => a ^ b),
  Not: numeric((a) => 1 - a),
};

/** Either bound may be absent. */
const clip: Rule = (call) => {
  const hasLow = call.values[1] !== undefined;
  return elementwise(([a, ...bounds]) =>
    hasLow ? clipped(a!, bounds[0], bounds[1]) : clipped(a!, undefined, bounds[0]),
  )(call);
};

/** The rules of the operators that work element by element, by type. */
export const ELEMENT_RULES: readonly (readonly [string, Rule])[] = [
  ["Clip", clip],
  ...Object.entries(SCALARS).map(([type, compute]) => [type, elementwise(compute)] as const),
  ...Object.entries(COMPARISONS).map(([type, compute]) => [type, elementwise(compute, "bool")] as const),
];
