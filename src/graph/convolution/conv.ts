import type { Dim } from "../dims.js";
import { isStatic } from "../dims.js";
import type { Pair } from "./lowering.js";
import { lowerConv, lowerConvTranspose, lowerConvWeightGradient } from "./lowering.js";
import type { Call } from "../operator.js";
import { applySingle, defineOperator, rejectCall, required } from "../operator.js";
import type { Attributes, Tensor } from "../tensor.js";
import type { TransposedWindow, Window } from "../window.js";
import { outputLength, transposedLength, transposedWindowOf, windowAttributes, windowOf } from "../window.js";
import { cropLike } from "./crop-like.js";
import { sum } from "../operators/reduce/reduce.js";

/** Geometry of a convolution. A single number applies to every spatial axis. */
export interface ConvOptions {
  /** Default 1. */
  readonly stride?: number | readonly number[];
  /** Number of zeros on both sides (default 0), or [begin..., end...] if the sides differ. */
  readonly padding?: number | readonly number[];
  /** Default 1. */
  readonly dilation?: number | readonly number[];
  /** Number of channel groups (default 1). */
  readonly groups?: number;
}

export interface ConvTransposeOptions extends ConvOptions {
  /** Number of additional elements at the end of each axis of the result (default 0). */
  readonly outputPadding?: number | readonly number[];
}

interface Operands {
  readonly x: Tensor;
  readonly w: Tensor;
  readonly kernel: readonly number[];
}

function operandsOf(call: Call): Operands {
  const [x, w] = [required(call, 0, "x"), required(call, 1, "weight")];
  if (x.dtype !== w.dtype)
    rejectCall(
      call,
      `expected an input and a weight of the same element type, got ${x.dtype} and ${w.dtype}`,
    );
  if (x.rank < 3 || w.rank !== x.rank)
    rejectCall(call, "expected [batch, channels, ...space] and a weight of the same rank");
  const kernel = w.shape.slice(2);
  if (!kernel.every(isStatic)) rejectCall(call, "the kernel size must be known");
  return { x, w, kernel };
}

function weightWindow(call: Call): Operands & { readonly window: Window } {
  const operands = operandsOf(call);
  return { ...operands, window: windowOf(call, operands.kernel, operands.x.shape.slice(2)) };
}

function transposedWindow(call: Call): Operands & TransposedWindow {
  const operands = operandsOf(call);
  return { ...operands, ...transposedWindowOf(call, operands.kernel, operands.x.shape.slice(2)) };
}

// ---- Conv ------------------------------------------------------------------------------------------------------------

defineOperator({
  type: "Conv",
  infer: (call) => {
    const { x, w, window } = weightWindow(call);
    const [channels, perGroup] = [x.shape[1]!, w.shape[1]!];
    if (isStatic(channels) && isStatic(perGroup) && channels !== perGroup * window.groups) {
      rejectCall(
        call,
        `expected ${perGroup} channels in each of ${window.groups} groups, as in the weight, got ${channels} in total`,
      );
    }
    if (isStatic(w.shape[0]!) && w.shape[0] % window.groups !== 0) {
      rejectCall(call, `${w.shape[0]} output channels cannot be divided among ${window.groups} groups`);
    }
    const space = x.shape.slice(2).map((dim, axis) => checkedLength(call, outputLength(dim, window, axis)));
    return [{ dtype: x.dtype, shape: [x.shape[0]!, w.shape[0]!, ...space] }];
  },
  gradient: (call) => {
    const { dy } = call;
    const { x, w, window } = weightWindow(call);
    return [
      () => convInputGradient(dy, w, window, x),
      () => convWeightGradient(x, dy, window),
      () => sumOverAllButChannels(dy),
    ];
  },
  lower: (call, target, context) => {
    const { x, w, window } = weightWindow(call);
    // Keep the single convolution: ONNX Runtime then multiplies the quantised values directly.
    if (isDequantised(x) && isDequantised(w)) return undefined;
    const space = x.shape.slice(2).map((dim, axis) => outputLength(dim, window, axis));
    return lowerConv(call, target, window, space, context.isFixed(w));
  },
});

function isDequantised({ node }: Tensor): boolean {
  return node.type === "DequantizeLinear";
}

function checkedLength(call: Call, length: Dim): Dim {
  if (isStatic(length) && length < 1) rejectCall(call, "the kernel is larger than the padded input");
  return length;
}

function sumOverAllButChannels(dy: Tensor): Tensor {
  return sum(
    dy,
    dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])),
  );
}

/**
 * Cross-correlates x [batch, in, ...space] with a weight [out, in / groups, ...kernel], as PyTorch's conv2d
 * does.
 *
 * @example
 * ```ts
 * import { conv, input } from "striate/graph";
 *
 * const x = input("x", ["batch", 3, 32, 32]);
 * const y = conv(x, input("weight", [16, 3, 3, 3]), undefined, { stride: 2, padding: 1 });
 * console.log(y.shape.join(", ")); // batch, 16, 16, 16
 * ```
 */
export function conv(x: Tensor, weight: Tensor, bias?: Tensor, options: ConvOptions = {}): Tensor {
  const attributes = optionAttributes(x.rank - 2, weight, options);
  return applySingle("Conv", bias ? [x, weight, bias] : [x, weight], attributes);
}

function optionAttributes(rank: number, weight: Tensor, options: ConvOptions): Attributes {
  const each = (value: number | readonly number[]) =>
    typeof value === "number" ? Array<number>(rank).fill(value) : value;
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const pads = each(padding);
  return {
    kernel_shape: weight.shape.slice(2) as number[],
    strides: each(stride),
    pads: pads.length === rank ? [...pads, ...pads] : pads,
    dilations: each(dilation),
    group: groups,
  };
}

// ---- gradients ---------------------------------------------------------------------------------------------------------

/**
 * The gradient of a convolution with respect to x: a transposed convolution of dy, padded to the lengths of
 * x. `lowering.ts` chooses its form. If a length is known only at run time, the result first has the largest
 * possible length and is then cropped.
 */
function convInputGradient(dy: Tensor, w: Tensor, window: Window, x: Tensor): Tensor {
  const missing = x.shape.slice(2).map((dim, axis) => {
    const reached = transposedLength(dy.shape[axis + 2]!, window, axis);
    if (dim === reached || window.strides[axis] === 1) return 0;
    return isStatic(dim) && isStatic(reached) ? dim - reached : undefined;
  });
  const dx = applySingle("ConvTranspose", [dy, w], {
    ...windowAttributes(window),
    output_padding: missing.map((n, axis) => n ?? window.strides[axis]! - 1),
  });
  return missing.includes(undefined) ? cropLike(dx, x) : dx;
}

/**
 * The gradient of a convolution with respect to its weight: dW[o, i, k] = sum over batch and positions of
 * x[i, position * stride + k * dilation - pad] * dy[o, position]. It is bilinear in x and dy, so its own
 * gradients are a transposed and a plain convolution. ONNX has no such operator; `lowering.ts` chooses the
 * operators that replace it.
 */
function convWeightGradient(x: Tensor, dy: Tensor, window: Window): Tensor {
  return applySingle("ConvWeightGradient", [x, dy], windowAttributes(window));
}

function gradientWindow(call: Call): Window {
  const kernel = call.attributes.kernel_shape as readonly number[];
  return windowOf(call, kernel, required(call, 0, "x").shape.slice(2));
}

/** The (x, dy) pairs of a call. If a weight is used several times, one call sums the gradients of all uses. */
function pairsOf(call: Call): Pair[] {
  return call.inputs.flatMap((x, i) => (i % 2 === 0 ? [[x!, call.inputs[i + 1]!] as const] : []));
}

defineOperator({
  type: "ConvWeightGradient",
  infer: (call) => {
    const [x, dy] = [required(call, 0, "x"), required(call, 1, "dy")];
    const window = gradientWindow(call);
    const channels = x.shape[1]!;
    if (!isStatic(channels) || !isStatic(dy.shape[1]!))
      rejectCall(call, "expected known numbers of channels");
    return [{ dtype: x.dtype, shape: [dy.shape[1], channels / window.groups, ...window.kernel] }];
  },
  gradient: (call) => {
    const g = call.dy;
    const window = gradientWindow(call);
    return pairsOf(call).flatMap(([x, dy]) => [
      () => convInputGradient(dy, g, window, x),
      () => applySingle("Conv", [x, g], windowAttributes(window)),
    ]);
  },
  mergeSum: (a, b) => {
    const window = gradientWindow(a);
    const same = JSON.stringify(window) === JSON.stringify(gradientWindow(b));
    const alike = a.inputs[0]!.shape.slice(1).join() === b.inputs[0]!.shape.slice(1).join();
    return same && alike ? [...a.inputs, ...b.inputs] : undefined;
  },
  lower: (call, target) => [lowerConvWeightGradient(pairsOf(call), target, gradientWindow(call))],
});

// ---- ConvTranspose -----------------------------------------------------------------------------------------------------

defineOperator({
  type: "ConvTranspose",
  infer: (call) => {
    const { x, w, window, space } = transposedWindow(call);
    if (isStatic(x.shape[1]!) && isStatic(w.shape[0]!) && x.shape[1] !== w.shape[0]) {
      rejectCall(call, `expected ${w.shape[0]} channels, as in the weight, got ${x.shape[1]}`);
    }
    const perGroup = w.shape[1]!;
    if (!isStatic(perGroup)) rejectCall(call, "expected a known number of output channels");
    return [{ dtype: x.dtype, shape: [x.shape[0]!, perGroup * window.groups, ...space] }];
  },
  gradient: (call) => {
    const { dy } = call;
    const { x, w, window } = transposedWindow(call);
    return [
      () => applySingle("Conv", [dy, w], windowAttributes(window)),
      () => convWeightGradient(dy, x, window),
      () => sumOverAllButChannels(dy),
    ];
  },
  lower: (call, target) => {
    const { window, space, outputPadding } = transposedWindow(call);
    return lowerConvTranspose(call, target, window, { space, outputPadding });
  },
});

/**
 * The transpose of `conv`: applies a weight [in, out / groups, ...kernel] to x [batch, in, ...space], as
 * PyTorch's conv_transpose2d does.
 */
export function convTranspose(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvTransposeOptions = {},
): Tensor {
  const rank = x.rank - 2;
  const { outputPadding = 0 } = options;
  const extra = typeof outputPadding === "number" ? Array<number>(rank).fill(outputPadding) : outputPadding;
  return applySingle("ConvTranspose", bias ? [x, weight, bias] : [x, weight], {
    ...optionAttributes(rank, weight, options),
    output_padding: extra,
  });
}
