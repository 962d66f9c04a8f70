import { checkSome, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/**
 * The receptive fields of a population of V1 cells, in physiological units. Each list has one entry per cell,
 * simple cells before complex cells. {@link inPixels} converts the fields to units of an image.
 */
export interface ReceptiveFields {
  /** Number of simple cells. */
  readonly simple: number;
  /** Number of complex cells. */
  readonly complex: number;
  /** Preferred spatial frequency, in cycles per degree. */
  readonly spatialFrequency: Float64Array;
  /** Orientation, in degrees. */
  readonly orientation: Float64Array;
  /** Phase of the carrier at the centre, in degrees. */
  readonly phase: Float64Array;
  /** Standard deviation of the envelope along the carrier, in cycles. */
  readonly nx: Float64Array;
  /** Standard deviation of the envelope across the carrier, in cycles. */
  readonly ny: Float64Array;
  /**
   * The channel that each cell sees: 0 for red, 1 for green, 2 for blue, or the channel of a
   * `SubcorticalBlock`.
   */
  readonly colour: Int32Array;
  /**
   * The colour channel that each cell's quadrature partner sees. Only in the 2020 model can it differ from
   * the cell's own.
   */
  readonly quadratureColour: Int32Array;
  /** The options with which the receptive fields were drawn, kept as a record. */
  readonly source: Readonly<Record<string, string | number>>;
}

/** The parameters of Gabor functions on a grid of pixels. Each list has one entry per cell. */
export interface GaborParameters {
  readonly simple: number;
  readonly complex: number;
  /** Spatial frequency, in cycles per pixel. */
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

/**
 * Computes the number of pixels per degree of visual angle. Throws `StriateError` if size or angle is missing
 * or not positive.
 */
export function pixelsPerDegree({ imageSize, visualDegrees }: ViewingGeometry): number {
  checkWhole("image size", imageSize);
  check(
    Number.isFinite(visualDegrees) && visualDegrees > 0,
    () =>
      `visual degrees: expected the degrees of visual angle that the ${imageSize} pixels of an image span ` +
      `(in the papers, 2 for 64 pixels and 8 for 224), got ${String(visualDegrees)}`,
  );
  return imageSize / visualDegrees;
}

/**
 * Converts receptive fields to units of pixels and radians: frequency f = spatialFrequency / pixelsPerDegree,
 * and sigma = nx / f or ny / f. Throws `StriateError` in the same cases as {@link pixelsPerDegree}.
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
