import { copyFile } from "node:fs/promises";
import { loadOnnx } from "../../graph/onnx/read/open-node.js";
import type { State } from "../../nn/module.js";
import { adam, adamW } from "../../nn/optimizers.js";
import { cosineRate, withWarmUp } from "../../nn/schedules.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { ClassificationTask, Vgg } from "../../systems/baselines/index.js";
import type { PreparedImages, Preprocessing } from "../../systems/predify/index.js";
import { Backbone, freshValues, imageBatch, imageData, largestLogits } from "../../systems/predify/index.js";
import {
  reconstructionErrors,
  trainFeedback,
  tuneHyperparameters,
} from "../../systems/predify/training/train-node.js";
import { readWeights, writeWeights } from "../../systems/predify/files/weights-node.js";
import { exportOnnx } from "../../train/export.js";
import { train } from "../../train/run/run-node.js";
import { check } from "../../util/errors.js";
import { readFileChecked } from "../../util/files-node.js";
import { closing } from "../../util/closing.js";
import { cellTraining, learningOf } from "../training.js";
import { augmentedData, noisyData } from "./images.js";
import type { PredictiveOptions } from "./network.js";
import { batchesOf, decodersPath, modelPath, openNetwork, preprocessingOf } from "./network.js";
import type { BackboneCell, FeedbackCell, TrainedNetwork, TuningCell } from "./plan.js";
import type { BackboneResult } from "./results.js";

const BATCH = 50;

const DECAY = 0.05;

export async function runBackbone(config: BackboneCell, options: PredictiveOptions) {
  const { network } = config;
  const path = modelPath(options.cells, config);
  const curve =
    "depth" in network ? await trainVgg(network, config, path, options) : await takeModel(path, options);
  if (curve === undefined) return undefined;
  const model = await loadOnnx(path);
  const { imageShape } = new Backbone(model);
  const { validation } = await options.images.training(config, imageShape);
  const bytes = await readFileChecked(path, { what: "ONNX model", maxBytes: 2 ** 31 - 1 });
  const accuracy = await accuracyOf(bytes, validation, preprocessingOf(config), options);
  const sizes = [...model.parameters.values()].map(({ data }) => data.data.length);
  return { accuracy, curve, parameters: sizes.reduce((a, b) => a + b, 0) };
}

async function takeModel(path: string, { model }: PredictiveOptions): Promise<BackboneResult["curve"]> {
  check(model !== undefined, () => "predictive coding: expected the path of the network's file, got none");
  await copyFile(model, path);
  return [];
}

/**
 * Trains the feed-forward network with AdamW, a cosine schedule with a short warm-up, and images mirrored and shifted
 * at random.
 */
async function trainVgg(
  network: TrainedNetwork,
  config: BackboneCell,
  path: string,
  options: PredictiveOptions,
): Promise<BackboneResult["curve"] | undefined> {
  const { seed, steps, batchSize, learningRate: rate } = config;
  const shape = [3, 32, 32];
  const preprocessing = preprocessingOf(config);
  const { training, validation } = await options.images.training(config, shape);
  const task = new ClassificationTask(
    new Vgg({ ...network, batchNorm: true, classes: training.classes.length, grid: 1, dropout: 0.1 }),
    shape,
  );
  const measure = async (values: State) => ({
    accuracy: await accuracyOf(exportOnnx(task, values).bytes, validation, preprocessing, options),
  });
  const run = await train(task, augmentedData(training, preprocessing, { seed, count: steps * batchSize }), {
    ...cellTraining(config, options),
    optimizer: adamW({ weightDecay: DECAY }),
    learningRate: withWarmUp(cosineRate({ rate, steps }), Math.floor(steps / 20)),
    evaluateEvery: config.evaluateEvery,
    evaluate: measure,
  });
  if (!run.finished) return undefined;
  await run.export(path, { configuration: { network: "VGG", seed } });
  return learningOf(run, ["accuracy"], (step) => ({ step }));
}

function accuracyOf(
  model: Uint8Array,
  images: PreparedImages,
  preprocessing: Preprocessing,
  options: PredictiveOptions,
): Promise<number> {
  return closing(workerRuntime.createSession(model, sessionOptionsOf(options)), async (session) => {
    const [input, output] = [session.inputNames[0]!, session.outputNames[0]!];
    let correct = 0;
    for (const indices of batchesOf(images.count, BATCH)) {
      const results = await session.run({ [input]: imageBatch(images, preprocessing, indices) });
      const { shape, data } = results[output]!;
      const answers = largestLogits({ dtype: "float32", shape: [1, ...shape], data }, 0);
      correct += answers.filter((answer, i) => answer === images.labels[indices[i]!]).length;
    }
    return correct / images.count;
  });
}

/** Trains the decoders with Adam, and measures their errors before, during and after training. */
export async function runFeedback(config: FeedbackCell, options: PredictiveOptions) {
  const { batchSize, steps, learningRate: rate, seed, start } = config;
  const network = await openNetwork(options.cells, config);
  const preprocessing = preprocessingOf(start);
  const images = await options.images.training(start, network.backbone.imageShape);
  const validation = imageData(images.validation, preprocessing);
  const errorsIn = (errors: Readonly<Record<string, number>>) =>
    network.pcoders.map(({ number }) => errors[`error.pcoder${number}`]!);
  const before = await reconstructionErrors(network, freshValues(network, seed), validation, { batchSize });
  const run = await trainFeedback(network, imageData(images.training, preprocessing), {
    ...cellTraining(config, options),
    optimizer: adam(),
    learningRate: cosineRate({ rate, steps }),
    validation,
    evaluateEvery: config.evaluateEvery,
  });
  if (!run.finished) return undefined;
  await writeWeights(decodersPath(options.cells, config), network, run.values);
  return {
    pcoders: network.pcoders.map(({ cut, shape, target }) => ({ after: cut.name, shape, target })),
    curve: [
      { step: 0, errors: errorsIn(before) },
      ...run.evaluations.map((row) => ({ step: row.step, errors: errorsIn(row) })),
    ],
    imagesPerSecond: run.imagesPerSecond,
  };
}

/** Tunes beta, lambda and alpha by gradient on noisy training images, starting from the authors' values. */
export async function runTuning(config: TuningCell, options: PredictiveOptions) {
  const { start, timesteps, seed, steps, batchSize, learningRate: rate, largestSigma } = config;
  const network = await openNetwork(options.cells, start);
  const { training } = await options.images.training(start.start, network.backbone.imageShape);
  const data = noisyData(training, preprocessingOf(start.start), {
    seed,
    count: steps * batchSize,
    largestSigma,
  });
  const { hyperparameters, run } = await tuneHyperparameters(network, data, {
    ...cellTraining(config, options),
    timesteps,
    values: await readWeights(decodersPath(options.cells, start), network),
    learningRate: cosineRate({ rate, steps }),
  });
  if (!run.finished) return undefined;
  return { authors: network.pcoders.map((pcoder) => pcoder.hyperparameters), tuned: hyperparameters };
}
