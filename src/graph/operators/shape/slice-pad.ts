import type { Dim } from "../../dims.js";
import { isStatic, normaliseAxis, unknownDim } from "../../dims.js";
import { isFloat } from "../../dtype.js";
import type { Call, GradientCall } from "../../operator.js";
import { applySingle, defineOperator, rejectCall, required, stringAttribute } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant, integers } from "../../tensor.js";
import { floatConstant } from "../linear/axis-matrix.js";
import { expandLike, reshapeLike } from "../broadcast.js";
import { mul, scalar, sub } from "../elementwise/elementwise.js";
import { knownNumbers } from "../known-numbers.js";
import { matmul } from "../linear/matmul.js";
import { sum } from "../reduce/reduce.js";
import { reshape, transpose, unsqueeze } from "./shape.js";

interface SliceAxis {
  readonly axis: number;
  readonly start: number;
  /** Undefined for a length that is known only when the graph runs. */
  readonly end: number | undefined;
  readonly step: number;
  readonly length: Dim;
}

/** Start, end and step of every axis of a Slice call, clipped to the valid range. */
function sliceAxes(call: Call): SliceAxis[] {
  const x = required(call, 0, "x");
  const starts = knownNumbers(call, 1, "starts");
  const axes = call.inputs[3] ? knownNumbers(call, 3, "axes") : starts.map((_, i) => i);
  const ends = knownEnds(call, axes);
  const steps = call.inputs[4] ? knownNumbers(call, 4, "steps") : starts.map(() => 1);
  return starts.map((start, i) => {
    const axis = normaliseAxis(axes[i]!, x.rank, "Slice");
    const [end, step] = [ends[i], steps[i]!];
    const dim = x.shape[axis]!;
    if (step === 0) rejectCall(call, "the step must not be 0");
    if (!isStatic(dim) || end === undefined) {
      const whole = start === 0 && step === 1 && end !== undefined && end > 2 ** 30;
      return { axis, start, end, step, length: whole ? dim : unknownDim() };
    }
    const clampTo = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
    const from = (value: number) => (value < 0 ? value + dim : value);
    const low = step > 0 ? 0 : -1;
    const high = step > 0 ? dim : dim - 1;
    const first = clampTo(from(start), 0, high);
    const last = clampTo(from(end), low, dim);
    return { axis, start: first, end: last, step, length: Math.max(0, Math.ceil((last - first) / step)) };
  });
}

/**
 * The end for each axis. If the end is the axis' own named length, it means "to the end". With any other
 * name, the end is unknown (undefined).
 */
function knownEnds(call: Call, axes: readonly number[]): readonly (number | undefined)[] {
  const [x, known] = [required(call, 0, "x"), required(call, 2, "ends").known];
  if (known === undefined) rejectCall(call, "ends must be known when the graph is built");
  return known.map((end, i) => {
    if (isStatic(end)) return end;
    return end === x.shape[normaliseAxis(axes[i]!, x.rank, "Slice")] ? Number.MAX_SAFE_INTEGER : undefined;
  });
}

defineOperator({
  type: "Slice",
  infer: (call) => {
    const x = required(call, 0, "x");
    const shape = [...x.shape];
    let known = x.rank === 1 ? x.known : undefined;
    for (const { axis, start, step, length } of sliceAxes(call)) {
      shape[axis] = length;
      if (known === undefined) continue;
      const from: readonly Dim[] = known;
      known = isStatic(length) ? Array.from({ length }, (_, i) => from[start + i * step]!) : undefined;
    }
    return [{ dtype: x.dtype, shape, known }];
  },
  gradient: (call, x) => [sliceGradient(call, x)],
});

/** The gradient of a slice: dy with zeros around and between the elements that the slice took. */
function sliceGradient(call: GradientCall, x: Tensor): Tensor {
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  const scattered: number[] = [];
  let gradient = call.dy;
  for (const [i, { axis, start, end, step, length }] of sliceAxes(call).entries()) {
    const dim = x.shape[axis]!;
    if (length === dim && step === 1) continue;
    if (!isStatic(dim) || !isStatic(length)) {
      const toEnd = end !== undefined && end > 2 ** 30;
      if (step !== 1 || start < 0 || end === undefined || (end >= 0 && !toEnd)) scattered.push(i);
      else [before[axis], after[axis]] = [start, toEnd ? 0 : -end];
      continue;
    }
    if (Math.abs(step) !== 1) gradient = spread(gradient, axis, Math.abs(step));
    const span = (length - 1) * Math.abs(step) + 1;
    if (step < 0) gradient = reverse(gradient, axis);
    before[axis] = step > 0 ? start : start - span + 1;
    after[axis] = dim - span - before[axis];
  }
  return scatterSlices(call, pad(gradient, before, after), scattered);
}

/**
 * Does the same for axes with named lengths: adds dy to zeros at the positions that the slice took. The slice
 * of 0, 1, 2 ... gives these positions.
 */
function scatterSlices(call: GradientCall, dy: Tensor, which: readonly number[]): Tensor {
  const x = call.inputs[0]!;
  const axes = sliceAxes(call);
  const operand = (at: number, i: number) =>
    call.inputs[at] && applySingle("Gather", [call.inputs[at], integers([i])], { axis: 0 });
  const range = (from: Tensor, i: number, axis: number) =>
    applySingle("Slice", [from, operand(1, i), operand(2, i), integers([axis]), operand(4, i)]);
  // For each slice, x after all earlier slices. Its lengths are needed below.
  const sources = which.map((_, at) =>
    which.slice(0, at).reduce<Tensor>((from, i) => range(from, i, axes[i]!.axis), x),
  );
  return which.reduceRight((gradient, i, at) => {
    const { axis } = axes[i]!;
    const source = sources[at]!;
    const count = applySingle("Squeeze", [
      applySingle("Shape", [source], { start: axis, end: axis + 1 }),
      integers([0]),
    ]);
    const [zero, one] = [0, 1].map((value) => constant(value, [], "int64"));
    const places = range(applySingle("Range", [zero, count, one]), i, 0);
    return applySingle("GatherGradient", [gradient, places, source], { axis });
  }, dy);
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

/** A range of the elements along one axis. */
export interface SliceRange {
  readonly axis: number;
  /** Index of the first element (default 0). Negative numbers count from the end. */
  readonly start?: number;
  /** Index after the last element (default: the end). */
  readonly end?: number;
  /** Step (default 1). A negative step walks backwards; `start` then defaults to the last element. */
  readonly step?: number;
}

/** Takes a range of the elements along each of some axes. */
export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  const far = 2 ** 31 - 1;
  return applySingle("Slice", [
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

/** Pads of a Pad call for every axis of x: [before, after]. */
function padsOf(call: Call): { before: number[]; after: number[] } {
  const x = required(call, 0, "x");
  const pads = knownNumbers(call, 1, "pads");
  const axes = call.inputs[3] ? knownNumbers(call, 3, "axes") : x.shape.map((_, axis) => axis);
  if (pads.length !== 2 * axes.length)
    rejectCall(call, `expected ${2 * axes.length} pads, got ${pads.length}`);
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
    if (required(call, 1, "pads").known?.every(isStatic) !== true) {
      const axes =
        call.inputs[3] && knownNumbers(call, 3, "axes").map((axis) => normaliseAxis(axis, x.rank, "Pad"));
      const isPadded = (axis: number) => axes?.includes(axis) ?? true;
      return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => (isPadded(axis) ? unknownDim() : dim)) }];
    }
    const { before, after } = padsOf(call);
    const shape = x.shape.map((dim, axis) => {
      const extra = before[axis]! + after[axis]!;
      if (extra === 0) return dim;
      if (!isStatic(dim)) return unknownDim();
      if (dim + extra < 1) rejectCall(call, `axis ${axis} of length ${dim} cannot be cut by ${-extra}`);
      return dim + extra;
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient: (call, x, _pads, value) => {
    const { dy } = call;
    const { before, after } = padsOf(call);
    const mode = stringAttribute(call.attributes, "mode", "constant");
    // Only the mode "constant" reads the value.
    return mode === "constant"
      ? [() => padGradient(dy, before, after), undefined, () => fillGradient(dy, value, before, after)]
      : [() => foldGradient(dy, x, before, after, mode), undefined, "zero"];
  },
});

/** The sum of a padded gradient over the elements that did not come from x. */
function fillGradient(
  dy: Tensor,
  value: Tensor,
  before: readonly number[],
  after: readonly number[],
): Tensor {
  const grown = (pads: readonly number[]) => pads.map((n) => Math.max(0, n));
  const [from, to] = [grown(before), grown(after)];
  const inside = pad(expandLike(scalar(1, dy.dtype), padGradient(dy, from, to)), from, to);
  return reshapeLike(sum(mul(dy, sub(1, inside))), value);
}

/** The part of a padded gradient that belongs to x; elements of x that were cropped get zeros. */
function padGradient(dy: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  return pad(
    dy,
    before.map((n) => -n),
    after.map((n) => -n),
  );
}

/**
 * Adds the gradient of reflected or repeated borders to the gradient of the elements from which the borders
 * were copied.
 */
function foldGradient(dy: Tensor, x: Tensor, before: number[], after: number[], mode: string): Tensor {
  let gradient = dy;
  for (const [axis, dim] of x.shape.entries()) {
    if (before[axis] === 0 && after[axis] === 0) continue;
    if (!isStatic(dim)) {
      rejectCall(
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
    const weights = floatConstant(values, [length, dim], gradient.dtype);
    gradient = transpose(matmul(transpose(gradient, order), weights), order);
  }
  return gradient;
}

/**
 * Puts zeros (or `value`) before and after each axis. Negative numbers crop the axis. Makes no node if
 * nothing changes.
 */
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
  return applySingle("Pad", [source, integers(pads), fill], { mode });
}
