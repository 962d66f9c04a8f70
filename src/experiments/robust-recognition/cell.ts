import type { ImageSource } from "../../data/images/image-source.js";
import type { PreparedImages } from "../../data/images/prepared-images.js";
import { prepareImages, sliceImages } from "../../data/images/prepared-images.js";
import { PREPROCESSINGS } from "../../data/images/preprocessing.js";
import { fromRgb } from "../../draw/index.js";
import { warmAverage } from "../../nn/ema.js";
import { pngDataUri } from "../../report/png.js";
import type { AttackPlan } from "../../robustness/attacks/index.js";
import {
  apgdAttack,
  fgsm,
  pgdAttack,
  randomSign,
  standardEnsemble,
  stochasticEnsemble,
} from "../../robustness/attacks/index.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { decodePixels } from "../../robustness/evaluate-node.js";
import { toImageBatch, toPicture } from "../../robustness/images.js";
import type { CorruptionCondition, ExampleRecord } from "../../robustness/records.js";
import { train } from "../../train/run/run-node.js";
import { byKind, withEvaluator } from "../cell-work.js";
import type { CellOptions } from "../cells.js";
import { cellFolder, cellKey } from "../cells.js";
import { imageScores } from "../image-scores.js";
import type { MeasuredNetwork } from "../measured-network.js";
import { measureNetwork } from "../measured-network.js";
import { cellTraining, learningOf, loadWeights, rateOf, saveWeights } from "../training.js";
import { trainingImages } from "./images.js";
import { attackedNetwork, IMAGE_SHAPE, modelOf } from "./networks.js";
import type { AttackCell, RecognitionCell, RecognitionNetworkCell, PictureCell } from "./plan.js";
import { recognitionCellName, testedName } from "./plan.js";
import type { AdversarialExample, RecognitionResult } from "./results.js";

/** The data that all cells share: CIFAR-10's training and test parts. */
export interface ImageParts {
  readonly train: ImageSource;
  readonly test: ImageSource;
}

type RecognitionOptions = CellOptions & ImageParts;

/** Trains a network, or tests one on images or under an attack. Returns undefined if the cell was stopped. */
export const runRecognitionCell = byKind<RecognitionCell, RecognitionResult, RecognitionOptions>({
  network: runNetwork,
  pictures: runPictures,
  attack: runAttack,
});

/** Cache of images by source, so that all cells that train on a source read it once. */
const prepared = new WeakMap<ImageSource, Promise<PreparedImages>>();

function imagesOf(source: ImageSource): Promise<PreparedImages> {
  const made = prepared.get(source) ?? prepareImages(source, IMAGE_SHAPE);
  prepared.set(source, made);
  return made;
}

const VALIDATION_BATCH = 50;

async function runNetwork(config: RecognitionNetworkCell, options: RecognitionOptions) {
  const { seed, batchSize, evaluateEvery, ema, trainImages, validationImages } = config;
  const all = await imagesOf(options.train);
  const { count } = all;
  // If training uses all images, it uses the validation images, too, and the validation only shows progress.
  const validation = sliceImages(all, count - validationImages, count);
  const training = sliceImages(all, 0, Math.min(trainImages, count));
  const { task } = modelOf(config);
  const batch = Math.min(VALIDATION_BATCH, validationImages);
  const labelsAt = (start: number) => [seed, "validation", start];
  const validating = { batch, preprocessing: PREPROCESSINGS.unit, labelsAt };
  return withEvaluator(task, batch, options, async (evaluator) => {
    const run = await train(task, trainingImages(training, config.augmentation), {
      ...cellTraining(config, options),
      learningRate: rateOf(config),
      ema: warmAverage(ema),
      evaluateEvery,
      evaluate: async (values) => {
        const { accuracy, loss } = await imageScores(evaluator, values, validation, validating);
        return { accuracy, loss };
      },
    });
    if (!run.finished) return undefined;
    await saveWeights(options.cells, config, run.values);
    return {
      learning: learningOf(run, ["loss", "accuracy"], (step) => ({ images: step * batchSize })),
      imagesPerSecond: run.imagesPerSecond,
    };
  });
}

/** Measures accuracy and calibration with one pass for each image. */
async function runPictures(config: PictureCell, options: RecognitionOptions) {
  const conditions = config.corruptions.flatMap((name) =>
    config.severities.map((severity) => ({ name, severity })),
  );
  const found = await measured(config, { images: config.images, conditions }, options);
  if (found?.card.clean === undefined || found.card.reliability === undefined) return undefined;
  const { clean, reliability, corruptions, summary } = found.card;
  const kept: readonly string[] = ["clean", "corrupted"];
  const outcomes = found.outcomesNamed(({ plan }) => plan).filter(({ kind }) => kept.includes(kind));
  return { clean, reliability, corruptions, meanError: summary?.meanError, outcomes };
}

async function runAttack(config: AttackCell, options: RecognitionOptions) {
  const found = await measured(config, { attack: attackPlanOf(config), images: config.images }, options);
  if (found === undefined) return undefined;
  const { card, records } = found;
  const examples = records.filter((record): record is ExampleRecord => record.kind === "example");
  const largest = Math.max(...config.epsilons);
  const shown = examples.filter(({ epsilon }) => epsilon === largest);
  return {
    scores: card.attacks,
    examples: await Promise.all(shown.map((example) => pictured(example, options))),
    outcomes: found
      .outcomesNamed(({ epsilon }) => showEpsilon(epsilon))
      .filter(({ kind }) => kind === "attack"),
  };
}

/** The attacks that a cell runs. AutoAttack has a variant for networks that draw random numbers. */
function attackPlanOf({ attack, steps, eot }: AttackCell): AttackPlan {
  const alone = (one: AttackPlan["attacks"][number]): AttackPlan => ({
    name: one.name,
    norm: one.norm,
    attacks: [one],
  });
  switch (attack) {
    case "noise":
      return alone(randomSign());
    case "fgsm":
      return alone(fgsm({ eot }));
    case "pgd":
      return alone(pgdAttack({ steps, eot }));
    case "apgd":
      return alone(apgdAttack({ steps, eot }));
    case "autoattack":
      return eot > 1 ? stochasticEnsemble("Linf", eot) : standardEnsemble();
  }
}

interface Measurement {
  readonly images: number;
  readonly conditions?: readonly CorruptionCondition[];
  readonly attack?: AttackPlan;
}

async function measured(
  config: PictureCell | AttackCell,
  { images, conditions = [], attack }: Measurement,
  options: RecognitionOptions,
): Promise<MeasuredNetwork | undefined> {
  const { test: source, cells } = options;
  const state = await loadWeights(cells, config.start);
  return measureNetwork(
    {
      network: attackedNetwork(config.start, config.noise, testedName(config), state),
      source,
      images: attack === undefined ? images : 0,
      conditions,
      corruption: { constants: 32, reencode: false },
      attacked: attack === undefined ? 0 : images,
      attacks: attack === undefined ? [] : [attack],
      epsilons: config.kind === "attack" ? config.epsilons : [],
      seed: config.seed,
      cell: recognitionCellName(config),
      key: cellKey(config),
      folder: cellFolder(cells, config),
    },
    options,
  );
}

async function pictured(
  { image, label, predicted, pixels }: ExampleRecord,
  { test }: ImageParts,
): Promise<AdversarialExample> {
  const clean = toImageBatch([await test.read(image)], IMAGE_SHAPE).data;
  const changed = decodePixels(pixels, clean.length);
  const change = changed.map((value, i) => value - clean[i]!);
  const most = change.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  const uri = (values: Float32Array) => pngDataUri(fromRgb(toPicture(values, IMAGE_SHAPE)));
  return {
    label: test.classes[label] ?? String(label),
    predicted: test.classes[predicted] ?? String(predicted),
    clean: uri(clean),
    adversarial: uri(changed),
    difference: uri(change.map((value) => 0.5 + (0.5 * value) / most)),
  };
}
