import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { terminalReport } from "../../report/terminal-node.js";
import { overlappingDigitsPage } from "../../report/overlapping-digits.js";
import type { DigitsReport } from "../../report/digits-data.js";
import { AUTHORS_SHORT_BUDGET, summarise } from "../../report/digits-data.js";
import { writeFileAtomic } from "../../util/files-node.js";
import { cellFolder } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult } from "../experiment.js";
import type { CellResult } from "./cell-node.js";
import { SCENES, runCell } from "./cell-node.js";
import type { CellConfig, ModelName, ScaleConfig } from "./config.js";
import { CONDITIONS, SCALE_CONFIGS } from "./config.js";
import { MODEL_TEXTS, parameterCount, taskOf } from "./models.js";
import { checkExport } from "../digits/onnx-check-node.js";
import { readPictures } from "../digits/pictures-node.js";
import { testScenes } from "../digits/scenes.js";
import { loadDigits } from "../digits/sources-node.js";
import { machine, versions } from "../machine-node.js";
import { writeReport } from "../report-files-node.js";
import { INTERRUPTED, cellsFolder, runStages } from "../stages-node.js";

/** KomplexNet against the real-valued network and random phases on two digits in one picture (TMLR 2025). */
export const overlappingDigits: Experiment = {
  name: "overlapping-digits",
  summary: "Do synchronised phases help to tell two digits apart? KomplexNet against its baselines.",
  scales: {
    smoke: { summary: "three networks, 40 steps: does everything work? Under a minute.", seeds: 2 },
    laptop: {
      summary: "four networks, 2,400 steps of 32 pictures, frozen coupling. About 10 minutes.",
      seeds: 2,
    },
    paper: { summary: "four networks, 30 epochs end to end. Many hours for each seed.", seeds: 3 },
  },
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device } = options;
  const { models, ...common } = SCALE_CONFIGS[scale];
  const cells = models.flatMap((model) => seeds.map((seed): CellConfig => ({ ...common, model, seed })));
  const results = await runStages(options, cells, { nameOf, run: runCell, describe });
  if (results === undefined) return INTERRUPTED;
  const finished = [...results].map(([config, result]) => ({ config, result }));

  const [, testDigits] = await loadDigits();
  const clean = testScenes({ digits: testDigits }, SCENES, CONDITIONS[0]!, common.testScenes);
  const folders = new Map<ModelName, string>(
    models.map((model) => [
      model,
      cellFolder(cellsFolder(out), finished.find(({ config }) => config.model === model)!.config),
    ]),
  );
  const onnx = join(out, "komplexnet.onnx");
  await writeFileAtomic(onnx, await readFile(join(folders.get("kuramoto")!, "model.onnx")));
  const report: DigitsReport = {
    ...measured(finished, models, common),
    title: "Two digits in one picture",
    subtitle: "Do synchronised phases help a small network to tell overlapping objects apart?",
    scale,
    digits: 2,
    provenance: {
      seeds,
      steps: common.steps,
      batchSize: common.batchSize,
      imagesSeen: common.steps * common.batchSize,
      testImages: common.testScenes,
      machine: machine(),
      versions: versions(),
      date: new Date().toISOString(),
      wallTimeSeconds: (performance.now() - started) / 1000,
      command: `striate run overlapping-digits --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
      more: {
        "Gabors and coupling": common.mode === "channels" ? "frozen at their start" : "trained end to end",
        timesteps: String(common.timesteps),
        optimizer: `Adam, learning rate ${common.learningRate}, gradient norm clipped at ${common.clipNorm}`,
        device,
      },
    },
    phasePictures: await readPictures(folders, clean),
    reference: common.mode === "channels" ? AUTHORS_SHORT_BUDGET : null,
    onnxCheck: { ...(await checkExport(onnx, clean)), file: "komplexnet.onnx" },
  };
  const data = { ...report, phasePictures: [] };
  const [page, numbers] = await writeReport(out, await overlappingDigitsPage(report), data);
  return {
    interrupted: false,
    tables: [],
    text: terminalReport(report),
    files: [page, { what: "trained network", path: onnx }, numbers],
  };
}

const nameOf = ({ model, seed }: CellConfig): string => `${MODEL_TEXTS[model].label}, seed ${seed}`;

function describe({ conditions, imagesPerSecond, seconds }: CellResult): string {
  const accuracy = conditions[0]!.metrics.setAccuracy ?? NaN;
  const speed = imagesPerSecond > 0 ? `, ${Math.round(imagesPerSecond)} images/s` : "";
  return `set accuracy ${(100 * accuracy).toFixed(1)} % in ${Math.round(seconds)} s${speed}`;
}

type Finished = readonly { readonly config: CellConfig; readonly result: CellResult }[];

/** The part of the report that comes out of the cells. */
function measured(
  cells: Finished,
  models: readonly ModelName[],
  common: Omit<ScaleConfig, "models">,
): Pick<
  DigitsReport,
  | "models"
  | "conditions"
  | "rows"
  | "learningCurves"
  | "accuracyPerTimestep"
  | "synchronyPerTimestep"
  | "pairAccuracy"
> {
  const of = (model: ModelName) => cells.filter(({ config }) => config.model === model);
  const perTimestep = (pick: (result: CellResult["conditions"][number]) => readonly number[]) =>
    cells.flatMap(({ config: { model, seed }, result }) =>
      result.conditions
        .map((tested) => ({ model, seed, condition: tested.condition, values: pick(tested) }))
        .filter(({ values }) => values.length > 0),
    );
  const shown = of("kuramoto")[0]!;
  return {
    models: models.map((model) => ({
      ...MODEL_TEXTS[model],
      parameters: parameterCount(taskOf({ ...common, model })),
    })),
    conditions: CONDITIONS.map(({ id, label, description }) => ({ id, label, description })),
    rows: models.flatMap((model) =>
      CONDITIONS.map(({ id }) => {
        const tested = of(model).map(({ config: { seed }, result }) => ({
          seed,
          metrics: result.conditions.find(({ condition }) => condition === id)!.metrics,
        }));
        const names = Object.keys(tested[0]!.metrics);
        const metrics = names.map(
          (name) =>
            [
              name,
              summarise(tested.map(({ seed, metrics: values }) => ({ seed, value: values[name]! }))),
            ] as const,
        );
        return { model, condition: id, metrics: Object.fromEntries(metrics) };
      }),
    ),
    learningCurves: cells.map(({ config: { model, seed }, result }) => ({
      model,
      seed,
      points: result.learningCurve,
    })),
    accuracyPerTimestep: perTimestep(({ accuracyPerTimestep }) => accuracyPerTimestep),
    synchronyPerTimestep: perTimestep(({ synchronyPerTimestep }) => synchronyPerTimestep),
    pairAccuracy: { model: "kuramoto", values: shown.result.pairAccuracy },
  };
}
