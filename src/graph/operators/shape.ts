import type { Dim, Shape } from "../dims.js";
import {
  addDims,
  divideDims,
  isStatic,
  isStaticShape,
  multiplyDims,
  normaliseAxis,
  sizeOf,
  unknownDim,
} from "../dims.js";
import type { Call, TensorType } from "../operator.js";
import {
  apply,
  apply1,
  defineOperator,
  intAttribute,
  intsAttribute,
  misfit,
  required,
  stringAttribute,
} from "../operator.js";
import type { Tensor } from "../tensor.js";
import { constant, constantData, integers } from "../tensor.js";
import { expandLike, reshapeLike, shapeTensor, unbroadcast } from "./broadcast.js";
import { isFloat } from "../dtype.js";

/** Whole numbers of an int64 input that must be known while tracing. */
function knownNumbers(call: Call, index: number, name: string): readonly number[] {
  const known = required(call, index, name).known;
  if (!known?.every(isStatic)) misfit(call, `${name} must be known when the graph is built`);
  return known;
}

// ---- reshape -------------------------------------------------------------------------------------------------------

defineOperator({
  type: "Reshape",
  infer: (call) => {
    const x = required(call, 0, "x");
    const target = required(call, 1, "shape");
    if (target.known === undefined) {
      const rank = target.shape[0];
      if (rank === undefined || !isStatic(rank)) misfit(call, "the new shape's rank is not known");
      return [{ dtype: x.dtype, shape: Array.from({ length: rank }, unknownDim) }];
    }
    const copyZeros = intAttribute(call.attributes, "allowzero", 0) === 0;
    const shape = target.known.map((dim, axis) => (dim === 0 && copyZeros ? x.shape[axis]! : dim));
    return [{ dtype: x.dtype, shape: solveReshape(call, x.shape, shape), known: x.known }];
  },
  gradient: (call) => [call.gradients[0] && reshapeLike(call.gradients[0], call.inputs[0]!), undefined],
});

function solveReshape(call: Call, from: Shape, to: Shape): Shape {
  const free = to.indexOf(-1);
  const rest = sizeOf(to.filter((dim) => dim !== -1));
  const total = sizeOf(from);
  const unknown = (dim: Dim) => typeof dim === "string" && dim.includes("?");
  if (free < 0) {
    if (total !== rest && !unknown(total) && !unknown(rest)) {
      misfit(call, `cannot lay out ${total} elements as [${to.join(", ")}] (${rest} elements)`);
    }
    return to;
  }
  const length = divideDims(total, rest);
  if (length === undefined && !unknown(total) && !unknown(rest)) {
    misfit(call, `cannot lay out ${total} elements as [${to.join(", ")}]: ${rest} does not divide them`);
  }
  return to.map((dim) => (dim === -1 ? (length ?? unknownDim()) : dim));
}

/** The same elements in another shape; one axis may be -1 (what is left over). Axes may be named. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const named = shape.filter((dim) => !isStatic(dim));
  const inferred = named.length === 1 && !shape.includes(-1);
  if (named.length === 0 || inferred) {
    const target = integers(shape.map((dim) => (isStatic(dim) ? dim : -1)));
    return apply1("Reshape", [x, target]);
  }
  return apply1("Reshape", [x, shapeTensor(shape, [x])]);
}

defineOperator({
  type: "Flatten",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axis = intAttribute(call.attributes, "axis", 1);
    const at = axis < 0 ? axis + x.rank : axis;
    return [{ dtype: x.dtype, shape: [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))] }];
  },
  gradient: (call) => [call.gradients[0] && reshapeLike(call.gradients[0], call.inputs[0]!)],
});
/** All axes from `axis` on (default 1) in one, all before it in another. */
export function flatten(x: Tensor, axis = 1): Tensor {
  return apply1("Flatten", [x], { axis });
}

defineOperator({
  type: "Squeeze",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axes = call.inputs[1]
      ? knownNumbers(call, 1, "axes").map((axis) => normaliseAxis(axis, x.rank, "Squeeze"))
      : x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
    for (const axis of axes) {
      const dim = x.shape[axis]!;
      if (isStatic(dim) && dim !== 1)
        misfit(call, `axis ${axis} has length ${dim}, only length 1 can be dropped`);
    }
    return [{ dtype: x.dtype, shape: x.shape.filter((_, axis) => !axes.includes(axis)), known: x.known }];
  },
  gradient: (call) => [call.gradients[0] && reshapeLike(call.gradients[0], call.inputs[0]!), undefined],
});
/** Drops axes of length 1. */
export function squeeze(x: Tensor, axes: readonly number[]): Tensor {
  return apply1("Squeeze", [x, integers(axes)]);
}

defineOperator({
  type: "Unsqueeze",
  infer: (call) => {
    const x = required(call, 0, "x");
    const given = knownNumbers(call, 1, "axes");
    const rank = x.rank + given.length;
    const axes = new Set(given.map((axis) => normaliseAxis(axis, rank, "Unsqueeze")));
    const rest = [...x.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!));
    return [{ dtype: x.dtype, shape, known: rank <= 1 ? x.known : undefined }];
  },
  gradient: (call) => [call.gradients[0] && reshapeLike(call.gradients[0], call.inputs[0]!), undefined],
});
/** Puts in axes of length 1; positions count in the result. */
export function unsqueeze(x: Tensor, axes: readonly number[]): Tensor {
  return apply1("Unsqueeze", [x, integers(axes)]);
}

// ---- order of axes ---------------------------------------------------------------------------------------------------

function permutationOf(call: Call): readonly number[] {
  const x = required(call, 0, "x");
  const order = intsAttribute(call.attributes, "perm") ?? x.shape.map((_, axis) => x.rank - 1 - axis);
  const sorted = [...order].sort((a, b) => a - b);
  if (order.length !== x.rank || sorted.some((axis, i) => axis !== i)) {
    misfit(call, `[${order.join(", ")}] is no order of its ${x.rank} axes`);
  }
  return order;
}

defineOperator({
  type: "Transpose",
  infer: (call) => {
    const x = required(call, 0, "x");
    return [{ dtype: x.dtype, shape: permutationOf(call).map((axis) => x.shape[axis]!) }];
  },
  gradient: (call) => {
    const order = permutationOf(call);
    return [
      call.gradients[0] &&
        transpose(
          call.gradients[0],
          order.map((_, axis) => order.indexOf(axis)),
        ),
    ];
  },
});
/** Axes in a new order: axis i of the result is axis `order[i]` of x. No node where the order is the same. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const same = order.length === x.rank && order.every((axis, i) => axis === i);
  return same ? x : apply1("Transpose", [x], { perm: order });
}

// ---- join and cut ------------------------------------------------------------------------------------------------------

defineOperator({
  type: "Concat",
  infer: (call) => {
    const first = required(call, 0, "x0");
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), first.rank, "Concat");
    let length: Dim = 0;
    let known: Dim[] | undefined = [];
    for (const [i] of call.inputs.entries()) {
      const x = required(call, i, `x${i}`);
      const fits =
        x.rank === first.rank &&
        x.dtype === first.dtype &&
        x.shape.every(
          (dim, at) =>
            at === axis || dim === first.shape[at] || !isStatic(dim) || !isStatic(first.shape[at]!),
        );
      if (!fits) misfit(call, `all shapes and types must be the same outside axis ${axis}`);
      length = addDims(length, x.shape[axis]!);
      known = known && x.known && [...known, ...x.known];
    }
    const shape = first.shape.map((dim, at) => {
      if (at === axis) return length;
      return call.inputs.map((x) => x!.shape[at]!).find(isStatic) ?? dim;
    });
    return [{ dtype: first.dtype, shape, known: first.rank === 1 ? known : undefined }];
  },
  gradient: (call) => {
    const dy = call.gradients[0];
    if (dy === undefined) return [];
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), dy.rank, "Concat");
    if (call.inputs.length === 1) return [dy];
    const lengths = call.inputs.map((x) => apply1("Shape", [x!], { start: axis, end: axis + 1 }));
    const dims = call.inputs.map((x) => x!.shape[axis]!);
    const sizes = isStaticShape(dims) ? integers(dims) : apply1("Concat", lengths, { axis: 0 });
    return apply("Split", [dy, sizes], { axis }, { outputs: call.inputs.length });
  },
});
/** Joins tensors along an axis (negative counts from the end). */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  return apply1("Concat", tensors, { axis });
}

defineOperator({
  type: "Split",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, "Split");
    const dim = x.shape[axis]!;
    const sizes = splitSizes(call, dim);
    return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.with(axis, size) }));
  },
  gradient: (call) => {
    const x = call.inputs[0]!;
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, "Split");
    return [
      concat(
        call.outputs.map((y, i) => call.gradients[i] ?? zerosLike(y)),
        axis,
      ),
      undefined,
    ];
  },
});

function splitSizes(call: Call, dim: Dim): readonly Dim[] {
  const sizes = call.inputs[1];
  if (sizes?.known !== undefined) {
    if (sizes.known.length !== call.outputCount)
      misfit(call, `${sizes.known.length} sizes for ${call.outputCount} outputs`);
    const total = sizes.known.reduce(addDims, 0);
    if (isStatic(total) && isStatic(dim) && total !== dim)
      misfit(call, `the sizes add up to ${total}, the axis has ${dim}`);
    return sizes.known;
  }
  if (sizes !== undefined) return Array.from({ length: call.outputCount }, unknownDim);
  if (!isStatic(dim))
    return Array.from({ length: call.outputCount }, () => divideDims(dim, call.outputCount) ?? unknownDim());
  const each = Math.ceil(dim / call.outputCount);
  return Array.from({ length: call.outputCount }, (_, i) => Math.min(each, dim - each * i));
}
/** Cuts an axis into parts of the given lengths. */
export function split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  return apply("Split", [x, integers(sizes)], { axis }, { outputs: sizes.length });
}

interface SliceAxis {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly length: Dim;
}

/** Start, end and step of every axis that a Slice call touches, brought into range. */
function sliceAxes(call: Call): SliceAxis[] {
  const x = required(call, 0, "x");
  const starts = knownNumbers(call, 1, "starts");
  const axes = call.inputs[3] ? knownNumbers(call, 3, "axes") : starts.map((_, i) => i);
  const ends = knownEnds(call, axes);
  const steps = call.inputs[4] ? knownNumbers(call, 4, "steps") : starts.map(() => 1);
  return starts.map((start, i) => {
    const axis = normaliseAxis(axes[i]!, x.rank, "Slice");
    const step = steps[i]!;
    const dim = x.shape[axis]!;
    if (step === 0) misfit(call, "a step of 0");
    if (!isStatic(dim))
      return { axis, start, end: ends[i]!, step, length: symbolicLength(dim, start, ends[i]!, step) };
    const clampTo = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
    const from = (value: number) => (value < 0 ? value + dim : value);
    const low = step > 0 ? 0 : -1;
    const high = step > 0 ? dim : dim - 1;
    const first = clampTo(from(start), step > 0 ? 0 : 0, high);
    const last = clampTo(from(ends[i]!), low, dim);
    return { axis, start: first, end: last, step, length: Math.max(0, Math.ceil((last - first) / step)) };
  });
}

/** Ends by axis; one that is the axis' own symbolic length means "to the end", another symbol cannot be cut by. */
function knownEnds(call: Call, axes: readonly number[]): readonly number[] {
  const [x, known] = [required(call, 0, "x"), required(call, 2, "ends").known];
  if (known === undefined) misfit(call, "ends must be known when the graph is built");
  return known.map((end, i) => {
    if (isStatic(end)) return end;
    if (end === x.shape[normaliseAxis(axes[i]!, x.rank, "Slice")]) return Number.MAX_SAFE_INTEGER;
    return misfit(call, `axis ${axes[i]!} cannot end at "${end}": only its own length can be a named end`);
  });
}

function symbolicLength(dim: Dim, start: number, end: number, step: number): Dim {
  return start === 0 && end > 2 ** 30 && step === 1 ? dim : unknownDim();
}

defineOperator({
  type: "Slice",
  infer: (call) => {
    const x = required(call, 0, "x");
    const shape = [...x.shape];
    let known = x.known;
    for (const { axis, start, end, step, length } of sliceAxes(call)) {
      shape[axis] = length;
      if (known && x.rank === 1) {
        const from: readonly Dim[] = known;
        const picked: Dim[] = [];
        for (let i = start; step > 0 ? i < end : i > end; i += step) picked.push(from[i]!);
        known = picked;
      }
    }
    return [{ dtype: x.dtype, shape, known: x.rank === 1 ? known : undefined }];
  },
  gradient: (call) => {
    const [dy, x] = [call.gradients[0], call.inputs[0]!];
    return [dy && sliceGradient(dy, x, sliceAxes(call))];
  },
});

function sliceGradient(dy: Tensor, x: Tensor, axes: readonly SliceAxis[]): Tensor {
  let gradient = dy;
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  for (const { axis, start, step, length } of axes) {
    const dim = x.shape[axis]!;
    if (length === dim && step === 1) continue;
    if (!isStatic(dim) || !isStatic(length)) {
      misfit(
        { type: "Slice", inputs: [x], attributes: {}, outputCount: 1 },
        `no gradient along axis ${axis} of unknown length`,
      );
    }
    if (Math.abs(step) !== 1) gradient = spread(gradient, axis, Math.abs(step));
    const span = (length - 1) * Math.abs(step) + 1;
    if (step < 0) gradient = reverse(gradient, axis);
    before[axis] = step > 0 ? start : start - span + 1;
    after[axis] = dim - span - before[axis];
  }
  return pad(gradient, before, after);
}

/** Puts step - 1 zeros between the elements of an axis. */
function spread(x: Tensor, axis: number, step: number): Tensor {
  const length = x.shape[axis] as number;
  const after = [...x.shape.map(() => 0), 0];
  after[axis + 1] = step - 1;
  const gapped = pad(
    unsqueeze(x, [axis + 1]),
    after.map(() => 0),
    after,
  );
  const joined = reshape(gapped, x.shape.with(axis, length * step));
  return slice(joined, [{ axis, start: 0, end: (length - 1) * step + 1 }]);
}

export interface SliceRange {
  readonly axis: number;
  /** First element (default 0); negative counts from the end. */
  readonly start?: number;
  /** One past the last element (default: the end). */
  readonly end?: number;
  /** Default 1; negative walks backwards (then start defaults to the last element). */
  readonly step?: number;
}

/** A range of some axes. */
export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  const far = 2 ** 31 - 1;
  return apply1("Slice", [
    x,
    integers(ranges.map(({ start, step = 1 }) => start ?? (step > 0 ? 0 : far))),
    integers(ranges.map(({ end, step = 1 }) => end ?? (step > 0 ? far : -far))),
    integers(ranges.map(({ axis }) => axis)),
    integers(ranges.map(({ step = 1 }) => step)),
  ]);
}

/** The elements of an axis in reverse order. */
export function reverse(x: Tensor, axis: number): Tensor {
  return slice(x, [{ axis, step: -1 }]);
}

// ---- pad, expand, tile -------------------------------------------------------------------------------------------------

/** Pads of a Pad call for every axis of x: [before, after]. */
function padsOf(call: Call): { before: number[]; after: number[] } {
  const x = required(call, 0, "x");
  const pads = knownNumbers(call, 1, "pads");
  const axes = call.inputs[3] ? knownNumbers(call, 3, "axes") : x.shape.map((_, axis) => axis);
  if (pads.length !== 2 * axes.length) misfit(call, `expected ${2 * axes.length} pads, got ${pads.length}`);
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  for (const [i, axis] of axes.entries()) {
    const at = normaliseAxis(axis, x.rank, "Pad");
    before[at] = pads[i]!;
    after[at] = pads[axes.length + i]!;
  }
  return { before, after };
}

defineOperator({
  type: "Pad",
  infer: (call) => {
    const x = required(call, 0, "x");
    const { before, after } = padsOf(call);
    const shape = x.shape.map((dim, axis) => {
      const extra = before[axis]! + after[axis]!;
      if (extra === 0) return dim;
      if (!isStatic(dim)) return unknownDim();
      if (dim + extra < 1) misfit(call, `axis ${axis} of length ${dim} cannot be cut by ${-extra}`);
      return dim + extra;
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient: (call) => {
    const [dy, x] = [call.gradients[0], call.inputs[0]!];
    const { before, after } = padsOf(call);
    const mode = stringAttribute(call.attributes, "mode", "constant");
    return [
      dy && (mode === "constant" ? padGradient(dy, before, after) : foldGradient(dy, x, before, after, mode)),
    ];
  },
});

/** The part of a padded gradient that came from x; what had been cut off gets zeros. */
function padGradient(dy: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  return pad(
    dy,
    before.map((n) => -n),
    after.map((n) => -n),
  );
}

/** Adds the gradient of reflected or repeated borders back onto the elements they copied. */
function foldGradient(dy: Tensor, x: Tensor, before: number[], after: number[], mode: string): Tensor {
  let gradient = dy;
  for (const [axis, dim] of x.shape.entries()) {
    if (before[axis] === 0 && after[axis] === 0) continue;
    if (!isStatic(dim)) {
      misfit(
        { type: "Pad", inputs: [x], attributes: {}, outputCount: 1 },
        `no gradient along axis ${axis} of unknown length`,
      );
    }
    const source = (i: number): number => {
      const at = i - before[axis]!;
      if (mode === "edge") return Math.min(Math.max(at, 0), dim - 1);
      if (mode === "wrap") return ((at % dim) + dim) % dim;
      const period = Math.max(1, 2 * (dim - 1));
      const folded = ((at % period) + period) % period;
      return folded < dim ? folded : period - folded;
    };
    const length = dim + before[axis]! + after[axis]!;
    const values = new Float64Array(length * dim);
    for (let i = 0; i < length; i++) values[i * dim + source(i)] = 1;
    const last = x.rank - 1;
    const order = x.shape.map((_, at) => at);
    order[axis] = last;
    order[last] = axis;
    const matrix = constant({ dtype: "float32", shape: [length, dim], data: Float32Array.from(values) });
    const weights =
      gradient.dtype === "float32"
        ? matrix
        : apply1("Cast", [matrix], { to: gradient.dtype === "float64" ? 11 : 10 });
    gradient = transpose(apply1("MatMul", [transpose(gradient, order), weights]), order);
  }
  return gradient;
}

/** Zeros (or `value`) before and after each axis; negative counts cut off. No node where nothing changes. */
export function pad(
  x: Tensor,
  before: readonly number[],
  after: readonly number[],
  options: { readonly mode?: "constant" | "reflect" | "edge"; readonly value?: number } = {},
): Tensor {
  if (before.every((n) => n === 0) && after.every((n) => n === 0)) return x;
  const { mode = "constant", value = 0 } = options;
  const cuts = before.some((n) => n < 0) || after.some((n) => n < 0);
  // ONNX allows negative pads, but not every runtime does: cut with a slice.
  const source = cuts
    ? slice(
        x,
        x.shape.flatMap((_, axis) => {
          const [start, end] = [Math.max(0, -before[axis]!), Math.min(0, after[axis]!)];
          return start === 0 && end === 0 ? [] : [{ axis, start, ...(end < 0 && { end }) }];
        }),
      )
    : x;
  const pads = [...before, ...after].map((n) => Math.max(n, 0));
  if (pads.every((n) => n === 0)) return source;
  const fill = value === 0 && isFloat(x.dtype) ? undefined : constant(value, [], x.dtype);
  return apply1("Pad", [source, integers(pads), fill], { mode });
}

defineOperator({
  type: "Expand",
  infer: (call) => {
    const x = required(call, 0, "x");
    const target = required(call, 1, "shape");
    if (target.known === undefined) misfit(call, "the new shape must be known when the graph is built");
    const rank = Math.max(x.rank, target.known.length);
    const shape = Array.from({ length: rank }, (_, axis): Dim => {
      const from = x.shape[axis - rank + x.rank] ?? 1;
      const to = target.known![axis - rank + target.known!.length] ?? 1;
      if (from === 1) return to;
      if (to === 1 || from === to) return from;
      if (isStatic(from) && isStatic(to)) misfit(call, `cannot stretch axis ${axis} from ${from} to ${to}`);
      return isStatic(from) ? from : to;
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient: (call) => [call.gradients[0] && unbroadcast(call.gradients[0], call.inputs[0]!), undefined],
});
/** Repeats axes of length 1 (or missing ones in front) to a shape. Named axes are looked up in `sources`. */
export function expand(x: Tensor, shape: Shape, sources: readonly Tensor[] = []): Tensor {
  return apply1("Expand", [x, shapeTensor(shape, [x, ...sources])]);
}

defineOperator({
  type: "Tile",
  infer: (call) => {
    const x = required(call, 0, "x");
    const repeats = knownNumbers(call, 1, "repeats");
    if (repeats.length !== x.rank) misfit(call, `expected ${x.rank} repeats, got ${repeats.length}`);
    return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => multiplyDims(dim, repeats[axis]!)) }];
  },
  gradient: (call) => {
    const [dy, x] = [call.gradients[0], call.inputs[0]!];
    if (dy === undefined) return [];
    const repeats = call.inputs[1]!.known as readonly number[];
    const folded = x.shape.flatMap((dim, axis) => [repeats[axis]!, dim]);
    const parts = apply1("Reshape", [dy, shapeTensor(folded, [x])]);
    return [apply1("ReduceSum", [parts, integers(x.shape.map((_, axis) => 2 * axis))], { keepdims: 0 })];
  },
});
/** Whole copies side by side: `repeats[axis]` of them along each axis. */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  return apply1("Tile", [x, integers(repeats)]);
}

// ---- shapes as values ----------------------------------------------------------------------------------------------------

defineOperator({
  type: "Shape",
  infer: (call): TensorType[] => {
    const x = required(call, 0, "x");
    const known = x.shape.slice(
      intAttribute(call.attributes, "start", 0),
      intAttribute(call.attributes, "end", x.rank),
    );
    return [{ dtype: "int64", shape: [known.length], known }];
  },
  gradient: "zero",
});

defineOperator({
  type: "Size",
  infer: (call) => [{ dtype: "int64", shape: [], known: [sizeOf(required(call, 0, "x").shape)] }],
  gradient: "zero",
});

defineOperator({
  type: "ConstantOfShape",
  infer: (call) => {
    const shape = required(call, 0, "shape").known;
    if (shape === undefined) misfit(call, "the shape must be known when the graph is built");
    const value = call.attributes.value;
    const data = typeof value === "object" && "tensor" in value ? value.tensor : undefined;
    const size = sizeOf(shape);
    const small =
      shape.length <= 1 && isStatic(size) && size <= 64 && data !== undefined && !isFloat(data.dtype);
    const known = small ? Array.from({ length: size }, () => Number(data.data[0])) : undefined;
    return [{ dtype: data?.dtype ?? "float32", shape, known }];
  },
  gradient: "zero",
});

defineOperator({
  type: "Range",
  infer: (call) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => constantNumber(required(call, i, "bound")));
    const dtype = call.inputs[0]!.dtype;
    if (start === undefined || limit === undefined || delta === undefined)
      return [{ dtype, shape: [unknownDim()] }];
    const length = Math.max(0, Math.ceil((limit - start) / delta));
    const known =
      isFloat(dtype) || length > 64 ? undefined : Array.from({ length }, (_, i) => start + i * delta);
    return [{ dtype, shape: [length], known }];
  },
  gradient: "zero",
});

function constantNumber(x: Tensor): number | undefined {
  const known = x.known?.[0];
  if (known !== undefined) return isStatic(known) ? known : undefined;
  const data = constantData(x);
  return data && Number(data.data[0]);
}

/** Zeros of the type and shape of another tensor, whatever its batch. */
export function zerosLike(x: Tensor): Tensor {
  const zero = constant({ dtype: x.dtype, shape: [], data: zeroOf(x) });
  return expandLike(zero, x);
}

function zeroOf(
  x: Tensor,
): Float32Array | Float64Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array {
  if (x.dtype === "float64") return new Float64Array(1);
  if (x.dtype === "float16") return new Uint16Array(1);
  if (x.dtype === "int64") return new BigInt64Array(1);
  if (x.dtype === "int32") return new Int32Array(1);
  return x.dtype === "bool" || x.dtype === "uint8" ? new Uint8Array(1) : new Float32Array(1);
}
