import { join } from "node:path";
import { PREPROCESSINGS } from "../../data/images/preprocessing.js";
import { simclrViews } from "../../data/augmentation/simclr.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { warmAverage } from "../../nn/ema.js";
import type { State } from "../../nn/module.js";
import { readMetrics } from "../../train/metrics-file-node.js";
import { createRateEstimator } from "../../train/progress.js";
import { train } from "../../train/run-node.js";
import { initialValues } from "../../train/trainer.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import type { CommonCellOptions } from "../cell-options-node.js";
import { cellTraining } from "../cell-options-node.js";
import { cellFolder } from "../cells-node.js";
import type { CellConfig } from "./config.js";
import { objectTask } from "./networks.js";
import { savePictures } from "./pictures-node.js";
import type { SceneParts } from "./scenes.js";
import type { SegmentationTest } from "./segmentation-test-node.js";
import { openSegmentationTester } from "./segmentation-test-node.js";

/** How well segments of one network's features fit the objects. */
export interface Tested extends SegmentationTest {
  /** Up-tiling factor. */
  readonly upTiling: number;
}

export interface CellResult {
  readonly tests: readonly Tested[];
  /** The network before training, same test. */
  readonly untrained: readonly Tested[];
  /** On further test sets. */
  readonly shifted: readonly { readonly id: string; readonly tests: readonly Tested[] }[];
  /** On validation scenes, without up-tiling; weights are the moving average. The first is the untrained network. */
  readonly learningCurve: readonly {
    readonly step: number;
    readonly foregroundAri: number;
    readonly bestOverlap: number;
  }[];
  /** Contrastive loss, means over some steps of training. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

export interface CellOptions extends CommonCellOptions {
  readonly scenes: SceneParts;
}

/** Trains and tests a network; undefined when it was stopped. */
export async function runCell(config: CellConfig, options: CellOptions): Promise<CellResult | undefined> {
  const started = performance.now();
  const { scenes, signal, onProgress } = options;
  const folder = cellFolder(options.cells, config);
  const session = sessionOptionsOf(options);
  const task = objectTask(config);
  const { seed } = config;
  const reporter = (part: string, steps: number) => {
    const rate = createRateEstimator({ steps });
    return (step: number) => {
      onProgress(part, { step, steps, ...rate.update(step, 1) });
    };
  };
  const initial = initialValues(task, { seed });
  const tester = await openSegmentationTester(task, config, session);
  const test = async (values: State, on: SegmentedScenes, part: string): Promise<Tested[] | undefined> => {
    const tested: Tested[] = [];
    for (const upTiling of config.upTiling) {
      const name = upTiling === 1 ? part : `${part}, up-tiling ${upTiling}`;
      const onScenes = reporter(name, on.count);
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
  try {
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
    const shifted: CellResult["shifted"][number][] = [];
    for (const { id, title, scenes: others } of scenes.shifted) {
      const tested = await test(run.values, others, title);
      if (tested === undefined) return undefined;
      shifted.push({ id, tests: tested });
    }
    await savePictures(config, run.values, scenes.test, { ...session, folder, tester, label: "test" });
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
        ...run.evaluations.map(({ step, foregroundAri = NaN, bestOverlap = NaN }) => ({
          step,
          foregroundAri,
          bestOverlap,
        })),
      ],
      losses: await readLosses(folder),
      imagesPerSecond: run.imagesPerSecond,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await tester.close();
  }
}

/** The loss as it was logged, also before a resume. */
async function readLosses(folder: string): Promise<CellResult["losses"]> {
  const rows = await readMetrics(join(folder, "metrics.jsonl"));
  return rows.flatMap(({ step, loss }) => (typeof loss === "number" ? [{ step, loss }] : []));
}
