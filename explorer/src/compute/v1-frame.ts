import type { Variant } from "striate/vonenet";

/** How V1 sees the picture: pixels and degrees of visual angle along a side, and pixels between neighbouring positions. */
export const SIGHT = { imageSize: 64, visualDegrees: 2, stride: 4 } as const;
/** Number of positions along a side of a response map. */
export const POSITIONS = SIGHT.imageSize / SIGHT.stride;
export const PIXELS_PER_DEGREE = SIGHT.imageSize / SIGHT.visualDegrees;
/** Number of cells of each kind. */
export const CELLS_PER_KIND = 32;

/** The settings that decide the cells and their noise. */
export interface PopulationRequest {
  readonly variant: Variant;
  readonly seed: number;
  readonly noise: boolean;
}

/** A population of cells, simple cells before complex cells; one entry per cell. */
export interface Population extends PopulationRequest {
  readonly simple: number;
  readonly complex: number;
  /** Degrees, from 0 to 180. */
  readonly orientation: Float64Array;
  /** Cycles per degree. */
  readonly spatialFrequency: Float64Array;
  /** Degrees. */
  readonly phase: Float64Array;
  /** Standard deviations of the envelope along and across the carrier, in cycles. */
  readonly nx: Float64Array;
  readonly ny: Float64Array;
  /** The first filter of each cell, [cells, kernelSize, kernelSize]. */
  readonly kernels: Float32Array;
  readonly kernelSize: number;
  /** Factor by which all responses are multiplied. */
  readonly gain: number;
}

/** The responses to one image. */
export interface V1Answer {
  /** The responses, [cells, POSITIONS, POSITIONS]. */
  readonly responses: Float32Array;
  /** Duration of the computation in milliseconds. */
  readonly milliseconds: number;
}

/** Orientations of a tuning curve, in degrees. */
export const ORIENTATIONS = Array.from({ length: 25 }, (_, i) => 7.5 * i);
/** Phases of a tuning curve, in degrees. */
export const PHASES = Array.from({ length: 25 }, (_, i) => 15 * i);

/** The responses of one cell to its preferred grating in other orientations and in other phases. */
export interface Tuning {
  readonly cell: number;
  /** Responses to drifting gratings, one for each of {@link ORIENTATIONS}. */
  readonly orientation: Float64Array;
  /** Responses to still gratings, one for each of {@link PHASES}. */
  readonly phase: Float64Array;
}
