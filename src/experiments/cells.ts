import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { SessionOptions } from "../runtime/runtime.js";
import type { ProgressEvent } from "../train/progress.js";
import { check } from "../util/errors.js";
import { ensureFolder } from "../util/files-node.js";
import { wildcard } from "../util/wildcard.js";
import { hasCellResult, readCellResult, writeCellResult } from "./cell-results.js";
import type { ExperimentOptions } from "./options.js";
import { followCells } from "./whole-progress.js";

/*
 * An experiment is a list of cells. A cell turns plain data into plain data, and its address is a hash of its
 * configuration. A finished cell leaves one file and is never computed again, so an experiment that was killed resumes
 * where it stopped, and any pool of workers (threads here, a queue over many machines elsewhere) may run the cells.
 */

/** One unit of work of an experiment. */
export interface Cell<C> {
  /** The name that the user sees, such as "KomplexNet, seed 1". */
  readonly label: string;
  /** Everything that decides the result, as plain data. */
  readonly config: C;
}

/** Computes a cell's result. The cell has a folder of its own for further files. */
export type CellWork<C, R> = (cell: Cell<C>, folder: string) => Promise<R | undefined>;

export interface RunCellsOptions {
  /** Holds one folder for each cell. */
  readonly folder: string;
  /** Whether to resume the run in the folder. Default false: a folder that holds cells is refused. */
  readonly resume: boolean;
  /** Number of cells that run at the same time. */
  readonly parallel: number;
  /** No further cell starts after this signal is aborted. */
  readonly signal: AbortSignal;
}

/** The address of a cell: the first 16 hexadecimal digits of the SHA-256 of its configuration. */
export function cellKey(config: unknown): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 16);
}

/** The folder of a cell. */
export function cellFolder(folder: string, config: unknown): string {
  return join(folder, cellKey(config));
}

/**
 * Returns the results of all cells, in the order of the cells, and computes those that do not exist yet; the result of
 * a stopped cell is undefined. After an error no further cell starts, and the error is thrown when the running cells
 * have ended.
 *
 * @throws StriateError if the folder holds cells and `resume` is off, or if a result cannot be used (see
 * {@link readCellResult})
 */
export async function runCells<C, R>(
  cells: readonly Cell<C>[],
  work: CellWork<C, R>,
  { folder, resume, parallel, signal }: RunCellsOptions,
): Promise<(R | undefined)[]> {
  await ensureFolder(folder);
  check(
    resume || (await readdir(folder)).length === 0,
    () => `"${folder}" holds a run already: resume it, or choose another folder`,
  );
  const results: (R | undefined)[] = await Promise.all(
    cells.map(({ config }) => readCellResult<R>(cellFolder(folder, config))),
  );
  const waiting = cells.map((cell, i) => ({ cell, i })).filter(({ i }) => results[i] === undefined);
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (signal.aborted || failure !== undefined) return;
      const { cell, i } = next;
      const own = cellFolder(folder, cell.config);
      try {
        await ensureFolder(own);
        const result = await work(cell, own);
        results[i] = result === undefined ? undefined : await writeCellResult(own, result);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, parallel) }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}

/**
 * The cells whose names match a pattern: `*` matches anything, and commas separate several patterns.
 *
 * @throws StriateError naming all cells if none matches
 */
export function chooseCells<C>(
  cells: readonly C[],
  nameOf: (cell: C) => string,
  pattern: string | undefined,
): C[] {
  if (pattern === undefined) return [...cells];
  const parts = pattern.split(",").map((part) => wildcard(part.trim()));
  const chosen = cells.filter((cell) => parts.some((part) => part.test(nameOf(cell))));
  check(
    chosen.length > 0,
    () => `cells "${pattern}": expected a pattern that matches one of ${cells.map(nameOf).join(", ")}`,
  );
  return chosen;
}

/** Options that every cell gets. */
export interface CellOptions extends SessionOptions {
  /** Holds the folders of all cells. */
  readonly cells: string;
  /** Is aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  readonly onProgress: (part: string, event: ProgressEvent) => void;
  readonly onWarning: (message: string) => void;
}

/** The part that the cell configurations of all experiments have in common. */
export interface CellConfig {
  readonly seed: number;
  /** The configuration of the cell whose result this cell starts from. */
  readonly start?: CellConfig;
}

/** The fields of every cell. They name the experiment, so cells of different experiments have different addresses. */
export interface CellOf<E extends string> {
  readonly experiment: E;
  readonly version: 1;
  readonly seed: number;
}

/** The functions that name, run and describe the cells of an experiment. */
export interface CellKind<C, R> {
  readonly nameOf: (config: C) => string;
  /** Runs one cell; `done` holds the results of the stages before. Returns undefined if the cell was stopped. */
  readonly run: (config: C, options: CellOptions, done: ReadonlyMap<C, R>) => Promise<R | undefined>;
  /** One line about a finished cell. */
  readonly describe: (result: R) => string;
}

/** The folder that holds one folder for each cell of a run. */
export function cellsFolder(out: string): string {
  return join(out, "cells");
}

/** The given cells and all cells that they start from, in the order of `all`. */
export function withStarts<C extends CellConfig>(chosen: readonly C[], all: readonly C[]): C[] {
  const needed = new Set(chosen.flatMap(chainOf).map(cellKey));
  return all.filter((config) => needed.has(cellKey(config)));
}

/**
 * Runs cells in parallel, in stages: a cell runs in a later stage than the cell that it starts from. Returns the
 * results in the order in which the cells ran, or undefined if a cell was stopped.
 */
export async function runStages<C extends CellConfig, R>(
  options: ExperimentOptions,
  chosen: readonly C[],
  { nameOf, run, describe }: CellKind<C, R>,
): Promise<ReadonlyMap<C, R> | undefined> {
  const { device, signal, onProgress, onNote } = options;
  const folder = cellsFolder(options.out);
  const results = new Map<C, R>();
  const names = chosen.map(nameOf);
  const before = new Set(names.filter((_, i) => hasCellResult(cellFolder(folder, chosen[i]))));
  const whole = followCells(names, before, (event) => {
    onProgress("all cells", event);
  });
  let { resume } = options;
  for (const stage of stagesOf(chosen)) {
    const { parallel, threads } = sharesOf(options, stage.length);
    const work = async ({ label, config }: Cell<C>): Promise<R | undefined> => {
      const common: CellOptions = {
        cells: folder,
        device,
        threads,
        signal,
        onProgress: (part, event) => {
          onProgress(`${label}, ${part}`, event);
          whole.update(label, event);
        },
        onWarning: onNote,
      };
      whole.begin(label);
      const result = await run(config, common, results);
      if (result === undefined) return undefined;
      whole.finish(label);
      onNote(`${label}: ${describe(result)}`);
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

/** The chain of cells that a cell starts from, the earliest first, with the cell itself as the last. */
export function chainOf(config: CellConfig): CellConfig[] {
  return config.start === undefined ? [config] : [...chainOf(config.start), config];
}

function stagesOf<C extends CellConfig>(chosen: readonly C[]): C[][] {
  const lengths = chosen.map((config) => chainOf(config).length);
  return [...new Set(lengths)]
    .sort((a, b) => a - b)
    .map((length) => chosen.filter((_, i) => lengths[i] === length));
}

/**
 * Options for a cell, with one thread per cell on the CPU: cells in parallel use the cores better than threads inside
 * small operators do.
 */
export function sharesOf(
  { device, threads }: Pick<ExperimentOptions, "device" | "threads">,
  cells: number,
): { parallel: number; threads: number } {
  const cores = threads ?? availableParallelism();
  if (device !== "cpu") return { parallel: 1, threads: cores };
  const parallel = Math.max(1, Math.min(cells, cores));
  return { parallel, threads: Math.max(1, Math.floor(cores / parallel)) };
}
