import type { V1Histograms } from "./histograms.js";

/**
 * Ways to draw receptive fields. Of Barbulescu et al. 2023: "biol", measured histograms, widths correlated with spatial
 * frequency; "unif1", all properties uniform and independent; "unif2", ny = nx but for log-normal jitter; "unif3", as unif2,
 * nx correlated with spatial frequency. Of Dapello et al. 2020: "orig-biol" and "orig-rand".
 */
export const VARIANTS = ["biol", "unif1", "unif2", "unif3", "orig-biol", "orig-rand"] as const;
/** Name of a way to draw receptive fields (the table in docs/vonenet.md). */
export type Variant = (typeof VARIANTS)[number];

/** How many cells are drawn, from which distributions, and from which seed. */
export interface SamplingOptions {
  /** Default "biol". */
  readonly variant?: Variant;
  /** Number of simple cells, default 256. */
  readonly simple?: number;
  /** Number of complex cells, default 256. */
  readonly complex?: number;
  /** Seed of NumPy's legacy generator, default 0. */
  readonly seed?: number;
  /** Correlation of nx and spatial frequency. Default 0.75, in unif1 and unif2 0. */
  readonly correlation?: number;
  /** Cycles per degree, default 0: histogram bins below are left out. */
  readonly minFrequency?: number;
  /** Cycles per degree, default 11.5 (2020: 9): histogram bins above are left out. */
  readonly maxFrequency?: number;
  /** Deviation of the jitter between log10 nx and log10 ny in unif2 and unif3, default 0.22. */
  readonly jitter?: number;
  /** Default: those of the variant's paper. */
  readonly histograms?: Partial<V1Histograms>;
  /** Seed of PyTorch's generator, which drew the colours in 2020. Default `seed`. */
  readonly colourSeed?: number;
}
