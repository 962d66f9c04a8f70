/*
 * Measured distributions of receptive-field properties in macaque V1, as numbers of cells in bins. Within a
 * bin, a property is assumed to be uniformly distributed on its scale.
 *
 * - De Valois, Yund & Hepler 1982, "The orientation and direction selectivity of cells in macaque visual cortex", Vision
 *   Research 22, 531-544 (1982a): preferred orientation.
 * - De Valois, Albrecht & Thorell 1982, "Spatial frequency selectivity of cells in macaque visual cortex", Vision Research 22,
 *   545-559 (1982b): preferred spatial frequency of simple and complex cells.
 * - Ringach 2002, "Spatial structure and symmetry of simple-cell receptive fields in macaque primary visual cortex", Journal of
 *   Neurophysiology 88, 455-463: widths of the envelope.
 *
 * The counts are those that VOneNet uses (Dapello et al. 2020; Barbulescu et al. 2023, arXiv:2310.10575).
 */

/**
 * A histogram of a property: bin edges in the unit of the property, and the number of cells in each bin.
 * Within a bin, the density is constant on the scale `scale`.
 */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly scale: "linear" | "log2" | "log10";
}

/**
 * A joint histogram of two properties with the same bin edges: the number of cells in each pair of bins. Rows are bins
 * of the first property, columns are bins of the second.
 */
export interface JointHistogram {
  readonly edges: readonly number[];
  readonly counts: readonly (readonly number[])[];
}

/** The histograms from which receptive fields are drawn. */
export interface V1Histograms {
  /** Preferred orientation in degrees. */
  readonly orientation: Histogram;
  /** Preferred spatial frequency of simple and of complex cells in cycles per degree. */
  readonly spatialFrequency: { readonly simple: Histogram; readonly complex: Histogram };
  /**
   * Widths of the envelope in cycles of the carrier. Rows are the width along the carrier (nx), columns the
   * width across it (ny). Within a bin, the density is constant on a log10 scale.
   */
  readonly widths: JointHistogram;
}

const ORIENTATION_EDGES = [-22.5, 22.5, 67.5, 112.5, 157.5];

/** Preferred orientation in degrees (De Valois 1982a). */
export const ORIENTATION: Histogram = {
  edges: ORIENTATION_EDGES,
  counts: [66, 49, 77, 54],
  scale: "linear",
};

/** Preferred orientation in degrees (De Valois 1982a), with the alternative counts in the authors' code. */
export const ORIENTATION_ALTERNATIVE: Histogram = {
  edges: ORIENTATION_EDGES,
  counts: [110, 83, 100, 92],
  scale: "linear",
};

const FREQUENCY_EDGES = [0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8, 11.2];
const frequency = (counts: readonly number[]): Histogram => ({
  edges: FREQUENCY_EDGES,
  counts,
  scale: "log2",
});

/**
 * Preferred spatial frequency in cycles per degree of 148 simple and 84 complex cells, all foveal (De Valois
 * 1982b).
 */
export const FOVEAL_FREQUENCY: V1Histograms["spatialFrequency"] = {
  simple: frequency([4, 4, 8, 25, 33, 26, 28, 12, 8]),
  complex: frequency([0, 0, 9, 9, 7, 10, 23, 12, 14]),
};

/**
 * Preferred spatial frequency in cycles per degree of foveal and parafoveal cells together (De Valois 1982b).
 */
export const FOVEAL_AND_PARAFOVEAL_FREQUENCY: V1Histograms["spatialFrequency"] = {
  simple: frequency([8, 14, 20, 43, 40, 44, 31, 16, 8]),
  complex: frequency([2, 1, 11, 14, 22, 23, 32, 15, 16]),
};

const powersOfTen = (exponents: readonly number[]): number[] => exponents.map((exponent) => 10 ** exponent);

/** Widths of the envelope of 72 cells, in cycles (Ringach 2002), as Barbulescu et al. 2023 use them. */
export const WIDTHS: JointHistogram = {
  edges: powersOfTen([-1, -0.75, -0.5, -0.25, 0]),
  counts: [
    [2, 0, 1, 0],
    [8, 9, 4, 1],
    [1, 2, 19, 17],
    [0, 0, 1, 7],
  ],
};

/** Widths of the envelope, in cycles, as Dapello et al. 2020 use them: with other bins, up to 1.58 cycles. */
export const WIDTHS_2020: JointHistogram = {
  edges: powersOfTen([-1, -0.76, -0.52, -0.28, -0.04, 0.2]),
  counts: [
    [2, 0, 1, 0, 0],
    [8, 9, 4, 1, 0],
    [1, 2, 19, 17, 3],
    [0, 0, 1, 7, 4],
    [0, 0, 0, 0, 0],
  ],
};

/**
 * Preferred spatial frequency of simple and complex cells together, up to 8 cycles per degree, as Dapello et
 * al. 2020 use it.
 */
export const FREQUENCY_2020: Histogram = {
  edges: FREQUENCY_EDGES.slice(0, 9),
  counts: [4, 4, 8, 25, 32, 26, 28, 12],
  scale: "log2",
};

/** The distributions of Barbulescu et al. 2023. */
export const HISTOGRAMS_2023: V1Histograms = {
  orientation: ORIENTATION,
  spatialFrequency: FOVEAL_FREQUENCY,
  widths: WIDTHS,
};

/** The distributions of Dapello et al. 2020. */
export const HISTOGRAMS_2020: V1Histograms = {
  orientation: ORIENTATION,
  spatialFrequency: { simple: FREQUENCY_2020, complex: FREQUENCY_2020 },
  widths: WIDTHS_2020,
};
