import { isStaticShape } from "../dims.js";
import { applySingle } from "../operator.js";
import { add } from "../operators/elementwise/elementwise.js";
import { reshape, transpose } from "../operators/shape/shape.js";
import { pad, reverse, slice } from "../operators/shape/slice-pad.js";
import type { Tensor } from "../tensor.js";
import type { Window } from "../window.js";

/*
 * A transposed convolution with stride s as a plain convolution. Write a position of the result (before
 * cropping) as p = s q + r. Only the kernel positions k = s j + r contribute to it. So each of the s x s
 * phases r is a convolution of x with every s-th element of the kernel: y[s q + r] = sum over j of W[s j + r]
 * x[q - j]. All phases together are one convolution with s^2 times the output channels; DepthToSpace then
 * moves the phases to their positions. The number of multiply-adds is the same as in ONNX Runtime's
 * ConvTranspose, but there are no scattered sums, which make ConvTranspose two to four times as slow on large
 * kernels.
 */

interface PhaseAxis {
  /** Number of kernel positions in each phase. */
  readonly cells: number;
  readonly before: number;
  readonly after: number;
  /**
   * The wanted output begins at `start` and has this `length`; `made` is the length of the result of all
   * phases.
   */
  readonly start: number;
  readonly length: number;
  readonly made: number;
}

function phaseAxis(window: Window, axis: number, input: number, length: number): PhaseAxis {
  const [kernel, stride, cut] = [window.kernel[axis]!, window.strides[axis]!, window.before[axis]!];
  const cells = Math.ceil(kernel / stride);
  const first = Math.floor(cut / stride);
  const count = Math.floor((cut + length - 1) / stride) - first + 1;
  const before = cells - 1 - first;
  return {
    cells,
    before,
    after: count + cells - 1 - input - before,
    start: cut - stride * first,
    length,
    made: stride * count,
  };
}

/**
 * Whether this form applies and multiplies few zeros. The kernel is padded with zeros to a multiple of the
 * stride.
 */
export function phasesPay(x: Tensor, weight: Tensor, window: Window, space: readonly unknown[]): boolean {
  const [stride] = window.strides;
  if (window.kernel.length !== 2 || window.groups !== 1 || stride === undefined || stride < 2) return false;
  if (window.strides[1] !== stride || window.dilations.some((d) => d !== 1)) return false;
  const known = isStaticShape(x.shape.slice(1)) && isStaticShape(weight.shape);
  if (!known || !isNumbers(space)) return false;
  const axes = [0, 1].map((axis) => phaseAxis(window, axis, x.shape[axis + 2] as number, space[axis]!));
  if (axes.some(({ before, after }) => before < 0 || after < 0)) return false;
  const filled = axes.reduce(
    (product, { cells }, axis) => product * ((cells * stride) / window.kernel[axis]!),
    1,
  );
  return filled <= 1.35;
}

function isNumbers(values: readonly unknown[]): values is readonly number[] {
  return values.every((value) => typeof value === "number");
}

/** Transposed convolution of x [batch, in, h, w] with weight [in, out, kernel], giving [batch, out, ...space]. */
export function phaseConvolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  window: Window,
  space: readonly number[],
): Tensor {
  const stride = window.strides[0]!;
  const [into, out] = weight.shape as [number, number];
  const axes = [0, 1].map((axis) => phaseAxis(window, axis, x.shape[axis + 2] as number, space[axis]!));
  const [rows, columns] = axes as [PhaseAxis, PhaseAxis];
  const missing = axes.map(({ cells }, axis) => cells * stride - window.kernel[axis]!);
  const filled = missing.some((n) => n > 0) ? pad(weight, [0, 0, 0, 0], [0, 0, ...missing]) : weight;
  const parts = reshape(filled, [into, out, rows.cells, stride, columns.cells, stride]);
  const phases = reverse(reverse(transpose(parts, [1, 3, 5, 0, 2, 4]), 4), 5);
  const kernel = reshape(phases, [out * stride * stride, into, rows.cells, columns.cells]);
  const deep = applySingle("Conv", [x, kernel], {
    kernel_shape: [rows.cells, columns.cells],
    pads: [rows.before, columns.before, rows.after, columns.after],
  });
  const wide = applySingle("DepthToSpace", [deep], { blocksize: stride, mode: "CRD" });
  const cuts = axes.flatMap(({ start, length, made }, axis) =>
    start === 0 && length === made ? [] : [{ axis: axis + 2, start, end: start + length }],
  );
  const y = cuts.length === 0 ? wide : slice(wide, cuts);
  return bias === undefined ? y : add(y, reshape(bias, [1, out, 1, 1]));
}
