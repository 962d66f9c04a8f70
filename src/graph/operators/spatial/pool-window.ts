import type { Shape } from "../../dims.js";
import { isStatic, showShape } from "../../dims.js";
import type { Call, TensorType } from "../../operator.js";
import { intAttribute, intsAttribute, rejectCall, required } from "../../operator.js";
import type { Attributes, Tensor } from "../../tensor.js";
import type { Window } from "../../window.js";
import { outputLength, windowOf } from "../../window.js";

/** Geometry of a pooling window. A number stands for the same value along every spatial axis. */
export interface PoolOptions {
  /** Default: the kernel size, so that windows do not overlap. */
  readonly stride?: number | readonly number[];
  /** Padding on both sides (default 0), or [begin..., end...]. */
  readonly padding?: number | readonly number[];
  /** Whether to keep a last window that lies only partly on the input (default false). */
  readonly ceilMode?: boolean;
}

export interface PoolGeometry {
  readonly window: Window;
  readonly ceilMode: boolean;
  /** Lengths of the spatial axes after pooling. */
  readonly space: Shape;
}

/** Reads the window of a pooling call and computes the shape of the result. */
export function poolGeometry(call: Call): PoolGeometry {
  const x = required(call, 0, "x");
  const kernel = intsAttribute(call.attributes, "kernel_shape");
  if (kernel === undefined) rejectCall(call, "kernel_shape is missing");
  if (x.rank !== kernel.length + 2) {
    rejectCall(
      call,
      `expected [batch, channels, ...${kernel.length} spatial axes] for a kernel ${showShape(kernel)}`,
    );
  }
  const window = windowOf(call, kernel, x.shape.slice(2));
  const ceilMode = intAttribute(call.attributes, "ceil_mode", 0) === 1;
  const space = x.shape.slice(2).map((dim, axis) => outputLength(dim, window, axis, ceilMode));
  if (space.some((dim) => isStatic(dim) && dim < 1))
    rejectCall(call, "the window is larger than the padded input");
  return { window, ceilMode, space };
}

/** Throws unless all spatial lengths are numbers, as gradients along the windows need. */
export function staticSpace(call: Call, shape: Shape): readonly number[] {
  const space = shape.slice(2);
  if (!space.every(isStatic)) rejectCall(call, "its gradient needs known lengths of the spatial axes");
  return space;
}

/** A window's attributes for another call of the pooling family (which has no groups). */
export function poolAttributes({ window, ceilMode }: PoolGeometry): Attributes {
  const { kernel, strides, dilations, before, after } = window;
  return {
    kernel_shape: kernel,
    strides,
    pads: [...before, ...after],
    ...(dilations.some((d) => d !== 1) && { dilations }),
    ...(ceilMode && { ceil_mode: 1 }),
  };
}

/**
 * Returns the same windows without ceil mode if ceil mode drops a window that would start beyond the input.
 * ONNX's own shape rule before opset 22 keeps such a window, so that a runtime would expect more windows than
 * it computes. Returns undefined if the call can stay as it is.
 */
export function withoutCeilMode(geometry: PoolGeometry, input: Shape): PoolGeometry | undefined {
  const { window, space } = geometry;
  if (!geometry.ceilMode) return undefined;
  const axes = window.kernel.map((k, axis) => {
    const [dim, count] = [input[axis + 2]!, space[axis]!];
    const [before, end, stride] = [window.before[axis]!, window.after[axis]!, window.strides[axis]!];
    if (!isStatic(dim) || !isStatic(count)) return { dropped: false, after: end };
    const reach = (k - 1) * window.dilations[axis]! + 1;
    if (count <= Math.ceil((dim + before + end - reach) / stride)) return { dropped: true, after: end };
    return { dropped: false, after: Math.max(end, (count - 1) * stride + reach - before - dim) };
  });
  if (!axes.some((axis) => axis.dropped)) return undefined;
  return { window: { ...window, after: axes.map((axis) => axis.after) }, ceilMode: false, space };
}

/** Whether runtimes accept the pads: each must be shorter than the kernel. */
export function padsFit({ window }: PoolGeometry): boolean {
  return window.kernel.every((k, axis) => window.after[axis]! < k);
}

export function poolOptionAttributes(
  x: Tensor,
  kernel: number | readonly number[],
  options: PoolOptions & { readonly dilation?: number | readonly number[] },
): Attributes {
  const rank = x.rank - 2;
  const each = (value: number | readonly number[]) =>
    typeof value === "number" ? Array<number>(rank).fill(value) : value;
  const { stride = kernel, padding = 0, ceilMode = false, dilation = 1 } = options;
  const pads = each(padding);
  const dilations = each(dilation);
  return {
    kernel_shape: each(kernel),
    strides: each(stride),
    pads: pads.length === rank ? [...pads, ...pads] : pads,
    ...(dilations.some((d) => d !== 1) && { dilations }),
    ...(ceilMode && { ceil_mode: 1 }),
  };
}

/** Shape rule of pooling over the whole space: [batch, channels, 1, ...]. */
export function inferGlobalPool(call: Call): TensorType[] {
  const x = required(call, 0, "x");
  if (x.rank < 3) rejectCall(call, "expected [batch, channels, ...space]");
  return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => (axis < 2 ? dim : 1)) }];
}
