import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { cellsFolder } from "../experiments/cells.js";
import { readCellResult } from "../experiments/cell-results.js";
import type { Experiment, ExperimentResult } from "../experiments/experiment.js";
import { check, counted } from "../util/errors.js";
import { ensureFolder } from "../util/files-node.js";
import type { SweepPlan } from "./plan.js";
import { optionsOf } from "./plan.js";
import type { Published } from "./store.js";
import type { OpenSweep } from "./worker.js";

/** What was collected. */
export interface Collected {
  readonly result: ExperimentResult;
  readonly finished: number;
  readonly all: number;
}

/**
 * Copies the finished cells of a sweep into the folder of an ordinary run, checks every file by its SHA-256, and writes the
 * experiment's own report, or its tables if cells are missing. `striate run --resume --out FOLDER` could continue there.
 *
 * @throws StriateError if no cell is finished, a file is damaged, or the folder holds another run
 */
export async function collectSweep(
  { plan, store }: OpenSweep,
  experiment: Experiment,
  out: string,
  options: { readonly signal: AbortSignal; readonly onNote: (line: string) => void },
): Promise<Collected> {
  const finished = await store.finished();
  const done = plan.cells.filter(({ key }) => finished.has(key));
  check(done.length > 0, () => `the sweep ${plan.id}: expected at least one finished cell, got none`);
  const folder = cellsFolder(out);
  await ensureFolder(folder);
  const known = new Set(plan.cells.map(({ key }) => key));
  for (const name of await readdir(folder))
    check(
      known.has(name),
      () => `"${out}": expected the run of the sweep ${plan.id}, got one with the cell ${name}`,
    );
  const cells: Published[] = [];
  for (const { key } of done) {
    const own = join(folder, key);
    const published = await store.published(key);
    if (published === undefined) continue;
    cells.push(published);
    if ((await readCellResult(own)) === undefined) await store.fetch(published, own);
  }
  const { cells: _, ...rest } = optionsOf(plan.run, out, options.signal, options.onNote);
  const pattern = done.length === plan.cells.length ? plan.run.cells : done.map(({ name }) => name).join(",");
  const computed = { machine: machinesOf(cells), seconds: wallSeconds(plan, cells) };
  const result = await experiment.run({
    ...rest,
    computed,
    ...(pattern !== undefined && { cells: pattern }),
  });
  return { result, finished: done.length, all: plan.cells.length };
}

/** The machines that have computed cells, such as "2 machines: AMD EPYC 7B13 (5 cells), Intel Xeon (7 cells)". */
function machinesOf(cells: readonly Published[]): string {
  const hosts = new Set(cells.map(({ host }) => host));
  const counts = new Map<string, number>();
  for (const { processor } of cells) counts.set(processor, (counts.get(processor) ?? 0) + 1);
  const parts = [...counts].map(([processor, count]) => `${processor} (${counted(count, "cell")})`);
  return `${counted(hosts.size, "machine")}: ${parts.join(", ")}`;
}

/** Seconds from the plan of a sweep to the end of its last cell. */
function wallSeconds({ created }: SweepPlan, cells: readonly Published[]): number {
  return (Math.max(...cells.map(({ date }) => Date.parse(date))) - Date.parse(created)) / 1000;
}
