import { checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/**
 * Receptive fields of a population of V1 cells, one entry per cell: simple cells first, then complex ones. In the units of
 * physiology; {@link inPixels} gives those of an image.
 */
export interface ReceptiveFields {
  /** Number of simple cells. */
  readonly simple: number;
  /** Number of complex cells. */
  readonly complex: number;
  /** Cycles per degree. */
  readonly spatialFrequency: Float64Array;
  /** Degrees. */
  readonly orientation: Float64Array;
  /** Degrees, of the carrier at the centre. */
  readonly phase: Float64Array;
  /** Standard deviation of the envelope along the carrier, in cycles. */
  readonly nx: Float64Array;
  /** Standard deviation of the envelope across the carrier, in cycles. */
  readonly ny: Float64Array;
  /** The colour channel that a cell sees (0 red, 1 green, 2 blue). */
  readonly colour: Int32Array;
  /** The colour channel that its quadrature partner sees: another one only in the 2020 model. */
  readonly quadratureColour: Int32Array;
  /** How they were drawn, for records. */
  readonly source: Readonly<Record<string, string | number>>;
}

/** Gabor functions on a pixel grid, one entry per cell. */
export interface GaborParameters {
  readonly simple: number;
  readonly complex: number;
  /** Cycles per pixel. */
  readonly frequency: ArrayLike<number>;
  /** Pixels, along the carrier. */
  readonly sigmaX: ArrayLike<number>;
  /** Pixels, across the carrier. */
  readonly sigmaY: ArrayLike<number>;
  /** Radians. */
  readonly orientation: ArrayLike<number>;
  /** Radians. */
  readonly phase: ArrayLike<number>;
  readonly colour: ArrayLike<number>;
  readonly quadratureColour: ArrayLike<number>;
}

/** How large an image appears to the eye. */
export interface ViewingGeometry {
  /** Side of the square images, pixels. */
  readonly imageSize: number;
  /** Angle that this side spans, degrees of the visual field. */
  readonly visualDegrees: number;
}

/** Pixels per degree of visual angle. Throws `StriateError` where size or angle is missing or not positive. */
export function pixelsPerDegree({ imageSize, visualDegrees }: ViewingGeometry): number {
  checkWhole("image size", imageSize);
  check(
    Number.isFinite(visualDegrees) && visualDegrees > 0,
    () =>
      `visual degrees: say how many degrees of visual angle the ${imageSize} pixels of an image span ` +
      `(the papers: 2 for 64 pixels, 8 for 224), got ${String(visualDegrees)}`,
  );
  return imageSize / visualDegrees;
}

/** f = sf / ppd, sigma = n / f, angles in radians. Throws `StriateError` as {@link pixelsPerDegree}. */
export function inPixels(fields: ReceptiveFields, geometry: ViewingGeometry): GaborParameters {
  const scale = pixelsPerDegree(geometry);
  const frequency = fields.spatialFrequency.map((sf) => sf / scale);
  return {
    simple: fields.simple,
    complex: fields.complex,
    frequency,
    sigmaX: fields.nx.map((n, i) => n / frequency[i]!),
    sigmaY: fields.ny.map((n, i) => n / frequency[i]!),
    orientation: fields.orientation.map(radians),
    phase: fields.phase.map(radians),
    colour: fields.colour,
    quadratureColour: fields.quadratureColour,
  };
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Throws `StriateError` unless both are whole numbers and there is at least one cell. */
export function checkCells(simple: number, complex: number): void {
  check(
    [simple, complex].every((n) => Number.isInteger(n) && n >= 0) && simple + complex > 0,
    () =>
      `V1: expected whole numbers of simple and complex cells, at least one cell, got ${simple} and ${complex}`,
  );
}
