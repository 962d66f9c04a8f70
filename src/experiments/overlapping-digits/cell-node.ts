import { loadMnist } from "../../data/mnist-node.js";
import type { DigitImages } from "../../data/digit-images.js";
import {
  binaryAccuracy,
  binaryCrossEntropyWithLogits,
  microF1,
  topKRecall,
  topKSetAccuracy,
} from "../../metrics/index.js";
import type { State } from "../../nn/module.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { Evaluator } from "../../train/evaluator.js";
import type { ProgressListener } from "../../train/progress.js";
import { createRateEstimator } from "../../train/progress.js";
import { train } from "../../train/run-node.js";
import type { TrainingData } from "../../train/task.js";
import type { CellConfig } from "./config.js";
import { CONDITIONS } from "./config.js";
import { taskOf } from "./models.js";
import { savePictures } from "./pictures-node.js";
import { testScenes, trainingScenes } from "./scenes.js";

const CLASSES = 10;
const DIGITS = 2;
const TEST_BATCH = 64;

/** How one network did under one condition. */
export interface ConditionResult {
  readonly condition: string;
  /** Of the last timestep's logits, by metric name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Set accuracy after each timestep. */
  readonly accuracyPerTimestep: readonly number[];
  /** Synchrony loss after each timestep; empty for networks without phases. */
  readonly synchronyPerTimestep: readonly number[];
}

/** Plain data that a finished cell leaves. */
export interface CellResult {
  readonly conditions: readonly ConditionResult[];
  readonly learningCurve: readonly {
    readonly step: number;
    readonly images: number;
    readonly loss: number;
    readonly setAccuracy: number;
  }[];
  /** Training speed, images per second. */
  readonly imagesPerSecond: number;
  readonly seconds: number;
  /** Set accuracy for each unordered pair of digits under the first condition, [10, 10] with null where none came. */
  readonly pairAccuracy: readonly (readonly (number | null)[])[];
}

export interface CellOptions extends SessionOptions {
  /** The cell's own folder; training goes on from what it holds. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (part: string, event: Parameters<ProgressListener>[0]) => void;
  readonly onWarning: (message: string) => void;
}

let mnist: Promise<readonly [DigitImages, DigitImages]> | undefined;

/** MNIST's training and test digits, read once. */
export function loadDigits(): Promise<readonly [DigitImages, DigitImages]> {
  mnist ??= Promise.all([loadMnist("train"), loadMnist("test")]);
  return mnist;
}

/** Trains the network of a cell and tests it under every condition; undefined when it was stopped. */
export async function runCell(config: CellConfig, options: CellOptions): Promise<CellResult | undefined> {
  const started = performance.now();
  const [trainDigits, testDigits] = await loadDigits();
  const { seed, model } = config;
  const { folder, signal, onProgress, onWarning, ...session } = options;
  const scenes = trainingScenes(trainDigits, seed, "train", config.trainScenes);
  const validation = trainingScenes(trainDigits, seed, "validation", config.validationScenes);
  const task = taskOf(config);
  const learningCurve: CellResult["learningCurve"][number][] = [];
  const tester = await openTester(config, session);
  try {
    const run = await train(task, scenes, {
      ...session,
      folder,
      resume: true,
      config: { ...config },
      steps: config.steps,
      batchSize: config.batchSize,
      seed,
      learningRate: config.learningRate,
      clipNorm: config.clipNorm,
      checkpointEvery: 200,
      evaluateEvery: config.evaluateEvery,
      evaluate: async (values) => {
        const { metrics } = await tester.test(values, validation, "validation");
        return metrics;
      },
      ...(config.selectBest && { selectBest: "setAccuracy" }),
      signal,
      onWarning,
      onProgress: (event) => {
        onProgress("training", event);
      },
    });
    if (!run.finished) return undefined;
    for (const row of run.evaluations) {
      const { step, loss = NaN, setAccuracy = NaN } = row;
      learningCurve.push({ step, images: step * config.batchSize, loss, setAccuracy });
    }
    const rate = createRateEstimator({ steps: CONDITIONS.length * config.testScenes });
    const conditions: ConditionResult[] = [];
    let pairAccuracy: CellResult["pairAccuracy"] = [];
    for (const [i, condition] of CONDITIONS.entries()) {
      if (signal.aborted) return undefined;
      const data = testScenes(testDigits, condition, config.testScenes);
      const tested = await tester.test(run.values, data, condition.id, (done, images) => {
        const step = i * config.testScenes + done;
        onProgress("testing", {
          step,
          steps: CONDITIONS.length * config.testScenes,
          ...rate.update(step, images),
        });
      });
      conditions.push({ condition: condition.id, ...tested });
      if (i === 0) pairAccuracy = tested.pairs;
    }
    await savePictures(
      config,
      run.values,
      testScenes(testDigits, CONDITIONS[0]!, config.testScenes),
      folder,
      session,
    );
    await run.export(`${folder}/model.onnx`, { system: "komplexnet", model, seed: String(seed) });
    return {
      conditions: conditions.map(({ condition, metrics, accuracyPerTimestep, synchronyPerTimestep }) => ({
        condition,
        metrics,
        accuracyPerTimestep,
        synchronyPerTimestep,
      })),
      learningCurve,
      imagesPerSecond: run.imagesPerSecond,
      seconds: (performance.now() - started) / 1000,
      pairAccuracy,
    };
  } finally {
    await tester.close();
  }
}

type Tested = Omit<ConditionResult, "condition"> & { readonly pairs: CellResult["pairAccuracy"] };

interface Tester {
  test(
    values: State,
    data: TrainingData,
    label: string,
    onBatch?: (done: number, images: number) => void,
  ): Promise<Tested>;
  close(): Promise<void>;
}

async function openTester(config: CellConfig, session: SessionOptions): Promise<Tester> {
  const task = taskOf(config, { synchrony: true });
  const batch = Math.min(TEST_BATCH, config.testScenes, config.validationScenes);
  const evaluator = await Evaluator.open(task, batch, new Map(), workerRuntime, session);
  return {
    close: () => evaluator.close(),
    test: async (values, data, label, onBatch) => {
      const all: { logits: Float32Array[]; targets: Float32Array; synchrony: number[] } = {
        logits: [],
        targets: new Float32Array(data.count * CLASSES),
        synchrony: [],
      };
      const batches = Math.floor(data.count / batch);
      for (let b = 0; b < batches; b++) {
        const indices = Array.from({ length: batch }, (_, i) => b * batch + i);
        data.fill(indices, { targets: all.targets.subarray(b * batch * CLASSES, (b + 1) * batch * CLASSES) });
        const { logits, synchronyLoss } = await evaluator.run(values, data, indices, [
          config.seed,
          "test phases",
          label,
          b,
        ]);
        splitTimesteps(logits!.data as Float32Array, batch, b, data.count, all.logits);
        (synchronyLoss?.data as Float32Array | undefined)?.forEach((loss, t) => {
          all.synchrony[t] = (all.synchrony[t] ?? 0) + loss / batches;
        });
        onBatch?.((b + 1) * batch, batch);
      }
      return scored(all.logits, all.targets.subarray(0, batches * batch * CLASSES), all.synchrony);
    },
  };
}

/** [timesteps, batch, classes] of one batch into one array for each timestep. */
function splitTimesteps(
  logits: Float32Array,
  batch: number,
  b: number,
  count: number,
  into: Float32Array[],
): void {
  const size = batch * CLASSES;
  for (let t = 0; t * size < logits.length; t++) {
    into[t] ??= new Float32Array(Math.floor(count / batch) * size);
    into[t]!.set(logits.subarray(t * size, (t + 1) * size), b * size);
  }
}

function scored(
  logits: readonly Float32Array[],
  targets: Float32Array,
  synchrony: readonly number[],
): Tested {
  const last = logits.at(-1)!;
  const loss = synchrony.at(-1);
  return {
    metrics: {
      setAccuracy: topKSetAccuracy(last, targets, CLASSES, DIGITS),
      labelAccuracy: topKRecall(last, targets, CLASSES, DIGITS),
      binaryAccuracy: binaryAccuracy(last, targets),
      f1: microF1(last, targets),
      loss: binaryCrossEntropyWithLogits(last, targets),
      ...(loss !== undefined && { synchronyLoss: loss }),
    },
    accuracyPerTimestep: logits.map((step) => topKSetAccuracy(step, targets, CLASSES, DIGITS)),
    synchronyPerTimestep: synchrony,
    pairs: pairAccuracies(last, targets),
  };
}

function pairAccuracies(logits: Float32Array, targets: Float32Array): (number | null)[][] {
  const right = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  const seen = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  for (let at = 0; at < targets.length; at += CLASSES) {
    const own = targets.subarray(at, at + CLASSES);
    const [a, b] = [own.indexOf(1), own.lastIndexOf(1)];
    const hit = topKSetAccuracy(logits.subarray(at, at + CLASSES), own, CLASSES, DIGITS);
    for (const [i, j] of [
      [a, b],
      [b, a],
    ] as const) {
      right[i]![j]! += hit;
      seen[i]![j]! += 1;
    }
  }
  return seen.map((row, i) => row.map((count, j) => (count === 0 ? null : right[i]![j]! / count)));
}
