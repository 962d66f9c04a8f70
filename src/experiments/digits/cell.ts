import { join } from "node:path";
import type { State } from "../../nn/module.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import type { TrainedRun } from "../../train/run/run-node.js";
import { train } from "../../train/run/run-node.js";
import type { Task } from "../../train/task.js";
import type { CellOptions } from "../cells.js";
import { cellFolder } from "../cells.js";
import { cellTraining, learningOf, progressOf } from "../training.js";
import { saveDigitsPictures } from "./pictures.js";
import type { ConditionResult, DigitsLearningPoint } from "./results.js";
import type { DigitsCondition, SceneData, SceneSet } from "./scenes.js";
import { testScenes, trainingScenes } from "./scenes.js";
import type { DigitsTestResult, Tester } from "./tester.js";

export type DigitsOptions = CellOptions & SceneData;

/** Options for training and testing a network. */
export interface DigitsNetworkConfig {
  readonly seed: number;
  readonly model: string;
  readonly steps: number;
  readonly batchSize: number;
  /** Number of different training scenes; with steps * batchSize of them, the network sees each one once. */
  readonly trainScenes: number;
  readonly validationScenes: number;
  /** Number of test scenes of each condition. */
  readonly testScenes: number;
  readonly evaluateEvery: number;
  readonly learningRate: number;
  readonly clipNorm: number;
  /** Whether to test with the parameters of the best validation instead of the last ones. */
  readonly selectBest: boolean;
}

const LARGEST_BATCH = 64;

/** The batch size of tests with these numbers of scenes: the smallest of the numbers, but at most 64. */
export function testBatch(...scenes: readonly number[]): number {
  return Math.min(LARGEST_BATCH, ...scenes);
}

/**
 * Trains a network, starting from the values in `start` if they are given, and validates it with a tester.
 * Returns undefined if the training was stopped.
 */
export async function trainNetwork(
  config: DigitsNetworkConfig,
  set: SceneSet,
  {
    task,
    tester,
    start,
  }: { readonly task: Task; readonly tester: Tester; readonly start?: State | undefined },
  options: DigitsOptions,
): Promise<TrainedRun | undefined> {
  const { seed, learningRate, clipNorm, evaluateEvery, selectBest } = config;
  const scenes = (stream: string, count: number) =>
    trainingScenes(options.training, set, { seed, stream, count });
  const validation = scenes("validation", config.validationScenes);
  const run = await train(task, scenes("train", config.trainScenes), {
    ...cellTraining(config, options),
    learningRate,
    clipNorm,
    evaluateEvery,
    ...(start && { values: start }),
    ...(selectBest && { selectBest: "setAccuracy" }),
    evaluate: async (values) => (await tester.test(values, validation, { label: "validation" })).metrics,
  });
  return run.finished ? run : undefined;
}

/** Tests a network under each condition in turn. Returns undefined if the test was stopped. */
export async function testConditions(
  conditions: readonly DigitsCondition[],
  scenesOf: (condition: DigitsCondition) => number,
  options: CellOptions,
  test: (
    condition: DigitsCondition,
    onBatch: (done: number, images: number) => void,
  ) => Promise<DigitsTestResult>,
): Promise<(DigitsTestResult & Pick<ConditionResult, "condition">)[] | undefined> {
  const all = conditions.reduce((sum, condition) => sum + scenesOf(condition), 0);
  const report = progressOf(options, "testing", all);
  const results: (DigitsTestResult & Pick<ConditionResult, "condition">)[] = [];
  let before = 0;
  for (const condition of conditions) {
    if (options.signal.aborted) return undefined;
    const start = before;
    const tested = await test(condition, (done, images) => {
      report(start + done, images);
    });
    before += scenesOf(condition);
    results.push({ condition: condition.id, ...tested });
  }
  return results;
}

/**
 * Saves a finished network as model.onnx, and its answers to the first test scenes. The task `answers`
 * computes these.
 */
export async function saveNetwork(
  config: DigitsNetworkConfig,
  run: TrainedRun,
  {
    answers,
    set,
    clean,
  }: { readonly answers: Task; readonly set: SceneSet; readonly clean: DigitsCondition },
  options: DigitsOptions,
): Promise<void> {
  const { seed, model } = config;
  const folder = cellFolder(options.cells, config);
  const shown = testScenes(options.testing, set, clean, config.testScenes);
  await saveDigitsPictures(answers, run.values, shown, { ...sessionOptionsOf(options), folder, seed });
  await run.export(join(folder, "model.onnx"), { system: "KomplexNet", configuration: { model, seed } });
}

/** The validation measurements of a run, in the order of the training steps. */
export function learningCurveOf({ batchSize }: DigitsNetworkConfig, run: TrainedRun): DigitsLearningPoint[] {
  return learningOf(run, ["loss", "setAccuracy"], (step) => ({ step, images: step * batchSize }));
}
