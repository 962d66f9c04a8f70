import { isStatic } from "../../dims.js";
import type { Call, Target } from "../../operator.js";
import { apply, applySingle, defineOperator, rejectCall, required, stringAttribute } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant, integers } from "../../tensor.js";
import type { Window } from "../../window.js";
import { axisMatrix, floatConstant } from "../linear/axis-matrix.js";
import { reshapeLike } from "../broadcast.js";
import { cast, equal, where } from "../elementwise/elementwise.js";
import { gather, scatterElements } from "../select/select.js";
import type { PoolGeometry, PoolOptions } from "./pool-window.js";
import {
  inferGlobalPool,
  padsFit,
  poolAttributes,
  poolGeometry,
  poolOptionAttributes,
  staticSpace,
  withoutCeilMode,
} from "./pool-window.js";
import { argmax } from "../select/rank.js";
import { concat } from "../shape/join.js";
import { reshape } from "../shape/shape.js";
import { zerosLike } from "../shape/shape-values.js";
import { pad, slice } from "../shape/slice-pad.js";

/** Options of `maxPool`. */
export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the elements of a window (default 1). */
  readonly dilation?: number | readonly number[];
}

// If several elements of a window are the largest, the first one in row-major order counts, in values and
// gradients.
defineOperator({
  type: "MaxPool",
  infer: (call) => {
    const x = required(call, 0, "x");
    const shape = [x.shape[0]!, x.shape[1]!, ...poolGeometry(call).space];
    const values = { dtype: x.dtype, shape };
    return call.outputCount === 2 ? [values, { dtype: "int64", shape }] : [values];
  },
  gradient: (call, x) => [
    applySingle("MaxPoolGradient", [x, call.y, call.dy], poolAttributes(poolGeometry(call))),
  ],
  lower: (call) => {
    const x = call.inputs[0]!;
    const padded = keptPad(x);
    const plain = withoutCeilMode(poolGeometry(call), x.shape);
    const fits = plain !== undefined && padsFit(plain);
    if (padded === undefined && !fits) return undefined;
    const attributes = fits ? poolAttributes(plain) : call.attributes;
    return apply("MaxPool", [padded ?? x], attributes, { outputs: call.outputCount });
  },
});

/**
 * A Pad by a constant in the form that names its axes, or undefined for anything else. ONNX Runtime 1.30
 * merges zeros of the other form into the MaxPool behind them, whose own padding counts as no element at all:
 * maxima at the border would be negative.
 */
function keptPad({ node, rank }: Tensor): Tensor | undefined {
  if (node.type !== "Pad" || stringAttribute(node.attributes, "mode", "constant") !== "constant")
    return undefined;
  const [x, pads, value, axes] = node.inputs;
  if (axes !== undefined) return undefined;
  const all = integers(Array.from({ length: rank }, (_, axis) => axis));
  return applySingle("Pad", [x, pads, value, all], node.attributes);
}

/** Largest value in each window of [batch, channels, ...space], as PyTorch's max_pool. */
export function maxPool(x: Tensor, kernel: number | readonly number[], options: MaxPoolOptions = {}): Tensor {
  return applySingle("MaxPool", [x], poolOptionAttributes(x, kernel, options));
}

/**
 * The element of `values` at the place where `x` is largest, for each window: `x` decides the position, and
 * `values` gives the result. Gradients go to `values` only.
 */
export function maxPoolSelect(
  x: Tensor,
  values: Tensor,
  kernel: number | readonly number[],
  options: MaxPoolOptions = {},
): Tensor {
  const attributes = poolOptionAttributes(x, kernel, options);
  return applySingle("MaxPoolSelect", [x, applySingle("MaxPool", [x], attributes), values], attributes);
}

// Two operators, each the gradient of the other: one spreads dy to the largest elements of x's windows, the
// other reads `values` at these elements.
defineOperator({
  type: "MaxPoolGradient",
  infer: (call) => {
    const [x, , dy] = [required(call, 0, "x"), required(call, 1, "y"), required(call, 2, "dy")];
    return [{ dtype: dy.dtype, shape: x.shape }];
  },
  gradient: ({ dy: g, attributes }, x, y) => [
    "zero",
    "zero",
    applySingle("MaxPoolSelect", [x, y, g], attributes),
  ],
  lower: (call, target) => [hasIndices(call, target) ? scatterToWinners(call) : spreadByOffsets(call)],
});

defineOperator({
  type: "MaxPoolSelect",
  infer: (call) => {
    const [x, y, values] = [required(call, 0, "x"), required(call, 1, "y"), required(call, 2, "values")];
    const fits = x.shape.every((dim, axis) => dim === values.shape[axis] || !isStatic(dim));
    if (x.rank !== values.rank || !fits) rejectCall(call, "the values must have the shape of x");
    return [{ dtype: values.dtype, shape: y.shape }];
  },
  gradient: ({ dy, attributes }, x, y) => [
    "zero",
    "zero",
    applySingle("MaxPoolGradient", [x, y, dy], attributes),
  ],
  lower: (call, target) => [hasIndices(call, target) ? gatherFromWinners(call) : readByOffsets(call)],
});

/**
 * Whether MaxPool has its output Indices. WebGPU lacks it, and a portable graph must also run there. Double
 * precision runs only on CPUs, which have it.
 */
function hasIndices(call: Call, target: Target): boolean {
  return call.inputs[0]!.dtype === "float64" || (target !== "webgpu" && target !== "portable");
}

const FLAT = [-1];

/** Indices of the largest elements in the flattened x. */
function winners(call: Call): Tensor {
  const x = call.inputs[0]!;
  const attributes = poolAttributes(poolGeometry(call));
  return reshape(apply("MaxPool", [x], attributes, { outputs: 2 })[1]!, FLAT);
}

function scatterToWinners(call: Call): Tensor {
  const [x, , dy] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]!];
  const zeros = reshape(cast(zerosLike(x), dy.dtype), FLAT);
  const filled = scatterElements(zeros, winners(call), reshape(dy, FLAT), 0, "add");
  return reshapeLike(filled, x);
}

function gatherFromWinners(call: Call): Tensor {
  const [, y, values] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]!];
  return reshapeLike(gather(reshape(values, FLAT), winners(call), 0), y);
}

// ---- without indices: one comparison per window offset ------------------------------------------------------------------

interface Offsets {
  readonly geometry: PoolGeometry;
  readonly output: readonly number[];
  /** How far the last window reaches beyond the input; negative if it does not reach the end. */
  readonly overhang: readonly number[];
  readonly list: readonly (readonly number[])[];
}

function offsetsOf(call: Call): Offsets {
  const geometry = poolGeometry(call);
  const { kernel, strides, dilations, before } = geometry.window;
  const input = staticSpace(call, call.inputs[0]!.shape);
  const output = staticSpace(call, call.inputs[1]!.shape);
  const overhang = kernel.map((k, axis) => {
    const reach = (k - 1) * dilations[axis]! + 1;
    return (output[axis]! - 1) * strides[axis]! + reach - before[axis]! - input[axis]!;
  });
  const list = kernel.reduce<number[][]>(
    (all, k) => all.flatMap((offset) => Array.from({ length: k }, (_, i) => [...offset, i])),
    [[]],
  );
  return { geometry, output, overhang, list };
}

/** The element of every window at one offset. */
function view(source: Tensor, offset: readonly number[], output: readonly number[], window: Window): Tensor {
  return slice(
    source,
    offset.map((o, axis) => {
      const start = o * window.dilations[axis]!;
      const step = window.strides[axis]!;
      return { axis: axis + 2, start, end: start + (output[axis]! - 1) * step + 1, step };
    }),
  );
}

function padded(x: Tensor, { geometry, overhang }: Offsets, value: number): Tensor {
  const after = overhang.map((n) => Math.max(0, n));
  return pad(x, [0, 0, ...geometry.window.before], [0, 0, ...after], { value });
}

function readByOffsets(call: Call): Tensor {
  const [x, y, values] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]!];
  const offsets = offsetsOf(call);
  const { window } = offsets.geometry;
  const keys = padded(x, offsets, -Infinity);
  const source = padded(values, offsets, 0);
  // Go from the last offset to the first, so that the first of equal elements wins.
  return offsets.list.toReversed().reduce<Tensor>(
    (result, offset) => {
      const hit = equal(view(keys, offset, offsets.output, window), y);
      return where(hit, view(source, offset, offsets.output, window), result);
    },
    cast(zerosLike(y), values.dtype),
  );
}

function spreadByOffsets(call: Call): Tensor {
  const [x, y, dy] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]!];
  const offsets = offsetsOf(call);
  const { output, overhang, list, geometry } = offsets;
  const { kernel, strides, dilations, before } = geometry.window;
  const keys = padded(x, offsets, -Infinity);
  let rest = dy;
  const parts = list.map((offset) => {
    const hit = equal(view(keys, offset, output, geometry.window), y);
    const part = where(hit, rest, 0);
    rest = where(hit, 0, rest);
    return reshape(part, [-1, 1, ...output]);
  });
  // One transposed convolution puts every part at its offset and sums where windows overlap.
  const count = list.length;
  const identity = axisMatrix(count, count, (add) => {
    for (let i = 0; i < count; i++) add(i, i, 1);
  });
  const placed = applySingle(
    "ConvTranspose",
    [concat(parts, 1), floatConstant(identity.values, [count, 1, ...kernel], dy.dtype)],
    {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...overhang.map((n) => Math.max(0, n))],
      output_padding: overhang.map((n) => Math.max(0, -n)),
    },
  );
  return reshapeLike(placed, x);
}

// ---- over the whole space -----------------------------------------------------------------------------------------------

defineOperator({
  type: "GlobalMaxPool",
  infer: inferGlobalPool,
  gradient: ({ dy }, x) => {
    const flat = applySingle("Reshape", [x, integers([0, 0, -1])]);
    const place = argmax(flat, 2, { keepAxes: true });
    const spread = scatterElements(
      zerosLike(flat),
      place,
      applySingle("Reshape", [dy, integers([0, 0, 1])]),
      2,
    );
    return [reshapeLike(spread, x)];
  },
});
/**
 * Largest value of each channel: [batch, channels, 1, ...]. If several elements are the largest, the first
 * one gets the gradient.
 */
export function globalMaxPool(x: Tensor): Tensor {
  return applySingle("GlobalMaxPool", [x]);
}

/** First element and one past the last element of each window of an adaptive pooling, by PyTorch's rule. */
export function adaptiveWindows(length: number, count: number): { start: number; end: number }[] {
  return Array.from({ length: count }, (_, i) => ({
    start: Math.floor((i * length) / count),
    end: Math.ceil(((i + 1) * length) / count),
  }));
}

/**
 * Largest value in each of a fixed number of windows per spatial axis, as PyTorch's adaptive_max_pool: window
 * i of n covers [floor(i * length / n), ceil((i + 1) * length / n)). Lengths may be unknown only if there is
 * a single window.
 */
export function adaptiveMaxPool(x: Tensor, size: number | readonly number[]): Tensor {
  const sizes = typeof size === "number" ? x.shape.slice(2).map(() => size) : size;
  if (sizes.every((n) => n === 1)) return globalMaxPool(x);
  const call: Call = { type: "adaptiveMaxPool", inputs: [x], attributes: {}, outputCount: 1 };
  if (sizes.length !== x.rank - 2) rejectCall(call, `expected ${x.rank - 2} sizes, got ${sizes.length}`);
  const space = staticSpace(call, x.shape);
  let source = x;
  const kernel = space.map((length, i) => {
    const windows = adaptiveWindows(length, sizes[i]!);
    const widest = Math.max(...windows.map(({ start, end }) => end - start));
    if (length === widest * sizes[i]!) return widest;
    // If windows differ in length or overlap, lay them side by side, and repeat the last element of short windows.
    const places = windows.flatMap(({ start, end }) =>
      Array.from({ length: widest }, (_, j) => Math.min(start + j, end - 1)),
    );
    source = gather(source, constant(places, [places.length], "int64"), i + 2);
    return widest;
  });
  return maxPool(source, kernel);
}
