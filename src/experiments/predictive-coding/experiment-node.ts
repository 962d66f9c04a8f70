import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { loadCifar10 } from "../../data/cifar10-node.js";
import { number, percent } from "../../report/html.js";
import { predictiveCodingPage } from "../../report/predictive-coding.js";
import type { PredictiveCodingReport } from "../../report/predictive-coding.js";
import { changeOverTime } from "../../report/predictive-coding-data.js";
import { points } from "../../report/verdict.js";
import { StriateError, check } from "../../util/errors.js";
import { ensureFolder, readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import type { Cell } from "../cells-node.js";
import { chooseCells, runCells } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult, ResultTable } from "../experiment.js";
import { sharesOf } from "../machine-node.js";
import type { CellOptions } from "./cell-node.js";
import { ExperimentImages } from "./cell-node.js";
import type { CellConfig, GivenNetwork } from "./config.js";
import { PLANS, STAGES, cellName, cellsOf, startsOf } from "./config.js";
import type { CellResult } from "./report-node.js";
import { predictiveCodingReport } from "./report-node.js";
import { runCorruptions, runNoise } from "./test-cells-node.js";
import type { TuningResult } from "./train-cells-node.js";
import { runBackbone, runFeedback, runTuning } from "./train-cells-node.js";

/** Predify (Choksi et al. 2021) on CIFAR-10: what feedback does to a network's answers over time. */
export const predictiveCoding: Experiment = {
  name: "predictive-coding",
  summary:
    "Predictive feedback on a VGG trained on CIFAR-10: accuracy over timesteps under noise, reconstructions.",
  scales: {
    smoke: { summary: "a few steps of everything: does it work? Half a minute.", seeds: 1 },
    laptop: { summary: "VGG11 of a quarter of its width. About 15 minutes on 2 cores.", seeds: 2 },
    paper: { summary: "VGG16 in full width, every severity, 10,000 test images. Days.", seeds: 3 },
  },
  choosesCells: true,
  takesModel: true,
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device, signal, onNote, model } = options;
  const plan = PLANS[scale];
  await ensureFolder(out);
  const given = model && (await givenNetwork(model));
  const all = cellsOf(plan, seeds, given);
  const chosen = withStarts(chooseCells(all, cellName, options.cells), all);
  const images = new ExperimentImages(await loadCifar10("train"), await loadCifar10("test"));

  const folder = join(out, "cells");
  const results = new Map<CellConfig, CellResult>();
  let { resume } = options;
  for (const kinds of STAGES) {
    const cells = chosen
      .filter(({ kind }) => kinds.includes(kind))
      .map((config) => ({ label: cellName(config), config }));
    if (cells.length === 0) continue;
    const { parallel, threads } = sharesOf(options, cells.length);
    const work = async (cell: Cell<CellConfig>) => {
      const result = await runCell(cell.config, results, {
        cells: folder,
        images,
        device,
        threads,
        signal,
        ...(model && { model: model.path }),
        onProgress: (part, event) => {
          options.onProgress(`${cell.label}, ${part}`, event);
        },
        onWarning: onNote,
      });
      if (result) onNote(describe(cell.label, result));
      return result;
    };
    const done = await runCells(cells, work, { folder, parallel, signal, resume });
    resume = true;
    for (const [i, result] of done.entries()) if (result) results.set(cells[i]!.config, result);
    if (done.some((result) => result === undefined)) return { interrupted: true, tables: [], files: [] };
  }
  if (chosen.length < all.length) return part(results, all.length);

  const seconds = (performance.now() - started) / 1000;
  const command = [
    `striate run predictive-coding --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
    ...(model ? [`--model ${basename(model.path)} --preprocessing ${model.preprocessing}`] : []),
  ].join(" ");
  const name = model && basename(model.path);
  const report = predictiveCodingReport({
    plan,
    scale,
    seeds,
    results,
    given: given && { ...given, name: name! },
    device,
    seconds,
    command,
  });
  const page = join(out, "report.html");
  await writeFileAtomic(page, await predictiveCodingPage(report));
  const { reconstructions: _, ...data } = report;
  await writeFileAtomic(join(out, "results.json"), `${JSON.stringify(data, null, 1)}\n`);
  return {
    interrupted: false,
    tables: [resultTable(report)],
    files: [
      { what: "report", path: page },
      { what: "results", path: join(out, "results.json") },
    ],
  };
}

async function givenNetwork({
  path,
  preprocessing,
}: NonNullable<ExperimentOptions["model"]>): Promise<GivenNetwork> {
  const bytes = await readFileChecked(path, { what: "ONNX model", maxBytes: 2 ** 31 - 1 });
  return { sha256: createHash("sha256").update(bytes).digest("hex"), preprocessing };
}

function runCell(
  config: CellConfig,
  results: ReadonlyMap<CellConfig, CellResult>,
  options: CellOptions,
): Promise<CellResult | undefined> {
  switch (config.kind) {
    case "backbone":
      return runBackbone(config, options);
    case "feedback":
      return runFeedback(config, options);
    case "tuning":
      return runTuning(config, options);
    case "noise":
      return runNoise(config, tuningOf(config.start, results), options);
    case "corruptions":
      return runCorruptions(config, tuningOf(config.start, results), options);
  }
}

function tuningOf(start: CellConfig, results: ReadonlyMap<CellConfig, CellResult>): TuningResult {
  const result = results.get(start);
  if (result?.kind !== "tuning") throw new StriateError(`${cellName(start)} has to be done first`);
  return result;
}

/** The cells with those that they start from, in the order of `all`. */
function withStarts(chosen: readonly CellConfig[], all: readonly CellConfig[]): CellConfig[] {
  const needed = new Set(chosen.flatMap((cell) => [...startsOf(cell), cell]));
  return all.filter((cell) => needed.has(cell));
}

function describe(label: string, result: CellResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  switch (result.kind) {
    case "backbone":
      return `${label}: ${percent(result.accuracy)} % of the images set aside in ${seconds}`;
    case "feedback": {
      const [first, last] = [result.curve[0]!, result.curve.at(-1)!];
      const errors = first.errors.map((error, i) => `${number(error)} to ${number(last.errors[i]!)}`);
      return `${label}: prediction errors ${errors.join(", ")} in ${seconds}`;
    }
    case "tuning":
      return `${label}: feedback ${result.tuned.map(({ feedback }) => number(feedback, 2)).join(", ")} in ${seconds}`;
    default:
      return `${label}: ${result.scores.length} measurements in ${seconds}`;
  }
}

function resultTable(report: PredictiveCodingReport): ResultTable {
  const rowsOf = (setting: string, condition: string) =>
    report.noise.filter((row) => row.setting === setting && row.condition === condition);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const words = { holds: "helps", reversed: "harms", undecided: "undecided" };
  return {
    title: "Accuracy in %, and its change in points from timestep 0 to the last",
    columns: [
      "condition",
      "network alone",
      "authors' values",
      "",
      "tuned",
      "",
      "no feedback",
      "no error term",
    ],
    rows: report.conditions.map(({ id, label }) => {
      const at = (setting: string, t: number) =>
        percent(mean(rowsOf(setting, id).map(({ accuracy }) => accuracy.at(t)!)));
      const change = (setting: string) => {
        const { mean: value, margin, status } = changeOverTime(rowsOf(setting, id));
        return `${points(value)} ± ${percent(margin)} ${words[status]}`;
      };
      return [
        label,
        at("authors", 0),
        at("authors", -1),
        change("authors"),
        at("tuned", -1),
        change("tuned"),
        at("tunedNoFeedback", -1),
        at("tunedNoError", -1),
      ];
    }),
    notes: ["± is twice the larger of the standard error over seeds and that of the paired test images."],
  };
}

/** What some of the cells gave; the report waits for all. */
function part(results: ReadonlyMap<CellConfig, CellResult>, all: number): ExperimentResult {
  check(results.size > 0, () => "no cell was run");
  return {
    interrupted: false,
    tables: [
      {
        title: `${results.size} of ${all} cells`,
        columns: ["cell", "result"],
        rows: [...results].map(([config, result]) => {
          const [cell, ...text] = describe(cellName(config), result).split(": ");
          return [cell!, text.join(": ")];
        }),
        notes: ["The report is made when all cells are done: run again without --cells, with --resume."],
      },
    ],
    files: [],
  };
}
