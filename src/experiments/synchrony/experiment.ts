import { number, percent } from "../../report/html.js";
import type { SceneData } from "../digits/scenes.js";
import { loadBackgrounds, loadDigits } from "../digits/scenes.js";
import { terminalReport } from "../digits/terminal.js";
import { defineExperiment } from "../experiment.js";
import type { ExperimentOptions } from "../options.js";
import { SYNCHRONY_CLAIMS, synchronyClaims } from "./claims.js";
import { runSynchronyCell } from "./cell.js";
import { synchronyPage } from "./page.js";
import type { SynchronyPlan, SynchronySetName } from "./plan.js";
import { synchronyCellName, synchronyCells, SYNCHRONY_PLANS, SYNCHRONY_SETS } from "./plan.js";
import type { SynchronyResult } from "./results.js";
import { synchronyReport } from "./results.js";

/**
 * Tests of the claims of KomplexNet's paper (TMLR 2025) in paired runs: all its networks, 2 and 3 digits, backgrounds,
 * distribution shifts.
 */
export const synchronyExperiment = defineExperiment({
  name: "synchrony",
  explorerView: "komplexnet",
  claims: SYNCHRONY_CLAIMS,
  summary:
    "KomplexNet with and without feedback against all its baselines: 2 and 3 digits, backgrounds, noise, distribution shifts.",
  scales: {
    smoke: {
      summary:
        "a few steps of every training run and every test, to check that everything works. Under a minute.",
      seeds: 1,
    },
    laptop: { summary: "18 networks per seed, frozen coupling. About 40 minutes on 2 cores.", seeds: 2 },
    paper: {
      summary:
        "25 networks per seed, 30 epochs end to end. Days for each network; --cells runs only some of them.",
      seeds: 3,
    },
  },
  choosesCells: true,
  plan: planOf,
  cellsOf: (plan, { seeds }) => synchronyCells(plan, seeds),
  load: ({ training, testing }) => ({ training, testing }),
  nameOf: synchronyCellName,
  runCell: runSynchronyCell,
  describe,
  partialTables: (results, title) => [
    {
      title,
      columns: ["cell", "condition", "set accuracy in %", "ARI of phases"],
      rows: [...results].flatMap(([config, result]) => rowsOf(synchronyCellName(config), result)),
    },
  ],
  report: async (run) => {
    const report = await synchronyReport(run);
    const sets = report.sets.map((set) => ({ ...set, phasePictures: [] }));
    return {
      page: await synchronyPage(report),
      numbers: { ...report, sets, sheets: [] },
      claims: synchronyClaims(report),
      text: report.sets.map((set) => terminalReport(set)).join("\n\n"),
    };
  },
});

/** Reads the digits and backgrounds, and leaves out sets whose backgrounds are not available. */
async function planOf({ scale, onNote }: ExperimentOptions): Promise<SynchronyPlan & SceneData> {
  const plan = SYNCHRONY_PLANS[scale];
  const { training, testing } = await loadDigits();
  const largest = Math.max(...plan.sets.map(({ steps }) => plan.trainScenes ?? steps * plan.batchSize));
  const backgrounds = await loadBackgrounds(scale !== "smoke", Math.max(largest, plan.testScenes), onNote);
  if (backgrounds === undefined)
    onNote("CIFAR-10 is not available, so the sets with backgrounds are left out.");
  const isPlain = (set: SynchronySetName) => (SYNCHRONY_SETS[set].background ?? "none") === "none";
  return {
    ...plan,
    sets: plan.sets.filter(({ set }) => backgrounds !== undefined || isPlain(set)),
    training: { ...training, backgrounds: backgrounds?.train },
    testing: { ...testing, backgrounds: backgrounds?.test },
  };
}

function describe(result: SynchronyResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  if (result.kind === "kernel") {
    return `synchrony loss from ${number(result.before.at(-1)!)} to ${number(result.after.at(-1)!)}, in ${seconds}`;
  }
  if (result.kind === "ablation") return `${result.rows.length} settings, in ${seconds}`;
  const accuracy = result.conditions[0]!.metrics.setAccuracy ?? NaN;
  return `set accuracy ${percent(accuracy)} %, in ${seconds}, ${Math.round(result.imagesPerSecond)} images/s`;
}

/** Rows of one cell in the table of an incomplete run. */
function rowsOf(name: string, result: SynchronyResult): string[][] {
  if (result.kind !== "network") return [[name, result.kind, "", ""]];
  return result.conditions.map(({ condition, metrics, phases }) => [
    name,
    condition,
    percent(metrics.setAccuracy ?? NaN),
    phases ? number(phases.ari.at(-1)!) : "",
  ]);
}
