import type { ConvolutionShape } from "./fourier.js";
import { add } from "../operators/elementwise/elementwise.js";
import { concat } from "../operators/shape/join.js";
import { matmul, transposeMatrix } from "../operators/linear/matmul.js";
import { reshape, transpose } from "../operators/shape/shape.js";
import { slice } from "../operators/shape/slice-pad.js";
import { sharedMatrix } from "../shared-constant.js";
import type { Tensor } from "../tensor.js";
import type { Window } from "../window.js";

/*
 * Convolution with large kernels on many channels. Both axes are transformed to frequencies. The convolution
 * then is one complex matrix product over the channels for each frequency f:
 *
 *     Y[f] = X[f] K[f],  K[f] = sum_k w[k] e^{2 pi i f (k - pad) / L},  dX[f] = dY[f] conj K[f],  dK[f] = conj dY[f] X[f]
 *
 * The circles, of length L, are so long that nothing wraps round. Every step is a matrix product. The
 * matrices of the transforms are small and constant. They multiply images from the left, so the positions of
 * the images are their first axes. A spectrum is [rows of frequencies, (re | im), columns of frequencies,
 * batch, channels]. Two real products, one with Re K and one with Im K, handle both parts of a spectrum, and
 * the inverse transform adds them up. Only the columns up to the middle are stored, because the others are
 * their mirror images.
 *
 * For a 9 x 9 kernel on 32 x 32 positions, this needs a tenth of the multiply-adds of a direct convolution.
 * An operand of several products is transformed only once, because `lower` merges equal calls. The matrices
 * are made only once for every size.
 */

/**
 * One spatial axis: the lengths of input, output and kernel, the padding before the input, and the length of
 * the circle.
 */
interface Axis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly before: number;
  readonly circle: number;
}

export interface SpectralPlan {
  readonly channelsIn: number;
  readonly channelsOut: number;
  readonly rows: Axis;
  readonly columns: Axis;
  /** Number of stored columns of frequencies. */
  readonly half: number;
}

function axisOf(shape: ConvolutionShape, window: Window, axis: 0 | 1): Axis {
  const [input, output] = [shape.x[axis + 1]!, shape.y[axis + 1]!];
  const [kernel, before] = [window.kernel[axis]!, window.before[axis]!];
  const reach = Math.max(input + before, output + kernel - 1 - before);
  return { input, output, kernel, before, circle: axis === 1 ? reach + (reach % 2) : reach };
}

/** A plan for a plain convolution (stride 1, dilation 1, one group), even if this form does not pay. */
export function planOf(shape: ConvolutionShape, window: Window): SpectralPlan {
  const [rows, columns] = [axisOf(shape, window, 0), axisOf(shape, window, 1)];
  return { channelsIn: shape.x[0], channelsOut: shape.y[0], rows, columns, half: columns.circle / 2 + 1 };
}

/**
 * Returns the plan if this form pays, else undefined. It pays for plain convolutions of many channels if it
 * needs at most a third of the multiply-adds of the direct sum, and if the batch is so large that reading the
 * spectra of the kernels does not dominate.
 */
export function spectralPlan(
  shape: ConvolutionShape | undefined,
  window: Window,
  batch: unknown,
): SpectralPlan | undefined {
  const unit = [...window.strides, ...window.dilations, window.groups].every((n) => n === 1);
  if (shape === undefined || !unit || window.kernel.length !== 2 || !window.kernel.every((k) => k >= 5)) {
    return undefined;
  }
  const large = Math.min(shape.x[0], shape.y[0]) >= 32 && typeof batch === "number" && batch >= 8;
  if (!large) return undefined;
  const plan = planOf(shape, window);
  const { rows, columns, half, channelsIn, channelsOut } = plan;
  const pairs = channelsIn * channelsOut;
  const direct = pairs * rows.kernel * columns.kernel * rows.output * columns.output;
  const forwardCost = 2 * half * rows.input * (columns.input + 2 * rows.circle) * channelsIn;
  const inverseCost = 2 * half * rows.output * (columns.output + 4 * rows.circle) * channelsOut;
  return 3 * (forwardCost + 4 * pairs * half * rows.circle + inverseCost) <= direct ? plan : undefined;
}

// ---- matrices ----------------------------------------------------------------------------------------------------------

/** Consecutive positions of samples on a circle. */
interface Samples {
  readonly count: number;
  /** Position of the first sample. */
  readonly first: number;
  readonly circle: number;
}

/**
 * Matrix that transforms real samples to (re | im, column of frequencies), with the factors e^{sign 2 pi i f
 * position / circle}.
 */
function realTransform({ count, first, circle }: Samples, half: number, sign: number): Tensor {
  return sharedMatrix(`real ${first} ${circle} ${sign}`, 2 * half, count, (row, sample) => {
    const angle = (2 * Math.PI * (row % half) * (sample + first)) / circle;
    return row < half ? Math.cos(angle) : sign * Math.sin(angle);
  });
}

/** Matrix that transforms complex samples (sample, re | im) to (frequency, re | im). */
function complexTransform({ count, first, circle }: Samples, sign: number): Tensor {
  return sharedMatrix(`complex ${first} ${circle} ${sign}`, 2 * circle, 2 * count, (row, column) => {
    const angle = (sign * 2 * Math.PI * (row >> 1) * ((column >> 1) + first)) / circle;
    if (row % 2 === column % 2) return Math.cos(angle);
    return row % 2 === 0 ? -Math.sin(angle) : Math.sin(angle);
  });
}

/** Matrix that transforms (re | im, column of frequencies) back to real samples. */
function realInverse({ count, first, circle }: Samples, half: number): Tensor {
  return sharedMatrix(`real inverse ${first} ${circle}`, count, 2 * half, (sample, column) => {
    const f = column % half;
    const angle = (2 * Math.PI * f * (sample + first)) / circle;
    const weight = (f === 0 || f === circle / 2 ? 1 : 2) / circle;
    return weight * (column < half ? Math.cos(angle) : -Math.sin(angle));
  });
}

/**
 * Factors with which two real products, 0 and 1, are added to the real and to the imaginary part of a result:
 * [0 to re, 1 to re, 0 to im, 1 to im].
 */
type Parts = readonly [number, number, number, number];

/**
 * Matrix that combines the products (frequency, 0 | 1) into complex numbers and transforms these back to
 * (sample, re | im).
 */
function complexInverse({ count, first, circle }: Samples, parts: Parts): Tensor {
  const [re0, re1, im0, im1] = parts;
  return sharedMatrix(
    `complex inverse ${first} ${circle} ${parts.join()}`,
    2 * count,
    2 * circle,
    (row, column) => {
      const angle = (2 * Math.PI * (column >> 1) * ((row >> 1) + first)) / circle;
      const [re, im] = column % 2 === 0 ? [re0, im0] : [re1, im1];
      const [c, s] = [Math.cos(angle) / circle, Math.sin(angle) / circle];
      return row % 2 === 0 ? c * re - s * im : s * re + c * im;
    },
  );
}

const samples = (count: number, { circle }: Axis, first = 0): Samples => ({ count, first, circle });
const taps = (axis: Axis): Samples => samples(axis.kernel, axis, -axis.before);

// ---- transforms --------------------------------------------------------------------------------------------------------

/** Transforms maps [batch, channels, height, width] to their spectrum [rows, 2, half, batch, channels]. */
function spectrum(x: Tensor, { rows, columns, half }: SpectralPlan): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const first = reshape(transpose(reshape(x, [batch * channels, height * width]), [1, 0]), [
    height,
    width,
    -1,
  ]);
  const across = matmul(realTransform(samples(width, columns), half, -1), first);
  const down = matmul(complexTransform(samples(height, rows), -1), reshape(across, [2 * height, -1]));
  return reshape(down, [rows.circle, 2, half, batch, channels]);
}

/**
 * Inverse transform: combines two tensors of products, each [rows, 2, half, batch, channels], into maps
 * [batch, channels, height, width].
 */
function fromSpectrum(
  products: readonly (readonly [Tensor, Parts])[],
  [height, width]: readonly [number, number],
  { rows, columns, half }: SpectralPlan,
): Tensor {
  const [, , , batch, channels] = products[0]![0].shape as [number, number, number, number, number];
  const lines = products
    .map(([product, parts]) =>
      matmul(complexInverse(samples(height, rows), parts), reshape(product, [2 * rows.circle, -1])),
    )
    .reduce((a, b) => add(a, b));
  const inverseCost = realInverse(samples(width, columns), half);
  const positions = matmul(inverseCost, reshape(lines, [height, 2 * half, -1]));
  const maps = transpose(reshape(positions, [height * width, batch * channels]), [1, 0]);
  return reshape(maps, [batch, channels, height, width]);
}

/**
 * Transforms a kernel [out, in, ...kernel] to the real and the imaginary part of its spectrum, each
 * [rows, 1, half, out, in].
 */
function kernelSpectrum(w: Tensor, plan: SpectralPlan): readonly [re: Tensor, im: Tensor] {
  const { rows, columns, half, channelsIn, channelsOut } = plan;
  const cells = rows.kernel * columns.kernel;
  const flat = transpose(reshape(w, [channelsOut * channelsIn, cells]), [1, 0]);
  const across = matmul(
    realTransform(taps(columns), half, 1),
    reshape(flat, [rows.kernel, columns.kernel, -1]),
  );
  const down = matmul(complexTransform(taps(rows), 1), reshape(across, [2 * rows.kernel, -1]));
  const whole = reshape(down, [rows.circle, 2, half, channelsOut, channelsIn]);
  return [slice(whole, [{ axis: 1, end: 1 }]), slice(whole, [{ axis: 1, start: 1 }])];
}

// ---- the three convolutions ------------------------------------------------------------------------------------------------

/** Computes conv(x, w). */
export function spectralConvolution(x: Tensor, w: Tensor, plan: SpectralPlan): Tensor {
  const [re, im] = kernelSpectrum(w, plan);
  const source = spectrum(x, plan);
  const products = [
    [matmul(source, transposeMatrix(re)), [1, 0, 0, 1]],
    [matmul(source, transposeMatrix(im)), [0, -1, 1, 0]],
  ] as const;
  return fromSpectrum(products, [plan.rows.output, plan.columns.output], plan);
}

/** The gradient of x: the transposed convolution of dy. */
export function spectralInputGradient(dy: Tensor, w: Tensor, plan: SpectralPlan): Tensor {
  const [re, im] = kernelSpectrum(w, plan);
  const source = spectrum(dy, plan);
  const products = [
    [matmul(source, re), [1, 0, 0, 1]],
    [matmul(source, im), [0, 1, -1, 0]],
  ] as const;
  return fromSpectrum(products, [plan.rows.input, plan.columns.input], plan);
}

/** The gradient of w, summed over several uses before the inverse transform. */
export function spectralWeightGradient(
  pairs: readonly (readonly [x: Tensor, dy: Tensor])[],
  plan: SpectralPlan,
): Tensor {
  const { rows, columns, half, channelsIn, channelsOut } = plan;
  const sums = pairs.map(([x, dy]) => {
    const [source, transposedSpectrum] = [spectrum(x, plan), transposeMatrix(spectrum(dy, plan))];
    const [re, im] = [slice(source, [{ axis: 1, end: 1 }]), slice(source, [{ axis: 1, start: 1 }])];
    return [matmul(transposedSpectrum, source), matmul(transposedSpectrum, concat([im, re], 1))] as const;
  });
  const same = sums.map(([product]) => product).reduce((a, b) => add(a, b));
  const crossTerms = sums.map(([, product]) => product).reduce((a, b) => add(a, b));
  const lines = [
    [same, [1, 1, 0, 0]],
    [crossTerms, [0, 0, 1, -1]],
  ] as const;
  const down = lines
    .map(([product, parts]) =>
      matmul(complexInverse(taps(rows), parts), reshape(product, [2 * rows.circle, -1])),
    )
    .reduce((a, b) => add(a, b));
  const across = matmul(realInverse(taps(columns), half), reshape(down, [rows.kernel, 2 * half, -1]));
  const cells = transpose(reshape(across, [rows.kernel * columns.kernel, -1]), [1, 0]);
  return reshape(cells, [channelsOut, channelsIn, rows.kernel, columns.kernel]);
}
