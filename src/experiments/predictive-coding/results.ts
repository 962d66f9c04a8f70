import type { SeedValue } from "../../report/over-seeds.js";
import { versionsText } from "../../report/provenance-node.js";
import type { Judgement } from "../../metrics/judgement.js";
import { judgeDifferences } from "../../metrics/judgement.js";
import { average } from "../../metrics/statistics.js";
import type { Hyperparameters, TimestepScores } from "../../systems/predify/index.js";
import type { ErrorsBySeverity } from "../../systems/predify/measures/metrics.js";
import { relativeErrorOverTime } from "../../systems/predify/measures/metrics.js";
import { checkSome } from "../../util/check.js";
import type { FinishedRun } from "../experiment.js";
import type { FamilyChange, FamilyScores } from "./families.js";
import { familyChanges } from "./families.js";
import { ofKind } from "../experiment.js";
import type {
  PredictiveCell,
  PredictiveCondition,
  PredictivePlan,
  PredictiveScalePlan,
  Setting,
} from "./plan.js";
import { SETTINGS } from "./plan.js";

export interface BackboneResult {
  readonly kind: "backbone";
  /** Accuracy on held-out images. */
  readonly accuracy: number;
  readonly curve: readonly { readonly step: number; readonly accuracy: number }[];
  readonly parameters: number;
  readonly seconds: number;
}

export interface PCoderDescription {
  readonly after: string;
  readonly shape: readonly number[];
  readonly target: readonly number[];
}

export interface FeedbackResult {
  readonly kind: "feedback";
  readonly pcoders: readonly PCoderDescription[];
  /** Mean squared error of each PCoder's prediction on held-out images; step 0: before training. */
  readonly curve: readonly { readonly step: number; readonly errors: readonly number[] }[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

export interface TuningResult {
  readonly kind: "tuning";
  /** The authors' values, from which the tuning starts; one set for each PCoder. */
  readonly authors: readonly Hyperparameters[];
  /** The tuned values, one set for each PCoder. */
  readonly tuned: readonly Hyperparameters[];
  readonly seconds: number;
}

/** Scores of one network under one condition, at each timestep from 0 on. Accuracies are fractions. */
export type TimestepCounts = Pick<TimestepScores, "images" | "accuracy" | "gained" | "lost">;

/** Measurements of one setting under one condition. */
export interface NoiseScores extends TimestepScores {
  readonly setting: string;
  readonly condition: string;
  /**
   * Correlation distances between noisy and clean representations, indexed [PCoder][timestep]; empty for
   * clean images.
   */
  readonly distances: readonly (readonly number[])[];
}

/** The decoders' reconstructions of one image, as PNG data URIs. */
export interface Reconstruction {
  readonly condition: string;
  readonly label: string;
  readonly image: string;
  /** The network's answer at each timestep. */
  readonly answers: readonly string[];
  /** The reconstructions, indexed [PCoder][timestep]. */
  readonly pictures: readonly (readonly string[])[];
}

export interface NoiseResult {
  readonly kind: "noise";
  readonly scores: readonly NoiseScores[];
  /** Variance of each PCoder's target over clean images at timestep 0. */
  readonly targetVariances: readonly number[];
  readonly reconstructions: readonly Reconstruction[];
  /** Class of the image in `reconstructions`. */
  readonly truth: string;
  readonly seconds: number;
}

export interface CorruptionScores extends TimestepCounts {
  readonly setting: string;
  readonly corruption: string;
  readonly severity: number;
}

export interface CorruptionResult {
  readonly kind: "corruptions";
  readonly scores: readonly CorruptionScores[];
  readonly families: readonly FamilyScores[];
  readonly seconds: number;
}

export type NoiseRow = NoiseScores & { readonly seed: number };

export type CorruptionRow = CorruptionScores & { readonly seed: number };

/** A setting of the dynamics, with its name on the page. */
export interface SettingDescription {
  readonly id: string;
  /** The source of the values; a figure shows the settings of one family. */
  readonly family: "authors" | "tuned";
  readonly label: string;
  readonly without?: "feedback" | "error";
}

/** The contents of the page. results.json has the same without the reconstructions. */
export interface PredictiveCodingReport {
  readonly scale: string;
  readonly network: {
    readonly name: string;
    readonly parameters: number;
    readonly runs: readonly (Pick<BackboneResult, "accuracy" | "curve"> & { readonly seed: number })[];
  };
  readonly pcoders: readonly PCoderDescription[];
  readonly decoders: readonly (Pick<FeedbackResult, "curve"> &
    Pick<NoiseResult, "targetVariances"> & { readonly seed: number })[];
  readonly values: readonly (Pick<TuningResult, "authors" | "tuned"> & { readonly seed: number })[];
  readonly settings: readonly SettingDescription[];
  readonly conditions: readonly Omit<PredictiveCondition, "disturbance">[];
  readonly noise: readonly NoiseRow[];
  readonly corruptions: readonly CorruptionRow[];
  /** The change under each family of corruptions, over all seeds. */
  readonly families: readonly FamilyChange[];
  readonly reconstructions: readonly Reconstruction[];
  readonly reconstructionTruth: string;
  readonly provenance: {
    readonly seeds: readonly number[];
    readonly date: string;
    readonly seconds: number;
    readonly command: string;
    /** Facts as names and values, in order. */
    readonly facts: readonly (readonly [string, string])[];
  };
}

/**
 * The change in accuracy from timestep 0 to the last, as a fraction: the mean over seeds and the value of each seed.
 */
export interface Change extends Judgement {
  readonly values: readonly SeedValue[];
}

/**
 * Judges with {@link judgeDifferences} whether the dynamics help. Each image's answer is compared with its
 * answer at timestep 0, so only images whose answer became right or wrong count.
 */
export function changeOverTime(rows: readonly (TimestepCounts & { readonly seed: number })[]): Change {
  checkSome("change over timesteps", rows.length, "seed");
  const values = rows.map(({ seed, gained, lost, images }) => ({
    seed,
    value: (gained.at(-1)! - lost.at(-1)!) / images,
  }));
  const judged = judgeDifferences(
    values.map(({ value }) => value),
    changeError(rows),
  );
  return { ...judged, values };
}

/**
 * The standard error over images of the change in accuracy, mean over seeds. Seeds share their test images, so more
 * seeds do not make it smaller.
 */
export function changeError(rows: readonly TimestepCounts[]): number {
  const variances = rows.map(({ gained, lost, images }) => {
    const [up, down] = [gained.at(-1)! / images, lost.at(-1)! / images];
    return (up + down - (up - down) ** 2) / images;
  });
  return Math.sqrt(average(variances));
}

/**
 * The mCE (mean error over all corruptions) at each timestep relative to timestep 0, for one setting and
 * seed.
 */
export function mcePerTimestep(rows: readonly CorruptionRow[]): number[] {
  const names = [...new Set(rows.map(({ corruption }) => corruption))];
  const timesteps = rows[0]?.accuracy.length ?? 0;
  return relativeErrorOverTime(
    Array.from({ length: timesteps }, (_, t): ErrorsBySeverity =>
      names.map((name) =>
        rows.filter(({ corruption }) => corruption === name).map(({ accuracy }) => 1 - accuracy[t]!),
      ),
    ),
  );
}

export type PredictiveResult =
  BackboneResult | FeedbackResult | TuningResult | NoiseResult | CorruptionResult;

const LABELS = {
  all: "feedback and error term",
  feedback: "without feedback",
  error: "without error term",
} as const;

function describeSetting({ id, values, without }: Setting): PredictiveCodingReport["settings"][number] {
  return { id, family: values, label: LABELS[without ?? "all"], ...(without && { without }) };
}

/** Makes the report from the results of all cells. */
export function predictiveCodingReport(
  run: FinishedRun<PredictivePlan, PredictiveCell, PredictiveResult>,
): PredictiveCodingReport {
  const { plan, scale, device } = run;
  const { seeds, date, wallTimeSeconds, command } = run.provenance;
  const { given } = plan;
  const of = <K extends PredictiveResult["kind"]>(kind: K) =>
    ofKind(run.results, kind).map(([{ seed }, result]) => ({ ...result, seed }));
  const [backbones, feedback, noise] = [of("backbone"), of("feedback"), of("noise")];
  return {
    scale,
    network: {
      name: given?.name ?? nameOf(plan),
      parameters: backbones[0]!.parameters,
      runs: backbones.map(({ seed, accuracy, curve }) => ({ seed, accuracy, curve })),
    },
    pcoders: feedback[0]!.pcoders,
    decoders: feedback.map(({ seed, curve }) => ({
      seed,
      curve,
      targetVariances: noise.find((one) => one.seed === seed)!.targetVariances,
    })),
    values: of("tuning").map(({ seed, authors, tuned }) => ({ seed, authors, tuned })),
    settings: SETTINGS.map(describeSetting),
    conditions: plan.conditions.map(({ id, label, description }) => ({ id, label, description })),
    noise: noise.flatMap(({ seed, scores }) => scores.map((row) => ({ ...row, seed }))),
    corruptions: of("corruptions").flatMap(({ seed, scores }) => scores.map((row) => ({ ...row, seed }))),
    families: familyChanges(of("corruptions").flatMap(({ families }) => families)),
    reconstructions: noise[0]!.reconstructions,
    reconstructionTruth: noise[0]!.truth,
    provenance: {
      seeds,
      date,
      seconds: wallTimeSeconds,
      command,
      facts: [
        given ? ["SHA-256 of the network", given.sha256] : ["Training of the network", recipe(plan.backbone)],
        ["Training of the decoders", recipe(plan.feedback)],
        [
          "Tuning",
          `${recipe(plan.tuning)} through ${plan.timesteps} timesteps, Gaussian noise of standard deviation 0 to 1`,
        ],
        ["Test images for each condition", plan.testImages.toLocaleString("en-GB")],
        ["Test images for each corruption and severity", plan.corruptionImages.toLocaleString("en-GB")],
        ["Data", "CIFAR-10"],
        ["Device", device],
        ["Machine", run.provenance.machine],
        ["Versions", versionsText(run.provenance.versions)],
      ],
    },
  };
}

function nameOf({ network: { depth, width } }: PredictiveScalePlan): string {
  return `VGG${depth} with batch normalisation${width === 1 ? "" : `, ${width} of its width`}`;
}

function recipe({ steps, batchSize }: { readonly steps: number; readonly batchSize: number }): string {
  return `${steps.toLocaleString("en-GB")} steps of ${batchSize} images`;
}
