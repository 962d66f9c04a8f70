import { join } from "node:path";
import { imageData } from "../../data/images/prepared-images.js";
import type { State } from "../../nn/module.js";
import { cosineRate } from "../../nn/schedules.js";
import type { CorruptionGroup } from "../../robustness/corruptions/index.js";
import { corruptionGroup } from "../../robustness/corruptions/index.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import type { CellResponse } from "../../systems/vonenet/index.js";
import {
  downstreamWeights,
  recipeOptimizer,
  ResponseStatistics,
  STUDY_AUGMENTATION,
  STUDY_PLATEAU,
  subPopulations,
  V1_PREPROCESSING,
  v1Metadata,
} from "../../systems/vonenet/index.js";
import type { Evaluator } from "../../train/evaluator.js";
import { train } from "../../train/run/run-node.js";
import { timed, withEvaluator } from "../cell-work.js";
import type { CellOptions } from "../cells.js";
import { cellFolder } from "../cells.js";
import { fullBatches, imageScores, rankOf } from "../image-scores.js";
import { cellTraining, learningOf, parameterCount, progressOf, saveWeights } from "../training.js";
import type { V1Condition, StudyImages, TestImages } from "./images.js";
import { openReadOut, openResponses, sampledNetwork, taskOf, v1Of } from "./networks.js";
import type { V1NetworkCell } from "./plan.js";
import { isSampled } from "./plan.js";

const TEST_BATCH = 50;

/** Accuracy of a network under one condition. */
export interface V1TestResult extends V1Condition {
  readonly accuracy: number;
  readonly top5: number;
  /** One character for each image: "1" if the network classifies it correctly, otherwise "0". */
  readonly right: string;
}

/** The effect of silencing one group of cells. */
export interface Silenced {
  /** Index of the group among the 24 groups (`subPopulations`). */
  readonly group: number;
  readonly cells: number;
  /** The value at which the cells are held: 0 or their mean response. */
  readonly held: "zero" | "mean";
  /** Accuracy with the group silenced, on clean images and by kind of corruption. */
  readonly clean: number;
  readonly corrupted: Readonly<Record<string, number>>;
  /**
   * Relative change of the bottleneck's output, |W (r - r')| / |W r|, mean over clean images: W is the
   * bottleneck, and r and r' are the responses before and after silencing.
   */
  readonly moved: number;
}

/** Measures of how a network uses its V1. */
export interface Dissection {
  /** Mean absolute weight that reads each cell. */
  readonly weights: readonly number[];
  readonly responses: readonly CellResponse[];
  /** Accuracy of the whole network on the images that `silenced` uses. */
  readonly whole: Pick<Silenced, "clean" | "corrupted">;
  readonly silenced: readonly Silenced[];
}

export interface V1NetworkResult {
  readonly tested: readonly V1TestResult[];
  readonly learningCurve: readonly {
    readonly step: number;
    readonly images: number;
    readonly loss: number;
    readonly accuracy: number;
  }[];
  readonly parameters: number;
  /** Measures of the V1; absent for a network without V1. */
  readonly dissection?: Dissection;
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

/** The images that all cells of a run share. */
export interface StudyData {
  readonly images: StudyImages;
  readonly test: TestImages;
}

type StudyOptions = CellOptions & StudyData;

/**
 * Trains and tests one network, and measures the effect of groups of cells. Returns undefined if the cell was stopped.
 */
export const runV1Cell = timed(async (config: V1NetworkCell, options: StudyOptions) => {
  const { seed, steps, batchSize, learningRate: rate, evaluateEvery } = config;
  const { images } = options;
  const classes = images.training.classes.length;
  const task = taskOf(config, classes);
  const batch = Math.min(TEST_BATCH, images.validation.count, images.test.count);
  return withEvaluator(task, batch, options, async (evaluator) => {
    const data = imageData(images.training, V1_PREPROCESSING, { augmentation: STUDY_AUGMENTATION });
    const run = await train(task, data, {
      ...cellTraining(config, options),
      optimizer: recipeOptimizer(config),
      ...(config.rateRule === "plateau"
        ? { plateau: { ...STUDY_PLATEAU, rate, measure: "loss" } }
        : { learningRate: cosineRate({ rate, steps }) }),
      evaluateEvery,
      evaluate: async (values) => {
        const { loss, accuracy } = await imageScores(evaluator, values, images.validation, inBatches(batch));
        return { loss, accuracy };
      },
    });
    if (!run.finished) return undefined;
    const tested = await testAll(evaluator, run.values, batch, options);
    if (tested === undefined) return undefined;
    const dissection = isSampled(config.network) ? await dissect(config, run.values, options) : undefined;
    if (dissection === undefined && isSampled(config.network)) return undefined;
    await saveWeights(options.cells, config, run.values);
    await run.export(
      join(cellFolder(options.cells, config), "model.onnx"),
      { system: "VOneNet", configuration: { network: config.network, seed } },
      isSampled(config.network) ? v1Metadata(v1Of(config.network, seed, config.architecture)) : {},
    );
    return {
      tested,
      learningCurve: learningOf(run, ["loss", "accuracy"], (step) => ({ step, images: step * batchSize })),
      parameters: parameterCount(task.parameters, "trainable"),
      ...(dissection && { dissection }),
      imagesPerSecond: run.imagesPerSecond,
    };
  });
});

const inBatches = (batch: number) => ({
  batch,
  preprocessing: V1_PREPROCESSING,
  labelsAt: (start: number) => ["test", start],
});

async function testAll(
  evaluator: Evaluator,
  values: State,
  batch: number,
  options: StudyOptions,
): Promise<V1TestResult[] | undefined> {
  const { test } = options;
  const report = progressOf(options, "testing", test.conditions.length);
  const tested: V1TestResult[] = [];
  for (const condition of test.conditions) {
    if (options.signal.aborted) return undefined;
    const images = await test.load(condition);
    const { accuracy, top5, right } = await imageScores(evaluator, values, images, inBatches(batch));
    tested.push({ ...condition, accuracy, top5, right });
    report(tested.length, images.count);
  }
  return tested;
}

/** Measures the responses of V1, the weights that read them, and the accuracy lost without each group of cells. */
async function dissect(
  config: V1NetworkCell,
  values: State,
  options: StudyOptions,
): Promise<Dissection | undefined> {
  const { testing, network: name } = config;
  const { test, images, signal } = options;
  if (!isSampled(name)) return undefined;
  const session = sessionOptionsOf(options);
  const network = sampledNetwork(config, name, images.training.classes.length);
  const { block } = network;
  const count = Math.min(testing.probeImages, images.test.count);
  const batch = Math.min(TEST_BATCH, count);
  const conditions = test.conditions.filter(
    ({ severity }) => severity === 0 || severity === testing.probeSeverity,
  );
  const groups = subPopulations(block.fields)
    .map(({ cells }, group) => ({ cells, group }))
    .filter(({ cells }) => cells.length > 0);
  const front = await openResponses(block, batch, session);
  const back = await openReadOut(network, values, batch, session);
  try {
    const statistics = new ResponseStatistics(block.cells, block.outputSize ** 2);
    for (const indices of fullBatches(count, batch))
      statistics.add((await front.responses(test.clean, indices)).data as Float32Array);
    const responses = statistics.result();
    const means = responses.map(({ mean }) => mean);
    const zeros = new Float32Array(block.cells);
    const whole = new Tally();
    const tallies = groups.map(() => ({ zero: new Tally(), mean: new Tally() }));
    const report = progressOf(options, "silencing", conditions.length);
    for (const [done, condition] of conditions.entries()) {
      const shown = await test.load(condition);
      for (const indices of fullBatches(count, batch)) {
        if (signal.aborted) return undefined;
        const r = await front.responses(shown, indices);
        const labels = indices.map((index) => shown.labels[index]!);
        whole.add(condition, labels, await back.readOut(r, [], zeros));
        for (const [g, { cells }] of groups.entries()) {
          tallies[g]!.zero.add(condition, labels, await back.readOut(r, cells, zeros));
          tallies[g]!.mean.add(condition, labels, await back.readOut(r, cells, means));
        }
      }
      report(done + 1, count);
    }
    const weight = values.get("bottleneck.weight")!.data as Float32Array;
    return {
      weights: [...downstreamWeights(weight, block.cells)],
      responses,
      whole: whole.result(),
      silenced: groups.flatMap(({ cells, group }, g) =>
        (["zero", "mean"] as const).map((held) => ({
          group,
          cells: cells.length,
          held,
          ...tallies[g]![held].result(),
        })),
      ),
    };
  } finally {
    await front.close();
    await back.close();
  }
}

/** Counts the right answers on clean images and by kind of corruption. */
class Tally {
  readonly #right = new Map<CorruptionGroup | "clean", { right: number; count: number }>();
  #moved = { sum: 0, count: 0 };

  add(
    { corruption }: V1Condition,
    labels: readonly number[],
    { logits, moved }: { readonly logits: Float32Array; readonly moved: Float32Array },
  ): void {
    const kind = corruption === "clean" ? "clean" : corruptionGroup(corruption);
    const entry = this.#right.get(kind) ?? { right: 0, count: 0 };
    this.#right.set(kind, entry);
    const classes = logits.length / labels.length;
    labels.forEach((label, row) => {
      if (rankOf(label, logits.subarray(row * classes, (row + 1) * classes)) === 0) entry.right++;
      entry.count++;
      if (kind !== "clean") return;
      this.#moved.sum += moved[row]!;
      this.#moved.count++;
    });
  }

  result(): Pick<Silenced, "clean" | "corrupted" | "moved"> {
    const share = ({ right, count }: { right: number; count: number }) => right / count;
    const { clean, ...corrupted } = Object.fromEntries(
      [...this.#right].map(([kind, entry]) => [kind, share(entry)]),
    );
    return { clean: clean ?? NaN, corrupted, moved: this.#moved.sum / this.#moved.count };
  }
}
