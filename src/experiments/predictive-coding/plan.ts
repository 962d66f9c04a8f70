import type { CorruptionName, Severity } from "../../robustness/corruptions/kinds.js";
import { BENCHMARK_CORRUPTIONS } from "../../robustness/corruptions/kinds.js";
import type { VggDepth } from "../../systems/baselines/index.js";
import type { Hyperparameters, Preprocessing } from "../../systems/predify/index.js";
import type { CellOf } from "../cells.js";
import type { Scale } from "../options.js";

/** The change that a condition makes to an image before the network gets it. */
export type Disturbance =
  | { readonly kind: "none" }
  /**
   * Gaussian noise of standard deviation sigma, added after normalisation, as in the authors' manifold
   * projections.
   */
  | { readonly kind: "gaussian"; readonly sigma: number }
  /** A share of the positions is set to the image's smallest or largest value. */
  | { readonly kind: "saltAndPepper"; readonly share: number };

export interface PredictiveCondition {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly disturbance: Disturbance;
}

const CLEAN: PredictiveCondition = {
  id: "clean",
  label: "clean",
  description: "Unchanged test images.",
  disturbance: { kind: "none" },
};

function gaussian(sigma: number): PredictiveCondition {
  return {
    id: `gaussian${sigma}`,
    label: `Gaussian ${sigma}`,
    description: `Gaussian noise of standard deviation ${sigma}, added after normalisation.`,
    disturbance: { kind: "gaussian", sigma },
  };
}

function saltAndPepper(share: number): PredictiveCondition {
  return {
    id: `saltAndPepper${share}`,
    label: `salt and pepper ${100 * share} %`,
    description: `${100 * share} % of the pixels are set to the image's smallest or largest value.`,
    disturbance: { kind: "saltAndPepper", share },
  };
}

/**
 * A setting of the dynamics: where beta, lambda and alpha come from, and which part of the dynamics is left
 * out.
 */
export interface Setting {
  readonly id: string;
  readonly values: "authors" | "tuned";
  /**
   * The part that is left out. "feedback" sets lambda to 0 and adds its weight to the memory; "error" sets alpha to 0.
   */
  readonly without?: "feedback" | "error";
}

export const SETTINGS: readonly Setting[] = (["authors", "tuned"] as const).flatMap((values) => [
  { id: values, values },
  { id: `${values}NoFeedback`, values, without: "feedback" },
  { id: `${values}NoError`, values, without: "error" },
]);

/** beta, lambda and alpha of every PCoder under a setting. */
export function hyperparametersUnder(
  { without }: Setting,
  values: readonly Hyperparameters[],
): Hyperparameters[] {
  return values.map((set) => ({
    ...set,
    ...(without === "feedback" && { feedback: 0 }),
    ...(without === "error" && { error: 0 }),
  }));
}

/** A VGG with batch normalisation for 32 x 32 images, which the experiment trains. */
export interface TrainedNetwork {
  readonly depth: VggDepth;
  readonly width: number;
  readonly hidden: number;
}

/** A network from a file that the user gives. */
export interface GivenNetwork {
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly preprocessing: Preprocessing;
}

type Common = CellOf<"predictive-coding">;

interface Recipe {
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** Configuration of a cell that trains the feed-forward network. */
export interface BackboneCell extends Common, Recipe {
  readonly kind: "backbone";
  readonly network: TrainedNetwork | GivenNetwork;
  readonly evaluateEvery: number;
  /** Number of training images of this cell and of the cells that start from it; null for all. */
  readonly trainImages: number | null;
  /** Number of held-out images from the training set. */
  readonly validationImages: number;
}

/** Configuration of a cell that trains the decoders, without labels. */
export interface FeedbackCell extends Common, Recipe {
  readonly kind: "feedback";
  /** Largest number of PCoders. The network gets one for each resolution, up to this number. */
  readonly pcoders: number;
  readonly evaluateEvery: number;
  readonly validationImages: number;
  readonly start: BackboneCell;
}

/** Configuration of a cell that tunes beta, lambda and alpha by gradient on noisy training images. */
export interface TuningCell extends Common, Recipe {
  readonly kind: "tuning";
  readonly timesteps: number;
  /**
   * Largest standard deviation of the noise on normalised images. Each sample's standard deviation is drawn
   * uniformly from 0 to this value.
   */
  readonly largestSigma: number;
  readonly validationImages: number;
  readonly start: FeedbackCell;
}

interface TestCell extends Common {
  readonly timesteps: number;
  readonly images: number;
  readonly start: TuningCell;
}

/** Configuration of a cell that measures accuracy, errors and distances at each timestep under noise. */
export interface NoiseCell extends TestCell {
  readonly kind: "noise";
  readonly conditions: readonly PredictiveCondition[];
  /** The condition whose reconstructions are shown beside the clean ones. */
  readonly shown: string;
}

/** Configuration of a cell that measures accuracy at each timestep under common corruptions. */
export interface CorruptionCell extends TestCell {
  readonly kind: "corruptions";
  readonly corruptions: readonly CorruptionName[];
  readonly severities: readonly Severity[];
  /** The result counts changed answers by family too; results of earlier versions do not, so they are not taken up. */
  readonly byFamily: true;
}

export type PredictiveCell = BackboneCell | FeedbackCell | TuningCell | NoiseCell | CorruptionCell;

/** The name of a cell for `--cells`, such as "noise/seed1". */
export function predictiveCellName({ kind, seed }: PredictiveCell): string {
  return `${kind}/seed${seed}`;
}

export interface PredictiveScalePlan {
  readonly network: TrainedNetwork;
  readonly backbone: Recipe;
  readonly feedback: Recipe;
  readonly tuning: Recipe;
  readonly evaluations: number;
  /** Number of training images, or undefined for all. */
  readonly trainImages?: number;
  readonly validationImages: number;
  readonly pcoders: number;
  /** The last timestep that is tested. */
  readonly timesteps: number;
  readonly testImages: number;
  readonly conditions: readonly PredictiveCondition[];
  readonly shown: string;
  readonly corruptionImages: number;
  readonly corruptions: readonly CorruptionName[];
  readonly severities: readonly Severity[];
}

const SIGMAS = [0.25, 0.5, 0.75, 1] as const;

const LARGEST_SIGMA = 1;

/**
 * - smoke: a check that everything works.
 * - laptop: a VGG11 with a quarter of its width, a few epochs.
 * - paper: a VGG16 with its full width. The authors' own networks need ImageNet weights, which are not available.
 */
export const PREDICTIVE_PLANS: Readonly<Record<Scale, PredictiveScalePlan>> = {
  smoke: {
    network: { depth: 11, width: 0.125, hidden: 32 },
    backbone: { steps: 60, batchSize: 32, learningRate: 0.003 },
    feedback: { steps: 30, batchSize: 32, learningRate: 0.003 },
    tuning: { steps: 6, batchSize: 16, learningRate: 0.03 },
    evaluations: 3,
    trainImages: 2000,
    validationImages: 64,
    pcoders: 3,
    timesteps: 3,
    testImages: 64,
    conditions: [CLEAN, gaussian(0.5), gaussian(1), saltAndPepper(0.05)],
    shown: "gaussian1",
    corruptionImages: 16,
    corruptions: ["gaussian_noise", "gaussian_blur", "contrast"],
    severities: [1, 5],
  },
  laptop: {
    network: { depth: 11, width: 0.25, hidden: 128 },
    backbone: { steps: 3000, batchSize: 64, learningRate: 0.003 },
    feedback: { steps: 1200, batchSize: 64, learningRate: 0.003 },
    tuning: { steps: 100, batchSize: 64, learningRate: 0.03 },
    evaluations: 10,
    validationImages: 1000,
    pcoders: 5,
    timesteps: 8,
    testImages: 500,
    conditions: [CLEAN, ...SIGMAS.map(gaussian), saltAndPepper(0.05), saltAndPepper(0.1)],
    shown: "gaussian0.5",
    corruptionImages: 150,
    corruptions: BENCHMARK_CORRUPTIONS,
    severities: [1, 3, 5],
  },
  paper: {
    network: { depth: 16, width: 1, hidden: 512 },
    backbone: { steps: 39_000, batchSize: 128, learningRate: 0.001 },
    feedback: { steps: 7800, batchSize: 64, learningRate: 0.001 },
    tuning: { steps: 800, batchSize: 64, learningRate: 0.02 },
    evaluations: 50,
    validationImages: 1000,
    pcoders: 5,
    timesteps: 10,
    testImages: 10_000,
    conditions: [CLEAN, ...[...SIGMAS, 2].map(gaussian), ...[0.02, 0.05, 0.1, 0.2].map(saltAndPepper)],
    shown: "gaussian0.5",
    corruptionImages: 2000,
    corruptions: BENCHMARK_CORRUPTIONS,
    severities: [1, 2, 3, 4, 5],
  },
};

const KINDS = ["backbone", "feedback", "tuning", "noise", "corruptions"] as const;

/** All cells of a run; each cell comes after the one that it starts from. */
export function predictiveCells(plan: PredictivePlan, seeds: readonly number[]): PredictiveCell[] {
  const given = plan.given && { sha256: plan.given.sha256, preprocessing: plan.given.preprocessing };
  const chains = seeds.map((seed): PredictiveCell[] => {
    const common = { experiment: "predictive-coding", version: 1, seed } as const;
    const { validationImages } = plan;
    const every = ({ steps }: Recipe) => Math.max(1, Math.floor(steps / plan.evaluations));
    const backbone: BackboneCell = {
      ...common,
      ...(given ? { steps: 0, batchSize: 0, learningRate: 0 } : plan.backbone),
      kind: "backbone",
      network: given ?? plan.network,
      evaluateEvery: every(plan.backbone),
      trainImages: plan.trainImages ?? null,
      validationImages,
    };
    const feedback: FeedbackCell = {
      ...common,
      ...plan.feedback,
      kind: "feedback",
      pcoders: plan.pcoders,
      evaluateEvery: every(plan.feedback),
      validationImages,
      start: backbone,
    };
    const tuning: TuningCell = {
      ...common,
      ...plan.tuning,
      kind: "tuning",
      timesteps: plan.timesteps,
      largestSigma: LARGEST_SIGMA,
      validationImages,
      start: feedback,
    };
    const test = { ...common, timesteps: plan.timesteps, start: tuning };
    const noise: NoiseCell = {
      ...test,
      kind: "noise",
      images: plan.testImages,
      conditions: plan.conditions,
      shown: plan.shown,
    };
    const corruptions: CorruptionCell = {
      ...test,
      kind: "corruptions",
      images: plan.corruptionImages,
      corruptions: plan.corruptions,
      severities: plan.severities,
      byFamily: true,
    };
    return [backbone, feedback, tuning, noise, corruptions];
  });
  return KINDS.flatMap((kind) => chains.map((chain) => chain.find((cell) => cell.kind === kind)!));
}

/** The plan of a run, with the network that the user gave and the file that holds it. */
export interface PredictivePlan extends PredictiveScalePlan {
  readonly given?: GivenNetwork & { readonly name: string; readonly path: string };
}
