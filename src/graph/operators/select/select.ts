import type { Dim, Shape } from "../../dims.js";
import { isStatic, isStaticShape, normaliseAxis, sameShape, showShape } from "../../dims.js";
import type { Call, GradientCall, OperandGradient } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  intAttribute,
  rejectCall,
  required,
  stringAttribute,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant, constantData, integers } from "../../tensor.js";
import { axisMatrix, multiplyAxis } from "../linear/axis-matrix.js";
import { expandLike, reshapeLike, shapeTensor } from "../broadcast.js";
import { cast, div, equal, maximum, mul, scalar, sub, where } from "../elementwise/elementwise.js";
import { unsqueeze } from "../shape/shape.js";
import { zerosLike } from "../shape/shape-values.js";

function indicesOf(call: Call): Tensor {
  const indices = required(call, 1, "indices");
  if (indices.dtype !== "int64" && indices.dtype !== "int32")
    rejectCall(call, "indices must be int64 or int32");
  return indices;
}

function axisOf(call: Call): number {
  return normaliseAxis(intAttribute(call.attributes, "axis", 0), required(call, 0, "x").rank, call.type);
}

/** Throws if a constant index lies outside the axis. The runtime checks all other indices. */
function checkRange(call: Call, indices: Tensor, dim: Dim): void {
  if (!isStatic(dim)) return;
  for (const index of indices.known ?? []) {
    if (isStatic(index) && (index < -dim || index >= dim)) {
      rejectCall(call, `index ${index} lies outside an axis of length ${dim}`);
    }
  }
}

// ---- Gather ------------------------------------------------------------------------------------------------------------

defineOperator({
  type: "Gather",
  infer: (call) => {
    const [x, indices] = [required(call, 0, "x"), indicesOf(call)];
    const axis = axisOf(call);
    checkRange(call, indices, x.shape[axis]!);
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return [{ dtype: x.dtype, shape, known: x.rank === 1 ? pick(x.known, indices.known) : undefined }];
  },
  gradient: (call, x, indices) => [
    applySingle("GatherGradient", [call.dy, indices, x], { axis: axisOf(call) }),
  ],
});

function pick(from: readonly Dim[] | undefined, indices: readonly Dim[] | undefined): Dim[] | undefined {
  if (!from || !indices?.every(isStatic)) return undefined;
  return indices.map((index) => from.at(index)!);
}

/**
 * Slices of x along an axis (default 0): result[.., i, ..] = x[.., indices[i], ..]. The indices may have any
 * rank.
 */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  return applySingle("Gather", [x, indices], { axis });
}

/**
 * Looks up rows of a table [entries, features]. The indices are integers in any shape; the result is
 * [...indices, features].
 */
export function embedding(indices: Tensor, table: Tensor): Tensor {
  return gather(table, indices, 0);
}

/** Largest number of elements of a matrix for which a product with it is faster than scattering. */
const LARGEST_MATRIX = 1 << 16;

// Adds each slice of dy to the position of x that `indices` read. The operand x only gives the shape.
defineOperator({
  type: "GatherGradient",
  infer: (call) => {
    const x = required(call, 2, "x");
    return [{ dtype: required(call, 0, "dy").dtype, shape: x.shape }];
  },
  gradient: ({ dy, attributes }, _dy, indices) => [
    gather(dy, indices, intAttribute(attributes, "axis", 0)),
    undefined,
    "zero",
  ],
  lower: (call) => {
    const [dy, indices, x] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]!];
    const axis = intAttribute(call.attributes, "axis", 0);
    return [byMatrix(dy, indices, x, axis) ?? byScatter(dy, indices, x, axis)];
  },
});

/**
 * For constant indices: one product with a matrix of zeros and ones. Returns undefined if the indices are not
 * constant or the matrix would be too large.
 */
function byMatrix(dy: Tensor, indices: Tensor, x: Tensor, axis: number): Tensor | undefined {
  const places = constantData(indices);
  const length = x.shape[axis]!;
  if (places?.shape.length !== 1 || !isStatic(length)) return undefined;
  const count = places.data.length;
  if (count * length > LARGEST_MATRIX) return undefined;
  const matrix = axisMatrix(length, count, (add) => {
    for (let i = 0; i < count; i++) {
      const place = Number(places.data[i]);
      add(place < 0 ? place + length : place, i, 1);
    }
  });
  return multiplyAxis(dy, axis, matrix);
}

function byScatter(dy: Tensor, indices: Tensor, x: Tensor, axis: number): Tensor {
  const zeros = zerosLike(x);
  if (axis === 0) return scatterND(zeros, unsqueeze(indices, [indices.rank]), dy, "add");
  const before: Shape = x.shape.slice(0, axis);
  const after: Shape = x.shape.slice(axis + 1);
  const flatShape = [...before, -1, ...after];
  const updates = indices.rank === 1 ? dy : applySingle("Reshape", [dy, shapeTensor(flatShape, [x])]);
  const column = applySingle("Reshape", [indices, integers([-1, ...after.map(() => 1)])]);
  return scatterElements(zeros, expandLike(column, updates), updates, axis, "add");
}

// ---- element by element ------------------------------------------------------------------------------------------------

function checkElementwise(call: Call): void {
  const [x, indices] = [required(call, 0, "x"), indicesOf(call)];
  const axis = axisOf(call);
  checkRange(call, indices, x.shape[axis]!);
  const fits = indices.shape.every((dim, at) => {
    const limit = x.shape[at]!;
    return at === axis || !isStatic(dim) || !isStatic(limit) || dim <= limit;
  });
  if (indices.rank !== x.rank || !fits)
    rejectCall(call, `indices must have the rank of x and be no longer than x, except along axis ${axis}`);
}

defineOperator({
  type: "GatherElements",
  infer: (call) => {
    checkElementwise(call);
    return [{ dtype: call.inputs[0]!.dtype, shape: call.inputs[1]!.shape }];
  },
  gradient: (call, x, indices) => [scatterElements(zerosLike(x), indices, call.dy, axisOf(call), "add")],
});
/** One element for each index: result[i, j] = x[indices[i, j], j] for axis 0 (PyTorch's gather). */
export function gatherElements(x: Tensor, indices: Tensor, axis = 0): Tensor {
  return applySingle("GatherElements", [x, indices], { axis });
}

/** How elements that are scattered to the same position are combined. */
export type ScatterReduction = "none" | "add" | "mul" | "max" | "min";

function scatterReduction(call: Call): string {
  return stringAttribute(call.attributes, "reduction", "none");
}

/** How a kind of scatter reads and writes the positions of its indices. */
interface IndexedAccess {
  readonly read: (x: Tensor) => Tensor;
  readonly write: (x: Tensor, updates: Tensor, reduction?: ScatterReduction) => Tensor;
}

function scatterGradient(call: GradientCall, { read, write }: IndexedAccess): OperandGradient[] {
  const { dy, y } = call;
  const [x, updates] = [call.inputs[0]!, call.inputs[2]!];
  const reduction = scatterReduction(call);
  const both = (dx: () => Tensor, dUpdates: () => Tensor) => [dx, undefined, dUpdates];
  switch (reduction) {
    case "none":
      return both(
        () => write(dy, zerosLike(updates)),
        () => read(dy),
      );
    case "add":
      return both(
        () => dy,
        () => read(dy),
      );
    case "mul": {
      const ones = () => expandLike(scalar(1, x.dtype), x);
      const isZero = equal(updates, 0);
      // To avoid a division by 0, takes the product of only those updates of a position that are not 0, and
      // counts the zeros.
      const rest = () => read(mul(mul(dy, x), write(ones(), where(isZero, 1, updates), "mul")));
      const zeros = () => sub(read(write(zerosLike(x), cast(isZero, x.dtype), "add")), cast(isZero, x.dtype));
      return both(
        () => mul(dy, write(ones(), updates, "mul")),
        () => where(equal(zeros(), 0), div(rest(), where(isZero, 1, updates)), 0),
      );
    }
    case "max":
    case "min": {
      // If several elements are the largest (or smallest), they share the gradient, as in PyTorch.
      const own = cast(equal(x, y), dy.dtype);
      const others = cast(equal(updates, read(y)), dy.dtype);
      const share = div(dy, maximum(write(own, others, "add"), 1));
      return both(
        () => mul(share, own),
        () => mul(read(share), others),
      );
    }
    default:
      return rejectCall(call, `the reduction "${reduction}" is not known`);
  }
}

defineOperator({
  type: "ScatterElements",
  infer: (call) => {
    checkElementwise(call);
    const [x, indices, updates] = [call.inputs[0]!, call.inputs[1]!, required(call, 2, "updates")];
    if (updates.dtype !== x.dtype) rejectCall(call, "x and the updates must have the same element type");
    checkSameLengths(call, updates, indices.shape);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (call, _x, indices) => {
    const axis = axisOf(call);
    return scatterGradient(call, {
      read: (x) => gatherElements(x, indices, axis),
      write: (x, updates, reduction) => scatterElements(x, indices, updates, axis, reduction),
    });
  },
});

function checkSameLengths(call: Call, updates: Tensor, shape: Shape): void {
  const fits =
    updates.rank === shape.length &&
    (!isStaticShape(updates.shape) || !isStaticShape(shape) || sameShape(updates.shape, shape));
  if (!fits) rejectCall(call, `the updates must have the shape ${showShape(shape)}`);
}

/**
 * Returns x with x[indices[i, j], j] replaced by updates[i, j], or combined with it, for axis 0 (PyTorch's
 * scatter). Without a reduction, the result for equal indices is undefined.
 */
export function scatterElements(
  x: Tensor,
  indices: Tensor,
  updates: Tensor,
  axis = 0,
  reduction: ScatterReduction = "none",
): Tensor {
  return applySingle("ScatterElements", [x, indices, updates], { axis, reduction });
}

// ---- slices by index vectors -------------------------------------------------------------------------------------------

/** Shape of the slices that the index vectors (the last axis of `indices`) select. */
function selectedShape(call: Call): Shape {
  const [x, indices] = [required(call, 0, "x"), indicesOf(call)];
  const batch = intAttribute(call.attributes, "batch_dims", 0);
  const depth = indices.shape.at(-1);
  if (depth === undefined || !isStatic(depth) || depth + batch > x.rank) {
    return rejectCall(call, "the last axis of the indices must have a known length of at most the rank of x");
  }
  return [...indices.shape.slice(0, -1), ...x.shape.slice(batch + depth)];
}

defineOperator({
  type: "GatherND",
  infer: (call) => [{ dtype: required(call, 0, "x").dtype, shape: selectedShape(call) }],
  gradient: (call, x, indices) => {
    const batch = intAttribute(call.attributes, "batch_dims", 0);
    return [scatterND(zerosLike(x), withBatch(call, indices, batch), call.dy, "add")];
  },
});
/**
 * Extends each index vector at its front by its positions along the batch axes, which x and the indices
 * share.
 */
function withBatch(call: Call, indices: Tensor, batch: number): Tensor {
  if (batch === 0) return indices;
  const lengths: Shape = indices.shape.slice(0, batch);
  if (!isStaticShape(lengths))
    rejectCall(call, "its gradient needs known lengths of the batch axes (batch_dims)");
  const like = applySingle("Slice", [indices, ...[0, 1].map((at) => integers([at])), integers([-1])]);
  const columns = lengths.map((length, axis) => {
    const places = constant(
      Array.from({ length }, (_, i) => i),
      indices.shape.map((_, at) => (at === axis ? length : 1)),
      "int64",
    );
    return expandLike(cast(places, indices.dtype), like);
  });
  return applySingle("Concat", [...columns, indices], { axis: -1 });
}

/** Slices of x by index vectors: result[i] = x[indices[i, 0], indices[i, 1], ..]. */
export function gatherND(x: Tensor, indices: Tensor): Tensor {
  return applySingle("GatherND", [x, indices]);
}

defineOperator({
  type: "ScatterND",
  infer: (call) => {
    const [x, updates] = [required(call, 0, "x"), required(call, 2, "updates")];
    if (updates.dtype !== x.dtype) rejectCall(call, "x and the updates must have the same element type");
    checkSameLengths(call, updates, selectedShape(call));
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (call, _x, indices, updates) =>
    scatterGradient(call, {
      read: (x) => reshapeLike(gatherND(x, indices), updates),
      write: (x, values, reduction) => scatterND(x, indices, values, reduction),
    }),
});
/** Returns x with the slices at the index vectors replaced by `updates`, or combined with them. */
export function scatterND(
  x: Tensor,
  indices: Tensor,
  updates: Tensor,
  reduction: ScatterReduction = "none",
): Tensor {
  return applySingle("ScatterND", [x, indices, updates], { reduction });
}
