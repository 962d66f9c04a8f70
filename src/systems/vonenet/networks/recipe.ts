import type { AffineRanges } from "../../../data/images/affine.js";
import type { Preprocessing } from "../../../data/images/preprocessing.js";
import { PREPROCESSINGS } from "../../../data/images/preprocessing.js";
import type { Optimizer } from "../../../nn/optimizer.js";
import { sgd } from "../../../nn/optimizers.js";
import type { PlateauOptions } from "../../../nn/plateau.js";
import type { Schedule } from "../../../nn/schedules.js";
import { check } from "../../../util/errors.js";

/** How the authors train. */
export interface VOneNetRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  /** On every trained tensor, biases and normalisations included. */
  readonly weightDecay: number;
  readonly preprocessing: Preprocessing;
}

/** -1..1, what V1's contrasts are made for: grey is 0. */
export const V1_PREPROCESSING: Preprocessing = PREPROCESSINGS.symmetric;

/** Barbulescu et al. 2023, on Tiny ImageNet; geometry as in {@link STUDY_AUGMENTATION}, rate as in {@link STUDY_PLATEAU}. */
export const STUDY_RECIPE: VOneNetRecipe = {
  epochs: 60,
  batchSize: 128,
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 5e-4,
  preprocessing: V1_PREPROCESSING,
};

/** Dapello et al. 2020, on ImageNet: the rate falls to a tenth every 20 epochs ({@link epochStepRate}). */
export const ORIGINAL_RECIPE: VOneNetRecipe = {
  ...STUDY_RECIPE,
  epochs: 70,
  batchSize: 256,
  weightDecay: 1e-4,
};

/** Turns of up to 30 degrees, shifts of up to 5 %, 1 to 1.2 times the size, half of the images mirrored. */
export const STUDY_AUGMENTATION: Required<AffineRanges> = {
  degrees: 30,
  translate: 0.05,
  scale: [1, 1.2],
  flip: 0.5,
};

/**
 * A tenth of the rate when the validation loss has not fallen by 1 % for more than 5 epochs. Measured before the first step of
 * every epoch, so the first measurement is of the untrained network.
 */
export const STUDY_PLATEAU: PlateauOptions = {
  rate: 0.1,
  factor: 0.1,
  patience: 5,
  threshold: 0.01,
};

/** Both papers' optimizer. */
export function recipeOptimizer({
  momentum,
  weightDecay,
}: Pick<VOneNetRecipe, "momentum" | "weightDecay">): Optimizer {
  return sgd({ momentum, weightDecay });
}

/**
 * rate factor^floor(e / every), e the epochs done at the end of the step: the authors' step rule, which changes the rate one
 * step before an epoch is full.
 */
export function epochStepRate(options: {
  readonly rate: number;
  /** Epochs. */
  readonly every: number;
  readonly stepsPerEpoch: number;
  /** Default 0.1. */
  readonly factor?: number;
}): Schedule {
  const { stepsPerEpoch } = options;
  check(
    Number.isInteger(stepsPerEpoch) && stepsPerEpoch > 0 && options.every > 0 && options.rate >= 0,
    () =>
      `step rule: expected positive epochs and steps and a rate of at least 0, got ${JSON.stringify(options)}`,
  );
  return (step) => rateAtEpoch({ ...options, epoch: (step + 1) / stepsPerEpoch });
}

/** The step rule at any point of an epoch. */
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
