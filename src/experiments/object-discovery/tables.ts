import { percent } from "../../report/html.js";
import type { ResultTable } from "../experiment.js";
import type { CellResult } from "./cell-node.js";
import type { CellConfig } from "./config.js";
import { MODEL_TEXTS } from "./models.js";
import { paperResult } from "./paper-results.js";
import { SETS } from "./sets.js";

export interface FinishedCell {
  readonly config: CellConfig;
  readonly result: CellResult;
}

/** Cells that differ in their seeds alone, in the order of their first. */
export function bySetAndModel(cells: readonly FinishedCell[]): FinishedCell[][] {
  const groups = new Map<string, FinishedCell[]>();
  for (const cell of cells) {
    const key = `${cell.config.set}/${cell.config.model}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()];
}

/** A table for each set: our scores beside the paper's. */
export function scoreTables(cells: readonly FinishedCell[], notes: readonly string[] = []): ResultTable[] {
  const sets = [...new Set(cells.map(({ config }) => config.set))];
  return sets.map((set) => ({
    title: `${SETS[set].title}, %`,
    columns: ["network", "up-tiling", "FG-ARI", "MBO", "FG-ARI untrained", "paper FG-ARI", "paper MBO"],
    rows: bySetAndModel(cells.filter(({ config }) => config.set === set)).flatMap(rowsOf),
    notes: ["paper: the full recipe on the published set, mean ± standard deviation over seeds.", ...notes],
  }));
}

function rowsOf(cells: readonly FinishedCell[]): string[][] {
  const { set, model } = cells[0]!.config;
  return cells[0]!.result.tests.map(({ upTiling }, i) => {
    const over = (pick: (result: CellResult) => number) => spread(cells.map(({ result }) => pick(result)));
    const row = paperResult(set, model, upTiling);
    const reported = (score?: readonly [number, number]) =>
      score === undefined ? "" : `${score[0].toFixed(1)} ± ${score[1].toFixed(1)}`;
    return [
      MODEL_TEXTS[model].label,
      `× ${upTiling}`,
      over(({ tests }) => tests[i]!.foregroundAri),
      over(({ tests }) => tests[i]!.bestOverlap),
      over(({ untrained }) => untrained[i]!.foregroundAri),
      reported(row?.foregroundAri),
      reported(row?.bestOverlap),
    ];
  });
}

function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (values.length < 2) return percent(mean);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return `${percent(mean)} ± ${percent(Math.sqrt(squares / (values.length - 1)))}`;
}
