import type { Dim } from "./dims.js";
import { divideDims, isStatic, multiplyDims, unknownDim } from "./dims.js";
import type { Call } from "./operator.js";
import { intAttribute, intsAttribute, rejectCall, stringAttribute } from "./operator.js";
import type { Attributes } from "./tensor.js";

/** Geometry of a sliding window (convolution or pooling). Each array has one entry per spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly groups: number;
}

/** Reads the window from the attributes of a call. If `auto_pad` is given, computes the pads from it. */
export function windowOf(call: Call, kernel: readonly number[], space: readonly Dim[]): Window {
  const ones = kernel.map(() => 1);
  const strides = intsAttribute(call.attributes, "strides") ?? ones;
  const dilations = intsAttribute(call.attributes, "dilations") ?? ones;
  const groups = intAttribute(call.attributes, "group", 1);
  const auto = stringAttribute(call.attributes, "auto_pad", "NOTSET");
  const pads = intsAttribute(call.attributes, "pads") ?? kernel.flatMap(() => [0, 0]);
  if (
    strides.length !== kernel.length ||
    dilations.length !== kernel.length ||
    pads.length !== 2 * kernel.length
  ) {
    rejectCall(call, `strides, dilations and pads must fit a kernel with ${kernel.length} axes`);
  }
  if (auto === "NOTSET" || auto === "VALID") {
    const valid = auto === "VALID";
    const before = pads.slice(0, kernel.length).map((n) => (valid ? 0 : n));
    const after = pads.slice(kernel.length).map((n) => (valid ? 0 : n));
    return { kernel, strides, dilations, before, after, groups };
  }
  const totals = kernel.map((k, axis) => {
    const dim = space[axis]!;
    const reach = (k - 1) * dilations[axis]! + 1;
    if (!isStatic(dim)) {
      if (strides[axis] === 1) return reach - 1;
      return rejectCall(call, `auto_pad ${auto} needs a known length along axis ${axis + 2}`);
    }
    return Math.max(0, (Math.ceil(dim / strides[axis]!) - 1) * strides[axis]! + reach - dim);
  });
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total) => Math.ceil(total / 2));
  const upper = auto === "SAME_UPPER";
  return { kernel, strides, dilations, before: upper ? small : large, after: upper ? large : small, groups };
}

export function windowAttributes(window: Window): Attributes {
  return {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: [...window.before, ...window.after],
    dilations: window.dilations,
    group: window.groups,
  };
}

/** Output length of an axis over which the window slides. */
export function outputLength(dim: Dim, window: Window, axis: number, ceilMode = false): Dim {
  const reach = reachOf(window, axis);
  const padding = window.before[axis]! + window.after[axis]!;
  const stride = window.strides[axis]!;
  if (!isStatic(dim)) {
    if (stride === 1 && padding === reach - 1) return dim;
    // With this padding, the output length is exactly dim / stride, if dim is a multiple of the stride.
    const whole = Math.floor((padding - reach) / stride) === -1 && (!ceilMode || padding === 0);
    return (whole ? divideDims(dim, stride) : undefined) ?? unknownDim();
  }
  const steps = (dim + padding - reach) / stride;
  if (!ceilMode) return Math.floor(steps) + 1;
  // A last window that would start in the padding after the input is dropped.
  const count = Math.ceil(steps) + 1;
  return (count - 1) * stride >= dim + window.before[axis]! ? count - 1 : count;
}

/** Geometry of a transposed convolution. */
export interface TransposedWindow {
  readonly window: Window;
  /** Number of additional elements at the end of each axis of the result. */
  readonly outputPadding: readonly number[];
  readonly space: readonly Dim[];
}

/**
 * Reads the window of a transposed convolution. `output_shape` and `auto_pad` decide how much of the full
 * result is cropped. If the amount is odd, the larger part is cropped at the start, or at the end for
 * SAME_UPPER. With SAME_UPPER or SAME_LOWER, the result has `stride` elements for each input element, or
 * fewer if the kernel does not reach that far.
 */
export function transposedWindowOf(
  call: Call,
  kernel: readonly number[],
  space: readonly Dim[],
): TransposedWindow {
  const auto = stringAttribute(call.attributes, "auto_pad", "NOTSET");
  const plain = windowOf({ ...call, attributes: { ...call.attributes, auto_pad: "NOTSET" } }, kernel, space);
  const outputPadding = intsAttribute(call.attributes, "output_padding") ?? kernel.map(() => 0);
  if (outputPadding.length !== kernel.length)
    rejectCall(call, `output_padding must have ${kernel.length} numbers`);
  const stated = intsAttribute(call.attributes, "output_shape")?.slice(-kernel.length);
  if (stated !== undefined && stated.length < kernel.length)
    rejectCall(call, `output_shape must have ${kernel.length} lengths`);
  if (stated === undefined && auto === "NOTSET") return withSpace(call, plain, outputPadding, space);
  const totals = kernel.map((_, axis): number => {
    const spare = reachOf(plain, axis) + outputPadding[axis]! - plain.strides[axis]!;
    if (stated === undefined) return auto === "VALID" ? 0 : Math.max(0, spare);
    const dim = space[axis]!;
    if (!isStatic(dim)) return rejectCall(call, `output_shape needs a known length of axis ${axis + 2}`);
    return dim * plain.strides[axis]! + spare - stated[axis]!;
  });
  const cut = totals.map((total) => Math.max(0, total));
  const [small, large] = [cut.map((n) => Math.floor(n / 2)), cut.map((n) => Math.ceil(n / 2))];
  const upper = auto === "SAME_UPPER";
  const window = { ...plain, before: upper ? small : large, after: upper ? large : small };
  const longer = outputPadding.map((n, axis) => n + Math.max(0, -totals[axis]!));
  const beyond = longer.findIndex((n, axis) => stated !== undefined && n >= plain.strides[axis]!);
  if (beyond >= 0)
    rejectCall(call, `no window reaches the output_shape of ${stated![beyond]} along axis ${beyond + 2}`);
  return withSpace(call, window, longer, space);
}

function withSpace(
  call: Call,
  window: Window,
  outputPadding: readonly number[],
  space: readonly Dim[],
): TransposedWindow {
  const lengths = space.map((dim, axis): Dim => {
    const length = transposedLength(dim, window, axis, outputPadding[axis]);
    if (isStatic(length) && length < 1)
      rejectCall(call, "expected pads smaller than the full result, got an empty result");
    return length;
  });
  return { window, outputPadding, space: lengths };
}

function reachOf(window: Window, axis: number): number {
  return (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
}

/** Length of an axis after a transposed convolution. */
export function transposedLength(dim: Dim, window: Window, axis: number, outputPadding = 0): Dim {
  const stride = window.strides[axis]!;
  const rest = reachOf(window, axis) + outputPadding - stride - window.before[axis]! - window.after[axis]!;
  if (isStatic(dim)) return dim * stride + rest;
  return rest === 0 ? multiplyDims(dim, stride) : unknownDim();
}
