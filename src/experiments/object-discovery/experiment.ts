import { percent } from "../../report/html.js";
import { check } from "../../util/errors.js";
import { unknownName } from "../../util/suggest.js";
import { defineExperiment } from "../experiment.js";
import type { ExperimentOptions } from "../options.js";
import { DISCOVERY_CLAIMS, discoveryClaims } from "./claims.js";
import { runDiscoveryCell } from "./cell.js";
import { estimatedHours } from "./networks.js";
import { budgetText, comparisonText, discoveryHeadline, objectDiscoveryPage } from "./page.js";
import type { DiscoveryCell, Choice, DiscoveryPlan } from "./plan.js";
import {
  discoveryCellName,
  discoveryCells,
  DISCOVERY_MODELS,
  DISCOVERY_PLANS,
  DISCOVERY_SET_NAMES,
} from "./plan.js";
import { paperResult } from "./published.js";
import type { DiscoveryResult } from "./results.js";
import { finishedCells, objectDiscoveryReport, scoreTables } from "./results.js";
import { checkDiscoveryScenes, SceneCache } from "./scenes.js";

/**
 * Discovery of objects without labels: AKOrN against the same networks without oscillators (ICLR 2025, section 5.1).
 */
export const objectDiscovery = defineExperiment({
  name: "object-discovery",
  explorerView: "akorn",
  claims: DISCOVERY_CLAIMS,
  summary: "Do oscillators bind what belongs to one object? AKOrN against ItrSA and ItrConv, without labels.",
  scales: {
    smoke: {
      summary: "four small networks, 12 steps, to check that everything works. Under a minute.",
      seeds: 1,
    },
    laptop: {
      summary:
        "AKOrN (attn) and ItrSA at half the paper's width, on Tetrominoes. About 25 minutes on 2 cores.",
      seeds: 1,
    },
    paper: {
      summary:
        "all networks on Tetrominoes, multi-dSprites and Shapes, 50 epochs. 10 hours to 2 weeks on one core for each network.",
      seeds: 3,
    },
  },
  choosesCells: true,
  takes: ["dataSet", "data", "models", "upTiling"],
  plan: planOf,
  cellsOf: (plan, options) => discoveryCells(plan, choiceOf(plan, options)),
  load: (_, { scale, onNote }, cells) => {
    if (scale === "paper") for (const line of expectations(cells)) onNote(line);
    return { scenes: new SceneCache(onNote) };
  },
  nameOf: discoveryCellName,
  runCell: async (config, options) =>
    runDiscoveryCell(config, { ...options, scenes: await options.scenes.of(config) }),
  describe,
  partialTables: (results) => scoreTables(finishedCells(results)),
  report: async (run) => {
    const report = await objectDiscoveryReport(run);
    const lines = report.sets.flatMap((set) => [
      discoveryHeadline(report, set),
      ...set.comparisons.map((comparison) => comparisonText(report, comparison)),
      ...[budgetText(set) ?? []].flat(),
    ]);
    return {
      page: await objectDiscoveryPage(report),
      numbers: { ...report, sets: report.sets.map((set) => ({ ...set, scenes: [] })) },
      claims: discoveryClaims(report),
      tables: scoreTables(finishedCells(run.results)),
      text: lines.join("\n"),
    };
  },
});

/** The plan of a scale with the sets and networks that the user chose. */
function planOf({ scale, data, dataSet }: ExperimentOptions): DiscoveryPlan {
  const plan = DISCOVERY_PLANS[scale];
  const sets = dataSet === undefined ? plan.sets : namesOf("data set", dataSet, DISCOVERY_SET_NAMES);
  check(
    data === undefined || sets.length === 1,
    () => `--data: expected one data set (choose it with --data-set), got ${sets.join(", ")}`,
  );
  for (const set of sets) if (data === undefined) checkDiscoveryScenes(set);
  return { ...plan, sets };
}

function choiceOf({ sets }: DiscoveryPlan, { seeds, data, models, upTiling }: ExperimentOptions): Choice {
  return {
    seeds,
    sets,
    ...(data !== undefined && { data }),
    ...(models !== undefined && { models: namesOf("network", models, DISCOVERY_MODELS) }),
    ...(upTiling !== undefined && { upTiling }),
  };
}

/** Splits a list of names at its commas. Throws `StriateError` for an unknown name. */
function namesOf<N extends string>(what: string, text: string, known: readonly N[]): N[] {
  return text.split(",").map((part) => {
    const name = known.find((one) => one === part.trim());
    check(name !== undefined, () => unknownName(what, part.trim(), known));
    return name;
  });
}

/**
 * A note for each network on each set: the scores of the paper, and an estimate of the time that one seed
 * takes.
 */
function expectations(cells: readonly DiscoveryCell[]): string[] {
  const first = cells.filter((cell, i) => {
    return cells.findIndex(({ set, model }) => set === cell.set && model === cell.model) === i;
  });
  return first.map((cell) => {
    const { set, model } = cell;
    const row = paperResult(set, model, 1);
    const score = row
      ? `the paper reports FG-ARI ${row.foregroundAri[0]} ± ${row.foregroundAri[1]}, MBO ${row.bestOverlap[0]} ± ${row.bestOverlap[1]}`
      : "the paper does not report this network";
    return `${set}/${model}: ${score}; about ${estimatedHours(cell)} hours a seed on one core.`;
  });
}

function describe({ tests, untrained, seconds, imagesPerSecond }: DiscoveryResult): string {
  const scores = tests.map(({ upTiling, foregroundAri, bestOverlap }, i) => {
    const before = percent(untrained[i]!.foregroundAri);
    const name = upTiling === 1 ? "FG-ARI" : `with up-tiling × ${upTiling}`;
    return `${name} ${percent(foregroundAri)} % (before training ${before} %), MBO ${percent(bestOverlap)} %`;
  });
  return `${scores.join("; ")}; ${Math.round(seconds)} s, ${Math.round(imagesPerSecond)} images/s`;
}
