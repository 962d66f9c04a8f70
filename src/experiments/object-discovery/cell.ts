import { join } from "node:path";
import { simclrViews } from "../../data/augmentation/simclr.js";
import { PREPROCESSINGS } from "../../data/images/preprocessing.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { warmAverage } from "../../nn/ema.js";
import type { State } from "../../nn/module.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { readMetrics } from "../../train/run/metrics-file-node.js";
import { train } from "../../train/run/run-node.js";
import { initialValues } from "../../train/trainer.js";
import { closing } from "../../util/closing.js";
import { timed } from "../cell-work.js";
import type { CellOptions } from "../cells.js";
import { cellFolder } from "../cells.js";
import { cellTraining, learningOf, progressOf } from "../training.js";
import { objectTask } from "./networks.js";
import { saveDiscoveryPictures } from "./pictures.js";
import type { DiscoveryCell } from "./plan.js";
import type { DiscoveryResult, DiscoveryTestResult } from "./results.js";
import type { SceneParts } from "./scenes.js";
import type { SegmentationTester } from "./segmentation.js";
import { openSegmentationTester } from "./segmentation.js";

type DiscoveryOptions = CellOptions & { readonly scenes: SceneParts };

/** Trains and tests a network. Returns undefined if the cell was stopped. */
export const runDiscoveryCell = timed(async (config: DiscoveryCell, options: DiscoveryOptions) => {
  const opened = openSegmentationTester(objectTask(config), config, sessionOptionsOf(options));
  return closing(opened, (tester) => runWith(tester, config, options));
});

async function runWith(tester: SegmentationTester, config: DiscoveryCell, options: DiscoveryOptions) {
  const { scenes, signal } = options;
  const folder = cellFolder(options.cells, config);
  const session = sessionOptionsOf(options);
  const task = objectTask(config);
  const { seed } = config;
  const initial = initialValues(task, { seed });
  const test = async (
    values: State,
    on: SegmentedScenes,
    part: string,
  ): Promise<DiscoveryTestResult[] | undefined> => {
    const tested: DiscoveryTestResult[] = [];
    for (const upTiling of config.upTiling) {
      const name = upTiling === 1 ? part : `${part}, up-tiling ${upTiling}`;
      const report = progressOf(options, name, on.count);
      const onScenes = (done: number) => {
        report(done, 1);
      };
      const result = await tester.test(values, on, { upTiling, label: "test", signal, onScenes });
      if (result === undefined) return undefined;
      tested.push({ upTiling, ...result });
    }
    return tested;
  };
  const validate = async (values: State) => {
    const label = "validation";
    const result = await tester.test(values, scenes.validation, { upTiling: 1, label });
    return { foregroundAri: result!.foregroundAri, bestOverlap: result!.bestOverlap };
  };
  const run = await train(task, simclrViews(scenes.train), {
    ...cellTraining(config, options),
    learningRate: config.learningRate,
    ema: warmAverage(config.average),
    evaluateEvery: config.evaluateEvery,
    checkpointEvery: 500,
    evaluate: validate,
  });
  if (!run.finished) return undefined;
  const before = await validate(initial);
  const untrained = await test(initial, scenes.test, "before training");
  const tests = await test(run.values, scenes.test, "testing");
  if (untrained === undefined || tests === undefined) return undefined;
  const shifted: DiscoveryResult["shifted"][number][] = [];
  for (const { id, title, scenes: others } of scenes.shifted) {
    const tested = await test(run.values, others, title);
    if (tested === undefined) return undefined;
    shifted.push({ id, tests: tested });
  }
  await saveDiscoveryPictures(config, run.values, scenes.test, { ...session, folder, tester, label: "test" });
  const { set, model } = config;
  await run.export(join(folder, "model.onnx"), {
    system: "AKOrN",
    configuration: { set, model, seed },
    preprocessing: PREPROCESSINGS.unit,
  });
  return {
    tests,
    untrained,
    shifted,
    learningCurve: [
      { step: 0, ...before },
      ...learningOf(run, ["foregroundAri", "bestOverlap"], (step) => ({ step })),
    ],
    losses: await readLosses(folder),
    imagesPerSecond: run.imagesPerSecond,
  };
}

/** Reads the losses that the training logged, including those from before a resume. */
async function readLosses(folder: string): Promise<DiscoveryResult["losses"]> {
  const rows = await readMetrics(join(folder, "metrics.jsonl"));
  return rows.flatMap(({ step, loss }) => (typeof loss === "number" ? [{ step, loss }] : []));
}
