import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { terminalReport } from "../../report/terminal-node.js";
import { overlappingDigitsPage } from "../../report/overlapping-digits.js";
import type { DigitsReport } from "../../report/digits-data.js";
import { AUTHORS_SHORT_BUDGET, summarise } from "../../report/digits-data.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { Cell } from "../cells-node.js";
import { cellFolder, runCells } from "../cells-node.js";
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
import { machine, sharesOf, versions } from "../machine-node.js";

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
  const { scale, out, seeds, device, signal } = options;
  const { models, ...common } = SCALE_CONFIGS[scale];
  await ensureFolder(out);
  const cells = models.flatMap((model) =>
    seeds.map((seed): Cell<CellConfig> => ({
      label: `${MODEL_TEXTS[model].label}, seed ${seed}`,
      config: { ...common, model, seed },
    })),
  );
  const { parallel, threads } = sharesOf(options, cells.length);
  const folder = join(out, "cells");
  const results = await runCells(
    cells,
    async (cell, own) => {
      const result = await runCell(cell.config, {
        folder: own,
        device,
        threads,
        signal,
        onProgress: (part, event) => {
          options.onProgress(`${cell.label}, ${part}`, event);
        },
        onWarning: options.onNote,
      });
      if (result) options.onNote(describe(cell.label, result));
      return result;
    },
    { folder, parallel, signal, resume: options.resume },
  );
  if (results.some((result) => result === undefined)) return { interrupted: true, tables: [], files: [] };
  const finished = cells.map(({ config }, i) => ({ config, result: results[i]! }));

  const [, testDigits] = await loadDigits();
  const clean = testScenes({ digits: testDigits }, SCENES, CONDITIONS[0]!, common.testScenes);
  const folders = new Map<ModelName, string>(
    models.map((model) => [
      model,
      cellFolder(folder, finished.find(({ config }) => config.model === model)!.config),
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
  const page = join(out, "report.html");
  await writeFileAtomic(page, await overlappingDigitsPage(report));
  await writeFileAtomic(
    join(out, "results.json"),
    `${JSON.stringify({ ...report, phasePictures: [] }, null, 1)}\n`,
  );
  return {
    interrupted: false,
    tables: [],
    text: terminalReport(report),
    files: [
      { what: "report", path: page },
      { what: "trained network", path: onnx },
      { what: "results", path: join(out, "results.json") },
    ],
  };
}

function describe(label: string, { conditions, imagesPerSecond, seconds }: CellResult): string {
  const accuracy = conditions[0]!.metrics.setAccuracy ?? NaN;
  const speed = imagesPerSecond > 0 ? `, ${Math.round(imagesPerSecond)} images/s` : "";
  return `${label}: set accuracy ${(100 * accuracy).toFixed(1)} % in ${Math.round(seconds)} s${speed}`;
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
