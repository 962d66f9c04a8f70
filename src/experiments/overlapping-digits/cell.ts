import { sessionOptionsOf } from "../../runtime/runtime.js";
import { closing } from "../../util/closing.js";
import { timed } from "../cell-work.js";
import type { DigitsOptions } from "../digits/cell.js";
import { learningCurveOf, saveNetwork, testBatch, testConditions, trainNetwork } from "../digits/cell.js";
import type { DigitsCondition } from "../digits/scenes.js";
import { testScenes } from "../digits/scenes.js";
import { openTester } from "../digits/tester.js";
import type { OverlapCell } from "./plan.js";
import { CONDITIONS, overlapNetwork, SCENES } from "./plan.js";

/** Trains the network of a cell and tests it under every condition. Returns undefined if the cell was stopped. */
export const runOverlapCell = timed(async (config: OverlapCell, options: DigitsOptions) => {
  const taskWith = overlapNetwork(config);
  const scenesOf = ({ id }: DigitsCondition): number =>
    id === CONDITIONS[0]!.id ? config.cleanScenes : config.testScenes;
  const batch = testBatch(config.testScenes, config.validationScenes);
  const opened = openTester(taskWith({ synchrony: true }), batch, config.seed, sessionOptionsOf(options));
  return closing(opened, async (tester) => {
    const run = await trainNetwork(config, SCENES, { task: taskWith(), tester }, options);
    if (run === undefined) return undefined;
    const tested = await testConditions(CONDITIONS, scenesOf, options, (condition, onBatch) => {
      const data = testScenes(options.testing, SCENES, condition, scenesOf(condition));
      return tester.test(run.values, data, { label: condition.id, onBatch });
    });
    if (tested === undefined) return undefined;
    const answers = taskWith({ phases: true });
    await saveNetwork(config, run, { answers, set: SCENES, clean: CONDITIONS[0]! }, options);
    return {
      conditions: tested.map(({ condition, metrics, right, accuracyPerTimestep, synchronyPerTimestep }) => ({
        condition,
        metrics,
        right,
        accuracyPerTimestep,
        synchronyPerTimestep,
      })),
      learningCurve: learningCurveOf(config, run),
      imagesPerSecond: run.imagesPerSecond,
      pairAccuracy: tested[0]!.pairs,
    };
  });
});
