import type { ConvolutionShape } from "./fourier-convolution.js";
import { fusedMatmul } from "./operators/contrib.js";
import { addAll } from "./operators/elementwise.js";
import { matmul, transposeMatrix } from "./operators/linear.js";
import { reshape, transpose } from "./operators/shape.js";
import { sharedMatrix } from "./shared-constant.js";
import type { Tensor } from "./tensor.js";
import type { Window } from "./window.js";

/*
 * 3 x 3 convolutions of stride 1 by minimal filtering (Winograd 1980; Lavin and Gray 2016, "Fast Algorithms for
 * Convolutional Neural Networks", equation 8), F(m x m, 3 x 3): a tile of m x m results takes (m + 2)^2 products of
 * channels instead of 9 m^2. With m = 4 that is a fourth, with m = 2 four ninths.
 *
 *     Y = A^T [ (G w G^T) * (B^T x B) ] A
 *
 * On maps of a few tiles, all of B^T x B is one product with a constant matrix that also cuts the tiles out and knows the
 * zeros beyond the border, and so is the way back. The gradients are the adjoint of the same formula and use the same
 * matrices: what was transformed for one product serves the others, since equal calls are made once.
 *
 * With P = (m + 2)^2 points, spectra are [P, tiles x batch, channels], those of kernels [P, out, in].
 */

const KERNEL = 3;

/** F(m x m, 3 x 3) along one axis: matrices as rows of m + 2 points. */
interface Filter {
  /** m, the results of a tile. */
  readonly output: number;
  /** A, [points, output]. */
  readonly back: readonly (readonly number[])[];
  /** G, [points, 3]. */
  readonly kernel: readonly (readonly number[])[];
  /** B^T, [points, points]. */
  readonly input: readonly (readonly number[])[];
}

/** From the finite places at which polynomials are evaluated; the last is infinity. */
function filterAt(places: readonly number[]): Filter {
  const output = places.length + 2 - KERNEL;
  const others = (i: number) => places.filter((_, j) => j !== i);
  const powers = (value: number, count: number) => Array.from({ length: count }, (_, k) => value ** k);
  const infinity = (count: number) => Array.from({ length: count }, (_, k) => (k === count - 1 ? 1 : 0));
  const scaled = (place: number, i: number) => {
    const scale = others(i).reduce((product, other) => product * (place - other), 1);
    return powers(place, KERNEL).map((value) => value / scale);
  };
  return {
    output,
    back: [...places.map((place) => powers(place, output)), infinity(output)],
    kernel: [...places.map(scaled), infinity(KERNEL)],
    input: [...places.map((_, i) => [...polynomial(others(i)), 0]), polynomial(places)],
  };
}

/** Product of all (x - root), coefficients from the constant on. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce<number[]>(
    (product, root) => [...product, 0].map((_, i) => (product[i - 1] ?? 0) - root * (product[i] ?? 0)),
    [1],
  );
}

/** The places of the second keep rounding errors small, a third of those with 1 and 2. */
const FILTERS = [filterAt([0, 1, -1]), filterAt([0, 0.75, -0.75, 1.5, -1.5])];

export interface WinogradPlan {
  readonly filter: Filter;
  readonly batch: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Height and width. */
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  readonly before: readonly [number, number];
  /** Tiles along the height and the width. */
  readonly tiles: readonly [number, number];
}

/**
 * Plans for a 3 x 3 convolution of stride 1 of a known number of images, or of maps as many as they, whether they pay or
 * not, with 2 and with 4 results a tile; none for others.
 */
export function winogradPlans(
  shape: ConvolutionShape | undefined,
  window: Window,
  images: Tensor,
): WinogradPlan[] {
  const [batch] = images.shape;
  const unit = [...window.strides, ...window.dilations, window.groups].every((n) => n === 1);
  const small = window.kernel.length === 2 && window.kernel.every((k) => k === KERNEL);
  if (images.dtype !== "float32" || shape === undefined || typeof batch !== "number") return [];
  if (!unit || !small) return [];
  const [channelsIn, height, width] = shape.x;
  const [channelsOut, ...output] = shape.y;
  return FILTERS.map((filter) => ({
    filter,
    batch,
    channelsIn,
    channelsOut,
    input: [height, width],
    output,
    before: [window.before[0]!, window.before[1]!],
    tiles: [Math.ceil(output[0] / filter.output), Math.ceil(output[1] / filter.output)],
  }));
}

/** Where the form pays; measured, docs/engine.md. */
interface Bounds {
  /** Channels on both sides, at least. */
  readonly channels: number;
  /** Tiles in the batch, at least: with fewer, kernels are all there is to read. */
  readonly tiles: number;
  /** Multiply-adds over those of the direct sum, at most. */
  readonly share: number;
  /** What transforming and storing one number of a kernel's spectrum costs, in multiply-adds. */
  readonly perKernelNumber: number;
}

/** ONNX Runtime computes convolutions with constant kernels faster, and works out the spectra of such kernels beforehand. */
const FIXED: Bounds = { channels: 64, tiles: 16, share: 0.8, perKernelNumber: 0 };
const FED: Bounds = { channels: 32, tiles: 16, share: 1.1, perKernelNumber: 48 };

/** The plan that pays most, undefined where none does: it takes many channels on few tiles. */
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

function costOf(plan: WinogradPlan, { perKernelNumber }: Bounds): number {
  const { batch, channelsIn, channelsOut, input, output } = plan;
  const tiles = tilesOf(plan);
  const transforms = tiles * (channelsIn * area(input) + channelsOut * area(output)) * batch;
  const products = channelsIn * channelsOut * (tiles * batch + perKernelNumber);
  return pointsOf(plan) * (transforms + products);
}

const area = ([height, width]: readonly [number, number]): number => height * width;
const tilesOf = ({ tiles }: WinogradPlan): number => area(tiles);
const pointsOf = ({ filter }: WinogradPlan): number => filter.input.length ** 2;

// ---- matrices ----------------------------------------------------------------------------------------------------------

/** Rows (point, tile), one column for each position of a map, from a matrix [point, place in the tile] of one axis. */
function tileMatrix(
  name: string,
  { filter, tiles }: WinogradPlan,
  matrix: Filter["input"],
  map: readonly [number, number],
  offset: readonly [number, number],
): Tensor {
  const [points, count] = [filter.input.length, area(tiles)];
  const full = `winograd ${name} ${filter.output} ${tiles.join()} ${map.join()} ${offset.join()}`;
  return sharedMatrix(full, points * points * count, area(map), (row, column) => {
    const [point, tile] = [Math.floor(row / count), row % count];
    const y = Math.floor(column / map[1]) - filter.output * Math.floor(tile / tiles[1]) + offset[0];
    const x = (column % map[1]) - filter.output * (tile % tiles[1]) + offset[1];
    return (matrix[Math.floor(point / points)]![y] ?? 0) * (matrix[point % points]![x] ?? 0);
  });
}

const inputMatrix = (plan: WinogradPlan): Tensor =>
  tileMatrix("input", plan, plan.filter.input, plan.input, plan.before);

const outputMatrix = (plan: WinogradPlan): Tensor =>
  tileMatrix("output", plan, plan.filter.back, plan.output, [0, 0]);

function kernelMatrix({ filter: { kernel, output } }: WinogradPlan): Tensor {
  const points = kernel.length;
  const value = (point: number, tap: number) =>
    kernel[Math.floor(point / points)]![Math.floor(tap / KERNEL)]! * kernel[point % points]![tap % KERNEL]!;
  return sharedMatrix(`winograd kernel ${output}`, points * points, KERNEL ** 2, value);
}

// ---- transforms --------------------------------------------------------------------------------------------------------

/** [batch, channels, height, width] to [points, tiles x batch, channels]. */
function spectrum(x: Tensor, matrix: Tensor, plan: WinogradPlan): Tensor {
  const points = fusedMatmul(matrix, reshape(x, [-1, matrix.shape[1]!]), { transB: 1 });
  return reshape(points, [pointsOf(plan), -1, x.shape[1]!]);
}

/**
 * Spectra of maps through those of kernels, turned round for the way back of gradients, and to maps [batch, channels,
 * height, width]. Where one tile is the whole map there are few of them, and the kernels are what takes time to read: on
 * the left of the product they are read as they stand, on the right they would be copied.
 */
function throughKernels(
  source: Tensor,
  kernel: Tensor,
  back: boolean,
  { matrix, map }: { readonly matrix: Tensor; readonly map: readonly [number, number] },
  plan: WinogradPlan,
): Tensor {
  const channels = back ? plan.channelsIn : plan.channelsOut;
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

/** As transpose and product, so that ONNX Runtime works it out once for kernels that are constants. */
function kernelSpectrum(w: Tensor, plan: WinogradPlan): Tensor {
  const { channelsIn, channelsOut } = plan;
  const taps = transposeMatrix(reshape(w, [channelsOut * channelsIn, KERNEL ** 2]));
  return reshape(matmul(kernelMatrix(plan), taps), [pointsOf(plan), channelsOut, channelsIn]);
}

// ---- the three convolutions ------------------------------------------------------------------------------------------------

/** y = conv(x, w). */
export function winogradConvolution(x: Tensor, w: Tensor, plan: WinogradPlan): Tensor {
  const result = { matrix: outputMatrix(plan), map: plan.output };
  return throughKernels(spectrum(x, inputMatrix(plan), plan), kernelSpectrum(w, plan), false, result, plan);
}

/** The gradient of x: the transposed convolution of dy. */
export function winogradInputGradient(dy: Tensor, w: Tensor, plan: WinogradPlan): Tensor {
  const result = { matrix: inputMatrix(plan), map: plan.input };
  return throughKernels(spectrum(dy, outputMatrix(plan), plan), kernelSpectrum(w, plan), true, result, plan);
}

/** The gradient of w, summed over several uses before the way back. */
export function winogradWeightGradient(
  pairs: readonly (readonly [x: Tensor, dy: Tensor])[],
  plan: WinogradPlan,
): Tensor {
  const { channelsIn, channelsOut } = plan;
  const points = addAll(
    pairs.map(([x, dy]) =>
      fusedMatmul(spectrum(dy, outputMatrix(plan), plan), spectrum(x, inputMatrix(plan), plan), {
        transA: 1,
      }),
    ),
  );
  const kernels = fusedMatmul(
    reshape(points, [pointsOf(plan), channelsOut * channelsIn]),
    kernelMatrix(plan),
    {
      transA: 1,
    },
  );
  return reshape(kernels, [channelsOut, channelsIn, KERNEL, KERNEL]);
}
