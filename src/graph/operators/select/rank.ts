import type { Dim } from "../../dims.js";
import { isStatic, normaliseAxis, unknownDim } from "../../dims.js";
import type { DType } from "../../dtype.js";
import type { Call } from "../../operator.js";
import { apply, applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant, constantData, integers } from "../../tensor.js";
import { add, cast, equal, less, mul, sub, where } from "../elementwise/elementwise.js";
import { concat } from "../shape/join.js";
import { sum } from "../reduce/reduce.js";
import { scatterElements } from "./select.js";
import { reshape, squeeze, unsqueeze } from "../shape/shape.js";
import { zerosLike } from "../shape/shape-values.js";

// ---- largest and smallest ----------------------------------------------------------------------------------------------

/** Options of `argMax` and `argMin`. */
export interface ArgOptions {
  /** Whether the axis is kept with length 1 (default false). */
  readonly keepAxes?: boolean;
}

function extremePlace(type: "ArgMax" | "ArgMin"): (x: Tensor, axis: number, options?: ArgOptions) => Tensor {
  defineOperator({
    type,
    infer: (call) => {
      const x = required(call, 0, "x");
      const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, type);
      const keep = intAttribute(call.attributes, "keepdims", 1) === 1;
      const shape: Dim[] = keep ? x.shape.with(axis, 1) : x.shape.toSpliced(axis, 1);
      return [{ dtype: "int64", shape }];
    },
    gradient: "zero",
    // WebGPU lacks both but has TopK, which puts the first of equal elements first.
    lower: (call, target) => {
      if (target !== "webgpu" || intAttribute(call.attributes, "select_last_index", 0) === 1)
        return undefined;
      const x = call.inputs[0]!;
      const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, type);
      const place = topK(x, 1, axis, { largest: type === "ArgMax" }).indices;
      return [intAttribute(call.attributes, "keepdims", 1) === 1 ? place : squeeze(place, [axis])];
    },
  });
  return (x, axis, options = {}) =>
    applySingle(type, [x], { axis, keepdims: options.keepAxes === true ? 1 : 0 });
}

/**
 * Index (int64) of the largest element along an axis. If several elements are the largest, the first one
 * counts.
 */
export const argmax = extremePlace("ArgMax");
/**
 * Index (int64) of the smallest element along an axis. If several elements are the smallest, the first one
 * counts.
 */
export const argmin = extremePlace("ArgMin");

function topKAxis(call: Call): number {
  return normaliseAxis(intAttribute(call.attributes, "axis", -1), required(call, 0, "x").rank, "TopK");
}

defineOperator({
  type: "TopK",
  infer: (call) => {
    const [x, k] = [required(call, 0, "x"), required(call, 1, "k")];
    const axis = topKAxis(call);
    const [count, dim] = [k.known?.[0] ?? unknownDim(), x.shape[axis]!];
    if (isStatic(count) && isStatic(dim) && count > dim)
      rejectCall(call, `expected at least ${count} elements along axis ${axis}, got ${dim}`);
    const shape = x.shape.with(axis, count);
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  gradient: (call, x) => [scatterElements(zerosLike(x), call.outputs[1]!, call.dy, topKAxis(call))],
});
/**
 * The k largest (or smallest) elements along an axis (default: the last axis), in order, and their indices
 * (int64).
 */
export function topK(
  x: Tensor,
  k: number,
  axis = -1,
  options: { readonly largest?: boolean } = {},
): { values: Tensor; indices: Tensor } {
  const largest = options.largest === false ? 0 : 1;
  const [values, indices] = apply("TopK", [x, integers([k])], { axis, largest, sorted: 1 }, { outputs: 2 });
  return { values: values!, indices: indices! };
}

// ---- one-hot -----------------------------------------------------------------------------------------------------------

function knownDepth(call: Call): number | undefined {
  const depth = required(call, 1, "depth");
  const value = depth.known?.[0] ?? constantData(depth)?.data[0];
  return typeof value === "string" || value === undefined ? undefined : Number(value);
}

defineOperator({
  type: "OneHot",
  infer: (call) => {
    const [indices, values] = [required(call, 0, "indices"), required(call, 2, "values")];
    const rank = indices.rank + 1;
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", -1), rank, "OneHot");
    return [
      { dtype: values.dtype, shape: indices.shape.toSpliced(axis, 0, knownDepth(call) ?? unknownDim()) },
    ];
  },
  gradient: ({ dy, attributes }, indices, depth) => {
    const axis = normaliseAxis(intAttribute(attributes, "axis", -1), dy.rank, "OneHot");
    const hits = applySingle("OneHot", [indices, depth, constant([0, 1], [2], dy.dtype)], { axis });
    const at = (part: Tensor) => reshape(sum(mul(dy, part)), [1]);
    return ["zero", "zero", () => concat([at(sub(1, hits)), at(hits)], 0)];
  },
  // WebGPU has no OneHot, so the indices are compared with 0, 1, 2, ...
  lower: (call, target) => {
    const depth = knownDepth(call);
    if (target !== "webgpu" || depth === undefined) return undefined;
    const [indices, values] = [cast(call.inputs[0]!, "int32"), call.inputs[2]!];
    const rank = indices.rank + 1;
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", -1), rank, "OneHot");
    const counted = Array.from({ length: rank }, (_, at) => (at === axis ? depth : 1));
    const places = constant(
      Array.from({ length: depth }, (_, i) => i),
      counted,
      "int32",
    );
    const wrapped = where(less(indices, 0), add(indices, depth), indices);
    const [off, on] = [0, 1].map((i) =>
      applySingle("Gather", [values, constant(i, [], "int64")], { axis: 0 }),
    );
    return [where(equal(unsqueeze(wrapped, [axis]), places), on!, off!)];
  },
});
/**
 * Adds an axis of length `depth` (default: as the last axis). Along it, the result is 1 at the position that
 * an index names, and 0 elsewhere.
 */
export function oneHot(indices: Tensor, depth: number, axis = -1, dtype: DType = "float32"): Tensor {
  return applySingle("OneHot", [indices, constant(depth, [], "int64"), constant([0, 1], [2], dtype)], {
    axis,
  });
}

// Runtimes have this operator in single precision only, or not at all.
defineOperator({
  type: "Hardmax",
  infer: (call) => {
    const x = required(call, 0, "x");
    normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, "Hardmax");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: "zero",
  lower: (call, target) => {
    const x = call.inputs[0]!;
    if (target === "cpu" && x.dtype === "float32") return undefined;
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, "Hardmax");
    const place = argmax(x, axis, { keepAxes: true });
    return [cast(equal(place, countedAlong(x, axis)), x.dtype)];
  },
});
/**
 * 1 at the largest element along an axis (default: the last axis), and 0 elsewhere. If several elements are
 * the largest, the first one counts.
 */
export function hardmax(x: Tensor, axis = -1): Tensor {
  return applySingle("Hardmax", [x], { axis });
}

/** The numbers 0, 1, 2 ... (int64) along an axis of x. All other axes of the result have length 1. */
export function countedAlong(x: Tensor, axis: number): Tensor {
  const shape = x.shape.map((_, at) => (at === axis ? -1 : 1));
  return reshape(countedTo(x, axis), shape);
}

/** A vector with the numbers 0, 1, 2 ... (int64), one for each element of an axis of x. */
export function countedTo(x: Tensor, axis: number): Tensor {
  const length = x.shape[axis]!;
  if (isStatic(length)) return integers(Array.from({ length }, (_, i) => i));
  const count = squeeze(applySingle("Shape", [x], { start: axis, end: axis + 1 }), [0]);
  const [zero, one] = [0, 1].map((value) => constant(value, [], "int64"));
  return applySingle("Range", [zero, count, one]);
}

// ---- triangles ----------------------------------------------------------------------------------------------------------

defineOperator({
  type: "Trilu",
  infer: (call) => {
    const x = required(call, 0, "x");
    if (x.rank < 2) rejectCall(call, "expected a matrix or a stack of them");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ dy, attributes }, _x, k?: Tensor) => [applySingle("Trilu", [dy, k], attributes)],
});
/**
 * Keeps the part of matrices on and above diagonal k (default 0, the main diagonal). All other elements
 * become 0.
 */
export function upperTriangle(x: Tensor, k = 0): Tensor {
  return applySingle("Trilu", [x, constant(k, [], "int64")], { upper: 1 });
}
/**
 * Keeps the part of matrices on and below diagonal k (default 0, the main diagonal). All other elements
 * become 0.
 */
export function lowerTriangle(x: Tensor, k = 0): Tensor {
  return applySingle("Trilu", [x, constant(k, [], "int64")], { upper: 0 });
}
