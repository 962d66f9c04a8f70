import { StriateError } from "../../../util/errors.js";
import type { Dim, Shape } from "../../dims.js";
import { isStatic, isStaticShape, normaliseAxis } from "../../dims.js";
import { applySingle, intAttribute, intsAttribute, stringAttribute } from "../../operator.js";
import { axisMatrix, floatConstant } from "../../operators/linear/axis-matrix.js";
import { expandLike } from "../../operators/broadcast.js";
import { abs, add, equal, mod, mul, pow, square, where } from "../../operators/elementwise/elementwise.js";
import { affineGrid } from "../../operators/spatial/grid-sample.js";
import { poolGeometry } from "../../operators/spatial/pool-window.js";
import { runningProduct } from "../../operators/reduce/product.js";
import { countedAlong } from "../../operators/select/rank.js";
import { sum } from "../../operators/reduce/reduce.js";
import { scatterElements } from "../../operators/select/select.js";
import { reshape, unsqueeze } from "../../operators/shape/shape.js";
import { zerosLike } from "../../operators/shape/shape-values.js";
import { pad, slice } from "../../operators/shape/slice-pad.js";
import type { Tensor } from "../../tensor.js";
import { constant, integers } from "../../tensor.js";
import type { Composition } from "./composed-call.js";
import { numbersOf, operand } from "./composed-call.js";

/* Standard operators on spatial axes and along single axes, composed of Striate's operators. */

// ---- pooling by norms ------------------------------------------------------------------------------------------------

/**
 * The p-th root of the sum of |x|^p, which `total` computes. If all elements are 0, the value and the
 * gradients are 0.
 */
function norm(x: Tensor, p: number, total: (powers: Tensor) => Tensor): Tensor {
  const powers = total(p === 2 ? square(x) : p === 1 ? abs(x) : pow(abs(x), p));
  if (p === 1) return powers;
  const none = equal(powers, 0);
  return where(none, 0, pow(where(none, 1, powers), 1 / p));
}

const lpPool: Composition = (call) => {
  const x = operand(call, 0);
  const { window, ceilMode, space } = poolGeometry({ ...call, type: "LpPool" });
  const { kernel, strides, dilations, before, after } = window;
  const beyond = kernel.map((k, axis) => {
    const [dim, count] = [x.shape[axis + 2]!, space[axis]!];
    if (!isStatic(dim) || !isStatic(count)) {
      if (ceilMode) throw new StriateError(`ceil_mode needs a known length of axis ${axis + 2}`);
      return after[axis]!;
    }
    const reach = (k - 1) * dilations[axis]! + 1;
    return Math.max(after[axis]!, (count - 1) * strides[axis]! + reach - before[axis]! - dim);
  });
  const cells = kernel.reduce((a, b) => a * b, 1);
  // Padding with zeros does not change a norm, and every window then is complete.
  const padded = pad(x, [0, 0, ...before], [0, 0, ...beyond]);
  const attributes = { kernel_shape: kernel, strides, dilations };
  const { dilations: _none, ...plain } = attributes;
  const isDilated = dilations.some((d) => d !== 1);
  const totals = (powers: Tensor) =>
    mul(applySingle("AveragePool", [powers], isDilated ? attributes : plain), cells);
  return [norm(padded, intAttribute(call.attributes, "p", 2), totals)];
};

const globalLpPool: Composition = (call) => {
  const x = operand(call, 0);
  const axes = x.shape.slice(2).map((_, axis) => axis + 2);
  return [norm(x, intAttribute(call.attributes, "p", 2), (powers) => sum(powers, axes, { keepAxes: true }))];
};

// ---- blocks and crops ------------------------------------------------------------------------------------------------

/**
 * Puts columns of blocks back into an image and sums the overlaps. The transposed convolution that does this
 * has a kernel of zeros and ones, so it only moves elements.
 */
const col2Im: Composition = (call) => {
  const x = operand(call, 0);
  const [image, block] = [numbersOf(call, 1, "image shape"), numbersOf(call, 2, "block shape")];
  const ones = image.map(() => 1);
  const strides = intsAttribute(call.attributes, "strides") ?? ones;
  const dilations = intsAttribute(call.attributes, "dilations") ?? ones;
  const pads = intsAttribute(call.attributes, "pads") ?? [...ones, ...ones].map(() => 0);
  const cells = block.reduce((a, b) => a * b, 1);
  const rows = x.shape[1]!;
  if (x.rank !== 3 || !isStatic(rows) || rows % cells !== 0)
    throw new StriateError(`expected [batch, channels * ${cells}, blocks], got ${String(x)}`);
  const axes = image.length;
  const counts = image.map((length, axis) => {
    const reach = (block[axis]! - 1) * dilations[axis]! + 1;
    return Math.floor((length + pads[axis]! + pads[axis + axes]! - reach) / strides[axis]!) + 1;
  });
  // No block covers the elements after the last block, so they are 0.
  const rest = image.map((length, axis) => {
    const covered = (counts[axis]! - 1) * strides[axis]! + (block[axis]! - 1) * dilations[axis]! + 1;
    return length + pads[axis]! + pads[axis + axes]! - covered;
  });
  const identity = axisMatrix(cells, cells, (set) => {
    for (let i = 0; i < cells; i++) set(i, i, 1);
  });
  const kernel = floatConstant(identity.values, [cells, 1, ...block], x.dtype);
  const attributes = { kernel_shape: block, strides, dilations, pads, output_padding: rest };
  const columns = applySingle("Reshape", [x, integers([-1, cells, ...counts])]);
  const placed = applySingle("ConvTranspose", [columns, kernel], attributes);
  return [reshape(placed, [-1, rows / cells, ...image])];
};

/** Crops each axis to its centre, or pads it with zeros. If the difference is odd, the extra element is at the end. */
const centerCropPad: Composition = (call) => {
  const x = operand(call, 0);
  const target = operand(call, 1).known ?? numbersOf(call, 1, "shape");
  const given = intsAttribute(call.attributes, "axes") ?? x.shape.map((_, axis) => axis);
  const [before, after] = [x.shape.map(() => 0), x.shape.map(() => 0)];
  for (const [i, axis] of given.entries()) {
    const at = normaliseAxis(axis, x.rank, "CenterCropPad");
    const [dim, length] = [x.shape[at]!, target[i]];
    if (dim === length) continue;
    if (!isStatic(dim) || length === undefined || !isStatic(length))
      throw new StriateError(
        `axis ${at} must have a known length: fix the shapes of the inputs (inputShapes)`,
      );
    const missing = length - dim;
    before[at] = missing > 0 ? Math.floor(missing / 2) : -Math.floor(-missing / 2);
    after[at] = missing - before[at];
  }
  return [pad(x, before, after)];
};

// ---- along an axis ---------------------------------------------------------------------------------------------------

const cumProd: Composition = (call) => {
  const x = operand(call, 0);
  const axis = normaliseAxis(numbersOf(call, 1, "axis")[0] ?? 0, x.rank, "CumProd");
  const [isExclusive, isReversed] = ["exclusive", "reverse"].map(
    (name) => intAttribute(call.attributes, name, 0) === 1,
  );
  return [runningProduct(x, axis, { exclusive: isExclusive!, reverse: isReversed! })];
};

/**
 * Writes updates into a cache, beginning at the given positions. In a circular cache, updates wrap round the
 * end.
 */
const tensorScatter: Composition = (call) => {
  const [cache, update, starts] = [operand(call, 0), operand(call, 1), call.inputs[2]];
  const axis = normaliseAxis(intAttribute(call.attributes, "axis", -2), cache.rank, "TensorScatter");
  if (axis === 0) throw new StriateError("expected an axis other than 0, the batch axis");
  const along = countedAlong(update, axis);
  const first =
    starts && applySingle("Unsqueeze", [starts, integers(update.shape.slice(1).map((_, i) => i + 1))]);
  const places = first ? add(along, first) : along;
  const isCircular = stringAttribute(call.attributes, "mode", "linear") === "circular";
  const length = cache.shape[axis]!;
  const size = isStatic(length)
    ? constant(length, [], "int64")
    : applySingle("Shape", [cache], { start: axis, end: axis + 1 });
  const indices = isCircular ? mod(places, size) : places;
  return [scatterElements(cache, expandLike(indices, update), update, axis)];
};

/** Puts values back at the indices of a max pooling. If the call gives a larger shape, zeros fill the end. */
const maxUnpool: Composition = (call) => {
  const [x, indices] = [operand(call, 0), operand(call, 1)];
  const kernel = intsAttribute(call.attributes, "kernel_shape") ?? [];
  const strides = intsAttribute(call.attributes, "strides") ?? kernel.map(() => 1);
  const pads = intsAttribute(call.attributes, "pads") ?? kernel.flatMap(() => [0, 0]);
  const space: Shape = x.shape.slice(2);
  if (!isStaticShape(space) || kernel.length !== space.length)
    throw new StriateError(
      "its spatial axes must have known lengths: fix the shapes of the inputs (inputShapes)",
    );
  const lengths = space.map(
    (dim, axis) => (dim - 1) * strides[axis]! + kernel[axis]! - pads[axis]! - pads[axis + kernel.length]!,
  );
  const stated = call.inputs[2] ? numbersOf(call, 2, "output shape").slice(2) : lengths;
  const size = lengths.reduce((a, b) => a * b, 1);
  const [batch, channels] = [x.shape[0]!, x.shape[1]!];
  // Indices refer to the whole flattened tensor, so they also determine the channel.
  const flat = (from: Tensor) => applySingle("Reshape", [from, integers([-1])]);
  const rows = applySingle("Reshape", [x, integers([0, 0, -1])]);
  const empty = zerosLike(pad(slice(rows, [{ axis: 2, end: 1 }]), [0, 0, 0], [0, 0, size - 1]));
  const filled = scatterElements(flat(empty), flat(indices), flat(x));
  const open: Dim[] = [isStatic(batch) ? batch : -1, channels];
  const image = applySingle("Reshape", [filled, integers([...open.map(Number), ...lengths])]);
  const behind = stated.map((length, axis) => length - lengths[axis]!);
  return [pad(image, [0, 0, ...behind.map(() => 0)], [0, 0, ...behind])];
};

// ---- spectra ---------------------------------------------------------------------------------------------------------

/** Short-time Fourier transform: spectra of the windowed frames of a signal [batch, samples, 1 or 2]. */
const stft: Composition = (call) => {
  const signal = operand(call, 0);
  const step = numbersOf(call, 1, "frame step")[0]!;
  const window = call.inputs[2];
  const stated = call.inputs[3] ? numbersOf(call, 3, "frame length")[0] : window?.shape[0];
  const samples = signal.shape[1]!;
  if (stated === undefined || !isStatic(stated) || !isStatic(samples))
    throw new StriateError(
      "its frame length and the length of its signal must be known when the file is read",
    );
  const count = Math.floor((samples - stated) / step) + 1;
  const places = Array.from({ length: count }, (_, frame) =>
    Array.from({ length: stated }, (_, i) => frame * step + i),
  ).flat();
  const channels = signal.rank === 3 ? signal : unsqueeze(signal, [2]);
  const frames = applySingle("Gather", [channels, constant(places, [count, stated], "int64")], { axis: 1 });
  const weighed = window ? mul(frames, unsqueeze(window, [1])) : frames;
  const onesided = intAttribute(call.attributes, "onesided", 1);
  return [applySingle("DFT", [weighed, undefined, constant(2, [], "int64")], { onesided, inverse: 0 })];
};

const affine: Composition = (call) => {
  const [, , ...space] = numbersOf(call, 1, "size");
  return [affineGrid(operand(call, 0), space, intAttribute(call.attributes, "align_corners", 0) === 1)];
};

export const SPACE_COMPOSITIONS: readonly (readonly [string, Composition])[] = [
  ["LpPool", lpPool],
  ["GlobalLpPool", globalLpPool],
  ["Col2Im", col2Im],
  ["CenterCropPad", centerCropPad],
  ["CumProd", cumProd],
  ["TensorScatter", tensorScatter],
  ["MaxUnpool", maxUnpool],
  ["STFT", stft],
  ["AffineGrid", affine],
];
