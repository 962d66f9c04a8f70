import { checkWhole } from "../../../util/check.js";
import type { VOneBlock } from "../v1/vone-block.js";

/** A sinusoidal grating, the stimulus with which experimenters measure tuning. */
export interface Grating {
  /** Spatial frequency in cycles per degree. */
  readonly spatialFrequency: number;
  /**
   * Orientation in degrees. At 0, the grating varies from top to bottom. Receptive fields have the same
   * convention.
   */
  readonly orientation: number;
  /** Phase in degrees. */
  readonly phase: number;
  /**
   * Radius of a circular aperture in degrees of visual angle; outside it the stimulus is grey. Default: no aperture.
   */
  readonly radius?: number;
}

/** The response of one cell to a grating over one cycle of drift. */
export interface DriftResponse {
  /** Mean response, F0. */
  readonly mean: number;
  /** Amplitude of the response at the drift frequency, F1. */
  readonly modulation: number;
}

/** The property that a tuning curve varies. */
export type TuningAxis = "orientation" | "spatialFrequency" | "phase" | "radius";

/**
 * Computes the values of a grating of contrast 1, which are in [-1, 1], on a patch [size, size] around the
 * centre of a receptive field.
 */
export function gratingPatch(grating: Grating, size: number, pixelsPerDegree: number): Float32Array {
  const { spatialFrequency, orientation, phase, radius = Infinity } = grating;
  const patch = new Float32Array(size * size);
  const reach = size >> 1;
  const [theta, offset] = [orientation, phase].map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
  ];
  const [c, s] = [Math.cos(theta), Math.sin(theta)];
  const frequency = spatialFrequency / pixelsPerDegree;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const [x, y] = [i - reach, j - reach];
      if (Math.hypot(x, y) > radius * pixelsPerDegree) continue;
      patch[i * size + j] = Math.cos(2 * Math.PI * frequency * (x * c + y * s) + offset);
    }
  }
  return patch;
}

/**
 * Computes the response of a cell, without noise, to a patch [size, size] that is the same in all colour
 * channels.
 */
export function cellResponse(block: VOneBlock, cell: number, patch: Float32Array): number {
  const { bank, gain } = block;
  const area = bank.size * bank.size;
  checkCell(block, cell);
  const q0 = dot(bank.kernels, cell * area, patch);
  if (cell < bank.simple) return gain * Math.max(q0, 0);
  return gain * Math.SQRT1_2 * Math.hypot(q0, dot(bank.quadrature, (cell - bank.simple) * area, patch));
}

/**
 * Computes the response of a cell to a grating that drifts through one cycle in `steps` steps (default 16).
 * Experimenters call a cell simple if F1 / F0 is above 1, and complex otherwise (Skottun et al. 1991).
 */
export function driftResponse(block: VOneBlock, cell: number, grating: Grating, steps = 16): DriftResponse {
  let [sum, re, im] = [0, 0, 0];
  for (let step = 0; step < steps; step++) {
    const turn = step / steps;
    const patch = gratingPatch(
      { ...grating, phase: grating.phase + 360 * turn },
      block.bank.size,
      block.pixelsPerDegree,
    );
    const response = cellResponse(block, cell, patch);
    sum += response;
    re += response * Math.cos(2 * Math.PI * turn);
    im += response * Math.sin(2 * Math.PI * turn);
  }
  return { mean: sum / steps, modulation: (2 / steps) * Math.hypot(re, im) };
}

/**
 * Returns the grating that a cell prefers. It has the orientation, spatial frequency and phase of the cell's
 * receptive field.
 */
export function preferredGrating({ fields }: VOneBlock, cell: number): Grating {
  return {
    orientation: fields.orientation[cell]!,
    spatialFrequency: fields.spatialFrequency[cell]!,
    phase: fields.phase[cell]!,
  };
}

/**
 * Computes the tuning curve of a cell: its responses to its preferred grating while one property of the
 * grating is varied. If that property is orientation, spatial frequency or radius, the grating drifts, and
 * the response is F1 for simple cells and F0 for complex cells, as in experiments. If it is phase, the
 * grating is static. A radius above half the kernel has no further effect, because the receptive field of the
 * model cell ends there.
 *
 * @example
 * ```ts
 * import { VOneBlock, sampleReceptiveFields, tuningCurve } from "striate/vonenet";
 *
 * const fields = sampleReceptiveFields({ simple: 1, complex: 1, seed: 0 });
 * const block = new VOneBlock({ fields, imageSize: 64, visualDegrees: 2 });
 * const best = fields.orientation[1]!;
 * const [preferred = 0, orthogonal = 0] = tuningCurve(block, 1, "orientation", [best, best + 90]);
 * console.log(preferred > orthogonal); // true
 * ```
 */
export function tuningCurve(
  block: VOneBlock,
  cell: number,
  axis: TuningAxis,
  values: readonly number[],
): Float64Array {
  checkCell(block, cell);
  const preferred = preferredGrating(block, cell);
  return Float64Array.from(values, (value) => {
    const grating = { ...preferred, [axis]: value };
    if (axis === "phase") {
      return cellResponse(block, cell, gratingPatch(grating, block.bank.size, block.pixelsPerDegree));
    }
    const { mean, modulation } = driftResponse(block, cell, grating);
    return cell < block.simple ? modulation : mean;
  });
}

function dot(kernels: Float32Array, from: number, patch: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < patch.length; i++) sum += kernels[from + i]! * patch[i]!;
  return sum;
}

function checkCell(block: VOneBlock, cell: number): void {
  checkWhole("V1: cell", cell, { from: 0, to: block.cells - 1 });
}
