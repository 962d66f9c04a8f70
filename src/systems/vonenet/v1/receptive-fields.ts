import { checkSome, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/**
 * Receptive fields of a population of V1 cells in physiological units, one entry per cell, simple cells before complex
 * cells. {@link inPixels} converts them to units of an image.
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
  /** Phase of the carrier at the centre, in degrees. */
  readonly phase: Float64Array;
  /** Standard deviation of the envelope along the carrier, in cycles. */
  readonly nx: Float64Array;
  /** Standard deviation of the envelope across the carrier, in cycles. */
  readonly ny: Float64Array;
  /** The colour channel that a cell sees (0 red, 1 green, 2 blue). */
  readonly colour: Int32Array;
  /**
   * The colour channel that a cell's quadrature partner sees. It differs from the cell's own only in the 2020 model.
   */
  readonly quadratureColour: Int32Array;
  /** The options by which the receptive fields were drawn, for records. */
  readonly source: Readonly<Record<string, string | number>>;
}

/** Gabor functions on a pixel grid, one entry per cell. */
export interface GaborParameters {
  readonly simple: number;
  readonly complex: number;
  /** Cycles per pixel. */
  readonly frequency: ArrayLike<number>;
  /** Standard deviation of the envelope along the carrier, in pixels. */
  readonly sigmaX: ArrayLike<number>;
  /** Standard deviation of the envelope across the carrier, in pixels. */
  readonly sigmaY: ArrayLike<number>;
  /** Radians. */
  readonly orientation: ArrayLike<number>;
  /** Radians. */
  readonly phase: ArrayLike<number>;
  readonly colour: ArrayLike<number>;
  readonly quadratureColour: ArrayLike<number>;
}

/** Size of the images in pixels and in the visual field. */
export interface ViewingGeometry {
  /** Side of the square images in pixels. */
  readonly imageSize: number;
  /** Visual angle that one side of an image spans, in degrees. */
  readonly visualDegrees: number;
}

/** Pixels per degree of visual angle. Throws `StriateError` if size or angle is missing or not positive. */
export function pixelsPerDegree({ imageSize, visualDegrees }: ViewingGeometry): number {
  checkWhole("image size", imageSize);
  check(
    Number.isFinite(visualDegrees) && visualDegrees > 0,
    () =>
      `visual degrees: expected the degrees of visual angle that the ${imageSize} pixels of an image span ` +
      `(the papers: 2 for 64 pixels, 8 for 224), got ${String(visualDegrees)}`,
  );
  return imageSize / visualDegrees;
}

/**
 * Converts receptive fields to pixels: f = sf / ppd, sigma = n / f, and angles in radians. Throws `StriateError` as
 * {@link pixelsPerDegree} does.
 */
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

/** Throws `StriateError` unless both counts are whole numbers and there is at least one cell. */
export function checkCells(simple: number, complex: number): void {
  checkWhole("V1: simple", simple, { from: 0 });
  checkWhole("V1: complex", complex, { from: 0 });
  checkSome("V1", simple + complex, "cell");
}
