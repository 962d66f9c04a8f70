import { resolve } from "node:path";
import { chooseCells } from "../experiments/cells.js";
import type { SweepPlan } from "./plan.js";
import type { CellJob, CellQueue, QueuedCell, QueuedState } from "./queue/cell-queue.js";
import type { CellProgress, Published } from "./store.js";
import type { SweepStore } from "./store.js";

/* What a user does with a sweep. The folder of the sweep says what is done, the queue what is going on. */

/** The state of a cell: that of its queue, unless the cell is finished or has failed. */
export type CellState = "finished" | QueuedState;

/** What is known about a cell. */
export interface CellStatus {
  readonly key: string;
  readonly name: string;
  readonly state: CellState;
  /** The name of the cell that this one starts from, if that is not finished. */
  readonly waitsFor?: string;
  readonly published?: Published;
  /** The error of a failed cell. */
  readonly failure?: string;
  readonly progress?: CellProgress;
  /** Seconds of computing that the stored checkpoint holds. */
  readonly seconds?: number;
}

/** A sweep with its folder and its queue. */
export interface Sweep {
  readonly plan: SweepPlan;
  readonly store: SweepStore;
  /** Without a queue only the folder is asked. */
  readonly queue?: CellQueue;
}

/** The states of all cells of a sweep, in the order of its plan. */
export async function sweepStatus({ plan, store, queue }: Sweep): Promise<CellStatus[]> {
  const [finished, failed] = await Promise.all([store.finished(), store.failed()]);
  const open = plan.cells.map(({ key }) => key).filter((key) => !finished.has(key));
  const states = (await queue?.states(plan.id, open)) ?? open.map((): QueuedCell => ({ state: "absent" }));
  const queued = new Map(open.map((key, i) => [key, states[i]!]));
  const names = new Map(plan.cells.map(({ key, name }) => [key, name]));
  return Promise.all(
    plan.cells.map(async ({ key, name, start }): Promise<CellStatus> => {
      if (finished.has(key)) {
        const published = await store.published(key);
        return { key, name, state: "finished", ...(published && { published }) };
      }
      const { state, reason = "the queue has given up this cell" } = queued.get(key)!;
      const failure = failed.has(key) ? (await store.failure(key))?.message : undefined;
      if (failure !== undefined && state !== "running" && state !== "waiting")
        return { key, name, state: "failed", failure };
      if (state === "failed") return { key, name, state, failure: reason };
      const progress = state === "running" ? await store.progress(key) : undefined;
      const seconds = (await store.unfinished(key))?.seconds;
      return {
        key,
        name,
        state,
        ...(progress && { progress }),
        ...(seconds !== undefined && { seconds }),
        ...(start !== undefined && !finished.has(start) && { waitsFor: names.get(start)! }),
      };
    }),
  );
}

/** How many cells were in which state, and what was done with them. */
export interface Submitted {
  readonly added: readonly string[];
  readonly finished: number;
  /** Cells that were in the queue already. */
  readonly queued: number;
  readonly failed: number;
  readonly uncertain: readonly string[];
}

/**
 * Puts all cells into the queue that are neither finished nor failed nor in it already. A queue that has forgotten everything
 * is rebuilt in this way, and a cancelled sweep continues.
 */
export async function submitSweep(sweep: Required<Sweep>): Promise<Submitted> {
  await sweep.store.setCancelled(false);
  const cells = await sweepStatus(sweep);
  const added = namesIn(cells, "absent");
  await addCells(sweep, cells, "absent");
  const count = (...states: CellState[]): number =>
    cells.filter(({ state }) => states.includes(state)).length;
  return {
    added,
    finished: count("finished"),
    queued: count("waiting", "running"),
    failed: count("failed"),
    uncertain: namesIn(cells, "uncertain"),
  };
}

const namesIn = (cells: readonly CellStatus[], state: CellState): string[] =>
  cells.filter((cell) => cell.state === state).map(({ name }) => name);

/**
 * Removes the failed cells from the queue, forgets their errors and puts them into the queue again. An id that is in a queue
 * cannot be added again, so the old entries are removed first.
 *
 * @param pattern of the names of the cells, as `striate run --cells` takes it; cells in an uncertain state are tried again
 * only if the pattern names them
 * @returns the names of the cells
 * @throws StriateError if no cell matches the pattern
 */
export async function retryCells(sweep: Required<Sweep>, pattern?: string): Promise<string[]> {
  const { plan, store, queue } = sweep;
  const all = await sweepStatus(sweep);
  const chosen = chooseCells(all, ({ name }) => name, pattern).filter(
    ({ state }) => state === "failed" || (state === "uncertain" && pattern !== undefined),
  );
  if (chosen.length === 0) return [];
  const keys = chosen.map(({ key }) => key);
  await queue.remove(plan.id, keys);
  for (const key of keys) await store.forgetFailure(key);
  await store.setCancelled(false);
  await addJobs(sweep, new Set(keys));
  return chosen.map(({ name }) => name);
}

/**
 * Cancels a sweep: no cell starts any more, and those that run write a checkpoint and stop. {@link submitSweep} continues.
 *
 * @returns how many cells were removed from the queue, and the names of those that run
 */
export async function cancelSweep(
  sweep: Required<Sweep>,
): Promise<{ readonly removed: number; readonly running: readonly string[] }> {
  const { plan, store, queue } = sweep;
  await store.setCancelled(true);
  const cells = (await sweepStatus(sweep)).filter(({ state }) => state === "waiting" || state === "running");
  const running = new Set(namesIn(cells, "running"));
  const removed = await queue.remove(
    plan.id,
    cells.map(({ key }) => key),
  );
  return { removed: removed.length, running: [...running] };
}

async function addCells(
  sweep: Required<Sweep>,
  cells: readonly CellStatus[],
  state: CellState,
): Promise<void> {
  await addJobs(sweep, new Set(cells.filter((cell) => cell.state === state).map(({ key }) => key)));
}

async function addJobs({ plan, store, queue }: Required<Sweep>, keys: ReadonlySet<string>): Promise<void> {
  const folder = resolve(store.folder);
  await queue.add(
    plan.cells
      .filter(({ key }) => keys.has(key))
      .map((cell): CellJob => ({ sweep: plan.id, folder, ...cell })),
  );
}
