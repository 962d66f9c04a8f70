import { pixelsPerDegree } from "../v1/receptive-fields.js";
import type { ViewingGeometry } from "../v1/receptive-fields.js";

/** The two pathways from the retina to V1: P is the parvocellular pathway, M the magnocellular one. */
export const PATHWAYS = ["P", "M"] as const;
/** Name of a pathway. */
export type Pathway = (typeof PATHWAYS)[number];

/** Weights of the colours red, green and blue in the centre and in the surround of a receptive field. */
export interface Opponency {
  readonly name: string;
  readonly centre: readonly [red: number, green: number, blue: number];
  readonly surround: readonly [red: number, green: number, blue: number];
}

const THIRD = 1 / 3;
const WHITE = [THIRD, THIRD, THIRD] as const;

/**
 * The types of cells in each pathway (Piper et al. 2025). P cells oppose colours: red to green, green to red,
 * and blue to yellow. M cells oppose bright to dark. All centres are ON centres; the sign of a response says
 * which of the two opponents is stronger.
 */
export const OPPONENCIES: Readonly<Record<Pathway, readonly Opponency[]>> = {
  P: [
    { name: "red/green", centre: [1, 0, 0], surround: [0, 1, 0] },
    { name: "green/red", centre: [0, 1, 0], surround: [1, 0, 0] },
    { name: "blue/yellow", centre: [0, 0, 1], surround: [0.5, 0.5, 0] },
  ],
  M: [{ name: "bright/dark", centre: WHITE, surround: WHITE }],
};

/** Properties of the cells of a pathway. */
export interface PathwayConstants {
  /** Radius of the centre, at which a Gaussian has fallen to 1/e: degrees of visual angle x 32. */
  readonly centreRadius: number;
  /** Radius of the surround, in the same unit. */
  readonly surroundRadius: number;
  /** Height of the surround's Gaussian relative to that of the centre; it is negative. */
  readonly ratio: number;
  /** Radius of the pool of the contrast normalisation, in the same unit. */
  readonly poolRadius: number;
  /** Contrast energy at which the normalisation sets in (c50). */
  readonly semiSaturation: number;
  /** Exponent of the normalisation (n). */
  readonly exponent: number;
  /** Factor of the responses (k_exc). */
  readonly gain: number;
}

/** The resolution at which the radii of the constants are pixels. */
const TUNED_PIXELS_PER_DEGREE = 32;

/**
 * The published constants of both pathways. The authors fitted them to the literature's means for macaque
 * cells by a search with gratings (Piper et al. 2025). Some of them lie on the bounds of that search: for P
 * the low bound of the surround's radius and the high ones of the pool's radius, c50 and n; for M the high
 * bounds of the centre's and the pool's radii.
 */
export const PATHWAY_CONSTANTS: Readonly<Record<Pathway, PathwayConstants>> = {
  P: {
    centreRadius: 1.494800846305186,
    surroundRadius: 7.1528,
    ratio: -0.011894632845946745,
    poolRadius: 13.4115,
    semiSaturation: 1,
    exponent: 1,
    gain: 5.29525198895458,
  },
  M: {
    centreRadius: 2.4203904,
    surroundRadius: 17.091879253424104,
    ratio: -0.0037506100912582663,
    poolRadius: 28.872192,
    semiSaturation: 0.18501829502844522,
    exponent: 0.8068704487883759,
    gain: 2.8494928592250206,
  },
};

/** Radii of a pathway in pixels, and the odd sides of the kernels that follow from them. */
export interface PathwaySizes {
  readonly centreRadius: number;
  readonly surroundRadius: number;
  readonly poolRadius: number;
  /** Side of the centre-surround kernels. */
  readonly kernel: number;
  /** Side of the pool of the contrast normalisation. */
  readonly pool: number;
}

/**
 * Computes the radii of a pathway's Gaussians in pixels (rounded to float32, as in the authors' code), and
 * the sides of its kernels. A kernel contains 75 % of the energy of its largest Gaussian. It is never larger
 * than 2 imageSize - 1, for which the padding by reflection needs every pixel of an image.
 *
 * @throws StriateError if the image size or the visual angle is missing or not positive.
 */
export function pathwaySizes(pathway: Pathway, geometry: ViewingGeometry): PathwaySizes {
  const scale = Math.fround(pixelsPerDegree(geometry) / TUNED_PIXELS_PER_DEGREE);
  const { centreRadius, surroundRadius, poolRadius } = PATHWAY_CONSTANTS[pathway];
  const scaled = (radius: number): number => Math.fround(Math.fround(radius) * scale);
  const largest = 2 * geometry.imageSize - 1;
  const side = (radius: number): number => Math.min(kernelSide(radius), largest);
  return {
    centreRadius: scaled(centreRadius),
    surroundRadius: scaled(surroundRadius),
    poolRadius: scaled(poolRadius),
    kernel: side(scaled(surroundRadius)),
    pool: side(scaled(poolRadius)),
  };
}

/** Share of a Gaussian's energy that lies in its kernel. */
const ENERGY = 0.75;

/**
 * The side of a kernel that contains 75 % of the energy of the Gaussian exp(-(x^2 + y^2) / radius^2): twice
 * the rounded radius of the circle that contains as much, plus 1.
 */
function kernelSide(radius: number): number {
  const sigma = radius / Math.SQRT2;
  return 2 * Math.ceil(sigma * Math.sqrt(-2 * Math.log(1 - ENERGY))) + 1;
}

/** The opponencies of `cells` cells of a pathway. If there are more cells than types, the types repeat. */
export function opponenciesOf(pathway: Pathway, cells: number): Opponency[] {
  const types = OPPONENCIES[pathway];
  return Array.from({ length: cells }, (_, cell) => types[cell % types.length]!);
}
