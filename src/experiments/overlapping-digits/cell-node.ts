import { sessionOptionsOf } from "../../runtime/runtime.js";
import { createRateEstimator } from "../../train/progress.js";
import { train } from "../../train/run-node.js";
import type { CommonCellOptions } from "../cell-options-node.js";
import { cellTraining } from "../cell-options-node.js";
import { cellFolder } from "../cells-node.js";
import type { CellConfig } from "./config.js";
import { CONDITIONS } from "./config.js";
import { taskOf } from "./models.js";
import { savePictures } from "../digits/pictures-node.js";
import type { SceneSet } from "../digits/scenes.js";
import { testScenes, trainingScenes } from "../digits/scenes.js";
import { loadDigits } from "../digits/sources-node.js";
import type { Tested } from "../digits/tester-node.js";
import { openTester } from "../digits/tester-node.js";

export const SCENES: SceneSet = { digits: 2 };
const TEST_BATCH = 64;

/** How one network did under one condition. */
export interface ConditionResult extends Pick<
  Tested,
  "metrics" | "accuracyPerTimestep" | "synchronyPerTimestep"
> {
  readonly condition: string;
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

/** Trains the network of a cell and tests it under every condition; undefined when it was stopped. */
export async function runCell(
  config: CellConfig,
  options: CommonCellOptions,
): Promise<CellResult | undefined> {
  const started = performance.now();
  const [trainDigits, testDigits] = await loadDigits();
  const { seed, model } = config;
  const { signal, onProgress } = options;
  const folder = cellFolder(options.cells, config);
  const session = sessionOptionsOf(options);
  const training = { digits: trainDigits };
  const testing = { digits: testDigits };
  const count = config.trainScenes;
  const scenes = trainingScenes(training, SCENES, { seed, stream: "train", count });
  const validation = trainingScenes(training, SCENES, {
    seed,
    stream: "validation",
    count: config.validationScenes,
  });
  const task = taskOf(config);
  const learningCurve: CellResult["learningCurve"][number][] = [];
  const batch = Math.min(TEST_BATCH, config.testScenes, config.validationScenes);
  const tester = await openTester(taskOf(config, { synchrony: true }), batch, seed, session);
  try {
    const run = await train(task, scenes, {
      ...cellTraining(config, options),
      learningRate: config.learningRate,
      clipNorm: config.clipNorm,
      evaluateEvery: config.evaluateEvery,
      evaluate: async (values) => {
        const { metrics } = await tester.test(values, validation, { label: "validation" });
        return metrics;
      },
      ...(config.selectBest && { selectBest: "setAccuracy" }),
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
      const data = testScenes(testing, SCENES, condition, config.testScenes);
      const onBatch = (done: number, images: number) => {
        const step = i * config.testScenes + done;
        onProgress("testing", {
          step,
          steps: CONDITIONS.length * config.testScenes,
          ...rate.update(step, images),
        });
      };
      const tested = await tester.test(run.values, data, { label: condition.id, onBatch });
      conditions.push({ condition: condition.id, ...tested });
      if (i === 0) pairAccuracy = tested.pairs;
    }
    const shown = testScenes(testing, SCENES, CONDITIONS[0]!, config.testScenes);
    await savePictures(taskOf(config, { phases: true }), run.values, shown, { ...session, folder, seed });
    await run.export(`${folder}/model.onnx`, {
      system: "KomplexNet",
      configuration: { model, seed },
    });
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
