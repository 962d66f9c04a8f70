import type { ColourDraw } from "./colour-draw.js";
import type { V1Histograms } from "./histograms.js";

/**
 * The ways of drawing receptive fields. Those of Barbulescu et al. 2023: "biol" draws from measured
 * histograms, and nx is correlated with spatial frequency; "unif1" draws all properties uniformly and
 * independently; "unif2" is like "unif1", but ny is nx with log-normal jitter; "unif3" is like "unif2", but
 * nx is correlated with spatial frequency. Those of Dapello et al. 2020: "orig-biol" draws from measured
 * histograms, and "orig-rand" draws all properties uniformly and independently.
 */
export const VARIANTS = ["biol", "unif1", "unif2", "unif3", "orig-biol", "orig-rand"] as const;
/** Name of a variant; docs/vonenet.md has a table of them. */
export type Variant = (typeof VARIANTS)[number];

/** Options for drawing receptive fields. */
export interface SamplingOptions {
  /** Default "biol". */
  readonly variant?: Variant;
  /** Number of simple cells. Default 256. */
  readonly simple?: number;
  /** Number of complex cells. Default 256. */
  readonly complex?: number;
  /** Random seed, for the same generator as NumPy's legacy one. Default 0. */
  readonly seed?: number;
  /**
   * Correlation between nx and spatial frequency. Default 0.75, but 0 for "unif1" and "unif2"; "orig-rand"
   * ignores it.
   */
  readonly correlation?: number;
  /** Lowest spatial frequency in cycles per degree. Histogram bins below it are left out. Default 0. */
  readonly minFrequency?: number;
  /**
   * Highest spatial frequency in cycles per degree. Histogram bins above it are left out. Default 11.5, but 9
   * for the 2020 variants.
   */
  readonly maxFrequency?: number;
  /** Standard deviation of the jitter between log10 nx and log10 ny in "unif2" and "unif3". Default 0.22. */
  readonly jitter?: number;
  /** Histograms from which to draw. Default: those of the paper from which the variant comes. */
  readonly histograms?: Partial<V1Histograms>;
  /**
   * Random seed for the colours in the 2020 variants, for which the authors' code uses PyTorch's generator.
   * Default: `seed`.
   */
  readonly colourSeed?: number;
  /**
   * Draws the colours as EVNet does, for any number of channels, such as those of a `SubcorticalBlock`; not
   * for the 2020 variants. Default: as Barbulescu et al. 2023 draw them, for 3 colours.
   */
  readonly colours?: ColourDraw;
}
