import { number, percent } from "../../report/html.js";
import { synchronyPage } from "../../report/synchrony.js";
import { terminalReport } from "../../report/terminal-node.js";
import { chooseCells } from "../cells-node.js";
import type { SceneSources } from "../digits/scenes.js";
import { loadBackgrounds, loadDigits } from "../digits/sources-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult } from "../experiment.js";
import { writeReport } from "../report-files-node.js";
import { INTERRUPTED, cellsFolder, partialResult, runStages, withStarts } from "../stages-node.js";
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
  const { scale, out, seeds, device, onNote } = options;
  const plan = PLANS[scale];
  const [trainDigits, testDigits] = await loadDigits();
  const largest = Math.max(...plan.sets.map(({ steps }) => plan.trainScenes ?? steps * plan.batchSize));
  const backgrounds = await loadBackgrounds(scale !== "smoke", Math.max(largest, plan.testScenes), onNote);
  if (backgrounds === undefined) onNote("No CIFAR-10 here: the sets with backgrounds are left out.");
  const training: SceneSources = { digits: trainDigits, backgrounds: backgrounds?.train };
  const testing: SceneSources = { digits: testDigits, backgrounds: backgrounds?.test };
  const sets = SET_NAMES.filter((name) => backgrounds !== undefined || isPlain(name));
  const all = cellsOf(plan, seeds, sets);
  const chosen = withStarts(chooseCells(all, cellName, options.cells), all);

  const results = await runStages(options, chosen, {
    nameOf: cellName,
    run: (config, common) => runCell(config, { ...common, training, testing }),
    describe,
  });
  if (results === undefined) return INTERRUPTED;
  if (chosen.length < all.length)
    return partialResult(results, all, rowsOf, ["cell", "condition", "set accuracy in %", "ARI of phases"]);

  const report = await synchronyReport({
    plan,
    scale,
    seeds,
    sets,
    results,
    testing,
    folder: cellsFolder(out),
    device,
    seconds: (performance.now() - started) / 1000,
  });
  const data = { ...report, sets: report.sets.map((set) => ({ ...set, phasePictures: [] })), sheets: [] };
  return {
    interrupted: false,
    tables: [],
    text: report.sets.map((set) => terminalReport(set)).join("\n\n"),
    files: await writeReport(out, await synchronyPage(report), data),
  };
}

const isPlain = (name: SetName): boolean => (SETS[name].background ?? "none") === "none";

function describe(result: CellResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  if (result.kind === "kernel") {
    return `synchrony loss ${number(result.before.at(-1)!)} to ${number(result.after.at(-1)!)} in ${seconds}`;
  }
  if (result.kind === "ablation") return `${result.rows.length} settings in ${seconds}`;
  const accuracy = result.conditions[0]!.metrics.setAccuracy ?? NaN;
  return `set accuracy ${percent(accuracy)} % in ${seconds}, ${Math.round(result.imagesPerSecond)} images/s`;
}

/** What one of the cells gave, while the report waits for the others. */
function rowsOf(config: CellConfig, result: CellResult): string[][] {
  if (result.kind !== "network") return [[cellName(config), result.kind, "", ""]];
  return result.conditions.map(({ condition, metrics, phases }) => [
    cellName(config),
    condition,
    percent(metrics.setAccuracy ?? NaN),
    phases ? number(phases.ari.at(-1)!) : "",
  ]);
}
