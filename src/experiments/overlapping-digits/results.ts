import { cellFolder } from "../cells.js";
import { readDigitsPictures } from "../digits/pictures.js";
import type { ConditionResult, DigitsReport, DigitsLearningPoint, OnnxCheck } from "../digits/results.js";
import { gatherRuns } from "../digits/results.js";
import type { SceneData } from "../digits/scenes.js";
import { testScenes } from "../digits/scenes.js";
import type { FinishedRun } from "../experiment.js";
import { parameterCount } from "../training.js";
import type { OverlapCell, OverlapModelName, ScaleConfig } from "./plan.js";
import { CONDITIONS, OVERLAP_MODEL_TEXTS, overlapNetwork, SCENES } from "./plan.js";
import { AUTHORS_SHORT_BUDGET } from "./published.js";

/** The result of a finished cell, as plain data. */
export interface OverlapResult {
  readonly conditions: readonly ConditionResult[];
  readonly learningCurve: readonly DigitsLearningPoint[];
  /** Training speed in images per second. */
  readonly imagesPerSecond: number;
  readonly seconds: number;
  /**
   * Set accuracy for each unordered pair of digits under the first condition, [10, 10]; an entry is null if no scene
   * has the pair.
   */
  readonly pairAccuracy: readonly (readonly (number | null)[])[];
}

type Run = FinishedRun<ScaleConfig, OverlapCell, OverlapResult> & SceneData;

/** Returns the folder of a network's first cell. */
export function folderOf({ results, cells }: Run, model: OverlapModelName): string {
  return cellFolder(
    cells,
    [...results.keys()].find((config) => config.model === model)!,
  );
}

/** Clean test scenes; the report shows the first ones. */
export function cleanScenes({ testing, plan }: Run) {
  return testScenes(testing, SCENES, CONDITIONS[0]!, plan.cleanScenes);
}

/** Makes the report from the results of all cells. */
export async function overlappingDigitsReport(run: Run, onnxCheck: OnnxCheck | null): Promise<DigitsReport> {
  const { plan, scale, device, provenance, results } = run;
  const { models, steps, batchSize } = plan;
  const runs = [...results].map(([{ model, seed }, result]) => ({ ...result, model, seed }));
  const folders = new Map(models.map((model) => [model, folderOf(run, model)]));
  return {
    title: "Two digits in one image",
    subtitle: "Do synchronised phases help a small network to tell overlapping objects apart?",
    scale,
    digits: 2,
    models: models.map((model) => ({
      ...OVERLAP_MODEL_TEXTS[model],
      parameters: parameterCount(overlapNetwork({ ...plan, model })().parameters),
    })),
    ...gatherRuns(models, CONDITIONS, runs, ({ synchronyPerTimestep }) => synchronyPerTimestep),
    pairAccuracy: {
      model: "kuramoto",
      values: runs.find(({ model }) => model === "kuramoto")!.pairAccuracy,
    },
    provenance: {
      ...provenance,
      steps,
      batchSize,
      imagesSeen: steps * batchSize,
      testImages: plan.cleanScenes,
      more: {
        "Gabors and coupling":
          plan.mode === "channels" ? "frozen at their initial values" : "trained end to end",
        "Test images of every other condition": plan.testScenes.toLocaleString("en-GB"),
        timesteps: String(plan.timesteps),
        optimizer: `Adam, learning rate ${plan.learningRate}, gradient norm clipped at ${plan.clipNorm}`,
        device,
      },
    },
    phasePictures: await readDigitsPictures(folders, cleanScenes(run)),
    reference: plan.mode === "channels" ? AUTHORS_SHORT_BUDGET : null,
    onnxCheck,
  };
}
