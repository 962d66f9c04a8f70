import type { ImageLoader } from "../../data/images/image-loader-node.js";
import { openImageLoader } from "../../data/images/image-loader-node.js";
import type { Preprocessing } from "../../data/images/preprocessing.js";
import type { ImageSource, SkippedImage } from "../../data/images/image-source.js";
import type { TrainingParts } from "../../data/sets/training-parts-node.js";
import { constantAverage } from "../../nn/ema.js";
import type { State } from "../../nn/module.js";
import { isTrainable } from "../../nn/module.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { Evaluator } from "../../train/evaluator.js";
import { FineTuningTask } from "../../train/fine-tuning-task.js";
import { mixedData } from "../../train/mixed-data.js";
import type { ModelDescription } from "../../train/model-description.js";
import { describeModel } from "../../train/model-description.js";
import type { TrainedRun, TrainOptions } from "../../train/run/run-node.js";
import { train } from "../../train/run/run-node.js";
import type { TrainingData } from "../../train/task.js";
import { closing } from "../../util/closing.js";
import { check } from "../../util/errors.js";
import { wildcard } from "../../util/wildcard.js";
import { learningOf } from "../training.js";
import type { TrainableNetwork } from "./networks.js";
import type { TrainingRecipe } from "./recipe.js";
import {
  checkRecipe,
  imagesPerStep,
  recipeOptimizer,
  recipeRate,
  testTransform,
  trainingTransform,
} from "./recipe.js";
import type { LoaderScores } from "./scores.js";
import { loaderScores } from "./scores.js";

/** Options of `trainNetwork`. */
export interface TrainNetworkOptions
  extends
    SessionOptions,
    Pick<TrainOptions, "folder" | "resume" | "config" | "signal" | "onProgress" | "onWarning"> {
  readonly recipe: TrainingRecipe;
  /** Random seed of the order of the images, the augmentation and the noise. */
  readonly seed: number;
  /** Which parameters are trained: all, those with random values, or those whose names match one of the patterns. */
  readonly trains: "all" | "added" | readonly string[];
  /** Number of epochs without a better validation accuracy after which training ends. Default: never. */
  readonly patience?: number;
  /** Number of threads that decode and augment images. Default: one per core, at most 8. */
  readonly loaders?: number;
}

/** Scores on the validation images after a training step. */
export interface ValidationScores {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** A network after training, with the weights that were best on the validation images. */
export interface TrainedNetwork {
  readonly run: TrainedRun;
  /** Scores on the validation images after each epoch. */
  readonly validation: readonly ValidationScores[];
  /** Scores on the test images. */
  readonly test: LoaderScores;
  /** Number of parameters that were trained, and of all parameters. */
  readonly trained: number;
  readonly parameters: number;
  /** Images that could not be read. */
  readonly skipped: readonly SkippedImage[];
}

const EVALUATED = 32;

/**
 * Trains a network on labelled images: an evaluation on the validation images after each epoch chooses the best
 * weights, which are then measured on the test images. Returns undefined if the run was stopped.
 *
 * @throws StriateError for a recipe that is not allowed, patterns that match no parameter, and everything for which
 * `train` and the loader throw
 */
export async function trainNetwork(
  network: TrainableNetwork,
  parts: Pick<TrainingParts, "train" | "validation" | "test">,
  options: TrainNetworkOptions,
): Promise<TrainedNetwork | undefined> {
  const { recipe, seed, patience, folder, resume, config, signal, onProgress, onWarning } = options;
  checkRecipe(recipe);
  const { train: training, validation, test } = parts;
  const trainable = chosenParameters(network, options.trains);
  const task = taskOf(network, recipe, trainable);
  const open = (source: ImageSource, augmenting?: TrainingRecipe) =>
    openLoader(source, network, augmenting, options.loaders);
  const stepsPerEpoch = Math.floor(training.count / imagesPerStep(recipe));
  check(
    stepsPerEpoch > 0,
    () =>
      `${training.name}: expected at least the ${imagesPerStep(recipe)} images of one step, got ${training.count}`,
  );
  const loaders = [open(training, recipe), open(validation), open(test)] as const;
  const [trainLoader, validationLoader, testLoader] = loaders;
  try {
    return await closing(
      Evaluator.open(task, EVALUATED, new Map(), workerRuntime, sessionOptionsOf(options)),
      async (evaluator) => {
        const classes = training.classes.length;
        const scored = (values: State, loader: ImageLoader) =>
          loaderScores(evaluator, values, loader, { batch: EVALUATED, classes, seed });
        const run = await train(task, trainingData(trainLoader, network, recipe, classes), {
          ...sessionOptionsOf(options),
          ...(folder !== undefined && { folder }),
          ...(resume !== undefined && { resume }),
          ...(config && { config }),
          ...(signal && { signal }),
          ...(onProgress && { onProgress }),
          ...(onWarning && { onWarning }),
          seed,
          batchSize: recipe.batchSize,
          ...(recipe.accumulate !== undefined && { accumulate: recipe.accumulate }),
          steps: recipe.epochs * stepsPerEpoch,
          optimizer: recipeOptimizer(recipe, (name) => network.values.get(name)?.shape.length ?? 0),
          learningRate: recipeRate(recipe, stepsPerEpoch),
          values: network.values,
          trainable: (name) => trainable.has(name),
          ...(recipe.ema > 0 && { ema: constantAverage(recipe.ema) }),
          ...(recipe.clipNorm > 0 && { clipNorm: recipe.clipNorm }),
          checkpointEvery: Math.max(1, Math.min(stepsPerEpoch, 500)),
          evaluateEvery: stepsPerEpoch,
          evaluate: async (values) => {
            const { loss, accuracy } = await scored(values, validationLoader);
            return { loss, accuracy };
          },
          selectBest: "accuracy",
          ...(patience !== undefined && { stopEarly: { measure: "accuracy", patience } }),
        });
        if (!run.finished) return undefined;
        return {
          run,
          validation: learningOf(run, ["loss", "accuracy"], (step) => ({ step })),
          test: await scored(run.values, testLoader),
          trained: sizeOf(network, trainable),
          parameters: sizeOf(network, network.values.keys()),
          skipped: loaders.flatMap(({ skipped }) => skipped),
        };
      },
    );
  } finally {
    await Promise.all(loaders.map((loader) => loader.close()));
  }
}

/** The task of training a network with a recipe. */
export function taskOf(
  network: TrainableNetwork,
  recipe: TrainingRecipe,
  trainable: ReadonlySet<string>,
): FineTuningTask {
  const { images, logits, noise, model } = network;
  return new FineTuningTask({
    images,
    logits,
    noise,
    parameters: new Map([...model.parameters].map(([name, { tensor }]) => [name, tensor])),
    labelSmoothing: recipe.labelSmoothing,
    targets: mixes(recipe) ? "distributions" : "labels",
    batchStatistics: (scale) => trainable.has(scale),
  });
}

function mixes({ mixup, cutmix }: TrainingRecipe): boolean {
  return mixup > 0 || cutmix > 0;
}

/** The images of a loader with the targets that the task reads, mixed if the recipe says so. */
export function trainingData(
  loader: ImageLoader,
  { imageShape: shape }: Pick<TrainableNetwork, "imageShape">,
  recipe: TrainingRecipe,
  classes: number,
): TrainingData {
  return mixes(recipe) ? mixedData(loader, { ...recipe, shape, classes }) : loader;
}

/**
 * Opens a loader for the images of a network.
 *
 * @param recipe augments the images for training. Without it, they are made as for measurements.
 */
export function openLoader(
  source: ImageSource,
  {
    imageShape,
    preprocessing,
  }: { readonly imageShape: readonly number[]; readonly preprocessing: Preprocessing },
  recipe: TrainingRecipe | undefined,
  threads?: number,
): ImageLoader {
  return openImageLoader(source, {
    transform: recipe
      ? trainingTransform(recipe, imageShape, preprocessing)
      : testTransform(imageShape, preprocessing),
    preprocessing,
    channels: imageShape[0] === 1 ? 1 : 3,
    ...(threads !== undefined && { threads }),
  });
}

/**
 * The names of the parameters that are trained. In a pattern, * stands for any text.
 *
 * @throws StriateError if a pattern matches no parameter
 */
export function chosenParameters(
  { model, added, name: network }: TrainableNetwork,
  trains: TrainNetworkOptions["trains"],
): ReadonlySet<string> {
  const names = [...model.parameters].flatMap(([name, { tensor }]) => (isTrainable(tensor) ? [name] : []));
  if (trains === "all") return new Set(names);
  if (trains === "added") return new Set(names.filter((name) => added.has(name)));
  const chosen = trains.map((pattern) => {
    const wanted = wildcard(pattern);
    const found = names.filter((name) => wanted.test(name));
    check(
      found.length > 0,
      () =>
        `${network}: expected a pattern that matches a parameter, got "${pattern}"; the parameters are ${names.slice(0, 3).join(", ")} ... ${names.slice(-3).join(", ")}`,
    );
    return found;
  });
  return new Set(chosen.flat());
}

function sizeOf({ values }: TrainableNetwork, names: Iterable<string>): number {
  let size = 0;
  for (const name of names) size += values.get(name)!.data.length;
  return size;
}

/** What the metadata of the exported file say about a trained network. */
export function descriptionOf(
  { model, preprocessing, name }: TrainableNetwork,
  classes: readonly string[],
): { readonly about: ModelDescription; readonly metadata: Readonly<Record<string, string>> } {
  const { noise: _noise, timesteps: _timesteps, ...own } = describeModel(model.metadata, name);
  const others = Object.entries(model.metadata).filter(([key]) => !key.startsWith("striate."));
  return { about: { ...own, preprocessing, classes }, metadata: Object.fromEntries(others) };
}
