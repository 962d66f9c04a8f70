import { check } from "../util/errors.js";
import type { SeedValue } from "./html.js";

/**
 * Everything that a report on networks for scenes of digits shows, as plain data (typed arrays or number
 * lists, so it may come straight out of JSON). Accuracies are fractions 0..1.
 */
export interface DigitsReport {
  readonly title: string;
  readonly subtitle?: string;
  /** `smoke`, `laptop`, `paper`. */
  readonly scale: string;
  /** Digits in every image (sets the chance level). */
  readonly digits: number;
  readonly provenance: DigitsProvenance;
  /** Models in display order. */
  readonly models: readonly ModelDescription[];
  /** Test conditions in display order; the first is the reference condition (clean). */
  readonly conditions: readonly ConditionDescription[];
  readonly rows: readonly ResultRow[];
  readonly learningCurves: readonly LearningCurve[];
  readonly accuracyPerTimestep: readonly TimestepSeries[];
  readonly synchronyPerTimestep: readonly TimestepSeries[];
  /** What `synchronyPerTimestep` holds; default the synchrony loss (0 = each digit in phase, digits opposed). */
  readonly synchronyMeasure?: { readonly label: string; readonly better: "lower" | "higher" };
  readonly phasePictures: readonly PhasePicture[];
  /** Set accuracy for every pair of digits (10 x 10, symmetric; `null` where no test image has the pair). */
  readonly pairAccuracy?: {
    readonly model: string;
    readonly values: readonly (readonly (number | null)[])[];
  };
  readonly reference: AuthorsReference | null;
  readonly onnxCheck: OnnxCheck | null;
  /** Begins the ids of charts where a page shows several such reports. */
  readonly id?: string;
}

/** The part that a model plays in the comparison. */
export type ModelRole =
  "real" | "random" | "kuramoto" | "ideal" | "feedback" | "transformer" | "continued" | "other";

export interface ModelDescription {
  /** Used in rows and curves. */
  readonly id: string;
  readonly label: string;
  readonly role: ModelRole;
  /** One line: what makes it different. */
  readonly description?: string;
  readonly parameters?: number;
}

export interface ConditionDescription {
  readonly id: string;
  readonly label: string;
  readonly description?: string;
}

/** Measures of one model under one condition. Known names: {@link METRICS}; others are printed as numbers. */
export interface ResultRow {
  readonly model: string;
  readonly condition: string;
  readonly metrics: Readonly<Record<string, MetricSummary>>;
}

export interface MetricSummary {
  readonly mean: number;
  /** Sample standard deviation over seeds; `null` for a single seed. */
  readonly std: number | null;
  readonly values: readonly SeedValue[];
}

export interface LearningCurve {
  readonly model: string;
  readonly seed: number;
  /** `images` counts training images seen so far. */
  readonly points: readonly {
    readonly step: number;
    readonly images: number;
    readonly loss: number;
    readonly setAccuracy?: number;
  }[];
}

/** One value per timestep, first timestep first. */
export interface TimestepSeries {
  readonly model: string;
  readonly condition: string;
  readonly seed: number;
  readonly values: readonly number[];
}

/** One test image with what the networks make of it. */
export interface PhasePicture {
  readonly height: number;
  readonly width: number;
  /** `[height, width]`. */
  readonly image: ArrayLike<number>;
  /** In the order of the masks. */
  readonly labels: readonly number[];
  /** One mask `[height, width]` per label. */
  readonly masks: readonly ArrayLike<number>[];
  readonly predictions: readonly { readonly model: string; readonly labels: readonly number[] }[];
  readonly phases: readonly {
    readonly model: string;
    readonly channels: number;
    /** Per timestep `[channels, height, width]`, radians. */
    readonly timesteps: readonly ArrayLike<number>[];
    /** `[channels, height, width]`, the same at every timestep. */
    readonly amplitudes: ArrayLike<number>;
    /** Complex outputs of the deeper layers at the last timestep. */
    readonly layers?: readonly {
      readonly name: string;
      readonly real: ArrayLike<number>;
      readonly imaginary: ArrayLike<number>;
    }[];
  }[];
}

export interface DigitsProvenance {
  readonly seeds: readonly number[];
  readonly steps: number;
  readonly batchSize: number;
  /** Training images seen by each model and seed. */
  readonly imagesSeen: number;
  /** Images in each test condition. */
  readonly testImages: number;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly date: string;
  readonly wallTimeSeconds: number;
  readonly command: string;
  /** Further facts, name and value. */
  readonly more?: Readonly<Record<string, string>>;
}

/** Figures from somebody else's code, shown beside ours and never mixed with them. */
export interface AuthorsReference {
  /** Heading of the column. */
  readonly heading: string;
  /** Where the numbers come from and what they are not. */
  readonly description: string;
  readonly steps: number;
  readonly imagesSeen: number;
  /** Condition of ours that they compare with. */
  readonly condition: string;
  /** Standard error of each set accuracy. */
  readonly standardError: number;
  readonly rows: readonly { readonly role: ModelRole; readonly setAccuracy: number }[];
  readonly curves: readonly {
    readonly role: ModelRole;
    readonly points: readonly {
      readonly images: number;
      readonly setAccuracy: number;
      readonly loss: number;
    }[];
  }[];
}

export interface OnnxCheck {
  /** Largest absolute difference between the two runtimes' logits. */
  readonly maximumDifference: number;
  /** Largest difference that counts as the same. */
  readonly tolerance: number;
  /** Images compared. */
  readonly images: number;
  readonly file?: string;
  readonly runtimes?: readonly [string, string];
}

/** The measure that the comparison rests on. */
export const SET_ACCURACY = "setAccuracy";

/** Names, kinds and directions of the known measures. */
export const METRICS: Readonly<
  Record<string, { label: string; kind: "fraction" | "number"; better: "higher" | "lower" }>
> = {
  setAccuracy: { label: "Set accuracy", kind: "fraction", better: "higher" },
  labelAccuracy: { label: "True labels among the top k", kind: "fraction", better: "higher" },
  binaryAccuracy: { label: "Binary accuracy", kind: "fraction", better: "higher" },
  f1: { label: "Micro F1 at 0.5", kind: "fraction", better: "higher" },
  loss: { label: "Binary cross-entropy", kind: "number", better: "lower" },
  synchronyLoss: { label: "Synchrony loss", kind: "number", better: "lower" },
  ari: { label: "Phase clusters against the masks (ARI)", kind: "number", better: "higher" },
  order: { label: "Order parameter within objects", kind: "number", better: "higher" },
  desynchrony: { label: "Desynchrony between objects", kind: "number", better: "lower" },
  separation: { label: "Angle between objects in radians", kind: "number", better: "higher" },
};

/** Id and title of a section: on a page of several reports they carry the report's own. */
export function heading(
  { id, title }: DigitsReport,
  section: string,
  name: string,
): { readonly id: string; readonly title: string } {
  return id === undefined
    ? { id: section, title: name }
    : { id: `${id}-${section}`, title: `${title}: ${name.charAt(0).toLowerCase()}${name.slice(1)}` };
}

const STEPS = [400, 800, 1200, 1600, 2000, 2400] as const;

function referenceCurve(role: ModelRole, accuracies: readonly number[], losses: readonly number[]) {
  const points = STEPS.map((step, i) => ({
    images: 32 * step,
    setAccuracy: accuracies[i]! / 100,
    loss: losses[i]!,
  }));
  return { role, points };
}

/**
 * Short runs of the KomplexNet authors' public code (S4b1n3/KomplexNet) on a Multi-MNIST of our making: batch 32,
 * Adam 0.01, 12 timesteps, frozen Gabors and coupling in the complex rows, 512 test images, one seed.
 */
export const AUTHORS_SHORT_BUDGET: AuthorsReference = {
  heading: "authors’ code, 2,400 steps",
  description:
    "Measured with the authors’ code, not paper figures; the paper’s own tables could not be had. " +
    "One seed, 2,400 steps of 32 images, tested on 512 images: standard error about 2 points.",
  steps: 2400,
  imagesSeen: 76_800,
  condition: "clean",
  standardError: 0.02,
  rows: [
    { role: "real", setAccuracy: 0.607 },
    { role: "random", setAccuracy: 0.217 },
    { role: "kuramoto", setAccuracy: 0.658 },
    { role: "ideal", setAccuracy: 0.697 },
  ],
  curves: [
    referenceCurve("ideal", [9.0, 23.4, 47.5, 66.8, 72.5, 69.7], [0.434, 0.355, 0.26, 0.199, 0.173, 0.18]),
    referenceCurve("kuramoto", [7.2, 15.8, 32.6, 48.6, 60.2, 65.8], [0.452, 0.4, 0.333, 0.271, 0.239, 0.211]),
    referenceCurve("random", [8.0, 15.2, 17.8, 23.8, 23.1, 21.7], [0.435, 0.409, 0.396, 0.378, 0.378, 0.374]),
    referenceCurve("real", [18.0, 33.2, 39.8, 60.7, 56.8, 60.7], [0.391, 0.315, 0.279, 0.222, 0.229, 0.213]),
  ],
};

/** Mean and sample standard deviation of one measure over seeds. */
export function summarise(values: readonly SeedValue[]): MetricSummary {
  check(values.length > 0, () => "summary over seeds: expected at least one value, got none");
  const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
  return { mean, std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null, values };
}

/** Probability of guessing the set of `digits` distinct labels out of ten: 1/45 for two, 1/120 for three. */
export function chanceLevel(digits: number): number {
  let sets = 1;
  for (let i = 0; i < digits; i++) sets = (sets * (10 - i)) / (i + 1);
  return 1 / sets;
}

/** The result of one measure, or `undefined` where it was not measured. */
export function result(
  report: DigitsReport,
  model: string,
  condition: string,
  metric: string = SET_ACCURACY,
): MetricSummary | undefined {
  return report.rows.find((row) => row.model === model && row.condition === condition)?.metrics[metric];
}

/** Throws where rows, curves or pictures name a model or condition that the report does not list. */
export function checkReport(report: DigitsReport): void {
  const models = new Set(report.models.map((model) => model.id));
  const conditions = new Set(report.conditions.map((condition) => condition.id));
  check(models.size > 0, () => "report models: expected at least one, got none");
  check(conditions.size > 0, () => "report conditions: expected at least one, got none");
  const known = (what: string, set: ReadonlySet<string>, id: string): void => {
    check(set.has(id), () => `report ${what}: expected one of ${[...set].join(", ")}; got "${id}"`);
  };
  for (const { model, condition, metrics } of report.rows) {
    known("row model", models, model);
    known("row condition", conditions, condition);
    for (const [name, { mean, values }] of Object.entries(metrics)) {
      check(
        Number.isFinite(mean) && values.every(({ value }) => Number.isFinite(value)),
        () => `report row (${model}, ${condition}) ${name}: expected finite numbers, got mean ${mean}`,
      );
    }
  }
  for (const { model } of report.learningCurves) known("learning curve model", models, model);
  for (const series of [...report.accuracyPerTimestep, ...report.synchronyPerTimestep]) {
    known("timestep series model", models, series.model);
    known("timestep series condition", conditions, series.condition);
  }
  for (const { phases, predictions } of report.phasePictures) {
    for (const { model } of [...phases, ...predictions]) known("phase picture model", models, model);
  }
}
