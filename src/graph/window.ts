import type { Dim } from "./dims.js";
import { divideDims, isStatic, unknownDim } from "./dims.js";
import type { Call } from "./operator.js";
import { intAttribute, intsAttribute, misfit, stringAttribute } from "./operator.js";
import type { Attributes } from "./tensor.js";

/** Geometry of a sliding window (convolution or pooling), one entry per spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly groups: number;
}

/** Reads the window of a call, solving ONNX's `auto_pad`. */
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
    misfit(call, `strides, dilations and pads must fit a kernel with ${kernel.length} axes`);
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
      return misfit(call, `auto_pad ${auto} needs a known length along axis ${axis + 2}`);
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

/** Length of an axis after the window slid over it. */
export function outputLength(dim: Dim, window: Window, axis: number, ceilMode = false): Dim {
  const reach = (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
  const padding = window.before[axis]! + window.after[axis]!;
  const stride = window.strides[axis]!;
  if (!isStatic(dim)) {
    if (stride === 1 && padding === reach - 1) return dim;
    const exact = reach <= stride && padding === 0 ? divideDims(dim, stride) : undefined;
    return exact ?? unknownDim();
  }
  const steps = (dim + padding - reach) / stride;
  if (!ceilMode) return Math.floor(steps) + 1;
  // A last window that would start in the padding behind the input is dropped.
  const count = Math.ceil(steps) + 1;
  return (count - 1) * stride >= dim + window.before[axis]! ? count - 1 : count;
}

/** Length of an axis after a transposed convolution without output padding. */
export function transposedLength(dim: Dim, window: Window, axis: number): Dim {
  const reach = (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
  if (!isStatic(dim)) {
    const padding = window.before[axis]! + window.after[axis]!;
    const same = window.strides[axis] === 1 && padding === reach - 1;
    return same ? dim : unknownDim();
  }
  return (dim - 1) * window.strides[axis]! + reach - window.before[axis]! - window.after[axis]!;
}
