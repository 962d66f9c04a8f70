import type { ImageTransform } from "../../data/images/transform.js";
import { POLICIES } from "../../data/images/transform.js";
import type { Preprocessing } from "../../data/images/preprocessing.js";
import { resizedShortSide } from "../../data/images/preprocessing.js";
import type { Optimizer } from "../../nn/optimizer.js";
import { adamW, sgd } from "../../nn/optimizers.js";
import type { Schedule } from "../../nn/schedules.js";
import { cosineRate, withWarmUp } from "../../nn/schedules.js";
import { OPTIMIZERS } from "./choices.js";
import { checkAtLeast, checkBetween, checkOneOf, checkPositive, checkWhole } from "../../util/check.js";

/** How a network is trained on labelled images, as plain data. */
export interface TrainingRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  /** Number of batches whose gradients are averaged for one step. Default 1. */
  readonly accumulate?: number;
  /** SGD with Nesterov momentum 0.9, or AdamW. */
  readonly optimizer: (typeof OPTIMIZERS)[number];
  /** The greatest learning rate, which then falls along a cosine to 0. */
  readonly learningRate: number;
  /** Weight decay of weights; biases and normalisations have none. */
  readonly weightDecay: number;
  /** Number of epochs in which the learning rate rises. It may have a fraction. */
  readonly warmUp: number;
  readonly labelSmoothing: number;
  /** alpha of mixup; 0 for none. */
  readonly mixup: number;
  /** alpha of CutMix; 0 for none. */
  readonly cutmix: number;
  /** Smallest share of the area in a random crop; 1 for the centre crop. */
  readonly cropScale: number;
  /** Probability of mirroring an image. */
  readonly flip: number;
  readonly policy: (typeof POLICIES)[number];
  /** Decay of the moving average of the weights; 0 for none. */
  readonly ema: number;
  /** Largest global norm of the gradients; 0 for no limit. */
  readonly clipNorm: number;
}

/** What the defaults of a recipe depend on. */
export interface RecipeFacts {
  /** Whether the network's weights come from a file. */
  readonly pretrained: boolean;
  readonly optimizer?: TrainingRecipe["optimizer"];
  readonly batchSize?: number;
  readonly accumulate?: number;
}

/**
 * The default recipe: for a network with random weights SGD with rate 0.1 x images per step / 256 and weight decay 5e-4
 * (He et al. 2016, Goyal et al. 2017); for a pretrained one AdamW with rate 3e-4 and weight decay 0.05. Both have a cosine
 * after one epoch of warm-up, label smoothing 0.1, random crops of 35 to 100 % of the area, and mirroring.
 */
export function defaultRecipe({
  pretrained,
  optimizer,
  batchSize = 32,
  accumulate = 1,
}: RecipeFacts): TrainingRecipe {
  const chosen = optimizer ?? (pretrained ? "adamw" : "sgd");
  return {
    epochs: pretrained ? 10 : 30,
    batchSize,
    optimizer: chosen,
    learningRate: chosen === "sgd" ? (0.1 * batchSize * accumulate) / 256 : pretrained ? 3e-4 : 1e-3,
    weightDecay: chosen === "sgd" ? 5e-4 : 0.05,
    warmUp: 1,
    labelSmoothing: 0.1,
    mixup: 0,
    cutmix: 0,
    cropScale: 0.35,
    flip: 0.5,
    policy: "none",
    ema: 0,
    clipNorm: 0,
  };
}

/** Throws StriateError for the first value of a recipe that is not allowed. */
export function checkRecipe(recipe: TrainingRecipe): void {
  const { epochs, batchSize, optimizer, learningRate, weightDecay, warmUp, labelSmoothing } = recipe;
  checkWhole("recipe: epochs", epochs);
  checkWhole("recipe: batchSize", batchSize);
  if (recipe.accumulate !== undefined) checkWhole("recipe: accumulate", recipe.accumulate);
  checkOneOf("recipe: optimizer", optimizer, OPTIMIZERS);
  checkPositive("recipe: learningRate", learningRate);
  checkAtLeast("recipe: weightDecay", weightDecay, 0);
  checkAtLeast("recipe: warmUp", warmUp, 0);
  checkBetween("recipe: labelSmoothing", labelSmoothing, 0, 1);
  checkAtLeast("recipe: mixup", recipe.mixup, 0);
  checkAtLeast("recipe: cutmix", recipe.cutmix, 0);
  checkPositive("recipe: cropScale", recipe.cropScale);
  checkBetween("recipe: cropScale", recipe.cropScale, 0, 1);
  checkBetween("recipe: flip", recipe.flip, 0, 1);
  checkOneOf("recipe: policy", recipe.policy, POLICIES);
  checkBetween("recipe: ema", recipe.ema, 0, 1);
  checkAtLeast("recipe: clipNorm", recipe.clipNorm, 0);
}

/** Number of images in a step of the optimizer. */
export function imagesPerStep({
  batchSize,
  accumulate = 1,
}: Pick<TrainingRecipe, "batchSize" | "accumulate">): number {
  return batchSize * accumulate;
}

/** The optimizer of a recipe. Biases, scales and shifts, which are vectors, have no weight decay. */
export function recipeOptimizer(
  { optimizer, weightDecay: decay }: TrainingRecipe,
  rankOf: (name: string) => number,
): Optimizer {
  const weightDecay = (name: string) => (rankOf(name) > 1 ? decay : 0);
  return optimizer === "sgd" ? sgd({ momentum: 0.9, nesterov: true, weightDecay }) : adamW({ weightDecay });
}

/** The learning rate of a recipe: a linear warm-up, then half a cosine. */
export function recipeRate(
  { learningRate: rate, warmUp, epochs }: TrainingRecipe,
  stepsPerEpoch: number,
): Schedule {
  const steps = epochs * stepsPerEpoch;
  const rising = Math.min(Math.round(warmUp * stepsPerEpoch), steps);
  const cosine = cosineRate({ rate, steps });
  return rising > 0 ? withWarmUp(cosine, rising) : cosine;
}

/** How training images are made: augmented as the recipe says. */
export function trainingTransform(
  { cropScale, flip, policy }: TrainingRecipe,
  shape: readonly number[],
  preprocessing: Preprocessing,
): ImageTransform {
  return {
    ...testTransform(shape, preprocessing),
    ...(cropScale < 1 && { crop: { scale: [cropScale, 1] } }),
    flip,
    policy,
  };
}

/** How images are made for measurements: resized, and the centre cropped. */
export function testTransform(
  [, height, width]: readonly number[],
  preprocessing: Preprocessing,
): ImageTransform {
  return {
    width: width!,
    height: height!,
    shortSide: resizedShortSide(preprocessing, Math.min(height!, width!)),
  };
}
