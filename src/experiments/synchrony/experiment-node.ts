import { join } from "node:path";
import { number, percent } from "../../report/html.js";
import { synchronyPage } from "../../report/synchrony.js";
import { terminalReport } from "../../report/terminal-node.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { Cell } from "../cells-node.js";
import { chooseCells, runCells } from "../cells-node.js";
import type { SceneSources } from "../digits/scenes.js";
import { loadBackgrounds, loadDigits } from "../digits/sources-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult } from "../experiment.js";
import { sharesOf } from "../machine-node.js";
import type { CellResult } from "./cell-node.js";
import { runCell } from "./cell-node.js";
import type { CellConfig, SetName } from "./config.js";
import { cellName, cellsOf, PLANS, SET_NAMES, SETS } from "./config.js";
import { synchronyReport } from "./report-node.js";

/** What KomplexNet's paper claims, in paired runs (TMLR 2025): all its networks, 2 and 3 digits, backgrounds, shifts. */
export const synchronyExperiment: Experiment = {
  name: "synchrony",
  summary:
    "KomplexNet with and without feedback against all its baselines: 2 and 3 digits, backgrounds, noise, shifts.",
  scales: {
    smoke: { summary: "a few steps of every kind of cell: does everything work? Under a minute.", seeds: 1 },
    laptop: { summary: "18 networks a seed, frozen coupling. About 40 minutes on 2 cores.", seeds: 2 },
    paper: { summary: "25 networks a seed, 30 epochs end to end. Days for each; see --cells.", seeds: 3 },
  },
  choosesCells: true,
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device, signal, onNote } = options;
  const plan = PLANS[scale];
  await ensureFolder(out);
  const [trainDigits, testDigits] = await loadDigits();
  const largest = Math.max(...plan.sets.map(({ steps }) => plan.trainScenes ?? steps * plan.batchSize));
  const backgrounds = await loadBackgrounds(scale !== "smoke", Math.max(largest, plan.testScenes), onNote);
  if (backgrounds === undefined) onNote("No CIFAR-10 here: the sets with backgrounds are left out.");
  const training: SceneSources = { digits: trainDigits, backgrounds: backgrounds?.train };
  const testing: SceneSources = { digits: testDigits, backgrounds: backgrounds?.test };
  const sets = SET_NAMES.filter((name) => backgrounds !== undefined || isPlain(name));
  const all = cellsOf(plan, seeds, sets);
  const chosen = withStarts(chooseCells(all, cellName, options.cells), all);

  const folder = join(out, "cells");
  const { parallel, threads } = sharesOf(options, chosen.length);
  const work = async (cell: Cell<CellConfig>) => {
    const result = await runCell(cell.config, {
      cells: folder,
      training,
      testing,
      device,
      threads,
      signal,
      onProgress: (part, event) => {
        options.onProgress(`${cell.label}, ${part}`, event);
      },
      onWarning: onNote,
    });
    if (result) onNote(describe(cell.label, result));
    return result;
  };
  const results = new Map<CellConfig, CellResult>();
  let { resume } = options;
  // First the cells that others start from.
  for (const later of [false, true]) {
    const cells = chosen
      .filter((config) => (config.kind !== "kernel" && config.start !== undefined) === later)
      .map((config) => ({ label: cellName(config), config }));
    if (cells.length === 0) continue;
    const done = await runCells(cells, work, { folder, parallel, signal, resume });
    resume = true;
    for (const [i, result] of done.entries()) if (result) results.set(cells[i]!.config, result);
    if (done.some((result) => result === undefined)) return { interrupted: true, tables: [], files: [] };
  }
  if (chosen.length < all.length) return part(results, all.length);

  const report = await synchronyReport({
    plan,
    scale,
    seeds,
    sets,
    results,
    testing,
    folder,
    device,
    seconds: (performance.now() - started) / 1000,
  });
  const page = join(out, "report.html");
  await writeFileAtomic(page, await synchronyPage(report));
  const data = { ...report, sets: report.sets.map((set) => ({ ...set, phasePictures: [] })), sheets: [] };
  await writeFileAtomic(join(out, "results.json"), `${JSON.stringify(data, null, 1)}\n`);
  return {
    interrupted: false,
    tables: [],
    text: report.sets.map((set) => terminalReport(set)).join("\n\n"),
    files: [
      { what: "report", path: page },
      { what: "results", path: join(out, "results.json") },
    ],
  };
}

const isPlain = (name: SetName): boolean => (SETS[name].background ?? "none") === "none";

/** The cells with those that they start from, in the order of `all`. */
function withStarts(chosen: readonly CellConfig[], all: readonly CellConfig[]): CellConfig[] {
  const names = new Set(chosen.map(cellName));
  for (const config of chosen)
    if (config.kind !== "kernel" && config.start) names.add(cellName(config.start));
  return all.filter((config) => names.has(cellName(config)));
}

function describe(label: string, result: CellResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  if (result.kind === "kernel") {
    return `${label}: synchrony loss ${number(result.before.at(-1)!)} to ${number(result.after.at(-1)!)} in ${seconds}`;
  }
  if (result.kind === "ablation") return `${label}: ${result.rows.length} settings in ${seconds}`;
  const accuracy = result.conditions[0]!.metrics.setAccuracy ?? NaN;
  return `${label}: set accuracy ${percent(accuracy)} % in ${seconds}, ${Math.round(result.imagesPerSecond)} images/s`;
}

/** What some of the cells gave; the report waits for all. */
function part(results: ReadonlyMap<CellConfig, CellResult>, all: number): ExperimentResult {
  const rows = [...results].flatMap(([config, result]) =>
    result.kind === "network"
      ? result.conditions.map(({ condition, metrics, phases }) => [
          cellName(config),
          condition,
          percent(metrics.setAccuracy ?? NaN),
          phases ? number(phases.ari.at(-1)!) : "",
        ])
      : [[cellName(config), result.kind, "", ""]],
  );
  return {
    interrupted: false,
    tables: [
      {
        title: `${results.size} of ${all} cells`,
        columns: ["cell", "condition", "set accuracy in %", "ARI of phases"],
        rows,
        notes: ["The report is made when all cells are done: run again without --cells, with --resume."],
      },
    ],
    files: [],
  };
}
