import { join } from "node:path";
import { CIFAR10_CLASSES } from "../../data/sets/cifar10.js";
import { fromRgb } from "../../draw/index.js";
import { pngDataUri } from "../../report/png.js";
import type { Reliability } from "../../metrics/calibration.js";
import type { AdversarialExample } from "../../report/robust-recognition-data.js";
import type { AttackPlan } from "../../robustness/attacks/index.js";
import {
  apgdAttack,
  fgsm,
  pgdAttack,
  randomSign,
  standardEnsemble,
  stochasticEnsemble,
} from "../../robustness/attacks/index.js";
import type { AttackScores, ConditionScores, Protocol, ResultCard, Scores } from "../../robustness/card.js";
import { resultCard } from "../../robustness/card.js";
import { Classifier } from "../../robustness/classifier.js";
import type { Condition, ExampleRecord } from "../../robustness/records.js";
import { corruptionGroup } from "../../robustness/corruptions/index.js";
import type { EvaluationPlan } from "../../robustness/evaluate-node.js";
import { decodePixels, evaluate } from "../../robustness/evaluate-node.js";
import { toImageBatch, toPicture } from "../../robustness/images.js";
import { openResults } from "../../robustness/results-file-node.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { ensureFolder } from "../../util/files-node.js";
import { Random } from "../../util/random.js";
import { cellFolder, cellKey } from "../cells-node.js";
import { versions } from "../machine-node.js";
import { readWeights } from "../weights-node.js";
import type { CellOptions } from "./cell-options-node.js";
import { weightsPath } from "./cell-options-node.js";
import type { AttackCell, PictureCell } from "./config.js";
import { cellName, testedName } from "./config.js";
import { IMAGE_SHAPE, attackedNetwork } from "./models.js";

export interface PictureResult {
  readonly kind: "pictures";
  readonly clean: Scores;
  readonly reliability: Reliability;
  readonly corruptions: readonly ConditionScores[];
  readonly meanError: number | undefined;
  readonly seconds: number;
}

export interface AttackResult {
  readonly kind: "attack";
  readonly scores: readonly AttackScores[];
  readonly examples: readonly AdversarialExample[];
  readonly seconds: number;
}

const BATCH = 32;
const BINS = 15;
/** The test images are the same for all networks and seeds. */
const SEED = 1;

/** Accuracy and calibration of one pass over each picture. */
export async function runPictures(
  config: PictureCell,
  options: CellOptions,
): Promise<PictureResult | undefined> {
  const started = performance.now();
  const conditions = config.corruptions.flatMap((name) =>
    config.severities.map((severity) => ({ name, severity })),
  );
  const card = await measured(config, { images: config.images, conditions }, options);
  if (card?.clean === undefined || card.reliability === undefined) return undefined;
  return {
    kind: "pictures",
    clean: card.clean,
    reliability: card.reliability,
    corruptions: card.corruptions,
    meanError: card.summary?.meanError,
    seconds: (performance.now() - started) / 1000,
  };
}

export async function runAttack(config: AttackCell, options: CellOptions): Promise<AttackResult | undefined> {
  const started = performance.now();
  const examples: ExampleRecord[] = [];
  const card = await measured(
    config,
    { attack: attackPlanOf(config), images: config.images },
    options,
    examples,
  );
  if (card === undefined) return undefined;
  const largest = Math.max(...config.epsilons);
  return {
    kind: "attack",
    scores: card.attacks,
    examples: await Promise.all(
      examples.filter(({ epsilon }) => epsilon === largest).map((example) => pictured(example, options)),
    ),
    seconds: (performance.now() - started) / 1000,
  };
}

/** What an attack does. AutoAttack has a form of its own for networks that draw random numbers. */
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
  readonly conditions?: readonly Condition[];
  readonly attack?: AttackPlan;
}

/** Measures through the robustness bench, whose records make a stopped cell go on where it was. */
async function measured(
  config: PictureCell | AttackCell,
  { images: most, conditions = [], attack }: Measurement,
  options: CellOptions,
  examples: ExampleRecord[] = [],
): Promise<ResultCard | undefined> {
  const { test: source, cells, signal, threads } = options;
  const state = await readWeights(weightsPath(cells, config.start));
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
  const results = await openResults(path, { cell: cellName(config), key: cellKey(config) });
  try {
    const records = await evaluate([classifier], source, plan, results, {
      signal,
      ...(threads !== undefined && { threads }),
      onProgress: (task, event) => {
        options.onProgress(task, event);
      },
    });
    if (signal.aborted) return undefined;
    examples.push(...records.filter((record): record is ExampleRecord => record.kind === "example"));
    return resultCard({
      protocol,
      conditions,
      plans: plan.attacks,
      epsilons: plan.epsilons,
      records,
      groupOf: corruptionGroup,
      seconds: 0,
    });
  } finally {
    await results.close();
    await classifier.close();
  }
}

async function pictured(
  { image, label, predicted, pixels }: ExampleRecord,
  { test }: CellOptions,
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
