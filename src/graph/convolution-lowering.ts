import type { Call, Target } from "./operator.js";
import { apply1 } from "./operator.js";
import { isStatic } from "./dims.js";
import type { Tensor } from "./tensor.js";
import { integers } from "./tensor.js";
import type { Window } from "./window.js";

/*
 * The one place that decides what a convolution and its weight gradient become on a device. The choices are
 * measured by `npm run bench -- convolution`, which prints every form beside the chosen one.
 */

/** Ways to compute dW[out, in, ...kernel] from x and dy. */
export type WeightGradientForm = "per-offset" | "im2col" | "swapped" | "depthwise";

/** What a forward convolution becomes; undefined keeps ONNX's Conv. */
export function lowerConv(_call: Call, _target: Target, _window: Window): Tensor[] | undefined {
  return undefined;
}

export function lowerConvWeightGradient(call: Call, target: Target, window: Window): Tensor {
  const [x, dy] = [call.inputs[0]!, call.inputs[1]!];
  return weightGradientAs(chooseWeightGradient(x, dy, window), x, dy, window, target);
}

/** Measured on ONNX Runtime's CPU provider; see docs/engine.md for the table. */
export function chooseWeightGradient(x: Tensor, dy: Tensor, window: Window): WeightGradientForm {
  const [into, out] = [x.shape[1] as number, dy.shape[1] as number];
  if (window.groups > 1) return into === window.groups && out === window.groups ? "depthwise" : "per-offset";
  const offsets = window.kernel.reduce((a, b) => a * b, 1);
  if (offsets > 1 && into * offsets <= 64) return "im2col";
  if (offsets >= 49 && into * out <= 1024) return "swapped";
  return "per-offset";
}

export function weightGradientAs(
  form: WeightGradientForm,
  x: Tensor,
  dy: Tensor,
  window: Window,
  target: Target,
): Tensor {
  switch (form) {
    case "swapped":
      return swapped(x, dy, window);
    case "im2col":
      return im2col(x, dy, window, target);
    case "depthwise":
      return depthwise(x, dy, window);
    case "per-offset":
      return perOffset(x, dy, window, target);
  }
}

/** Convolution of x with dy as its kernel, batch and channels swapped, stride and dilation swapped. */
function swapped(x: Tensor, dy: Tensor, window: Window): Tensor {
  const order = [1, 0, ...window.kernel.map((_, axis) => axis + 2)];
  const wide = apply1(
    "Conv",
    [apply1("Transpose", [x], { perm: order }), apply1("Transpose", [dy], { perm: order })],
    {
      strides: window.dilations,
      dilations: window.strides,
      pads: [...window.before, ...window.after],
    },
  );
  const cut = trim(wide, window);
  return apply1("Transpose", [cut], { perm: order });
}

/** Where the stride does not divide, the swapped convolution yields more than the kernel: cut it. */
function trim(wide: Tensor, window: Window): Tensor {
  const axes = window.kernel.flatMap((k, axis) => (wide.shape[axis + 2] === k ? [] : [axis]));
  if (axes.length === 0) return wide;
  return apply1("Slice", [
    wide,
    integers(axes.map(() => 0)),
    integers(axes.map((axis) => window.kernel[axis]!)),
    integers(axes.map((axis) => axis + 2)),
  ]);
}

/** x with its zeros put round it, once for all offsets. */
function padded(x: Tensor, window: Window): Tensor {
  const pads = [0, 0, ...window.before, 0, 0, ...window.after];
  return pads.every((n) => n === 0) ? x : apply1("Pad", [x, integers(pads)], { mode: "constant" });
}

/** Every kernel offset, last axis fastest. */
function offsetsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (all, k) => all.flatMap((o) => Array.from({ length: k }, (_, i) => [...o, i])),
    [[]],
  );
}

/** What the window sees at one offset, for every output position: [batch, in, ...output space]. */
function seenAt(source: Tensor, dy: Tensor, window: Window, offset: readonly number[]): Tensor {
  const space = dy.shape.slice(2);
  const starts = offset.map((o, axis) => o * window.dilations[axis]!);
  const ends = starts.map((start, axis) => {
    const count = space[axis]!;
    return isStatic(count) ? start + (count - 1) * window.strides[axis]! + 1 : 2 ** 31 - 1;
  });
  const all = source.shape.slice(2).every((dim, axis) => starts[axis] === 0 && ends[axis] === dim);
  if (all && window.strides.every((s) => s === 1)) return source;
  const axes = offset.map((_, axis) => axis + 2);
  return apply1("Slice", [
    source,
    integers(starts),
    integers(ends),
    integers(axes),
    integers(window.strides),
  ]);
}

/** [batch, channels, ...space] as [batch, channels, positions]. */
function positions(x: Tensor): Tensor {
  return apply1("Reshape", [x, integers([0, 0, -1])]);
}

/** a·bᵀ over the last two axes. */
function timesTransposed(a: Tensor, b: Tensor, target: Target): Tensor {
  if (target === "cpu") return apply1("com.microsoft::FusedMatMul", [a, b], { transB: 1 });
  const order = b.shape.map((_, axis) => axis);
  [order[b.rank - 2], order[b.rank - 1]] = [b.rank - 1, b.rank - 2];
  return apply1("MatMul", [a, apply1("Transpose", [b], { perm: order })]);
}

function sumOverBatch(x: Tensor): Tensor {
  return apply1("ReduceSum", [x, integers([0])], { keepdims: 0 });
}

/** One matrix product per kernel offset. */
function perOffset(x: Tensor, dy: Tensor, window: Window, target: Target): Tensor {
  const { groups, kernel } = window;
  const [into, out] = [(x.shape[1] as number) / groups, (dy.shape[1] as number) / groups];
  const source = padded(x, window);
  const grouped = (t: Tensor, channels: number) =>
    groups === 1 ? positions(t) : apply1("Reshape", [t, integers([0, groups, channels, -1])]);
  const right = grouped(dy, out);
  const products = offsetsOf(kernel).map((offset) => {
    const seen = grouped(seenAt(source, dy, window, offset), into);
    const product = sumOverBatch(timesTransposed(right, seen, target));
    return apply1("Reshape", [product, integers([groups * out, into, 1])]);
  });
  return apply1("Reshape", [join(products, 2), integers([groups * out, into, ...kernel])]);
}

function join(parts: readonly Tensor[], axis: number): Tensor {
  return parts.length === 1 ? parts[0]! : apply1("Concat", parts, { axis });
}

/** All offsets side by side, then one product: pays when there are few input channels. */
function im2col(x: Tensor, dy: Tensor, window: Window, target: Target): Tensor {
  const source = padded(x, window);
  const columns = offsetsOf(window.kernel).map((offset) => positions(seenAt(source, dy, window, offset)));
  const product = sumOverBatch(timesTransposed(positions(dy), join(columns, 1), target));
  const [out, into] = [dy.shape[1] as number, x.shape[1] as number];
  const offsets = columns.length;
  const byOffset = apply1("Reshape", [product, integers([out, offsets, into])]);
  return apply1("Reshape", [
    apply1("Transpose", [byOffset], { perm: [0, 2, 1] }),
    integers([out, into, ...window.kernel]),
  ]);
}

/** One channel per group: products and sums, no matrices. */
function depthwise(x: Tensor, dy: Tensor, window: Window): Tensor {
  const source = padded(x, window);
  const parts = offsetsOf(window.kernel).map((offset) => {
    const product = apply1("Mul", [seenAt(source, dy, window, offset), dy]);
    const axes = product.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
    const total = apply1("ReduceSum", [product, integers(axes)], { keepdims: 0 });
    return apply1("Reshape", [total, integers([-1, 1, 1])]);
  });
  return apply1("Reshape", [join(parts, 2), integers([dy.shape[1] as number, 1, ...window.kernel])]);
}
