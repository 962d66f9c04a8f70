import type { RgbImage } from "../data/images/rgb-image.js";
import { check } from "../util/errors.js";
import type { MetricSummary } from "./digits-data.js";

/** Everything that the report of the object-discovery experiment shows, as plain data. Scores are fractions 0 to 1. */
export interface ObjectDiscoveryReport {
  readonly title: string;
  readonly subtitle: string;
  /** `smoke`, `laptop`, `paper`. */
  readonly scale: string;
  readonly models: readonly ReportModel[];
  readonly sets: readonly DiscoverySet[];
  readonly provenance: {
    readonly seeds: readonly number[];
    readonly machine: string;
    readonly versions: Readonly<Record<string, string>>;
    /** ISO 8601. */
    readonly date: string;
    readonly wallTimeSeconds: number;
    readonly command: string;
    readonly more: Readonly<Record<string, string>>;
  };
}

export interface ReportModel {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Position in lists of colours, the same in every chart. */
  readonly style: number;
}

export interface DiscoverySet {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Where the scenes come from, a sentence. */
  readonly source: string;
  readonly testScenes: number;
  readonly rows: readonly DiscoveryRow[];
  /** Scores without a network: every colour of a picture a segment. */
  readonly colourControl?: Scores;
  readonly comparisons: readonly Comparison[];
  /** Test scenes by whether objects share a colour; empty where all do or none does. */
  readonly groups: readonly SceneGroup[];
  readonly learningCurves: readonly DiscoveryCurve[];
  readonly energies: readonly EnergyCurve[];
  readonly scenes: readonly DiscoveryScene[];
  readonly budget: DiscoveryBudget;
  /** The paper's score of AKOrN (attn) without up-tiling. */
  readonly paperGoal?: { readonly label: string; readonly foregroundAri: number };
}

export interface Scores {
  readonly foregroundAri: number;
  readonly bestOverlap: number;
}

/** One network under one up-tiling factor. */
export interface DiscoveryRow {
  readonly model: string;
  readonly upTiling: number;
  readonly parameters: number;
  readonly foregroundAri: MetricSummary;
  readonly bestOverlap: MetricSummary;
  /** The same networks before training. */
  readonly untrained: { readonly foregroundAri: MetricSummary; readonly bestOverlap: MetricSummary };
  /** What the paper reports, mean and deviation in %. */
  readonly paper?: {
    readonly foregroundAri: readonly [number, number];
    readonly bestOverlap: readonly [number, number];
  };
}

/** One network against another on the same scenes and seeds. */
export interface Comparison {
  readonly model: string;
  readonly control: string;
  readonly upTiling: number;
  /** Difference of FG-ARI. */
  readonly difference: number;
  /** Half of the 95 % interval: the larger of that over scenes and that over seeds. */
  readonly margin: number;
  readonly seeds: number;
}

export interface SceneGroup {
  readonly label: string;
  readonly scenes: number;
  /** Mean FG-ARI over the scenes and seeds. */
  readonly scores: readonly {
    readonly model: string;
    readonly upTiling: number;
    readonly foregroundAri: number;
  }[];
}

export interface DiscoveryCurve {
  readonly model: string;
  readonly seed: number;
  /** On validation scenes, over training views seen. */
  readonly scores: readonly { readonly views: number; readonly foregroundAri: number }[];
  readonly losses: readonly { readonly views: number; readonly loss: number }[];
}

/** Mean energy of an oscillator before each step. */
export interface EnergyCurve {
  readonly model: string;
  readonly seed: number;
  /** Counted from 1. */
  readonly layer: number;
  readonly trained: readonly number[];
  readonly untrained: readonly number[];
}

/** One test scene with what the networks make of it. */
export interface DiscoveryScene {
  readonly image: RgbImage;
  /** `[height, width]`: 0 background, -1 ignored. */
  readonly truth: ArrayLike<number>;
  readonly models: readonly {
    readonly model: string;
    readonly segments: readonly {
      readonly upTiling: number;
      readonly labels: ArrayLike<number>;
      readonly foregroundAri: number;
    }[];
    /** What is clustered, in the colours of its principal components. */
    readonly features: RgbImage;
    /** Oscillators after every step, likewise; empty for networks without. */
    readonly fields: readonly RgbImage[];
  }[];
}

export interface DiscoveryBudget {
  readonly steps: number;
  readonly batchSize: number;
  readonly trainScenes: number;
  readonly channels: number;
  /** Training views that each network saw, two for each picture and step. */
  readonly views: number;
  readonly temperature: number;
  readonly paper: { readonly views: number; readonly channels: number };
}

/** Throws {@link StriateError} where a set names a network that the report does not list, or a score is no number. */
export function checkDiscoveryReport({ models, sets }: ObjectDiscoveryReport): void {
  const known = new Set(models.map(({ id }) => id));
  check(models.length > 0 && sets.length > 0, () => "report: expected at least one network and one set");
  for (const set of sets) {
    const named = [
      ...set.rows,
      ...set.comparisons,
      ...set.learningCurves,
      ...set.energies,
      ...set.scenes.flatMap((scene) => scene.models),
      ...set.groups.flatMap(({ scores }) => scores),
    ];
    for (const { model } of named) {
      check(
        known.has(model),
        () => `report, ${set.title}: expected ${[...known].join(", ")}; got "${model}"`,
      );
    }
    for (const { model, foregroundAri, bestOverlap } of set.rows) {
      check(
        Number.isFinite(foregroundAri.mean) && Number.isFinite(bestOverlap.mean),
        () => `report, ${set.title}: the scores of ${model} are no numbers`,
      );
    }
  }
}

/** "AKOrN (attn)", "AKOrN (attn), up-tiling × 4". */
export function rowLabel(label: string, upTiling: number): string {
  return upTiling === 1 ? label : `${label}, up-tiling × ${upTiling}`;
}
