import type { ConvolutionShape } from "./fourier.js";
import { fusedMatmul } from "../operators/contrib.js";
import { add, addAll } from "../operators/elementwise/elementwise.js";
import { concat } from "../operators/shape/join.js";
import { matmul, transposeMatrix } from "../operators/linear/matmul.js";
import { reshape, transpose } from "../operators/shape/shape.js";
import { slice } from "../operators/shape/slice-pad.js";
import { sharedMatrix } from "../shared-constant.js";
import type { Tensor } from "../tensor.js";
import type { Window } from "../window.js";

/*
 * 3 x 3 convolutions by minimal filtering, F(m x m, 3 x 3) (Winograd 1980; Lavin and Gray 2016, "Fast
 * Algorithms for Convolutional Neural Networks", equation 8). For each pair of channels, a tile of m x m
 * results takes (m + 2)^2 multiplications instead of 9 m^2: a quarter for m = 4, and four ninths for m = 2.
 *
 *     Y = A^T [ (G w G^T) * (B^T x B) ] A
 *
 * For maps of few tiles, B^T x B is one product with a constant matrix that also cuts out the tiles and pads
 * with zeros. The inverse transform is one product, too. Larger maps are divided into strips that are one row
 * of tiles high. The gradients are the adjoints of the same formula and use the same matrices. An operand of
 * several products is transformed only once, because `lower` merges equal calls.
 *
 * With P points, the spectra of maps are [P, tiles x batch, channels], and the spectra of kernels are
 * [P, out, in].
 */

const KERNEL = 3;

/** Matrices of minimal filtering along one axis, as lists of rows, one row for each point. */
interface Filter {
  readonly stride: number;
  /** Number of results that a tile has along the axis, m. */
  readonly output: number;
  /** The matrix A, [points, output]. */
  readonly back: Matrix;
  /** The matrix G, [points, 3]. */
  readonly kernel: Matrix;
  /** The matrix B^T, [points, input positions of a tile]. */
  readonly input: Matrix;
}
type Matrix = readonly (readonly number[])[];

/**
 * Filter of stride 1. `places` are the finite points at which the polynomials are evaluated; the last point
 * is infinity.
 */
function filterAt(places: readonly number[], taps = KERNEL): Filter {
  const output = places.length + 2 - taps;
  const others = (i: number) => places.filter((_, j) => j !== i);
  const powers = (value: number, count: number) => Array.from({ length: count }, (_, k) => value ** k);
  const scaled = (place: number, i: number) => {
    const scale = others(i).reduce((product, other) => product * (place - other), 1);
    return powers(place, taps).map((value) => value / scale);
  };
  return {
    stride: 1,
    output,
    back: [...places.map((place) => powers(place, output)), unit(output, output - 1)],
    kernel: [...places.map(scaled), unit(taps, taps - 1)],
    input: [...places.map((_, i) => [...polynomial(others(i)), 0]), polynomial(places)],
  };
}

const unit = (length: number, at: number): number[] => Array.from({ length }, (_, i) => (i === at ? 1 : 0));

/** Coefficients of the product of all (x - root), beginning with the constant. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce<number[]>(
    (product, root) => [...product, 0].map((_, i) => (product[i - 1] ?? 0) - root * (product[i] ?? 0)),
    [1],
  );
}

/**
 * Filter of stride 2. The two outer taps of the kernel read the even positions, with minimal filtering of two
 * taps. The middle tap reads the odd positions, without minimal filtering.
 */
function stridedFilterAt(places: readonly number[]): Filter {
  const { output, back, kernel, input } = filterAt(places, 2);
  const results = Array.from({ length: output }, (_, i) => i);
  return {
    stride: 2,
    output,
    back: [...back, ...results.map((i) => unit(output, i))],
    kernel: [...kernel.map(([first, last]) => [first!, 0, last!]), ...results.map(() => unit(KERNEL, 1))],
    input: [
      ...input.map((row) => row.flatMap((value, i) => (i === 0 ? [value] : [0, value]))),
      ...results.map((i) => unit(2 * output + 1, 2 * i + 1)),
    ],
  };
}

/**
 * The available filters. The points of the second filter reduce its rounding errors to a third of those with
 * the points 1 and 2.
 */
const FILTERS = [filterAt([0, 1, -1]), filterAt([0, 0.75, -0.75, 1.5, -1.5]), stridedFilterAt([0, 1])];

export interface WinogradPlan {
  readonly filter: Filter;
  readonly batch: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Height and width. */
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  readonly before: readonly [number, number];
  /** Number of tiles along the height and along the width. */
  readonly tiles: readonly [number, number];
  /** Number of rows of tiles that one product transforms. */
  readonly tileRows: number;
}

/**
 * Plans for a 3 x 3 convolution of stride 1 or 2 with a known batch size, including plans that do not pay.
 * Other convolutions have no plans. Each filter has a plan for the whole map in one piece, and a plan for
 * strips of one row of tiles.
 */
export function winogradPlans(
  shape: ConvolutionShape | undefined,
  window: Window,
  images: Tensor,
): WinogradPlan[] {
  const [batch] = images.shape;
  const plain = [...window.dilations, window.groups].every((n) => n === 1);
  const small = window.kernel.length === 2 && window.kernel.every((k) => k === KERNEL);
  if (images.dtype !== "float32" || shape === undefined || typeof batch !== "number") return [];
  if (!plain || !small) return [];
  const [channelsIn, height, width] = shape.x;
  const [channelsOut, ...output] = shape.y;
  const filters = FILTERS.filter(({ stride }) => window.strides.every((s) => s === stride));
  const plans = filters.flatMap((filter) => {
    const tiles = [Math.ceil(output[0] / filter.output), Math.ceil(output[1] / filter.output)] as const;
    return [...new Set([tiles[0], 1])].map((tileRows): WinogradPlan => ({
      filter,
      batch,
      channelsIn,
      channelsOut,
      input: [height, width],
      output,
      before: [window.before[0]!, window.before[1]!],
      tiles,
      tileRows,
    }));
  });
  return plans.filter((plan) => stripsOf(plan).every(({ seen }) => seen[0] < seen[1]));
}

/** Limits within which this form pays, as measured in docs/engine.md. */
interface Bounds {
  /** Smallest number of input and of output channels. */
  readonly channels: number;
  /** Smallest number of tiles in the batch; with fewer, reading the kernels dominates. */
  readonly tiles: number;
  /** Largest ratio of the multiply-adds to those of the direct sum. */
  readonly share: number;
  /** Cost of reading one number of a kernel's spectrum, and of computing it if the kernel is fed, in multiply-adds. */
  readonly perKernelNumber: number;
  /** Cost of copying one number into a strip or back, in multiply-adds. */
  readonly perCutNumber: number;
}

/**
 * Limits for constant kernels. For these, ONNX Runtime's own convolution is faster than for fed kernels, and
 * the spectra are computed before the graph runs.
 */
const FIXED: Bounds = { channels: 64, tiles: 16, share: 0.8, perKernelNumber: 24, perCutNumber: 240 };
const FED: Bounds = { channels: 32, tiles: 16, share: 1.1, perKernelNumber: 48, perCutNumber: 120 };
/** Cost of reading one number of a kernel's spectrum for each strip after the first, in multiply-adds. */
const READ_AGAIN = 24;

/**
 * The plan that saves most, or undefined if none saves anything. The saving is largest for many channels on
 * few tiles.
 */
export function winogradPlan(
  shape: ConvolutionShape | undefined,
  window: Window,
  images: Tensor,
  fixedKernel = false,
): WinogradPlan | undefined {
  const bounds = fixedKernel ? FIXED : FED;
  const [best] = winogradPlans(shape, window, images).sort((a, b) => costOf(a, bounds) - costOf(b, bounds));
  if (best === undefined) return undefined;
  const { channelsIn, channelsOut } = best;
  if (Math.min(channelsIn, channelsOut) < bounds.channels || tilesOf(best) * best.batch < bounds.tiles) {
    return undefined;
  }
  const direct = KERNEL ** 2 * channelsIn * channelsOut * area(best.output) * best.batch;
  return costOf(best, bounds) <= bounds.share * direct ? best : undefined;
}

function costOf(plan: WinogradPlan, { perKernelNumber, perCutNumber }: Bounds): number {
  const { batch, channelsIn, channelsOut, tiles, tileRows } = plan;
  const cutting = tileRows < tiles[0] ? perCutNumber : 0;
  const strips = stripsOf(plan).map(({ part }) => {
    const numbers = (channelsIn * area(part.input) + channelsOut * area(part.output)) * batch;
    return numbers * (pointsOf(plan) * tilesOf(part) + cutting);
  });
  const reading = perKernelNumber + READ_AGAIN * (strips.length - 1);
  const products = channelsIn * channelsOut * (tilesOf(plan) * batch + reading);
  return strips.reduce((a, b) => a + b, pointsOf(plan) * products);
}

const area = ([height, width]: readonly [number, number]): number => height * width;
const tilesOf = ({ tiles }: WinogradPlan): number => area(tiles);
const pointsOf = ({ filter }: WinogradPlan): number => filter.input.length ** 2;

// ---- strips ------------------------------------------------------------------------------------------------------------

type Range = readonly [start: number, end: number];

/** A strip: some rows of tiles, with a plan of its own. */
interface Strip {
  readonly part: WinogradPlan;
  /**
   * Rows of the input that the strip reads. The rows of neighbouring strips overlap, and the rows of all
   * strips together cover the input.
   */
  readonly seen: Range;
  /** Rows of the output that the strip computes. */
  readonly made: Range;
}

function stripsOf(plan: WinogradPlan): Strip[] {
  const { filter, input, output, before, tiles, tileRows } = plan;
  if (tileRows === tiles[0]) return [{ part: plan, seen: [0, input[0]], made: [0, output[0]] }];
  const count = Math.ceil(tiles[0] / tileRows);
  return Array.from({ length: count }, (_, i) => {
    const rows = Math.min(tileRows, tiles[0] - i * tileRows);
    const start = i * tileRows * filter.output;
    const made: Range = [start, Math.min(start + rows * filter.output, output[0])];
    const first = made[0] * filter.stride - before[0];
    const last = (made[1] - 1) * filter.stride + KERNEL - before[0];
    const seen: Range = [Math.max(0, first), i === count - 1 ? input[0] : Math.min(input[0], last)];
    const part: WinogradPlan = {
      ...plan,
      input: [seen[1] - seen[0], input[1]],
      output: [made[1] - made[0], output[1]],
      before: [seen[0] - first, before[1]],
      tiles: [rows, tiles[1]],
      tileRows: rows,
    };
    return { part, seen, made };
  });
}

function rowsOf(x: Tensor, [start, end]: Range): Tensor {
  return end - start === x.shape[2] ? x : slice(x, [{ axis: 2, start, end }]);
}

/** Adds up strips at their positions. A strip overlaps with no strip after the next one. */
function overlapped(strips: readonly { readonly rows: Range; readonly values: Tensor }[]): Tensor {
  if (strips.length === 1) return strips[0]!.values;
  const parts = strips.flatMap(({ rows: [start, end], values }, i) => {
    const part = (from: number, to: number) =>
      from < to ? [rowsOf(values, [from - start, to - start])] : [];
    const [previous, next] = [strips[i - 1], strips[i + 1]];
    const own = part(previous?.rows[1] ?? start, next?.rows[0] ?? end);
    const shared = next === undefined ? [] : part(next.rows[0], end);
    return [...own, ...shared.map((row) => add(row, rowsOf(next!.values, [0, end - next!.rows[0]])))];
  });
  return concat(parts, 2);
}

// ---- matrices ----------------------------------------------------------------------------------------------------------

/**
 * Constant matrix with rows (point, tile) and a column for each position of a map, from a matrix
 * [point, position in the tile] for each axis. Tiles are `step` positions apart, and the first one begins
 * `before` positions ahead of the map.
 */
function tileMatrix(
  name: string,
  { tiles }: WinogradPlan,
  matrix: Matrix,
  map: readonly [number, number],
  step: number,
  before: readonly [number, number],
): Tensor {
  const [points, count] = [matrix.length, area(tiles)];
  const full = `winograd ${name} ${points} ${step} ${tiles.join()} ${map.join()} ${before.join()}`;
  return sharedMatrix(full, points * points * count, area(map), (row, column) => {
    const [point, tile] = [Math.floor(row / count), row % count];
    const y = Math.floor(column / map[1]) - step * Math.floor(tile / tiles[1]) + before[0];
    const x = (column % map[1]) - step * (tile % tiles[1]) + before[1];
    return (matrix[Math.floor(point / points)]![y] ?? 0) * (matrix[point % points]![x] ?? 0);
  });
}

function inputMatrix(plan: WinogradPlan): Tensor {
  const { input, output, stride } = plan.filter;
  return tileMatrix("input", plan, input, plan.input, stride * output, plan.before);
}

function outputMatrix(plan: WinogradPlan): Tensor {
  return tileMatrix("output", plan, plan.filter.back, plan.output, plan.filter.output, [0, 0]);
}

function kernelMatrix({ filter: { kernel } }: WinogradPlan): Tensor {
  const points = kernel.length;
  const value = (point: number, tap: number) =>
    kernel[Math.floor(point / points)]![Math.floor(tap / KERNEL)]! * kernel[point % points]![tap % KERNEL]!;
  return sharedMatrix(`winograd kernel ${points}`, points * points, KERNEL ** 2, value);
}

// ---- transforms --------------------------------------------------------------------------------------------------------

/** Transforms maps [batch, channels, height, width] to [points, tiles x batch, channels]. */
function spectrum(x: Tensor, matrix: Tensor, plan: WinogradPlan): Tensor {
  const points = fusedMatmul(matrix, reshape(x, [-1, matrix.shape[1]!]), { transB: 1 });
  return reshape(points, [pointsOf(plan), -1, x.shape[1]!]);
}

const inputSpectrum = (x: Tensor, rows: Range, part: WinogradPlan): Tensor =>
  spectrum(rowsOf(x, rows), inputMatrix(part), part);

const outputSpectrum = (dy: Tensor, rows: Range, part: WinogradPlan): Tensor =>
  spectrum(rowsOf(dy, rows), outputMatrix(part), part);

/**
 * Multiplies the spectra of maps by those of kernels (transposed for gradients), and transforms the result
 * back to maps [batch, channels, height, width]. If one tile covers the whole map, reading the kernels takes
 * most of the time. Then the kernels are the left factor of the product, which is read directly; a right
 * factor would be copied.
 */
function throughKernels(source: Tensor, kernel: Tensor, back: boolean, plan: WinogradPlan): Tensor {
  const [channels, map] = back ? [plan.channelsIn, plan.input] : [plan.channelsOut, plan.output];
  const matrix = back ? inputMatrix(plan) : outputMatrix(plan);
  const positions = (points: Tensor) =>
    fusedMatmul(reshape(points, [pointsOf(plan) * tilesOf(plan), -1]), matrix, { transA: 1 });
  if (tilesOf(plan) > 1) {
    const points = back ? matmul(source, kernel) : fusedMatmul(source, kernel, { transB: 1 });
    return reshape(positions(points), [-1, channels, ...map]);
  }
  const points = fusedMatmul(kernel, source, back ? { transA: 1, transB: 1 } : { transB: 1 });
  const byChannel = reshape(positions(points), [channels, -1, area(map)]);
  return reshape(transpose(byChannel, [1, 0, 2]), [-1, channels, ...map]);
}

/**
 * The spectra of kernels. A transpose and a product compute them, so that ONNX Runtime does this only once
 * for constant kernels.
 */
function kernelSpectrum(w: Tensor, plan: WinogradPlan): Tensor {
  const { channelsIn, channelsOut } = plan;
  const taps = transposeMatrix(reshape(w, [channelsOut * channelsIn, KERNEL ** 2]));
  return reshape(matmul(kernelMatrix(plan), taps), [pointsOf(plan), channelsOut, channelsIn]);
}

// ---- the three convolutions ------------------------------------------------------------------------------------------------

/** Computes conv(x, w). */
export function winogradConvolution(x: Tensor, w: Tensor, plan: WinogradPlan): Tensor {
  const kernel = kernelSpectrum(w, plan);
  const strips = stripsOf(plan).map(({ part, seen }) =>
    throughKernels(inputSpectrum(x, seen, part), kernel, false, part),
  );
  return strips.length === 1 ? strips[0]! : concat(strips, 2);
}

/** The gradient of x: the transposed convolution of dy. */
export function winogradInputGradient(dy: Tensor, w: Tensor, plan: WinogradPlan): Tensor {
  const kernel = kernelSpectrum(w, plan);
  return overlapped(
    stripsOf(plan).map(({ part, seen, made }) => ({
      rows: seen,
      values: throughKernels(outputSpectrum(dy, made, part), kernel, true, part),
    })),
  );
}

/** The gradient of w, summed over strips and over several uses before the inverse transform. */
export function winogradWeightGradient(
  pairs: readonly (readonly [x: Tensor, dy: Tensor])[],
  plan: WinogradPlan,
): Tensor {
  const { channelsIn, channelsOut } = plan;
  const points = addAll(
    pairs.flatMap(([x, dy]) =>
      stripsOf(plan).map(({ part, seen, made }) =>
        fusedMatmul(outputSpectrum(dy, made, part), inputSpectrum(x, seen, part), { transA: 1 }),
      ),
    ),
  );
  const spectra = reshape(points, [pointsOf(plan), channelsOut * channelsIn]);
  const kernels = fusedMatmul(spectra, kernelMatrix(plan), { transA: 1 });
  return reshape(kernels, [channelsOut, channelsIn, KERNEL, KERNEL]);
}
