import { join } from "node:path";
import type { CommonCellOptions } from "./cell-options-node.js";
import type { Cell } from "./cells-node.js";
import { cellKey, runCells } from "./cells-node.js";
import type { ExperimentOptions, ExperimentResult, ResultTable } from "./experiment.js";
import { sharesOf } from "./machine-node.js";

/** What the configurations of all experiments have. */
interface CellConfig {
  readonly seed: number;
  /** The cell whose outcome this one begins with. */
  readonly start?: CellConfig;
}

/** How an experiment's cells are run and spoken of. */
export interface CellKind<C, R> {
  readonly nameOf: (config: C) => string;
  /** `done` holds what the stages before gave; undefined for a cell that was stopped. */
  readonly run: (config: C, options: CommonCellOptions, done: ReadonlyMap<C, R>) => Promise<R | undefined>;
  /** One line about a finished cell. */
  readonly describe: (result: R) => string;
}

/** What a run gives that was stopped. */
export const INTERRUPTED: ExperimentResult = { interrupted: true, tables: [], files: [] };

/** Below tables of a run of some of the cells. */
export const REPORT_WAITS =
  "The report is made when all cells are done: run again without --cells, with --resume.";

/** Holds the folders of all cells of a run. */
export function cellsFolder(out: string): string {
  return join(out, "cells");
}

/** The cells with those that they start from, in the order of `all`. */
export function withStarts<C extends CellConfig>(chosen: readonly C[], all: readonly C[]): C[] {
  const needed = new Set(chosen.flatMap(chainOf).map(cellKey));
  return all.filter((config) => needed.has(cellKey(config)));
}

/**
 * Runs cells side by side, those that others start from in a stage before these. Gives the results in the order in which
 * cells were run; undefined when one was stopped.
 */
export async function runStages<C extends CellConfig, R>(
  options: ExperimentOptions,
  chosen: readonly C[],
  { nameOf, run, describe }: CellKind<C, R>,
): Promise<ReadonlyMap<C, R> | undefined> {
  const { device, signal, onProgress, onNote } = options;
  const folder = cellsFolder(options.out);
  const results = new Map<C, R>();
  let { resume } = options;
  for (const stage of stagesOf(chosen)) {
    const { parallel, threads } = sharesOf(options, stage.length);
    const work = async ({ label, config }: Cell<C>): Promise<R | undefined> => {
      const common: CommonCellOptions = {
        cells: folder,
        device,
        threads,
        signal,
        onProgress: (part, event) => {
          onProgress(`${label}, ${part}`, event);
        },
        onWarning: onNote,
      };
      const result = await run(config, common, results);
      if (result !== undefined) onNote(`${label}: ${describe(result)}`);
      return result;
    };
    const cells = stage.map((config) => ({ label: nameOf(config), config }));
    const done = await runCells(cells, work, { folder, parallel, signal, resume });
    resume = true;
    for (const [i, result] of done.entries()) if (result !== undefined) results.set(stage[i]!, result);
    if (done.includes(undefined)) return undefined;
  }
  return results;
}

/** What some of the cells gave; the report waits for all. */
export function partialResult<C, R>(
  results: ReadonlyMap<C, R>,
  all: readonly C[],
  rowsOf: (config: C, result: R) => ResultTable["rows"],
  columns: ResultTable["columns"] = ["cell", "result"],
): ExperimentResult {
  const rows = [...results].flatMap(([config, result]) => rowsOf(config, result));
  const title = `${results.size} of ${all.length} cells`;
  return { interrupted: false, tables: [{ title, columns, rows, notes: [REPORT_WAITS] }], files: [] };
}

/** Those that a cell builds on, the first one first, and the cell itself. */
function chainOf(config: CellConfig): CellConfig[] {
  return config.start === undefined ? [config] : [...chainOf(config.start), config];
}

function stagesOf<C extends CellConfig>(chosen: readonly C[]): C[][] {
  const lengths = chosen.map((config) => chainOf(config).length);
  return [...new Set(lengths)]
    .sort((a, b) => a - b)
    .map((length) => chosen.filter((_, i) => lengths[i] === length));
}
