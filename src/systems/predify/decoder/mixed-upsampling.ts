import type { Tensor } from "../../../graph/index.js";
import { add, conv, matmul, reshape, transpose } from "../../../graph/index.js";
import { axisMatrix, floatConstant, transposed } from "../../../graph/operators/linear/axis-matrix.js";
import type { AxisMatrix } from "../../../graph/operators/linear/axis-matrix.js";
import type { ConvolutionStep } from "./decoder-steps.js";

/*
 * Computes resizing followed by a transposed convolution D of stride 1. Channels are mixed before resizing,
 * on the small grid:
 *
 *     D(x) = sum over kernel positions k of shift_k(W_k^T resize(x)) = sum over k of shift_k(resize(W_k^T x))
 *
 * Resizing acts only on space and the weights W_k act only on channels. Both are linear, so they can be
 * swapped. Mixing channels on the small grid takes fewer multiply-adds: a quarter if resizing doubles both
 * sides. Then one constant matrix for each axis resizes, shifts by the positions in the kernel and sums. The
 * result is exact, also at the borders.
 */

/** Largest number of pixels of the small grid for which one matrix handles both axes. */
const ONE_MATRIX = 25;

/**
 * Whether mixing channels first is possible and cheaper. The conditions: two spatial axes, a transposed
 * convolution without stride, dilation, groups or output padding, and at least twice as many pixels after
 * resizing.
 */
export function mixingPays(
  step: ConvolutionStep,
  before: readonly number[],
  after: readonly number[],
): boolean {
  const cells = (space: readonly number[]) => space.reduce((a, b) => a * b, 1);
  const plain = [...step.stride, ...step.dilation, step.groups].every((n) => n === 1);
  const extra = (step.outputPadding ?? []).every((n) => n === 0);
  return (
    step.type === "convTranspose" &&
    plain &&
    extra &&
    before.length === 2 &&
    cells(after) >= 2 * cells(before)
  );
}

/**
 * Resizes `x` and applies a transposed convolution of stride 1.
 *
 * @param x [batch, in, height, width]
 * @param weight [in, out, kernel height, kernel width]
 * @param matrices the matrices that resize along height and width
 * @returns [batch, out, height', width']
 */
export function resizeAndConvolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  matrices: readonly [AxisMatrix, AxisMatrix],
  padding: readonly number[],
): Tensor {
  const [into, out, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const [height, width] = x.shape.slice(2) as [number, number];
  const byHeight = shiftedSums(matrices[0], kernelHeight, padding[0]!);
  const byWidth = shiftedSums(matrices[1], kernelWidth, padding[1]!);
  const [rows, columns] = [byHeight.rows, byWidth.rows];
  // The mixed channels are ordered as (out, kernel row, kernel column).
  const mixing = reshape(transpose(weight, [1, 2, 3, 0]), [out * kernelHeight * kernelWidth, into, 1, 1]);
  const mixed = conv(x, mixing);
  const shaped = (made: Tensor) => {
    const y = reshape(made, [x.shape[0]!, out, rows, columns]);
    return bias === undefined ? y : add(y, reshape(bias, [1, out, 1, 1]));
  };
  if (height * width <= ONE_MATRIX) {
    const both = kronecker(byHeight, byWidth, kernelHeight, kernelWidth);
    const flat = reshape(mixed, [-1, kernelHeight * kernelWidth * height * width]);
    return shaped(matmul(flat, floatConstant(both.values, [both.rows, both.columns], "float32")));
  }
  // The axes of the matrix products are (kernel row, row) and (kernel column, column).
  const split = reshape(mixed, [-1, kernelHeight, kernelWidth, height, width]);
  const paired = reshape(transpose(split, [0, 1, 3, 2, 4]), [-1, kernelHeight * height, kernelWidth * width]);
  const left = floatConstant(byHeight.values, [rows, kernelHeight * height], "float32");
  const right = floatConstant(transposed(byWidth).values, [kernelWidth * width, columns], "float32");
  return shaped(matmul(matmul(left, paired), right));
}

/**
 * Makes the matrix that resizes, shifts and sums along one axis. Its rows are the output positions; its
 * columns are pairs of kernel position and position in the small grid. Output position y reads resized
 * position y + padding - k for kernel position k.
 */
function shiftedSums(resize: AxisMatrix, kernel: number, padding: number): AxisMatrix {
  const { rows: large, columns: small, values } = resize;
  const rows = large + kernel - 1 - 2 * padding;
  return axisMatrix(rows, kernel * small, (set) => {
    for (let y = 0; y < rows; y++) {
      for (let k = 0; k < kernel; k++) {
        const row = y + padding - k;
        if (row < 0 || row >= large) continue;
        for (let cell = 0; cell < small; cell++) {
          const value = values[row * small + cell]!;
          if (value !== 0) set(y, k * small + cell, value);
        }
      }
    }
  });
}

/**
 * Computes the Kronecker product of both matrices, with axes [(kernel row, kernel column, row, column),
 * (output row, output column)].
 */
function kronecker(
  byHeight: AxisMatrix,
  byWidth: AxisMatrix,
  kernelHeight: number,
  kernelWidth: number,
): AxisMatrix {
  const [height, width] = [byHeight.columns / kernelHeight, byWidth.columns / kernelWidth];
  return axisMatrix(byHeight.columns * byWidth.columns, byHeight.rows * byWidth.rows, (set) => {
    for (let y = 0; y < byHeight.rows; y++) {
      for (let left = 0; left < byHeight.columns; left++) {
        const a = byHeight.values[y * byHeight.columns + left]!;
        if (a === 0) continue;
        const [ky, i] = [Math.floor(left / height), left % height];
        for (let x = 0; x < byWidth.rows; x++) {
          for (let right = 0; right < byWidth.columns; right++) {
            const b = byWidth.values[x * byWidth.columns + right]!;
            const [kx, j] = [Math.floor(right / width), right % width];
            const at = ((ky * kernelWidth + kx) * height + i) * width + j;
            if (b !== 0) set(at, y * byWidth.rows + x, a * b);
          }
        }
      }
    }
  });
}
