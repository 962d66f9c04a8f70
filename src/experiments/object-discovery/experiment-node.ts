import { comparisonText, budgetText, headline, objectDiscoveryPage } from "../../report/object-discovery.js";
import { percent } from "../../report/html.js";
import { check } from "../../util/errors.js";
import { unknownName } from "../../util/suggest.js";
import { chooseCells } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult } from "../experiment.js";
import { writeReport } from "../report-files-node.js";
import { INTERRUPTED, REPORT_WAITS, cellsFolder, runStages } from "../stages-node.js";
import type { CellResult } from "./cell-node.js";
import { runCell } from "./cell-node.js";
import type { CellConfig } from "./config.js";
import { cellName, cellsOf, PLANS } from "./config.js";
import { estimatedHours } from "./cost.js";
import { MODELS } from "./models.js";
import { paperResult } from "./paper-results.js";
import { readScenes } from "./published-node.js";
import { objectDiscoveryReport } from "./report-node.js";
import type { SceneParts } from "./scenes.js";
import { checkGenerated, generateScenes } from "./scenes.js";
import type { SetName } from "./sets.js";
import { SET_NAMES } from "./sets.js";
import { scoreTables } from "./tables.js";

/** Objects without labels: AKOrN against the same networks without oscillators (ICLR 2025, section 5.1). */
export const objectDiscovery: Experiment = {
  name: "object-discovery",
  summary: "Do oscillators bind what belongs to one object? AKOrN against ItrSA and ItrConv, without labels.",
  scales: {
    smoke: { summary: "four small networks, 12 steps: does everything work? Under a minute.", seeds: 1 },
    laptop: {
      summary: "AKOrN (attn) and ItrSA on Tetrominoes, half the width. About 25 minutes on 2 cores.",
      seeds: 1,
    },
    paper: {
      summary:
        "all networks on Tetrominoes, multi-dSprites and Shapes, 50 epochs. 10 hours to 2 weeks of a core for each.",
      seeds: 3,
    },
  },
  choosesCells: true,
  takes: ["dataSet", "data", "models", "upTiling"],
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, data, onNote } = options;
  const plan = PLANS[scale];
  const sets = options.dataSet === undefined ? plan.sets : namesOf("data set", options.dataSet, SET_NAMES);
  check(
    data === undefined || sets.length === 1,
    () => `--data is for one set: choose it with --data-set, got ${sets.join(", ")}`,
  );
  for (const set of sets) if (data === undefined) checkGenerated(set);
  const all = cellsOf(plan, {
    seeds,
    sets,
    ...(data !== undefined && { data }),
    ...(options.models !== undefined && { models: namesOf("network", options.models, MODELS) }),
    ...(options.upTiling !== undefined && { upTiling: options.upTiling }),
  });
  const chosen = chooseCells(all, cellName, options.cells);
  if (scale === "paper") for (const line of expectations(chosen)) onNote(line);

  const scenes = new SceneCache(onNote);
  const done = await runStages(options, chosen, {
    nameOf: cellName,
    run: async (config, common) => runCell(config, { ...common, scenes: await scenes.of(config) }),
    describe,
  });
  if (done === undefined) return INTERRUPTED;
  const results = [...done].map(([config, result]) => ({ config, result }));
  if (chosen.length < all.length)
    return { interrupted: false, tables: scoreTables(results, [REPORT_WAITS]), files: [] };

  const report = await objectDiscoveryReport({
    scale,
    seeds,
    results,
    scenes: (config) => scenes.of(config),
    folder: cellsFolder(out),
    command: commandOf(options),
    device: options.device,
    seconds: (performance.now() - started) / 1000,
  });
  const plain = { ...report, sets: report.sets.map((set) => ({ ...set, scenes: [] })) };
  const lines = report.sets.flatMap((set) => [
    headline(report, set),
    ...set.comparisons.map((comparison) => comparisonText(report, comparison)),
    ...[budgetText(set) ?? []].flat(),
  ]);
  return {
    interrupted: false,
    text: lines.join("\n"),
    tables: scoreTables(results),
    files: await writeReport(out, await objectDiscoveryPage(report), plain),
  };
}

/** Every set is made or read once, for all its cells. */
class SceneCache {
  readonly #parts = new Map<SetName, Promise<SceneParts>>();

  constructor(private readonly onNote: (line: string) => void) {}

  of(config: CellConfig): Promise<SceneParts> {
    const { set, data } = config;
    const known = this.#parts.get(set);
    if (known !== undefined) return known;
    const parts =
      data === undefined
        ? Promise.resolve().then(() => generateScenes(set, config))
        : readScenes(set, data, config, this.onNote);
    this.#parts.set(set, parts);
    return parts;
  }
}

/** Names with commas between them. Throws {@link StriateError} for an unknown one. */
function namesOf<N extends string>(what: string, text: string, known: readonly N[]): N[] {
  return text.split(",").map((part) => {
    const name = known.find((one) => one === part.trim());
    check(name !== undefined, () => unknownName(what, part.trim(), known));
    return name;
  });
}

/** What the paper reports for each kind of cell, and how long it may take here. */
function expectations(cells: readonly CellConfig[]): string[] {
  const first = cells.filter((cell, i) => {
    return cells.findIndex(({ set, model }) => set === cell.set && model === cell.model) === i;
  });
  return first.map((cell) => {
    const { set, model } = cell;
    const row = paperResult(set, model, 1);
    const score = row
      ? `the paper has FG-ARI ${row.foregroundAri[0]} ± ${row.foregroundAri[1]}, MBO ${row.bestOverlap[0]} ± ${row.bestOverlap[1]}`
      : "the paper has no row for it";
    return `${set}/${model}: ${score}; about ${estimatedHours(cell)} hours a seed on one core.`;
  });
}

function describe({ tests, untrained, seconds, imagesPerSecond }: CellResult): string {
  const scores = tests.map(({ upTiling, foregroundAri, bestOverlap }, i) => {
    const before = percent(untrained[i]!.foregroundAri);
    const name = upTiling === 1 ? "FG-ARI" : `with up-tiling × ${upTiling}`;
    return `${name} ${percent(foregroundAri)} % (before training ${before} %), MBO ${percent(bestOverlap)} %`;
  });
  return `${scores.join("; ")}; ${Math.round(seconds)} s, ${Math.round(imagesPerSecond)} pictures/s`;
}

/** The command that does this run again. */
function commandOf({ scale, seeds, dataSet, data, models, upTiling }: ExperimentOptions): string {
  const special = [
    dataSet === undefined ? "" : ` --data-set ${dataSet}`,
    data === undefined ? "" : ` --data ${data}`,
    models === undefined ? "" : ` --models ${models}`,
    upTiling === undefined ? "" : ` --up-tiling ${upTiling}`,
  ].join("");
  return `striate run object-discovery --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}${special}`;
}
