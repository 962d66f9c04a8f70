import type { Tensor } from "../../../graph/index.js";
import { add, conv, matmul, reshape, transpose } from "../../../graph/index.js";
import { axisMatrix, floatConstant, transposed } from "../../../graph/operators/linear/axis-matrix.js";
import type { AxisMatrix } from "../../../graph/operators/linear/axis-matrix.js";
import type { ConvolutionStep } from "./decoder-steps.js";

/*
 * Resizing followed by a transposed convolution of stride 1, computed so that channels are mixed on the small grid:
 *
 *     D(x) = sum over kernel cells k of shift_k(W_k^T resize(x)) = sum over k of shift_k(resize(W_k^T x))
 *
 * Resizing acts on space alone and W_k on channels alone, and both are linear, so they commute. Mixing on the small
 * grid takes fewer multiply-adds, by the ratio of the numbers of cells (a quarter for a factor of 2). One constant
 * matrix for each axis then resizes, shifts by the kernel's cells and sums. The result is exact, borders included.
 */

/** Up to this many cells on the small grid, one matrix handles both axes. */
const ONE_MATRIX = 25;

/**
 * Whether mixing first is possible and cheaper: two axes, a transposed convolution without stride, dilation or groups,
 * and at least twice as many cells after resizing.
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
 * @param matrices the resizing along height and width
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
  // Channels in the order (out, kernel row, kernel column).
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
  // (kernel row, row) is one axis of the matrix products, (kernel column, column) the other.
  const split = reshape(mixed, [-1, kernelHeight, kernelWidth, height, width]);
  const paired = reshape(transpose(split, [0, 1, 3, 2, 4]), [-1, kernelHeight * height, kernelWidth * width]);
  const left = floatConstant(byHeight.values, [rows, kernelHeight * height], "float32");
  const right = floatConstant(transposed(byWidth).values, [kernelWidth * width, columns], "float32");
  return shaped(matmul(matmul(left, paired), right));
}

/**
 * The matrix [output row, (kernel cell, cell of the small grid)] that resizes, shifts and sums along one axis: output
 * row y reads resized row y + padding - k for kernel cell k.
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

/** The Kronecker product of both matrices: [(kernel row, kernel column, row, column), (output row, output column)]. */
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
