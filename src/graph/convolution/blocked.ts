import { isStaticShape, sizeOf } from "../dims.js";
import { applySingle } from "../operator.js";
import { mul } from "../operators/elementwise/elementwise.js";
import { concat } from "../operators/shape/join.js";
import { gather } from "../operators/select/select.js";
import { reshape, transpose } from "../operators/shape/shape.js";
import { slice } from "../operators/shape/slice-pad.js";
import { sharedConstant } from "../shared-constant.js";
import type { Tensor } from "../tensor.js";
import { constant, integers } from "../tensor.js";
import type { Window } from "../window.js";
import { windowAttributes } from "../window.js";

/*
 * Convolutions in ONNX Runtime's blocked layout [batch, channels / B, ...space, B]. B is 8 or 16, depending
 * on the width of the processor's vectors. ONNX Runtime itself uses this layout only for constant weights.
 * Weights in training are fed, so ONNX Runtime would fall back to im2col and a matrix product. Therefore the
 * graph itself reorders the weights here.
 *
 * B is unknown when a graph is lowered, but the code does not need it: a reordering turns
 * [batch, channels, rest] into [batch, channels / B, rest, B] for any B. If another shape depends on B, the
 * graph computes it when it runs.
 */

const DOMAIN = "com.microsoft.nchwc::";
/**
 * The larger block size. A number of channels that is a multiple of it is also a multiple of the smaller one.
 */
const LARGEST_BLOCK = 16;

/** ONNX Runtime has kernels for the blocked layout on x64 only. */
export function hasBlockedKernels(): boolean {
  const { process } = globalThis as { readonly process?: { readonly arch?: string } };
  return process?.arch === "x64";
}

const wholeBlocks = (length: unknown): length is number =>
  typeof length === "number" && length % LARGEST_BLOCK === 0;

/** Whether the convolution of x with w can run in the blocked layout. */
export function isBlockable(x: Tensor, w: Tensor, groups: number): boolean {
  if (x.rank !== 4 || x.dtype !== "float32" || !isStaticShape(w.shape)) return false;
  const [into, out] = [x.shape[1]!, w.shape[0]!];
  if (!wholeBlocks(into) || !wholeBlocks(out)) return false;
  const depthwise = into === groups && out === groups;
  return depthwise || (wholeBlocks(into / groups) && wholeBlocks(out / groups));
}

/** Convolves x with w in the blocked layout. The operands and the result are in the standard layout. */
export function blockedConvolution(x: Tensor, w: Tensor, bias: Tensor | undefined, window: Window): Tensor {
  const operands = [toBlocks(x), blockedKernel(w), ...(bias ? [bias] : [])];
  return fromBlocks(applySingle(`${DOMAIN}Conv`, operands, windowAttributes(window)));
}

function toBlocks(x: Tensor): Tensor {
  return applySingle(`${DOMAIN}ReorderInput`, [x]);
}

function fromBlocks(x: Tensor): Tensor {
  return applySingle(`${DOMAIN}ReorderOutput`, [x], { channels: x.shape[1] as number });
}

/**
 * Reorders a weight [out, in, ...kernel] to [out / B, in / B, ...kernel, B (in), B (out)], or a depthwise
 * weight to [out / B, 1, ...kernel, B].
 */
function blockedKernel(w: Tensor): Tensor {
  const [out, into, ...kernel] = w.shape as number[] as [number, number, number, number];
  const cells = kernel[0] * kernel[1];
  const inner = into === 1 ? w : toBlocks(reshape(w, [out, into, cells, 1]));
  return reshape(toBlocks(reshape(inner, [1, out, into * cells, 1])), w.shape);
}

// ---- gradient of the weights -------------------------------------------------------------------------------------------

/**
 * Whether `blockedWeightGradient` can compute the gradient. It needs whole blocks of images and of output
 * channels.
 */
export function isWeightGradientBlockable(x: Tensor, dy: Tensor, window: Window): boolean {
  return (
    x.rank === 4 &&
    x.dtype === "float32" &&
    window.groups === 1 &&
    isStaticShape(x.shape) &&
    isStaticShape(dy.shape) &&
    wholeBlocks(x.shape[0]) &&
    wholeBlocks(dy.shape[1])
  );
}

/**
 * Computes the weight gradient with one convolution for each kernel row a. For stride 1, dW[o, i, (a, b)] is
 * the sum over images n and positions (r, s) of dy[n, o, r, s] x[n, i, r + a, s + b]. The channels of the
 * convolution are the pairs (n, r), over which it sums. Its image has one row for each input channel i, with
 * the contents of a row of x. Its kernel is as long as a row of dy and slides over the offsets b. In contrast
 * to one matrix product for each offset, no columns are copied and no operand is packed.
 */
export function blockedWeightGradient(x: Tensor, dy: Tensor, window: Window): Tensor {
  const [batch, into, ...space] = x.shape as number[] as [number, number, number, number];
  const [, out, rows, columns] = dy.shape as number[] as [number, number, number, number];
  const [height, width] = window.kernel as [number, number];
  const [strides, dilations] = [window.strides as [number, number], window.dilations as [number, number]];
  const seen = [rows, columns].map(
    (n, i) => (n - 1) * strides[i]! + (window.kernel[i]! - 1) * dilations[i]! + 1,
  );
  const missing = seen.map((length, i) => length - space[i]! - window.before[i]!);
  const block = blockLength();
  const images = applySingle("Div", [integers([batch]), block]);

  // x as [batch / B, in, ...space, B], cropped to the part that the window covers.
  const blocks = toBlocks(reshape(x, [1, batch, into * space[0] * space[1], 1]));
  const after = missing.map((n) => Math.max(0, n));
  const padded = padBlocks(reshape(blocks, [1, batch * into, ...space]), window.before, after);
  const source = missing.every((n) => n >= 0)
    ? padded
    : slice(
        splitBlocks(padded, [into, ...(padded.shape.slice(2) as number[])]),
        seen.map((end, i) => ({ axis: i + 2, start: 0, end })),
      );
  const flat = applySingle("Reshape", [source, concat([images, integers([into * seen[0]!, -1])], 0)]);

  // dy as [out / B, batch / B, positions, B, B]. It is made from [batch, out / B, positions, B], which the
  // gradient of x also needs.
  const parts = concat([images, block, integers([-1, rows * columns]), block], 0);
  const kernel = reshape(transpose(applySingle("Reshape", [toBlocks(dy), parts]), [2, 0, 3, 1, 4]), [
    out,
    batch * rows,
    1,
    columns,
  ]);

  const kernelRows = Array.from({ length: height }, (_, a) => {
    const index = Array.from({ length: rows * into }, (_, i) => {
      const [row, channel] = [Math.floor(i / into), i % into];
      return channel * seen[0]! + row * strides[0] + a * dilations[0];
    });
    const image = reshape(gather(flat, integers(index), 1), [1, batch * rows, into, seen[1]!]);
    const sums = applySingle(`${DOMAIN}Conv`, [image, kernel], {
      kernel_shape: [1, columns],
      dilations: [1, strides[1]],
      strides: [1, dilations[1]],
    });
    return reshape(fromBlocks(sums), [out, into, 1, width]);
  });
  return height === 1 ? kernelRows[0]! : concat(kernelRows, 2);
}

/**
 * Pads maps [1, channels, height, width] in the blocked layout with zeros. This uses a depthwise convolution,
 * because it runs in parallel and Pad does not.
 */
function padBlocks(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if ([...before, ...after].every((n) => n === 0)) return x;
  const channels = x.shape[1] as number;
  const attributes = { kernel_shape: [1, 1], pads: [...before, ...after], group: channels };
  return applySingle(`${DOMAIN}Conv`, [x, onesForEach(channels)], attributes);
}

/** A depthwise 1 x 1 kernel of ones, [channels, 1, 1, 1]. */
function onesForEach(channels: number): Tensor {
  return sharedConstant(`ones for each of ${channels} channels`, () => {
    const data = new Float32Array(channels).fill(1);
    return constant({ dtype: "float32", shape: [channels, 1, 1, 1], data });
  });
}

/**
 * Reshapes a reordered tensor [1, channels, ...] so that the axes of the blocks become explicit:
 * [channels / B, ...shape, B].
 */
function splitBlocks(x: Tensor, shape: readonly number[]): Tensor {
  return applySingle("Reshape", [x, concat([integers([-1, ...shape]), blockLength()], 0)]);
}

/** The block size B, which the graph computes when it runs. */
function blockLength(): Tensor {
  const four = toBlocks(constant({ dtype: "float32", shape: [1, 4, 1, 1], data: new Float32Array(4) }));
  return applySingle("Shape", [four], { start: 1, end: 2 });
}

// ---- scaled sums -------------------------------------------------------------------------------------------------------

/**
 * `blockedScaledSum` reshapes its operands to this number of channels, which form whole blocks, and of rows,
 * which are divided among threads.
 */
const [CHANNELS, ROWS] = [LARGEST_BLOCK, 64];

/** Whether `blockedScaledSum` can compute the sum. */
export function isScaledSumBlockable({ dtype, shape }: Tensor): boolean {
  return dtype === "float32" && isStaticShape(shape) && (sizeOf(shape) as number) % (CHANNELS * ROWS) === 0;
}

/**
 * Computes scale * x + y with a depthwise 1 x 1 convolution that adds to y. This takes one pass over memory
 * instead of two. All channels have the same factor, so the operands need not be in the blocked layout.
 */
export function blockedScaledSum(x: Tensor, scale: Tensor, y: Tensor): Tensor {
  const map = [1, CHANNELS, ROWS, -1];
  const operands = [reshape(x, map), mul(onesForEach(CHANNELS), scale), undefined, reshape(y, map)];
  const total = applySingle(`${DOMAIN}Conv`, operands, { kernel_shape: [1, 1], group: CHANNELS });
  return reshape(total, x.shape);
}
