import { join } from "node:path";
import { CIFAR10_CLASSES } from "../../data/sets/cifar10.js";
import type { ImageSource } from "../../data/images/image-source.js";
import type { PreparedImages } from "../../data/images/prepared-images.js";
import { prepareImages, sliceImages } from "../../data/images/prepared-images.js";
import { PREPROCESSINGS } from "../../data/images/preprocessing.js";
import { fromRgb } from "../../draw/index.js";
import { warmAverage } from "../../nn/ema.js";
import { pngDataUri } from "../../report/png.js";
import { versions } from "../../report/provenance-node.js";
import type { AttackPlan } from "../../robustness/attacks/index.js";
import {
  apgdAttack,
  fgsm,
  pgdAttack,
  randomSign,
  standardEnsemble,
  stochasticEnsemble,
} from "../../robustness/attacks/index.js";
import type { Protocol, ResultCard } from "../../robustness/card.js";
import { resultCard } from "../../robustness/card.js";
import { Classifier } from "../../robustness/classifier.js";
import { corruptionGroup } from "../../robustness/corruptions/index.js";
import type { EvaluationPlan } from "../../robustness/evaluate-node.js";
import { decodePixels, evaluate } from "../../robustness/evaluate-node.js";
import { toImageBatch, toPicture } from "../../robustness/images.js";
import type { CorruptionCondition, ExampleRecord } from "../../robustness/records.js";
import { openResults } from "../../robustness/results-file-node.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { train } from "../../train/run/run-node.js";
import { ensureFolder } from "../../util/files-node.js";
import { Random } from "../../util/random.js";
import { byKind, withEvaluator } from "../cell-work.js";
import type { CellOptions } from "../cells.js";
import { cellFolder, cellKey } from "../cells.js";
import { imageScores } from "../image-scores.js";
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

const BATCH = 32;

const BINS = 15;

/** Random seed for the choice of test images, which is the same for all networks and seeds. */
const SEED = 1;

/** Measures accuracy and calibration with one pass for each image. */
async function runPictures(config: PictureCell, options: RecognitionOptions) {
  const conditions = config.corruptions.flatMap((name) =>
    config.severities.map((severity) => ({ name, severity })),
  );
  const card = (await measured(config, { images: config.images, conditions }, options))?.card;
  if (card?.clean === undefined || card.reliability === undefined) return undefined;
  const { clean, reliability, corruptions, summary } = card;
  return { clean, reliability, corruptions, meanError: summary?.meanError };
}

async function runAttack(config: AttackCell, options: RecognitionOptions) {
  const found = await measured(config, { attack: attackPlanOf(config), images: config.images }, options);
  if (found === undefined) return undefined;
  const { card, examples } = found;
  const largest = Math.max(...config.epsilons);
  const shown = examples.filter(({ epsilon }) => epsilon === largest);
  return {
    scores: card.attacks,
    examples: await Promise.all(shown.map((example) => pictured(example, options))),
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

/** Runs the evaluation of `striate robustness`, whose records let a stopped cell resume. */
async function measured(
  config: PictureCell | AttackCell,
  { images: most, conditions = [], attack }: Measurement,
  options: RecognitionOptions,
): Promise<{ readonly card: ResultCard; readonly examples: readonly ExampleRecord[] } | undefined> {
  const { test: source, cells, signal, threads } = options;
  const state = await loadWeights(cells, config.start);
  const network = attackedNetwork(config.start, config.noise, testedName(config), state);
  const classifier = new Classifier(network, workerRuntime, sessionOptionsOf(options));
  const order = Random.derive(SEED, "test images").permutation(source.count);
  const chosen = [...order.slice(0, most)].sort((a, b) => a - b);
  const plan: EvaluationPlan = {
    images: attack === undefined ? chosen : [],
    conditions,
    corruption: { constants: 32, reencode: false },
    attacked: attack === undefined ? [] : chosen,
    attacks: attack === undefined ? [] : [attack],
    epsilons: config.kind === "attack" ? config.epsilons : [],
    seed: config.seed,
    batch: BATCH,
    passes: 1,
  };
  const protocol: Protocol = {
    model: {
      name: testedName(config),
      sha256: cellKey(config.start),
      classes: CIFAR10_CLASSES.length,
      imageShape: IMAGE_SHAPE,
      answers: network.answers,
      preprocessing: network.preprocessing,
      preprocessingFrom: network.preprocessingFrom,
    },
    data: {
      name: source.name,
      count: source.count,
      images: plan.images.length,
      attacked: plan.attacked.length,
      choice: `drawn at random with seed ${SEED}`,
      labels: "the data set's own",
    },
    seed: config.seed,
    passes: 1,
    batch: BATCH,
    corruptions: [...new Set(conditions.map(({ name }) => name))],
    severities: [...new Set(conditions.map(({ severity }) => severity))],
    constants: 32,
    reencode: false,
    frost: "procedural",
    bins: BINS,
    device: options.device ?? "cpu",
    version: versions().striate!,
  };
  const folder = cellFolder(cells, config);
  await ensureFolder(folder);
  const path = join(folder, "records.jsonl");
  const results = await openResults(path, { cell: recognitionCellName(config), key: cellKey(config) });
  try {
    const records = await evaluate([classifier], source, plan, results, {
      signal,
      ...(threads !== undefined && { threads }),
      onProgress: (task, event) => {
        options.onProgress(task, event);
      },
    });
    if (signal.aborted) return undefined;
    const examples = records.filter((record): record is ExampleRecord => record.kind === "example");
    const card = resultCard({
      protocol,
      conditions,
      plans: plan.attacks,
      epsilons: plan.epsilons,
      records,
      groupOf: corruptionGroup,
      seconds: 0,
    });
    return { card, examples };
  } finally {
    await results.close();
    await classifier.close();
  }
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
