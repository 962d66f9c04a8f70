import type { SeedSummary } from "../../report/over-seeds.js";
import { summariseSeeds } from "../../report/over-seeds.js";
import type { Provenance } from "../../report/provenance-node.js";
import { checkOneOf, checkSome } from "../../util/check.js";
import { check } from "../../util/errors.js";
import type { DigitsCondition } from "./scenes.js";
import type { DigitsTestResult } from "./tester.js";

/**
 * Everything that a report on networks for scenes of digits shows. It is plain data and may come from JSON,
 * so lists of numbers may be typed arrays or plain ones. Accuracies are fractions from 0 to 1.
 */
export interface DigitsReport {
  readonly title: string;
  readonly subtitle?: string;
  /** The scale: `smoke`, `laptop` or `paper`. */
  readonly scale: string;
  /** Number of digits in every image; it determines the chance level. */
  readonly digits: number;
  readonly provenance: DigitsProvenance;
  /** Models in display order. */
  readonly models: readonly DigitsModelDescription[];
  /** Test conditions in display order; the first is the reference (clean images). */
  readonly conditions: readonly ConditionDescription[];
  readonly rows: readonly ResultRow[];
  /** The answers from which differences between networks get their errors. */
  readonly answers: readonly Answers[];
  readonly learningCurves: readonly LearningCurve[];
  readonly accuracyPerTimestep: readonly TimestepSeries[];
  readonly synchronyPerTimestep: readonly TimestepSeries[];
  /**
   * The measure in `synchronyPerTimestep`. Default: the synchrony loss, which is 0 if each digit is in phase and the
   * digits are in opposite phases.
   */
  readonly synchronyMeasure?: { readonly label: string; readonly better: "lower" | "higher" };
  readonly phasePictures: readonly PhasePicture[];
  /** Set accuracy for every pair of digits (10 x 10, symmetric); an entry is `null` if no test image has the pair. */
  readonly pairAccuracy?: {
    readonly model: string;
    readonly values: readonly (readonly (number | null)[])[];
  };
  readonly reference: AuthorsReference | null;
  readonly onnxCheck: OnnxCheck | null;
  /** Prefix for the ids of charts, for a page that shows several such reports. */
  readonly id?: string;
}

/** The role of a model in the comparison. */
export type ModelRole =
  "real" | "random" | "kuramoto" | "ideal" | "feedback" | "transformer" | "continued" | "other";

export interface DigitsModelDescription {
  /** Name of the model in rows and curves. */
  readonly id: string;
  readonly label: string;
  readonly role: ModelRole;
  /** One line that says how the model differs from the others. */
  readonly description?: string;
  readonly parameters?: number;
}

export interface ConditionDescription {
  readonly id: string;
  readonly label: string;
  readonly description?: string;
}

/**
 * Measures of one model under one condition. {@link METRICS} describes the known names; other measures are printed as
 * plain numbers.
 */
export interface ResultRow {
  readonly model: string;
  readonly condition: string;
  readonly metrics: Readonly<Record<string, SeedSummary>>;
}

/** Which scenes of one condition a network gets right. */
export interface Answers {
  readonly model: string;
  readonly seed: number;
  readonly condition: string;
  /** One character for each scene: "1" for right and "0" for wrong. */
  readonly right: string;
}

export interface DigitsLearningPoint {
  readonly step: number;
  /** Number of training images seen so far. */
  readonly images: number;
  readonly loss: number;
  readonly setAccuracy?: number;
}

export interface LearningCurve {
  readonly model: string;
  readonly seed: number;
  readonly points: readonly DigitsLearningPoint[];
}

/** One value for each timestep, first to last. */
export interface TimestepSeries {
  readonly model: string;
  readonly condition: string;
  readonly seed: number;
  readonly values: readonly number[];
}

/** One test image with the answers and phases of every network. */
export interface PhasePicture {
  readonly height: number;
  readonly width: number;
  /** The grey image `[height, width]`. */
  readonly image: ArrayLike<number>;
  /** The digits of the scene, in the order of the masks. */
  readonly labels: readonly number[];
  /** One mask `[height, width]` per label. */
  readonly masks: readonly ArrayLike<number>[];
  readonly predictions: readonly { readonly model: string; readonly labels: readonly number[] }[];
  readonly phases: readonly {
    readonly model: string;
    readonly channels: number;
    /** Phases at each timestep, `[channels, height, width]`, in radians. */
    readonly timesteps: readonly ArrayLike<number>[];
    /** Amplitudes `[channels, height, width]`, the same at every timestep. */
    readonly amplitudes: ArrayLike<number>;
    /** Complex outputs of the deeper layers at the last timestep. */
    readonly layers?: readonly {
      readonly name: string;
      readonly real: ArrayLike<number>;
      readonly imaginary: ArrayLike<number>;
    }[];
  }[];
}

export interface DigitsProvenance extends Provenance {
  readonly steps: number;
  readonly batchSize: number;
  /** Number of training images that each model saw with each seed. */
  readonly imagesSeen: number;
  /** Number of images in the first test condition, clean images. */
  readonly testImages: number;
  /** Further facts, each a name and a value. */
  readonly more?: Readonly<Record<string, string>>;
}

/** Results of the authors' code, which a report shows beside ours and never mixes with them. */
export interface AuthorsReference {
  /** Heading of the column that shows these results. */
  readonly heading: string;
  /** A text that gives the source of the numbers and says what they must not be taken for. */
  readonly description: string;
  readonly steps: number;
  readonly imagesSeen: number;
  /** Our test condition with which these results can be compared. */
  readonly condition: string;
  /** Standard error of each set accuracy, as a fraction. */
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
  /** Largest difference at which the logits count as equal. */
  readonly tolerance: number;
  /** Number of images that were compared. */
  readonly images: number;
  readonly file?: string;
  readonly runtimes?: readonly [string, string];
}

/** Name of the measure by which the models are compared. */
export const SET_ACCURACY = "setAccuracy";

/** The known measures: their labels, their kinds and whether higher or lower is better. */
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

/**
 * Id and title of a section. On a page of several reports, both begin with the id and title of the report.
 */
export function heading(
  { id, title }: DigitsReport,
  section: string,
  name: string,
): { readonly id: string; readonly title: string } {
  return id === undefined
    ? { id: section, title: name }
    : { id: `${id}-${section}`, title: `${title}: ${name.charAt(0).toLowerCase()}${name.slice(1)}` };
}

/** Probability of guessing the set of `digits` distinct labels out of ten: 1/45 for two, 1/120 for three. */
export function chanceLevel(digits: number): number {
  let sets = 1;
  for (let i = 0; i < digits; i++) sets = (sets * (10 - i)) / (i + 1);
  return 1 / sets;
}

/** The result of one measure for a model under a condition, or `undefined` if it was not measured. */
export function result(
  report: DigitsReport,
  model: string,
  condition: string,
  metric: string = SET_ACCURACY,
): SeedSummary | undefined {
  return report.rows.find((row) => row.model === model && row.condition === condition)?.metrics[metric];
}

/** A network's measurements under one condition, as a cell returns them. */
export interface ConditionResult extends Pick<
  DigitsTestResult,
  "metrics" | "right" | "accuracyPerTimestep" | "synchronyPerTimestep" | "phases"
> {
  readonly condition: string;
}

/** Results of a network that was trained with one seed. */
export interface NetworkRun {
  readonly model: string;
  readonly seed: number;
  readonly conditions: readonly ConditionResult[];
  readonly learningCurve: readonly DigitsLearningPoint[];
}

/**
 * Gathers the results of many networks into the tables of a report. `synchronyOf` picks the values for the
 * curves of synchrony against timestep.
 */
export function gatherRuns(
  models: readonly string[],
  conditions: readonly DigitsCondition[],
  runs: readonly NetworkRun[],
  synchronyOf: (tested: ConditionResult) => readonly number[] | undefined,
): Pick<
  DigitsReport,
  "conditions" | "rows" | "answers" | "learningCurves" | "accuracyPerTimestep" | "synchronyPerTimestep"
> {
  const perTimestep = (pick: (tested: ConditionResult) => readonly number[] | undefined) =>
    runs.flatMap(({ model, seed, conditions: all }) =>
      all.flatMap((tested): TimestepSeries[] => {
        const values = pick(tested) ?? [];
        return values.length > 0 ? [{ model, seed, condition: tested.condition, values }] : [];
      }),
    );
  return {
    conditions: conditions.map(({ id, label, description }) => ({ id, label, description })),
    rows: models.flatMap((model) =>
      conditions.map(({ id }) => ({
        model,
        condition: id,
        metrics: metricsOf(
          runs.filter((run) => run.model === model),
          id,
        ),
      })),
    ),
    answers: runs.flatMap(({ model, seed, conditions: all }) =>
      all.map(({ condition, right }) => ({ model, seed, condition, right })),
    ),
    learningCurves: runs.map(({ model, seed, learningCurve }) => ({ model, seed, points: learningCurve })),
    accuracyPerTimestep: perTimestep(({ accuracyPerTimestep }) => accuracyPerTimestep),
    synchronyPerTimestep: perTimestep(synchronyOf),
  };
}

/** Logit metrics over seeds, and the measures of the phases at the last timestep. */
function metricsOf(runs: readonly NetworkRun[], condition: string): Record<string, SeedSummary> {
  const tested = runs.map(({ seed, conditions }) => {
    const { metrics, phases } = conditions.find((one) => one.condition === condition)!;
    const measures = Object.entries<readonly number[]>({ ...phases });
    const last = Object.fromEntries(measures.map(([name, values]) => [name, values.at(-1)!]));
    return { seed, metrics: { ...metrics, ...last } };
  });
  return Object.fromEntries(
    Object.keys(tested[0]!.metrics).map((name) => [
      name,
      summariseSeeds(tested.map(({ seed, metrics }) => ({ seed, value: metrics[name]! }))),
    ]),
  );
}

/** The baselines that both experiments on digits compare KomplexNet with. */
export const BASELINE_TEXTS = {
  ideal: {
    id: "ideal",
    label: "ideal phases",
    role: "ideal",
    description: "The same network with phases set from the true masks: the upper bound.",
  },
  random: {
    id: "random",
    label: "random phases",
    role: "random",
    description: "The same network without synchrony: its phases are drawn once and never change.",
  },
  real: {
    id: "real",
    label: "real-valued",
    role: "real",
    description:
      "A real-valued network, slightly wider, so that it has about as many parameters as KomplexNet.",
  },
} as const satisfies Readonly<Record<string, DigitsModelDescription>>;

/** Throws `StriateError` if rows, curves or images name a model or condition that the report does not list. */
export function checkReport(report: DigitsReport): void {
  const models = new Set(report.models.map((model) => model.id));
  const conditions = new Set(report.conditions.map((condition) => condition.id));
  checkSome("report", models.size, "model");
  checkSome("report", conditions.size, "condition");
  const known = (what: string, set: ReadonlySet<string>, id: string): void => {
    checkOneOf(`report ${what}`, id, [...set]);
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
    for (const { model } of [...phases, ...predictions]) known("phase image model", models, model);
  }
}
