import type { CellType } from "../systems/vonenet/index.js";
import type { MetricSummary } from "./digits-data.js";

/** A value over seeds. */
export type Spread = MetricSummary;

/** Accuracies of a network, fractions. */
export interface NetworkScores {
  readonly clean: Spread;
  /** mCA, the mean over corruptions. */
  readonly mean: Spread;
  /** mCA / clean. */
  readonly retention: Spread;
  readonly corruptions: readonly {
    readonly name: string;
    readonly kind: string;
    readonly accuracy: Spread;
  }[];
  readonly kinds: readonly { readonly name: string; readonly accuracy: Spread }[];
}

export interface NetworkReport {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly parameters: number;
  readonly scores: NetworkScores;
  readonly learning: readonly {
    readonly seed: number;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

/** What silencing a group costs: losses are fractions of images, above 0 where accuracy falls. NaN for an empty group. */
export interface Effect {
  readonly clean: number;
  readonly corrupted: number;
  readonly corruptedPerCell: number;
  /** By kind of corruption. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Mean |W (r - r')| / |W r|. */
  readonly moved: number;
}

/** One of the 24 groups of cells. */
export interface GroupFacts {
  readonly cellType: CellType;
  readonly frequencyBand: number;
  readonly widthBand: number;
  /** Mean over seeds. */
  readonly cells: number;
  /** Mean |weight| of the bottleneck behind a cell. */
  readonly weight: number;
  /** Of all weights. */
  readonly weightShare: number;
  readonly mean: number;
  readonly variation: number;
  readonly sparseness: number;
  /** Silenced, and held at the mean response. */
  readonly zero: Effect;
  readonly held: Effect;
}

export interface VariantGroups {
  readonly groups: readonly GroupFacts[];
  /** Cells' positions without a response to any image, mean over seeds. */
  readonly silentPositions: number;
}

/** Matched cells of two variants, of one type. */
export interface MatchFacts {
  readonly cellType: CellType;
  readonly pairs: number;
  readonly distance: number;
  /** Medians of the correlation of responses: of matched cells, and of cells that were not matched. */
  readonly correlation: number;
  readonly unmatchedCorrelation: number;
  /** Correlation of the downstream weights over pairs, and ratio of their means. */
  readonly weights: number;
  readonly weightRatio: number;
}

/** How one property is spread in populations, beside the measurements. */
export interface Distribution {
  readonly title: string;
  readonly unit: string;
  readonly source: string;
  readonly bins: readonly string[];
  /** Shares of cells in the bins. */
  readonly series: readonly {
    readonly name: string;
    readonly style: number;
    readonly shares: readonly number[];
  }[];
}

export interface TuningChart {
  readonly title: string;
  readonly axis: string;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

/** A variant's filters and answers, pictures as `data:` addresses. */
export interface VariantReport {
  readonly id: string;
  readonly label: string;
  readonly filters: readonly { readonly title: string; readonly uri: string }[];
  readonly responses: string;
  readonly facts: readonly { readonly name: string; readonly value: number }[];
  readonly tuning: readonly TuningChart[];
  readonly groups: VariantGroups;
}

/** Two variants compared cell by cell and group by group. */
export interface PairReport {
  readonly one: string;
  readonly other: string;
  readonly relative: Spread;
  readonly overlap: { readonly simple: number; readonly complex: number };
  readonly matches: readonly MatchFacts[];
}

export interface V1SamplingReport {
  readonly title: string;
  readonly scale: string;
  /** What makes this another study than the paper's, in sentences; empty for the paper's own recipe. */
  readonly reduced: readonly string[];
  readonly networks: readonly NetworkReport[];
  readonly variants: readonly VariantReport[];
  /** BIOL against each uniform variant. */
  readonly pairs: readonly PairReport[];
  readonly distributions: readonly Distribution[];
  /** The picture that the responses are to. */
  readonly picture: string;
  readonly chance: number;
  readonly testImages: number;
  readonly conditions: number;
  readonly provenance: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  readonly seconds: number;
  readonly date: string;
}

/** Abstract of Barbulescu et al. 2023 (arXiv:2310.10575): biological over uniform sampling, relative. */
export const PAPER_RELATIVE = 0.0872;

export const BAND_NAMES = {
  frequency: ["0.5–1.4", "1.4–4", "4–11.2"],
  width: ["0.10–0.18", "0.18–0.32", "0.32–0.56", "0.56–1"],
} as const;

const ORDER: readonly string[] = ["biol", "unif1", "unif2", "unif3", "plain"];

/** Colour, dash and shape of a network, the same on the whole page; the fifth, grey, is for what was measured. */
export function networkStyle(id: string): number {
  return [0, 1, 2, 3, 6][ORDER.indexOf(id)] ?? 7;
}

export const MEASURED_STYLE = 4;
