import type { ConvolutionShape } from "./fourier.js";
import { matmul } from "../operators/linear/matmul.js";
import { reshape, transpose } from "../operators/shape/shape.js";
import { sharedMatrix } from "../shared-constant.js";
import type { Tensor } from "../tensor.js";
import { constant, constantData } from "../tensor.js";
import type { Window } from "../window.js";

/*
 * Convolution with large constant kernels and any stride. Along the height, it is a product for each
 * frequency; along the width, it is a direct sum.
 *
 * With stride s, write k - padTop = s t + p for kernel row k. For every output row o, this kernel row
 * multiplies the input row s (o + t) + p. So each of the s phases p is a convolution of stride 1 on the input
 * rows s m + p. On a circle of n rows, which is so long that nothing wraps round, this convolution is one
 * product for each frequency. The frequencies are half-integers, g = f + 1/2 with f = 0 .. n / 2 - 1. In
 * contrast to integer frequencies, all of them have an imaginary part, so that no product multiplies by
 * zeros.
 *
 *     X_p[f] = sum_m x[s m + p] e^{-2 pi i g m / n},   K_p[f] = sum_t K[s t + p] e^{2 pi i g t / n}
 *     y[o] = 2/n Re sum_f e^{2 pi i g o / n} sum_p X_p[f] K_p[f]
 *
 * The sum over kernel columns is direct: at each frequency, one matrix product multiplies the kernels
 * [(re | im, out), (in, phase, re | im, kernel column)] by the image columns under them. Products with constant
 * matrices transform the image to the frequencies, collect the image columns under the kernels, and transform
 * the result back. For k x k kernels on `in` input channels, the number of multiply-adds per output channel
 * and column is n (2 s in k + height) instead of in k^2 height, which is a fifth for a 31 x 31 kernel of
 * stride 2 on 64 rows. All of them are in matrix products.
 */

interface Plan {
  readonly stride: number;
  readonly height: number;
  readonly heightOut: number;
  readonly padTop: number;
  readonly kernelHeight: number;
  /** Length of the circle, an even number. Half of it is the number of frequencies. */
  readonly length: number;
}

function planOf({ x, y }: ConvolutionShape, window: Window): Plan {
  const [stride, kernelHeight, padTop] = [window.strides[0]!, window.kernel[0]!, window.before[0]!];
  const first = Math.floor(-padTop / stride);
  const last = Math.floor((kernelHeight - 1 - padTop) / stride);
  const needed = Math.max(Math.ceil(x[1] / stride) - first, y[1] + last, 1);
  return { stride, height: x[1], heightOut: y[1], padTop, kernelHeight, length: needed + (needed % 2) };
}

/**
 * Whether this form applies and saves at least a quarter of the multiply-adds. The threshold was measured;
 * see docs/engine.md.
 */
export function halfFourierPays(shape: ConvolutionShape, window: Window): boolean {
  const plain = window.groups === 1 && window.dilations.every((d) => d === 1) && window.kernel.length === 2;
  const [into, , width] = shape.x;
  const [out, heightOut] = shape.y;
  if (!plain || out < 16 || into > 4) return false;
  const { stride, length } = planOf(shape, window);
  const [kernelHeight, kernelWidth] = window.kernel as [number, number];
  // Numbers of multiply-adds for each output column.
  const windows = length * stride * into * kernelWidth * width;
  const products = 2 * length * stride * into * kernelWidth * out;
  const back = length * heightOut * out;
  const direct = into * kernelHeight * kernelWidth * heightOut * out;
  return windows + products + back <= 0.75 * direct;
}

/**
 * Matrix of the transform. Its rows are (frequency, phase, re | im); it has one column for each row of the
 * image.
 */
function transformMatrix({ stride, height, length }: Plan): Tensor {
  return sharedMatrix(`phases ${stride} ${length}`, length * stride, height, (row, y) => {
    const phase = (row >> 1) % stride;
    if (y % stride !== phase) return 0;
    const angle = turn(Math.floor(row / (2 * stride)), (y - phase) / stride, length);
    return row % 2 === 0 ? Math.cos(angle) : -Math.sin(angle);
  });
}

/**
 * Matrix of the inverse transform. It has one row for each output row; its columns are (frequency, re | im).
 */
function inverseMatrix({ length, heightOut }: Plan): Tensor {
  return sharedMatrix(`phases back ${length}`, heightOut, length, (y, column) => {
    const angle = turn(column >> 1, y, length);
    return (2 / length) * (column % 2 === 0 ? Math.cos(angle) : -Math.sin(angle));
  });
}

function turn(frequency: number, place: number, length: number): number {
  return (2 * Math.PI * (frequency + 0.5) * place) / length;
}

/**
 * The spectrum of a weight [out, in, kernel height, kernel width]: for each frequency, a real matrix that
 * does the complex products. The result has the shape [frequency, rows, columns]. Rows are
 * (re | im of the output, out); columns are (in, phase, re | im of the input, kernel column).
 */
function kernelSpectra(w: Tensor, plan: Plan): Tensor {
  const { stride, padTop, kernelHeight, length } = plan;
  const [out, into, , width] = w.shape as [number, number, number, number];
  const weight = constantData(w)!.data as Float32Array;
  // An angle is (2 f + 1) t / (2 n) of a full turn.
  const cos = Float64Array.from({ length: 2 * length }, (_, i) => Math.cos((Math.PI * i) / length));
  const sin = Float64Array.from({ length: 2 * length }, (_, i) => Math.sin((Math.PI * i) / length));
  const inputs = into * stride * 2;
  const frequencies = length / 2;
  const data = new Float32Array(frequencies * 2 * out * inputs * width);
  const taps = Array.from({ length: kernelHeight }, (_, k) => {
    const shift = Math.floor((k - padTop) / stride);
    return { k, shift, phase: k - padTop - stride * shift };
  });
  const sums = new Float64Array(2 * stride);
  for (let f = 0; f < frequencies; f++) {
    const turns = taps.map(({ shift }) => {
      const angle = ((2 * f + 1) * shift) % (2 * length);
      return angle < 0 ? angle + 2 * length : angle;
    });
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < into; i++) {
        for (let j = 0; j < width; j++) {
          sums.fill(0);
          const first = (o * into + i) * kernelHeight * width + j;
          for (const { k, phase } of taps) {
            const value = weight[first + k * width]!;
            sums[2 * phase]! += value * cos[turns[k]!]!;
            sums[2 * phase + 1]! += value * sin[turns[k]!]!;
          }
          for (let p = 0; p < stride; p++) {
            const [re, im] = [sums[2 * p]!, sums[2 * p + 1]!];
            const at = (part: number, from: number) =>
              (((f * 2 + part) * out + o) * inputs + (i * stride + p) * 2 + from) * width + j;
            data[at(0, 0)] = re;
            data[at(0, 1)] = -im;
            data[at(1, 0)] = im;
            data[at(1, 1)] = re;
          }
        }
      }
    }
  }
  return constant({ dtype: "float32", shape: [frequencies, 2 * out, inputs * width], data });
}

/** The spectra of each weight by plan, so that several uses of a weight share one spectrum. */
const spectra = new WeakMap<Tensor, Map<string, Tensor>>();

function spectraOf(w: Tensor, plan: Plan): Tensor {
  const ofWeight = spectra.get(w) ?? new Map<string, Tensor>();
  spectra.set(w, ofWeight);
  const key = JSON.stringify(plan);
  const known = ofWeight.get(key);
  if (known !== undefined) return known;
  const fresh = kernelSpectra(w, plan);
  ofWeight.set(key, fresh);
  return fresh;
}

/**
 * Computes conv(x, w) for a constant w, dilation 1, one group and two spatial axes. Convolutions of the same
 * image share everything except the kernels, because `lower` merges equal calls. The batch stays the
 * outermost axis throughout. For one input channel, only the result must be transposed, and this moves whole
 * rows. The Fourier transform runs along the height, so the inverse transform is a plain multiplication from
 * the left. A transform along the width would need a transposed left factor, which makes the product take 1.5
 * times as long.
 */
export function halfFourierConvolution(
  x: Tensor,
  w: Tensor,
  shape: ConvolutionShape,
  window: Window,
): Tensor {
  const plan = planOf(shape, window);
  const [into, , width] = shape.x;
  const [out, heightOut, widthOut] = shape.y;
  const { stride, length } = plan;
  const [kernelWidth, step, before] = [window.kernel[1]!, window.strides[1]!, window.before[1]!];
  const spectrum = matmul(transformMatrix(plan), x);
  const windows = reshape(
    matmul(reshape(spectrum, [-1, width]), windowMatrix(width, kernelWidth, widthOut, step, before)),
    [-1, into, length / 2, 2 * stride * kernelWidth, widthOut],
  );
  const seen = into === 1 ? windows : transpose(windows, [0, 2, 1, 3, 4]);
  const products = matmul(
    spectraOf(w, plan),
    reshape(seen, [-1, length / 2, into * 2 * stride * kernelWidth, widthOut]),
  );
  const lines = matmul(inverseMatrix(plan), reshape(products, [-1, length, out * widthOut]));
  return transpose(reshape(lines, [-1, heightOut, out, widthOut]), [0, 2, 1, 3]);
}

/**
 * Matrix of ones and zeros that maps a row of the image to the values under every kernel column for every
 * output column, with zeros beyond the border. The product with this matrix moves whole rows, whereas a
 * gather would copy single numbers.
 */
function windowMatrix(width: number, kernel: number, widthOut: number, step: number, before: number): Tensor {
  const name = `windows ${kernel} ${step} ${before}`;
  return sharedMatrix(name, width, kernel * widthOut, (x, column) =>
    x === step * (column % widthOut) + Math.floor(column / widthOut) - before ? 1 : 0,
  );
}
