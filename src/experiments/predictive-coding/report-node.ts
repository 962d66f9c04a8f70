import type { PredictiveCodingReport } from "../../report/predictive-coding.js";
import type { Scale } from "../experiment.js";
import { machine, versions } from "../machine-node.js";
import type { CellConfig, GivenNetwork, ScalePlan, Setting } from "./config.js";
import { SETTINGS } from "./config.js";
import type { CorruptionResult, NoiseResult } from "./test-cells-node.js";
import type { BackboneResult, FeedbackResult, TuningResult } from "./train-cells-node.js";

export type CellResult = BackboneResult | FeedbackResult | TuningResult | NoiseResult | CorruptionResult;

interface Finished {
  readonly plan: ScalePlan;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly results: ReadonlyMap<CellConfig, CellResult>;
  /** Name of a network that was given. */
  readonly given: (GivenNetwork & { readonly name: string }) | undefined;
  readonly device: string;
  readonly seconds: number;
  readonly command: string;
}

const LABELS = {
  all: "feedback and error term",
  feedback: "without feedback",
  error: "without error term",
} as const;

function describeSetting({ id, values, without }: Setting): PredictiveCodingReport["settings"][number] {
  return { id, family: values, label: LABELS[without ?? "all"], ...(without && { without }) };
}

/** What the page shows, out of the cells. */
export function predictiveCodingReport(run: Finished): PredictiveCodingReport {
  const { plan, scale, seeds, given, device, seconds, command } = run;
  const of = <R extends CellResult>(kind: R["kind"]) =>
    [...run.results].flatMap(([{ seed }, result]) =>
      result.kind === kind ? [{ ...(result as R), seed }] : [],
    );
  const backbones = of<BackboneResult>("backbone");
  const feedback = of<FeedbackResult>("feedback");
  const noise = of<NoiseResult>("noise");
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
    values: of<TuningResult>("tuning").map(({ seed, authors, tuned }) => ({ seed, authors, tuned })),
    settings: SETTINGS.map(describeSetting),
    conditions: plan.conditions.map(({ id, label, description }) => ({ id, label, description })),
    noise: noise.flatMap(({ seed, scores }) => scores.map((row) => ({ ...row, seed }))),
    corruptions: of<CorruptionResult>("corruptions").flatMap(({ seed, scores }) =>
      scores.map((row) => ({ ...row, seed })),
    ),
    reconstructions: noise[0]!.reconstructions,
    reconstructionTruth: noise[0]!.truth,
    provenance: {
      seeds,
      date: new Date().toISOString(),
      seconds,
      command,
      facts: [
        ...(given ? [["SHA-256 of the network", given.sha256] as const] : trainingFacts(plan)),
        ["Training of the decoders", recipe(plan.feedback)],
        [
          "Tuning",
          `${recipe(plan.tuning)} through ${plan.timesteps} timesteps, Gaussian noise of standard deviation 0 to 1`,
        ],
        ["Test images for each condition", plan.testImages.toLocaleString("en-GB")],
        ["Test images for each corruption and severity", plan.corruptionImages.toLocaleString("en-GB")],
        ["Data", "CIFAR-10"],
        ["Device", device],
        ["Machine", machine()],
        [
          "Versions",
          Object.entries(versions())
            .map((entry) => entry.join(" "))
            .join(", "),
        ],
      ],
    },
  };
}

function nameOf({ network: { depth, width } }: ScalePlan): string {
  return `VGG${depth} with batch normalisation${width === 1 ? "" : `, ${width} of its width`}`;
}

function recipe({ steps, batchSize }: { readonly steps: number; readonly batchSize: number }): string {
  return `${steps.toLocaleString("en-GB")} steps of ${batchSize} images`;
}

function trainingFacts({ backbone }: ScalePlan): [string, string][] {
  return [["Training of the network", recipe(backbone)]];
}
