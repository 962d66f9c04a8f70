import type { V1Histograms } from "./histograms.js";

/**
 * The variants of drawing receptive fields. From Barbulescu et al. 2023: "biol" draws from measured histograms, with
 * widths correlated with spatial frequency; "unif1" draws all properties uniformly and independently; "unif2" is like
 * "unif1", but ny is nx with log-normal jitter; "unif3" is like "unif2", but nx is correlated with spatial frequency.
 * From Dapello et al. 2020: "orig-biol" and "orig-rand".
 */
export const VARIANTS = ["biol", "unif1", "unif2", "unif3", "orig-biol", "orig-rand"] as const;
/** Name of a variant (see the table in docs/vonenet.md). */
export type Variant = (typeof VARIANTS)[number];

/** Options of drawing receptive fields. */
export interface SamplingOptions {
  /** Default "biol". */
  readonly variant?: Variant;
  /** Number of simple cells, default 256. */
  readonly simple?: number;
  /** Number of complex cells, default 256. */
  readonly complex?: number;
  /** Random seed of NumPy's legacy generator, default 0. */
  readonly seed?: number;
  /** Correlation of nx and spatial frequency. Default 0.75, but 0 for "unif1" and "unif2". */
  readonly correlation?: number;
  /** Lowest spatial frequency in cycles per degree, default 0. Histogram bins below it are left out. */
  readonly minFrequency?: number;
  /**
   * Highest spatial frequency in cycles per degree, default 11.5 (9 for the 2020 variants). Histogram bins above it are
   * left out.
   */
  readonly maxFrequency?: number;
  /** Standard deviation of the jitter between log10 nx and log10 ny in "unif2" and "unif3", default 0.22. */
  readonly jitter?: number;
  /** Histograms to draw from. Default: those of the variant's paper. */
  readonly histograms?: Partial<V1Histograms>;
  /** Random seed of PyTorch's generator, which draws the colours in the 2020 variants. Default `seed`. */
  readonly colourSeed?: number;
}
