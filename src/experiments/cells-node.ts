import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../util/errors.js";
import { ensureFolder, readFileChecked, writeFileAtomic } from "../util/files-node.js";
import { parseStrictJson } from "../util/json.js";

/*
 * An experiment is a list of cells: plain data in, plain data out, each addressed by a hash of its configuration. A
 * finished cell leaves one file and is never computed again, so a killed experiment goes on where it was, and any pool
 * (threads here, a queue over many machines elsewhere) may run the cells.
 */

/** One unit of work of an experiment. */
export interface Cell<C> {
  /** For people: "KomplexNet, seed 1". */
  readonly label: string;
  /** Everything that decides the result, as plain data. */
  readonly config: C;
}

/** What `work` gets: the cell and a folder of its own for what it leaves besides its result. */
export type CellWork<C, R> = (cell: Cell<C>, folder: string) => Promise<R | undefined>;

export interface RunCellsOptions {
  /** Holds one folder for each cell. */
  readonly folder: string;
  /** Go on with what the folder holds; otherwise a folder that holds cells is refused. */
  readonly resume: boolean;
  /** Cells at work at the same time. */
  readonly parallel: number;
  /** Starts no further cell once aborted. */
  readonly signal: AbortSignal;
}

const LARGEST_RESULT = 64 * 2 ** 20;

/** The address of a cell: the first 16 hexadecimal digits of the SHA-256 of its configuration. */
export function cellKey(config: unknown): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 16);
}

/** The folder that belongs to a cell. */
export function cellFolder(folder: string, config: unknown): string {
  return join(folder, cellKey(config));
}

/**
 * Gives the results of all cells in their order, computing those that are not there yet; undefined for a cell that was
 * stopped. An error keeps further cells from starting and is thrown when those at work have ended.
 *
 * @throws StriateError for a folder that holds cells when `resume` is off
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
    cells.map(({ config }) => readResult<R>(folder, config)),
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
        if (result !== undefined) await writeFileAtomic(join(own, RESULT), `${JSON.stringify(result)}\n`);
        results[i] = result;
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
 * The cells whose name fits a pattern: `*` stands for anything, and commas stand between several patterns.
 *
 * @throws StriateError naming the cells there are when none fits
 */
export function chooseCells<C>(
  cells: readonly C[],
  nameOf: (cell: C) => string,
  pattern: string | undefined,
): C[] {
  if (pattern === undefined) return [...cells];
  const parts = pattern.split(",").map((part) => {
    const escaped = part.trim().replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`^${escaped.replaceAll("*", ".*")}$`);
  });
  const chosen = cells.filter((cell) => parts.some((part) => part.test(nameOf(cell))));
  check(chosen.length > 0, () => `cells "${pattern}": none fits; there are ${cells.map(nameOf).join(", ")}`);
  return chosen;
}

const RESULT = "result.json";

async function readResult<R>(folder: string, config: unknown): Promise<R | undefined> {
  const path = join(cellFolder(folder, config), RESULT);
  if (!existsSync(path)) return undefined;
  const bytes = await readFileChecked(path, { what: "cell result", maxBytes: LARGEST_RESULT });
  return parseStrictJson(new TextDecoder().decode(bytes), path) as R;
}
