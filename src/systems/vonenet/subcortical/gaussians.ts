import type { Tensor, TensorData } from "../../../graph/index.js";
import { axisMatrix, multiplyAxis } from "../../../graph/operators/linear/axis-matrix.js";
import type { AxisMatrix } from "../../../graph/operators/linear/axis-matrix.js";
import type { Opponency, PathwaySizes } from "./pathways.js";

/**
 * Samples exp(-t^2 / radius^2) at the pixels -w ... w of a kernel of side 2 w + 1. The product of two such
 * functions, one of rows and one of columns, is the Gaussian of a receptive field.
 */
export function gaussian(radius: number, side: number): Float64Array {
  const reach = side >> 1;
  return Float64Array.from({ length: side }, (_, i) => Math.exp(-(((i - reach) / radius) ** 2)));
}

const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

/** The sum of a Gaussian over the square kernel. */
const volume = (values: Float64Array): number => total(values) ** 2;

/** A Gaussian of each of centre and surround, and the factor of each in a cell's kernel. */
export interface CentreSurround {
  readonly centre: Float64Array;
  readonly surround: Float64Array;
  readonly centreFactor: number;
  readonly surroundFactor: number;
}

/**
 * The difference of Gaussians K = centre - |ratio| surround of a pathway, divided by its sum, so that it
 * gives uniform light the response 1. The weights of the colours in the centre and those in the surround
 * must add up to 1, which makes the sum the same for all cells.
 */
export function centreSurround(sizes: PathwaySizes, ratio: number): CentreSurround {
  const centre = gaussian(sizes.centreRadius, sizes.kernel);
  const surround = gaussian(sizes.surroundRadius, sizes.kernel);
  const sum = Math.abs(volume(centre) + ratio * volume(surround));
  return { centre, surround, centreFactor: 1 / sum, surroundFactor: ratio / sum };
}

/** The kernels of centre-surround cells, [cells, colours, side, side]. With one colour, the kernels of all colours add up. */
export function centreSurroundKernels(
  { centre, surround, centreFactor, surroundFactor }: CentreSurround,
  cells: readonly Opponency[],
  colours: number,
): TensorData {
  const side = centre.length;
  const values = cells.flatMap((cell) =>
    colourWeights(cell, colours).flatMap(([a, b]) =>
      Array.from({ length: side * side }, (_, i) => {
        const [row, column] = [Math.floor(i / side), i % side];
        return (
          a * centreFactor * centre[row]! * centre[column]! +
          b * surroundFactor * surround[row]! * surround[column]!
        );
      }),
    ),
  );
  return { dtype: "float32", shape: [cells.length, colours, side, side], data: Float32Array.from(values) };
}

/** For each colour of an image, a cell's weights in the centre and in the surround. */
export function colourWeights(
  { centre, surround }: Opponency,
  colours: number,
): (readonly [centre: number, surround: number])[] {
  if (colours === 1) return [[1, 1]];
  return centre.map((weight, colour) => [weight, surround[colour]!] as const);
}

/** The pool of the contrast normalisation: a Gaussian whose sum over the square kernel is 1. */
export function poolWindow(radius: number, side: number): Float64Array {
  const values = gaussian(radius, side);
  const sum = total(values);
  return values.map((value) => value / sum);
}

/** The pool of every cell, [cells, 1, side, side]. */
export function poolKernels(window: Float64Array, cells: number): TensorData {
  const side = window.length;
  const one = Float32Array.from(
    { length: side * side },
    (_, i) => window[Math.floor(i / side)]! * window[i % side]!,
  );
  const data = new Float32Array(cells * one.length);
  for (let cell = 0; cell < cells; cell++) data.set(one, cell * one.length);
  return { dtype: "float32", shape: [cells, 1, side, side], data };
}

/**
 * Convolves images [batch, channels, height, width] with the square kernel window x window, multiplied by
 * `factor`. At the borders, images are reflected without repeating the edge. The result is that of a
 * convolution with the square kernel; but one product with a matrix along each axis replaces it, whose rows
 * contain the window and its reflections.
 */
export function blur(x: Tensor, window: Float64Array, factor = 1): Tensor {
  const [height, width] = x.shape.slice(2) as [number, number];
  const blurredRows = multiplyAxis(x, 3, reflectingMatrix(window, width, 1));
  return multiplyAxis(blurredRows, 2, reflectingMatrix(window, height, factor));
}

/** The matrix [length, length] that slides a window along an axis and reflects the axis at both ends. */
function reflectingMatrix(window: Float64Array, length: number, factor: number): AxisMatrix {
  const reach = window.length >> 1;
  return axisMatrix(length, length, (add) => {
    for (let position = 0; position < length; position++)
      window.forEach((value, i) => {
        add(position, reflected(position + i - reach, length), factor * value);
      });
  });
}

/** The pixel that a position up to length - 1 pixels outside an axis mirrors. */
function reflected(position: number, length: number): number {
  const folded = Math.abs(position);
  return folded < length ? folded : 2 * (length - 1) - folded;
}
