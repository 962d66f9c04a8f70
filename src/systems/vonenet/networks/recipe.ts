import type { AffineRanges } from "../../../data/images/affine.js";
import type { Preprocessing } from "../../../data/images/preprocessing.js";
import { PREPROCESSINGS } from "../../../data/images/preprocessing.js";
import type { Optimizer } from "../../../nn/optimizer.js";
import { sgd } from "../../../nn/optimizers.js";
import type { PlateauOptions } from "../../../nn/plateau.js";
import type { Schedule } from "../../../nn/schedules.js";
import { checkAtLeast, checkPositive, checkWhole } from "../../../util/check.js";

/** A training recipe from one of the two papers. */
export interface VOneNetRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  /** Weight decay of every trained tensor, including biases and normalisations. */
  readonly weightDecay: number;
  readonly preprocessing: Preprocessing;
}

/** The preprocessing that V1 expects: pixels become values in [-1, 1], and medium grey becomes 0. */
export const V1_PREPROCESSING: Preprocessing = PREPROCESSINGS.symmetric;

/**
 * The recipe of Barbulescu et al. 2023 on Tiny ImageNet. It uses {@link STUDY_AUGMENTATION} and the learning rate of
 * {@link STUDY_PLATEAU}.
 */
export const STUDY_RECIPE: VOneNetRecipe = {
  epochs: 60,
  batchSize: 128,
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 5e-4,
  preprocessing: V1_PREPROCESSING,
};

/**
 * The recipe of Dapello et al. 2020 on ImageNet. The learning rate is divided by 10 every 20 epochs; see
 * {@link epochStepRate}.
 */
export const ORIGINAL_RECIPE: VOneNetRecipe = {
  ...STUDY_RECIPE,
  epochs: 70,
  batchSize: 256,
  weightDecay: 1e-4,
};

/**
 * The augmentation of Barbulescu et al. 2023: rotations by up to 30 degrees, shifts by up to 5 % of the
 * image, scaling by 1 to 1.2, and a horizontal flip with probability 0.5.
 */
export const STUDY_AUGMENTATION: Required<AffineRanges> = {
  degrees: 30,
  translate: 0.05,
  scale: [1, 1.2],
  flip: 0.5,
};

/**
 * The learning-rate schedule of Barbulescu et al. 2023. If the validation loss has not fallen by 1 % for more
 * than 5 epochs, the rate is divided by 10. The loss is measured before the first step of every epoch, so the
 * first measurement is of the untrained network.
 */
export const STUDY_PLATEAU: PlateauOptions = {
  rate: 0.1,
  factor: 0.1,
  patience: 5,
  threshold: 0.01,
};

/** The optimizer of both papers: SGD with momentum and weight decay. */
export function recipeOptimizer({
  momentum,
  weightDecay,
}: Pick<VOneNetRecipe, "momentum" | "weightDecay">): Optimizer {
  return sgd({ momentum, weightDecay });
}

/**
 * The learning-rate schedule of Dapello et al. 2020: rate x factor^floor(e / every), where e is the number of
 * epochs (with a fraction) completed at the end of the step. The rate therefore changes one step before the
 * epoch ends.
 */
export function epochStepRate(options: {
  readonly rate: number;
  /** Number of epochs between changes. */
  readonly every: number;
  readonly stepsPerEpoch: number;
  /** Default 0.1. */
  readonly factor?: number;
}): Schedule {
  const { stepsPerEpoch } = options;
  checkWhole("learning rate: stepsPerEpoch", stepsPerEpoch);
  checkPositive("learning rate: every", options.every);
  checkAtLeast("learning rate: rate", options.rate, 0);
  return (step) => rateAtEpoch({ ...options, epoch: (step + 1) / stepsPerEpoch });
}

/** Computes the learning rate of {@link epochStepRate} at a given epoch, which may have a fraction. */
export function rateAtEpoch({
  rate,
  every,
  epoch,
  factor = 0.1,
}: {
  readonly rate: number;
  readonly every: number;
  readonly epoch: number;
  readonly factor?: number;
}): number {
  return rate * factor ** Math.floor(epoch / every);
}
