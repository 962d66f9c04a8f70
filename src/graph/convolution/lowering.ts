import {
  blockedConvolution,
  blockedWeightGradient,
  hasBlockedKernels,
  isBlockable,
  isWeightGradientBlockable,
} from "./blocked.js";
import type { Dim, Shape } from "../dims.js";
import { isStatic, isStaticShape, sameShape, sizeOf } from "../dims.js";
import { fourierConvolution, fourierWeightGradient } from "./fourier.js";
import type { ConvolutionShape } from "./fourier.js";
import { halfFourierConvolution, halfFourierPays } from "./half-fourier.js";
import type { Call, Target } from "../operator.js";
import { applySingle } from "../operator.js";
import { fusedMatmul } from "../operators/contrib.js";
import { add, addAll, mul } from "../operators/elementwise/elementwise.js";
import { matmul, transposeMatrix } from "../operators/linear/matmul.js";
import { sum } from "../operators/reduce/reduce.js";
import { gather } from "../operators/select/select.js";
import { concat } from "../operators/shape/join.js";
import { reshape, transpose } from "../operators/shape/shape.js";
import { pad, reverse, slice } from "../operators/shape/slice-pad.js";
import { sharedMatrix } from "../shared-constant.js";
import { phaseConvolution, phasesPay } from "./stride-phases.js";
import {
  planOf,
  spectralConvolution,
  spectralInputGradient,
  spectralPlan,
  spectralWeightGradient,
} from "./spectral.js";
import type { Tensor } from "../tensor.js";
import { constantData, integers } from "../tensor.js";
import type { Window } from "../window.js";
import { windowAttributes } from "../window.js";
import {
  winogradConvolution,
  winogradInputGradient,
  winogradPlan,
  winogradPlans,
  winogradWeightGradient,
} from "./winograd.js";

/*
 * This file alone decides which operators compute a convolution and its gradients on a device. The choices
 * are based on measurements: `npm run bench -- convolution` prints every form beside the chosen one.
 */

/** Ways to compute dW[out, in, ...kernel] from x and dy. */
export type WeightGradientForm =
  | "per-offset"
  | "folded"
  | "im2col"
  | "swapped"
  | "blocked"
  | "depthwise"
  | "fourier"
  | "spectral"
  | "winograd";

/** For one use of a weight: the input, and the gradient of the output. */
export type Pair = readonly [x: Tensor, dy: Tensor];

/**
 * Returns the lowered form of a forward convolution, or undefined to keep ONNX's Conv. Conv is usually best
 * for constant weights: the runtime itself puts them into its blocked layout, and keeps activations in this
 * layout from layer to layer.
 */
export function lowerConv(
  call: Call,
  target: Target,
  window: Window,
  space: readonly unknown[],
  fixedWeight: boolean,
): Tensor[] | undefined {
  if (target === "webgpu" || target === "portable") return wideGroups(call, window);
  if (target !== "cpu") return undefined;
  const [x, w, bias] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]];
  if (!fixedWeight && skipsPositions(x, window)) {
    const inputs = [stridedPositions(x, window), ...call.inputs.slice(1)];
    return [applySingle("Conv", inputs, windowAttributes(withoutStride(window)))];
  }
  const shape = convolutionShape(x, [w.shape[0]!, ...space]);
  const withBias = (y: Tensor) => [bias ? add(y, reshape(bias, [1, -1, 1, 1])) : y];
  if (shape !== undefined && fourierPays(shape, window)) {
    return withBias(fourierConvolution(x, w, shape, window));
  }
  const spectral = spectralPlan(shape, window, x.shape[0]);
  if (spectral !== undefined) return withBias(spectralConvolution(x, w, spectral));
  const winograd = winogradPlan(shape, window, x, fixedWeight);
  if (winograd !== undefined) return withBias(winogradConvolution(x, w, winograd));
  if (shape !== undefined && constantData(w) !== undefined && halfFourierPays(shape, window)) {
    return withBias(halfFourierConvolution(x, w, shape, window));
  }
  return fixedWeight || !blockedPays(x, w, window) ? undefined : [blockedConvolution(x, w, bias, window)];
}

/** Number of neighbouring output channels that ONNX Runtime computes at once on WebGPU. */
const AT_ONCE = 4;

/**
 * On WebGPU, ONNX Runtime 1.30 computes up to four neighbouring output channels of a grouped convolution from
 * the group of the first of them, wherever the groups end. This fills up every group with channels of zeros,
 * which are cut off again, to a multiple of four. Returns undefined if no channels of two groups meet.
 */
function wideGroups(call: Call, { groups }: Window): Tensor[] | undefined {
  const [x, w, bias] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]];
  if (!isStaticShape(w.shape) || groups === 1) return undefined;
  const channels = w.shape[0]!;
  const width = channels / groups;
  const vector = [AT_ONCE, 2].find((n) => channels % n === 0) ?? 1;
  if (width < AT_ONCE || width % vector === 0) return undefined;
  const whole = Math.ceil(width / AT_ONCE) * AT_ONCE;
  const filled = (tensor: Tensor): Tensor => {
    const rest = tensor.shape.slice(1);
    const none = [0, 0, ...rest.map(() => 0)];
    const wide = pad(reshape(tensor, [groups, width, ...rest]), none, none.with(1, whole - width));
    return reshape(wide, [groups * whole, ...rest]);
  };
  const y = applySingle("Conv", [x, filled(w), ...(bias ? [filled(bias)] : [])], call.attributes);
  const kept = Array.from({ length: channels }, (_, i) => Math.floor(i / width) * whole + (i % width));
  return [gather(y, integers(kept), 1)];
}

/**
 * Returns the lowered form of a transposed convolution with a result of size `space`, or undefined to keep
 * ONNX's ConvTranspose. If the matching forward convolution has a special form, the adjoint of this form is
 * used. Otherwise, strides above 1 use phases if these multiply few zeros, and stride 1 uses a plain
 * convolution.
 */
export function lowerConvTranspose(
  call: Call,
  target: Target,
  window: Window,
  { space, outputPadding }: { readonly space: readonly unknown[]; readonly outputPadding: readonly number[] },
): Tensor[] | undefined {
  const [x, w, bias] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]];
  const scaled = scaledChannels(x, w.shape);
  if (scaled !== undefined) {
    return [applySingle("ConvTranspose", [scaled.values, mul(w, scaled.scale), bias], call.attributes)];
  }
  if (bias === undefined && target === "cpu" && skipsPositions(x, window) && isMultiple(x, window, space)) {
    const strided = applySingle("ConvTranspose", [x, w], windowAttributes(withoutStride(window)));
    return [spread(strided, window, space as [number, number])];
  }
  if (bias === undefined && target === "cpu") {
    const shape = convolutionShape(x, [w.shape[1]!, ...space]);
    const forward = shape && { x: shape.y, y: shape.x };
    const spectral = spectralPlan(forward, window, x.shape[0]);
    if (spectral !== undefined) return [spectralInputGradient(x, w, spectral)];
    const winograd = winogradPlan(forward, window, x);
    if (winograd !== undefined) return [winogradInputGradient(x, w, winograd)];
  }
  if (target !== "webgpu" && target !== "cuda" && phasesPay(x, w, window, space)) {
    return [phaseConvolution(x, w, bias, window, space as readonly number[])];
  }
  const padded = outputPadding.some((n) => n !== 0);
  return target !== "cpu" || padded ? undefined : flippedConvolution(call, window);
}

/**
 * A transposed convolution of stride 1 as a plain convolution with the kernel rotated by 180 degrees and its
 * channels swapped. ONNX Runtime computes this 1.6 times as fast, unless the result has only a few channels.
 * Returns undefined if this form does not apply or does not pay.
 */
function flippedConvolution(call: Call, window: Window): Tensor[] | undefined {
  const [x, w, bias] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]];
  const reach = window.kernel.map((k, axis) => (k - 1) * window.dilations[axis]!);
  const begin = reach.map((r, axis) => r - window.before[axis]!);
  const end = reach.map((r, axis) => r - window.after[axis]!);
  const plain = window.strides.every((s) => s === 1) && [...begin, ...end].every((n) => n >= 0);
  const channels = w.shape[1] as number;
  const few = channels < 8 && channels < (w.shape[0] as number) / window.groups;
  if (!plain || few) return undefined;
  return [
    applySingle("Conv", [x, flippedKernel(w, window.groups), ...(bias ? [bias] : [])], {
      ...windowAttributes(window),
      pads: [...begin, ...end],
    }),
  ];
}

/** Turns a kernel [out, in / g, ...k] into [in, out / g, ...k] and reverses every spatial axis. */
function flippedKernel(w: Tensor, groups: number): Tensor {
  const swapped = swapChannels(w, groups);
  const kernel = w.shape.slice(2) as number[];
  const offsets = kernel.reduce((a, b) => a * b, 1);
  if (offsets <= FEW_OFFSETS && w.dtype === "float32") return flippedByProduct(swapped, kernel, offsets);
  return kernel.reduce<Tensor>((k, dim, axis) => (dim === 1 ? k : reverse(k, axis + 2)), swapped);
}

/**
 * Largest number of kernel positions for which a product with a constant matrix reverses the kernel. The
 * product takes a quarter of the time of slices with a negative step, which copy one number at a time.
 */
const FEW_OFFSETS = 32;

function flippedByProduct(w: Tensor, kernel: readonly number[], offsets: number): Tensor {
  if (offsets === 1) return w;
  const turn = sharedMatrix("reversal", offsets, offsets, (row, column) =>
    row + column === offsets - 1 ? 1 : 0,
  );
  return reshape(matmul(reshape(w, [-1, offsets]), turn), [w.shape[0]!, w.shape[1]!, ...kernel]);
}

function swapChannels(w: Tensor, groups: number): Tensor {
  const [out, into] = [w.shape[0] as number, w.shape[1] as number];
  const kernel = w.shape.slice(2);
  if (groups === 1) return transpose(w, [1, 0, ...kernel.map((_, axis) => axis + 2)]);
  const grouped = reshape(w, [groups, out / groups, into, ...kernel]);
  const flipped = transpose(grouped, [0, 2, 1, ...kernel.map((_, axis) => axis + 3)]);
  return reshape(flipped, [groups * into, out / groups, ...kernel]);
}

export function lowerConvWeightGradient(pairs: readonly Pair[], target: Target, window: Window): Tensor {
  if (target === "cpu" && pairs.every(([x]) => skipsPositions(x, window))) {
    const strided = pairs.map(([x, dy]) => [stridedPositions(x, window), dy] as const);
    return lowerConvWeightGradient(strided, target, withoutStride(window));
  }
  const [[x, dy]] = pairs as readonly [Pair];
  const size = [dy.shape[1]!, (x.shape[1] as number) / window.groups, ...window.kernel];
  const scaled = pairs.length === 1 ? scaledChannels(dy, size) : undefined;
  if (scaled !== undefined) {
    return mul(lowerConvWeightGradient([[x, scaled.values]], target, window), scaled.scale);
  }
  const forms = pairs.map((pair) => chooseWeightGradient(pair, window, target));
  const [first] = forms;
  if (forms.every((form) => form === first)) return weightGradientAs(first!, pairs, window, target);
  // The pairs may have different forms, because their batch sizes may differ.
  return addAll(pairs.map((pair, i) => weightGradientAs(forms[i]!, [pair], window, target)));
}

/**
 * Splits a tensor that is a product with one factor per channel, as in the gradient of batch normalisation.
 * It is cheaper to multiply the kernel by the factors than the tensor. Returns the other operand of the
 * product, and the factors with the shape [channels, 1, ...], which fits the first axis of a kernel. Returns
 * undefined if the tensor is no such product, or if it has too few elements for this to pay.
 */
function scaledChannels(
  { node, shape }: Tensor,
  kernel: Shape,
): { readonly values: Tensor; readonly scale: Tensor } | undefined {
  const [values, vector] = node.inputs;
  if (node.type !== "Mul" || !values || !vector || !sameShape(values.shape, shape)) return undefined;
  const perChannel = sameShape(vector.shape, [shape[1]!, ...shape.slice(2).map(() => 1)]);
  const [many, few] = [sizeOf(shape), sizeOf(kernel)];
  if (!perChannel || !isStatic(many) || !isStatic(few) || many < FAR_LARGER * few) return undefined;
  return { values, scale: reshape(vector, [-1, ...kernel.slice(1).map(() => 1)]) };
}

/** `scaledChannels` pays only if the tensor has at least this many times as many elements as the kernel. */
const FAR_LARGER = 4;

/** Whether the convolution has a 1 x 1 kernel and a stride above 1, so that it skips positions of x. */
function skipsPositions(x: Tensor, { kernel, strides, before, after }: Window): boolean {
  const single = kernel.length === 2 && kernel.every((k) => k === 1);
  const unpadded = [...before, ...after].every((n) => n === 0);
  return x.dtype === "float32" && single && unpadded && strides.some((s) => s > 1);
}

/**
 * The positions of x that a 1 x 1 kernel reads. Pooling with a 1 x 1 window is ONNX Runtime's fastest way to
 * skip the others.
 */
function stridedPositions(x: Tensor, { kernel, strides }: Window): Tensor {
  return applySingle("AveragePool", [x], { kernel_shape: kernel, strides });
}

/** Whether a result of size `space` has exactly `stride` rows for each row of x. */
function isMultiple(x: Tensor, { strides }: Window, space: readonly unknown[]): boolean {
  const [height, width] = x.shape.slice(2);
  return (
    isStatic(height!) && isStatic(width!) && space[0] === height * strides[0]! && isStatic(space[1] as Dim)
  );
}

/**
 * The adjoint of `stridedPositions`: puts x back at its positions, with zeros at the skipped ones. It is a
 * product with a constant matrix that turns one row into `stride` rows, because ONNX Runtime's ConvTranspose
 * would run in a single thread.
 */
function spread(x: Tensor, { strides }: Window, [height, width]: readonly [number, number]): Tensor {
  const columns = x.shape[3] as number;
  const places = sharedMatrix(`places ${strides[1]}`, columns, strides[0]! * width, (from, to) =>
    to === from * strides[1]! ? 1 : 0,
  );
  return reshape(matmul(reshape(x, [-1, columns]), places), [-1, x.shape[1] as number, height, width]);
}

const withoutStride = (window: Window): Window => ({ ...window, strides: window.strides.map(() => 1) });

/**
 * The shapes of a convolution if forms with constant matrices may apply to it, else undefined. It must have
 * two spatial axes, known lengths except for the batch, and single precision.
 */
function convolutionShape(x: Tensor, y: readonly unknown[]): ConvolutionShape | undefined {
  if (x.dtype !== "float32") return undefined;
  const input = x.shape.slice(1);
  const known = (shape: readonly unknown[]): shape is [number, number, number] =>
    shape.length === 3 && shape.every((dim) => typeof dim === "number");
  return known(input) && known(y) ? { x: input, y } : undefined;
}

/**
 * Whether a convolution has a large kernel and few channels. For these, ONNX Runtime's Conv does only a fifth
 * of the multiply-adds per second of a matrix product.
 */
function fourierPays({ x, y }: ConvolutionShape, window: Window): boolean {
  const unit = [...window.strides, ...window.dilations, window.groups].every((n) => n === 1);
  const large = window.kernel.every((k) => k >= 9);
  const few = Math.max(x[0], y[0]) <= 16 && Math.min(x[0], y[0]) >= 4;
  const rows = x[0] * x[1];
  return unit && large && few && rows >= 64 && rows <= 1024 && x[2] >= 16;
}

/**
 * Chooses the form of the weight gradient. The choices were measured on ONNX Runtime's CPU provider;
 * docs/engine.md has the table.
 */
export function chooseWeightGradient([x, dy]: Pair, window: Window, target: Target): WeightGradientForm {
  const [into, out] = [x.shape[1] as number, dy.shape[1] as number];
  if (window.groups > 1) return into === window.groups && out === window.groups ? "depthwise" : "per-offset";
  const shape = convolutionShape(x, dy.shape.slice(1));
  if (target === "cpu" && shape !== undefined && fourierPays(shape, window)) return "fourier";
  if (target === "cpu" && spectralPlan(shape, window, x.shape[0]) !== undefined) return "spectral";
  if (target === "cpu" && winogradPlan(shape, window, x) !== undefined) return "winograd";
  const offsets = window.kernel.reduce((a, b) => a * b, 1);
  if (offsets > 1 && into * offsets <= 64) return "im2col";
  if (target === "cpu" && blockedGradientPays(x, dy, window)) return "blocked";
  if (offsets >= 49 && into * out <= 1024 && isStaticShape(dy.shape.slice(2))) return "swapped";
  return foldingPays(into, out, offsets, dy) ? "folded" : "per-offset";
}

/**
 * Whether the blocked layout is faster for a convolution. It is not for 1 x 1 kernels, because their plain
 * form needs no im2col: it already is a matrix product.
 */
function blockedPays(x: Tensor, w: Tensor, window: Window): boolean {
  return window.kernel.some((k) => k > 1) && hasBlockedKernels() && isBlockable(x, w, window.groups);
}

/**
 * Whether the blocked layout is faster for a weight gradient. It is not for kernels of width 1: the
 * convolution would slide over only one offset, so a matrix product is as fast.
 */
function blockedGradientPays(x: Tensor, dy: Tensor, window: Window): boolean {
  return window.kernel.at(-1)! > 1 && hasBlockedKernels() && isWeightGradientBlockable(x, dy, window);
}

/**
 * Whether to fold images and positions into one long axis, which pays for many channels on few positions.
 * With one product per image, a [batch, out, in] tensor would have to be summed over the batch at every
 * offset. Folding avoids this at the cost of copying x and dy once.
 */
function foldingPays(into: number, out: number, offsets: number, dy: Tensor): boolean {
  const space = dy.shape.slice(2);
  if (!space.every(isStatic)) return false;
  const count = space.reduce((a, b) => a * b, 1);
  return into * out * offsets >= 1.25 * count * (into + out);
}

export function weightGradientAs(
  form: WeightGradientForm,
  pairs: readonly Pair[],
  window: Window,
  target: Target,
): Tensor {
  const eachPair = (gradient: (x: Tensor, dy: Tensor) => Tensor) =>
    addAll(pairs.map(([x, dy]) => gradient(x, dy)));
  switch (form) {
    case "fourier": {
      const [x, dy] = pairs[0]!;
      return fourierWeightGradient(pairs, convolutionShape(x, dy.shape.slice(1))!, window);
    }
    case "spectral": {
      const [x, dy] = pairs[0]!;
      return spectralWeightGradient(pairs, planOf(convolutionShape(x, dy.shape.slice(1))!, window));
    }
    case "winograd": {
      const [x, dy] = pairs[0]!;
      const shape = convolutionShape(x, dy.shape.slice(1));
      const plan = winogradPlan(shape, window, x) ?? winogradPlans(shape, window, x)[0]!;
      return winogradWeightGradient(pairs, plan);
    }
    case "swapped":
      return eachPair((x, dy) => swapped(x, dy, window));
    case "im2col":
      return eachPair((x, dy) => im2col(x, dy, window, target));
    case "depthwise":
      return eachPair((x, dy) => depthwise(x, dy, window));
    case "per-offset":
      return eachPair((x, dy) => perOffset(x, dy, window, target));
    case "blocked":
      return eachPair((x, dy) => blockedWeightGradient(x, dy, window));
    case "folded":
      return eachPair((x, dy) => folded(x, dy, window, target));
  }
}

/**
 * Weight gradient as a convolution of x with dy as its kernel; batch and channels are swapped, and so are
 * stride and dilation.
 */
function swapped(x: Tensor, dy: Tensor, window: Window): Tensor {
  const order = [1, 0, ...window.kernel.map((_, axis) => axis + 2)];
  const wide = applySingle("Conv", [transpose(x, order), transpose(dy, order)], {
    strides: window.dilations,
    dilations: window.strides,
    pads: [...window.before, ...window.after],
  });
  // If the stride does not divide the lengths, the result is larger than the kernel.
  const cuts = window.kernel.flatMap((end, axis) =>
    wide.shape[axis + 2] === end ? [] : [{ axis: axis + 2, end }],
  );
  return transpose(cuts.length === 0 ? wide : slice(wide, cuts), order);
}

/** Pads x with zeros a single time; all kernel offsets share the result. */
function padded(x: Tensor, window: Window): Tensor {
  return pad(x, [0, 0, ...window.before], [0, 0, ...window.after]);
}

/** All kernel offsets, with the last axis varying fastest. */
function offsetsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (all, k) => all.flatMap((o) => Array.from({ length: k }, (_, i) => [...o, i])),
    [[]],
  );
}

/** The values [batch, in, ...output space] of x that one kernel offset reads for every output position. */
function inputAtOffset(source: Tensor, dy: Tensor, window: Window, offset: readonly number[]): Tensor {
  const ranges = offset.flatMap((o, i) => {
    const [start, step, count] = [o * window.dilations[i]!, window.strides[i]!, dy.shape[i + 2]!];
    const axis = i + 2;
    // Number of elements at the end of the source that only later offsets read.
    const rest = (window.kernel[i]! - 1 - o) * window.dilations[i]!;
    if (!isStatic(count)) return [{ axis, start, step, ...(rest > 0 && { end: -rest }) }];
    const end = start + (count - 1) * step + 1;
    return start === 0 && step === 1 && end === source.shape[axis] ? [] : [{ axis, start, end, step }];
  });
  return ranges.length === 0 ? source : slice(source, ranges);
}

/**
 * Reshapes [batch, channels, ...space] to [batch, channels, positions], or to
 * [batch, groups, channels / groups, positions] if there are several groups.
 */
function positions(x: Tensor, groups = 1): Tensor {
  const channels = x.shape[1] as number;
  const lead = groups === 1 ? [channels] : [groups, channels / groups];
  return reshape(x, [x.shape[0]!, ...lead, -1]);
}

/** a·bᵀ over the last two axes. */
function timesTransposed(a: Tensor, b: Tensor, target: Target): Tensor {
  if (target === "cpu") return fusedMatmul(a, b, { transB: 1 });
  return matmul(a, transposeMatrix(b));
}

/** Weight gradient by one matrix product per kernel offset. */
function perOffset(x: Tensor, dy: Tensor, window: Window, target: Target): Tensor {
  const { groups, kernel } = window;
  const [into, out] = [(x.shape[1] as number) / groups, dy.shape[1] as number];
  const source = padded(x, window);
  const right = positions(dy, groups);
  const products = offsetsOf(kernel).map((offset) => {
    const seen = positions(inputAtOffset(source, dy, window, offset), groups);
    return reshape(sum(timesTransposed(right, seen, target), 0), [out, into, 1]);
  });
  return reshape(products.length === 1 ? products[0]! : concat(products, 2), [out, into, ...kernel]);
}

/**
 * Weight gradient by one matrix product per kernel offset, which sums over images and positions together. For
 * this, the channels are made the first axis. For one group only.
 */
function folded(x: Tensor, dy: Tensor, window: Window, target: Target): Tensor {
  const [into, out] = [x.shape[1] as number, dy.shape[1] as number];
  const order = [1, 0, ...window.kernel.map((_, axis) => axis + 2)];
  const source = transpose(padded(x, window), order);
  const right = reshape(transpose(dy, order), [out, -1]);
  const products = offsetsOf(window.kernel).map((offset) => {
    const seen = reshape(inputAtOffset(source, dy, window, offset), [into, -1]);
    return reshape(timesTransposed(right, seen, target), [out, into, 1]);
  });
  return reshape(products.length === 1 ? products[0]! : concat(products, 2), [out, into, ...window.kernel]);
}

/**
 * Weight gradient by a single product for all kernel offsets, whose values of x are put side by side. This
 * pays for few input channels.
 */
function im2col(x: Tensor, dy: Tensor, window: Window, target: Target): Tensor {
  const source = padded(x, window);
  const columns = offsetsOf(window.kernel).map((offset) =>
    positions(inputAtOffset(source, dy, window, offset)),
  );
  const product = sum(timesTransposed(positions(dy), concat(columns, 1), target), 0);
  const [out, into] = [dy.shape[1] as number, x.shape[1] as number];
  const byOffset = reshape(product, [out, columns.length, into]);
  return reshape(transpose(byOffset, [0, 2, 1]), [out, into, ...window.kernel]);
}

/** Weight gradient of a depthwise convolution by element-wise products and sums. */
function depthwise(x: Tensor, dy: Tensor, window: Window): Tensor {
  const source = padded(x, window);
  const allButChannels = dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const parts = offsetsOf(window.kernel).map((offset) => {
    const total = sum(mul(inputAtOffset(source, dy, window, offset), dy), allButChannels);
    return reshape(total, [-1, 1, 1]);
  });
  const joined = parts.length === 1 ? parts[0]! : concat(parts, 2);
  return reshape(joined, [dy.shape[1]!, 1, ...window.kernel]);
}
