import type { ImageSource } from "../../data/images/image-source.js";
import type { PreparedImages } from "../../data/images/prepared-images.js";
import { imageData, prepareImages } from "../../data/images/prepared-images.js";
import { PREPROCESSINGS } from "../../data/images/preprocessing.js";
import { judgeLogits } from "../../metrics/calibration.js";
import { warmAverage } from "../../nn/ema.js";
import type { State } from "../../nn/module.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { Evaluator } from "../../train/evaluator.js";
import { train } from "../../train/run-node.js";
import { cellTraining } from "../cell-options-node.js";
import { sliceImages } from "../image-slices.js";
import { rateOf } from "../rate-schedule.js";
import { writeWeights } from "../weights-node.js";
import type { CellConfig, NetworkCell } from "./config.js";
import { trainingImages } from "./images.js";
import { IMAGE_SHAPE, modelOf } from "./models.js";
import type { CellOptions } from "./cell-options-node.js";
import { weightsPath } from "./cell-options-node.js";
import type { AttackResult, PictureResult } from "./test-cells-node.js";
import { runAttack, runPictures } from "./test-cells-node.js";

export interface NetworkResult {
  readonly kind: "network";
  readonly learning: readonly {
    readonly images: number;
    readonly loss: number;
    readonly accuracy: number;
  }[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

export type CellResult = NetworkResult | PictureResult | AttackResult;

/** Does what a cell asks for; undefined when it was stopped. */
export function runCell(config: CellConfig, options: CellOptions): Promise<CellResult | undefined> {
  switch (config.kind) {
    case "network":
      return runNetwork(config, options);
    case "pictures":
      return runPictures(config, options);
    case "attack":
      return runAttack(config, options);
  }
}

/** Read once for all cells that train on the same images. */
const prepared = new WeakMap<ImageSource, Promise<PreparedImages>>();

function imagesOf(source: ImageSource): Promise<PreparedImages> {
  const made = prepared.get(source) ?? prepareImages(source, IMAGE_SHAPE);
  prepared.set(source, made);
  return made;
}

const EVALUATION_BATCH = 50;

async function runNetwork(config: NetworkCell, options: CellOptions): Promise<NetworkResult | undefined> {
  const started = performance.now();
  const { seed, batchSize, evaluateEvery, ema, trainImages, validationImages } = config;
  const all = await imagesOf(options.train);
  const { count } = all;
  // Where training takes all, the images that are watched are among them: they only show that it moves.
  const validation = sliceImages(all, count - validationImages, count);
  const training = sliceImages(all, 0, Math.min(trainImages, count));
  const { task } = modelOf(config);
  const batch = Math.min(EVALUATION_BATCH, validationImages);
  const evaluator = await Evaluator.open(task, batch, new Map(), workerRuntime, sessionOptionsOf(options));
  try {
    const run = await train(task, trainingImages(training, config.augmentation), {
      ...cellTraining(config, options),
      learningRate: rateOf(config),
      ema: warmAverage(ema),
      evaluateEvery,
      evaluate: (values) => validate(evaluator, values, validation, batch, seed),
    });
    if (!run.finished) return undefined;
    await writeWeights(weightsPath(options.cells, config), run.values);
    return {
      kind: "network",
      learning: run.evaluations.map(({ step, loss = NaN, accuracy = NaN }) => ({
        images: step * batchSize,
        loss,
        accuracy,
      })),
      imagesPerSecond: run.imagesPerSecond,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await evaluator.close();
  }
}

async function validate(
  evaluator: Evaluator,
  values: State,
  images: PreparedImages,
  batch: number,
  seed: number,
): Promise<{ accuracy: number; loss: number }> {
  const data = imageData(images, PREPROCESSINGS.unit);
  let [right, loss, seen] = [0, 0, 0];
  for (let start = 0; start + batch <= images.count; start += batch) {
    const indices = Array.from({ length: batch }, (_, i) => start + i);
    const { logits } = await evaluator.run(values, data, indices, [seed, "validation", start]);
    const classes = logits!.data.length / batch;
    indices.forEach((index, i) => {
      const row = (logits!.data as Float32Array).subarray(i * classes, (i + 1) * classes);
      const label = images.labels[index]!;
      const { predicted, nll } = judgeLogits(row, label);
      if (predicted === label) right++;
      loss += nll;
      seen++;
    });
  }
  return { accuracy: right / seen, loss: loss / seen };
}
