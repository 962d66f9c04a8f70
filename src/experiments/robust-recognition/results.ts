import type { Reliability } from "../../metrics/calibration.js";
import type { Provenance } from "../../report/provenance-node.js";
import type { AttackScores, ConditionScores, Scores } from "../../robustness/card.js";
import { checkOneOf } from "../../util/check.js";
import type { FinishedRun } from "../experiment.js";
import { ofKind } from "../experiment.js";
import type { StoredOutcome } from "../measured-network.js";
import { parameterCount, scheduleText } from "../training.js";
import type { TestedText } from "./networks.js";
import { modelOf, TESTED } from "./networks.js";
import type { AttackCell, RecognitionCell, PictureCell, RecognitionPlan } from "./plan.js";
import { testedName } from "./plan.js";

export interface RecognitionNetworkResult {
  readonly kind: "network";
  readonly learning: readonly {
    readonly images: number;
    readonly loss: number;
    readonly accuracy: number;
  }[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

export type RecognitionResult = RecognitionNetworkResult | PictureResult | AttackResult;

export interface PictureResult {
  readonly kind: "pictures";
  readonly clean: Scores;
  readonly reliability: Reliability;
  readonly corruptions: readonly ConditionScores[];
  readonly meanError: number | undefined;
  /** The right answers on clean images and, if there are corruptions, on corrupted ones. */
  readonly outcomes: readonly StoredOutcome[];
  readonly seconds: number;
}

export interface AttackResult {
  readonly kind: "attack";
  readonly scores: readonly AttackScores[];
  readonly examples: readonly AdversarialExample[];
  /** The right answers at each radius, which is the name of the outcome. */
  readonly outcomes: readonly StoredOutcome[];
  readonly seconds: number;
}

/** The contents of the page and of results.json. */
export interface RecognitionReport {
  readonly title: string;
  readonly subtitle: string;
  /** The scale: `smoke`, `laptop` or `paper`. */
  readonly scale: string;
  readonly networks: readonly RecognitionNetworkText[];
  readonly clean: readonly (RunOf & { readonly scores: Scores; readonly reliability: Reliability })[];
  readonly corrupted: readonly (RunOf & {
    readonly conditions: readonly ConditionScores[];
    readonly meanError: number;
  })[];
  readonly attacks: readonly (RunOf & {
    readonly attack: string;
    readonly eot: number;
    readonly scores: readonly AttackScores[];
  })[];
  readonly examples: readonly { readonly title: string; readonly examples: readonly AdversarialExample[] }[];
  readonly learning: readonly (RunOf & { readonly points: RecognitionNetworkResult["learning"] })[];
  readonly provenance: Provenance & { readonly more: Readonly<Record<string, string>> };
}

export interface RecognitionNetworkText extends TestedText {
  readonly parameters: number;
}

/** A tested network and its seed. */
export interface RunOf {
  readonly network: string;
  readonly seed: number;
}

/** An image that an attack changed so that a network gets it wrong. Images are `data:` URIs. */
export interface AdversarialExample {
  readonly label: string;
  readonly predicted: string;
  readonly clean: string;
  readonly adversarial: string;
  /** The change to the image, scaled to its largest value; grey is 0. */
  readonly difference: string;
}

/** Throws `StriateError` if results name a network that the report does not list. */
export function checkRecognitionReport(report: RecognitionReport): void {
  const known = report.networks.map(({ id }) => id);
  for (const { network } of [...report.clean, ...report.corrupted, ...report.attacks, ...report.learning])
    checkOneOf("report", network, known);
}

/** Joins the reliability diagrams of several seeds by pooling bins of the same confidence. */
export function pooledBins(
  diagrams: readonly Reliability[],
): { readonly confidence: number; readonly accuracy: number; readonly count: number }[] {
  const [first] = diagrams;
  if (!first) return [];
  return first.bins.flatMap((_, i) => {
    const own = diagrams.map(({ bins }) => bins[i]!).filter(({ count }) => count > 0);
    const count = own.reduce((sum, bin) => sum + bin.count, 0);
    if (count === 0) return [];
    const mean = (value: (bin: (typeof own)[number]) => number) =>
      own.reduce((sum, bin) => sum + bin.count * value(bin), 0) / count;
    return [{ confidence: mean((bin) => bin.confidence), accuracy: mean((bin) => bin.accuracy), count }];
  });
}

type Run = FinishedRun<RecognitionPlan, RecognitionCell, RecognitionResult>;

/** Makes the report from the results of all cells. */
export function recognitionReport(run: Run): RecognitionReport {
  const networks = ofKind(run.results, "network");
  const pictures = ofKind(run.results, "pictures");
  const attacks = ofKind(run.results, "attack");
  const [first] = run.seeds;
  return {
    title: "Robust recognition by oscillators",
    subtitle:
      "CIFAR-10 without adversarial training: is a network of oscillators harder to fool than a ResNet and a vision transformer of about its size, and is its confidence better calibrated?",
    scale: run.scale,
    networks: TESTED.flatMap(({ id, ...text }) => {
      const found = networks.find(([{ model }]) => id.startsWith(model));
      return found
        ? [{ id, ...text, parameters: parameterCount(modelOf(found[0]).task.parameters, "trainable") }]
        : [];
    }),
    clean: pictures
      .filter(([{ corruptions }]) => corruptions.length === 0)
      .map(([config, { clean, reliability }]) => ({ ...runOf(config), scores: clean, reliability })),
    corrupted: pictures
      .filter(([{ corruptions }]) => corruptions.length > 0)
      .map(([config, { corruptions, meanError = NaN }]) => ({
        ...runOf(config),
        conditions: corruptions,
        meanError,
      })),
    attacks: attacks.map(([config, { scores }]) => ({
      ...runOf(config),
      attack: scores[0]?.plan ?? config.attack,
      eot: config.eot,
      scores,
    })),
    examples: attacks
      .filter(([{ seed, attack }]) => seed === first && attack === "apgd")
      .map(([config, { examples, scores }]) => ({
        title: `${TESTED.find(({ id }) => id === testedName(config))!.label}, ${scores[0]?.plan ?? ""}`,
        examples,
      })),
    learning: networks.map(([{ model, seed }, { learning }]) => ({
      network: model,
      seed,
      points: learning,
    })),
    provenance: { ...run.provenance, more: recipeOf(run) },
  };
}

const runOf = (config: PictureCell | AttackCell) => ({ network: testedName(config), seed: config.seed });

function recipeOf({ plan, device }: Run): Record<string, string> {
  const { akorn, resnet, vit } = plan.shapes;
  const { steps, batchSize, augmentation, ema, learningRates } = plan;
  return {
    Training: `${steps.toLocaleString("en-GB")} steps of ${batchSize} images, out of ${plan.trainImages.toLocaleString("en-GB")}`,
    "Augmentation of training images":
      augmentation === "strong"
        ? "crops, colours and AugMix, as in the paper"
        : "mirrored and shifted by up to 4 pixels (the paper: crops, colours and AugMix)",
    Optimiser: `Adam, rates ${learningRates.akorn} (AKOrN), ${learningRates.resnet} (ResNet-18), ${learningRates.vit} (ViT)${scheduleText(plan.schedule)}`,
    "Averaged weights": `decay up to ${ema.decay}, every ${ema.every} steps after ${ema.after}; all tests use them`,
    AKOrN: `${akorn.channels} channels in the first layer, T = ${akorn.timesteps}, n = ${akorn.rotatingDimensions}, kernels ${akorn.kernels.join(", ")}`,
    "ResNet-18": `numbers of channels multiplied by ${resnet.width}`,
    ViT: `${vit.channels} channels, ${vit.layers} blocks, patches of ${vit.patch} pixels`,
    "Noise in tests": `new in every pass; attacks on AKOrN average each gradient over ${plan.eot} draws`,
    Device: device,
  };
}
