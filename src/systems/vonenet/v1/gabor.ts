import { checkOdd } from "../../../util/check.js";
import type { GaborParameters } from "./receptive-fields.js";

/** The filters of a V1 population. Each cell has one kernel [size, size] and sees one colour channel. */
export interface FilterBank {
  /** Side of the kernels, an odd number of pixels. */
  readonly size: number;
  readonly simple: number;
  readonly complex: number;
  /** The kernels of all cells, [cells, size, size]. */
  readonly kernels: Float32Array;
  readonly colour: Int32Array;
  /** Quadrature partners of the complex cells, [complex, size, size]. Simple cells have none. */
  readonly quadrature: Float32Array;
  /** Colour channel of each complex cell's quadrature partner. */
  readonly quadratureColour: Int32Array;
}

/**
 * Computes the Gabor functions of all cells (Dapello et al. 2020; Barbulescu et al. 2023):
 *
 *     g = exp(-1/2 (x'^2 / sigmaX^2 + y'^2 / sigmaY^2)) / (2 pi sigmaX sigmaY) cos(2 pi f x' + phase)
 *     x' = x cos theta + y sin theta,  y' = -x sin theta + y cos theta
 *
 * x runs from row to row (downwards) and y from column to column. theta is the orientation and f the
 * frequency. The quadrature partner has the phase increased by pi/2. The functions are not normalised to a
 * mean or an energy.
 *
 * @throws StriateError for an even kernel size.
 */
export function v1GaborBank(parameters: GaborParameters, size: number): FilterBank {
  checkOdd("V1: kernel size", size);
  const { simple, complex, colour, quadratureColour } = parameters;
  const cells = simple + complex;
  const kernels = new Float32Array(cells * size * size);
  const quadrature = new Float32Array(complex * size * size);
  for (let cell = 0; cell < cells; cell++) {
    const at = cell * size * size;
    const into = kernels.subarray(at, at + size * size);
    const partner = cell < simple ? undefined : quadrature.subarray(at - simple * size * size);
    gabor(shapeOf(parameters, cell), size, into, partner);
  }
  return {
    size,
    simple,
    complex,
    kernels,
    colour: Int32Array.from(colour),
    quadrature,
    quadratureColour: Int32Array.from(quadratureColour).slice(simple),
  };
}

/**
 * The parameters of one Gabor function: frequency in cycles per pixel, widths in pixels, angles in radians.
 */
export interface GaborShape {
  readonly frequency: number;
  readonly sigmaX: number;
  readonly sigmaY: number;
  readonly orientation: number;
  readonly phase: number;
}

/** Computes the kernel [size, size] of one Gabor function with the formula of {@link v1GaborBank}. */
export function gaborKernel(shape: GaborShape, size: number): Float32Array {
  checkOdd("V1: kernel size", size);
  const kernel = new Float32Array(size * size);
  gabor(shape, size, kernel);
  return kernel;
}

function shapeOf(parameters: GaborParameters, cell: number): GaborShape {
  return {
    frequency: parameters.frequency[cell]!,
    sigmaX: parameters.sigmaX[cell]!,
    sigmaY: parameters.sigmaY[cell]!,
    orientation: parameters.orientation[cell]!,
    phase: parameters.phase[cell]!,
  };
}

/**
 * Where the envelope is below exp(-69), about 1e-30, the kernel is set to 0. Such small values do not affect
 * responses, but some would become subnormal numbers, which are many times slower to multiply.
 */
const FARTHEST = 69;

/**
 * Fills a kernel. The carrier is cos(a + b), where the angle a depends on the row and b on the column. It is
 * computed from their cosines and sines, so each pixel needs one exponential but no cosine.
 */
function gabor(shape: GaborShape, size: number, into: Float32Array, quadrature?: Float32Array): void {
  const { frequency, sigmaX, sigmaY, orientation, phase } = shape;
  const reach = size >> 1;
  const [c, s] = [Math.cos(orientation), Math.sin(orientation)];
  const [ax, ay] = [0.5 / (sigmaX * sigmaX), 0.5 / (sigmaY * sigmaY)];
  const xx = ax * c * c + ay * s * s;
  const yy = ax * s * s + ay * c * c;
  const xy = 2 * c * s * (ax - ay);
  const scale = 1 / (2 * Math.PI * sigmaX * sigmaY);
  const columnCos = new Float64Array(size);
  const columnSin = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    const angle = 2 * Math.PI * frequency * (j - reach) * s;
    columnCos[j] = Math.cos(angle);
    columnSin[j] = Math.sin(angle);
  }
  for (let i = 0; i < size; i++) {
    const x = i - reach;
    const angle = 2 * Math.PI * frequency * x * c + phase;
    const [rowCos, rowSin] = [Math.cos(angle), Math.sin(angle)];
    for (let j = 0; j < size; j++) {
      const y = j - reach;
      const exponent = xx * x * x + xy * x * y + yy * y * y;
      if (exponent > FARTHEST) continue;
      const envelope = scale * Math.exp(-exponent);
      into[i * size + j] = envelope * (rowCos * columnCos[j]! - rowSin * columnSin[j]!);
      if (quadrature) {
        quadrature[i * size + j] = -envelope * (rowSin * columnCos[j]! + rowCos * columnSin[j]!);
      }
    }
  }
}
