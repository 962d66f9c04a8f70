import { cpus } from "node:os";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StriateError } from "../util/errors.js";
import type { CellChild } from "./cell-child.js";
import type { SweepPlan } from "./plan.js";
import type { Attempt, CellProgress } from "./store.js";
import { SweepStore } from "./store.js";

/** Milliseconds between two looks for a new checkpoint and for the end of the sweep. */
const LOOK = 2_000;
/** Milliseconds between two reports of progress. */
const REPORT = 5_000;
/** Milliseconds between two attempts to store a finished cell on a disk that is full. */
const AGAIN = 30_000;
/** Milliseconds within which a cell must write its checkpoint when it is stopped. */
const PATIENCE = 25_000;

/** How one attempt to compute a cell has ended. */
export type Outcome =
  /** The cell is finished; `computed` is false if another run of it counts. */
  | { readonly kind: "finished"; readonly description: string; readonly computed: boolean }
  /** The worker was stopped; the checkpoint is stored. */
  | { readonly kind: "stopped" }
  /** The sweep was cancelled; the checkpoint is stored. */
  | { readonly kind: "cancelled" }
  /** The cell that this one starts from is not finished. */
  | { readonly kind: "waits"; readonly start: string }
  /** Another attempt has taken over the cell. */
  | { readonly kind: "lost" }
  | { readonly kind: "failed"; readonly message: string; readonly mayPass: boolean };

export interface RunCellOptions {
  readonly plan: SweepPlan;
  readonly store: SweepStore;
  readonly key: string;
  /** The folder of this worker alone, in which the cell is computed. */
  readonly scratch: string;
  readonly child: CellChild;
  /** Is aborted when the worker is to stop. */
  readonly signal: AbortSignal;
  readonly onNote: (line: string) => void;
}

/** The name of a cell in a sweep. */
export function nameOf({ cells }: Pick<SweepPlan, "cells">, key: string): string {
  return cells.find((cell) => cell.key === key)?.name ?? key;
}

/**
 * Computes one cell: fetches the cell that it starts from and its checkpoint, computes it in the process of the child,
 * stores every checkpoint, and publishes the result.
 *
 * @throws StriateError if this machine cannot compute the cell: the folder of the sweep cannot be read or written, data are
 * not here, or a disk is full
 */
export async function runSweepCell(options: RunCellOptions): Promise<Outcome> {
  const { plan, store, key, scratch, signal, onNote } = options;
  const name = nameOf(plan, key);
  const done = await store.published(key);
  if (done !== undefined) return { kind: "finished", description: done.description, computed: false };
  if (await store.isCancelled()) return { kind: "cancelled" };
  const cells = join(scratch, "cells");
  const missing = await fetchStarts(options, cells);
  if (missing !== undefined) return { kind: "waits", start: missing };
  const folder = join(cells, key);
  await rm(folder, { recursive: true, force: true });
  const attempt = await store.begin(key);
  await attempt.restore(folder);
  if (attempt.secondsBefore > 0) onNote(`${name}: continues after ${Math.round(attempt.secondsBefore)} s`);
  const { outcome, seconds } = await supervise(options, attempt, folder, name);
  if (outcome.kind === "finished") {
    const facts = { name, description: outcome.description, seconds, processor: processor() };
    const { published, isFirst } = await untilStored(signal, onNote, name, () =>
      store.publish(key, folder, facts),
    );
    await rm(folder, { recursive: true, force: true });
    return { ...outcome, description: published.description, computed: isFirst };
  }
  await rm(folder, { recursive: true, force: true });
  return outcome;
}

/** Fetches the cells that a cell starts from, and returns the name of the first one that is not finished. */
async function fetchStarts({ plan, store, key }: RunCellOptions, cells: string): Promise<string | undefined> {
  const byKey = new Map(plan.cells.map((cell) => [cell.key, cell]));
  for (let start = byKey.get(key)?.start; start !== undefined; start = byKey.get(start)?.start) {
    const published = await store.published(start);
    if (published === undefined) return nameOf(plan, start);
    await store.fetch(published, join(cells, start));
  }
  return undefined;
}

/** Runs the cell in the child until it ends or must stop, and stores its checkpoints on the way. */
async function supervise(
  { plan, store, key, scratch, child, signal, onNote }: RunCellOptions,
  attempt: Attempt,
  folder: string,
  name: string,
): Promise<{ readonly outcome: Outcome; readonly seconds: number }> {
  const began = performance.now();
  const seconds = (): number => attempt.secondsBefore + (performance.now() - began) / 1000;
  let progress: Omit<CellProgress, "host" | "seconds"> = {
    part: "starting",
    step: 0,
    steps: 0,
    imagesPerSecond: 0,
  };
  const running = child.run(
    { run: plan.run, key, out: scratch },
    (part, { step, steps, imagesPerSecond, secondsLeft }) => {
      progress = { part, step, steps, imagesPerSecond, ...(secondsLeft !== undefined && { secondsLeft }) };
    },
    (line) => {
      onNote(`${name}: ${line}`);
    },
  );
  let why: "stopped" | "cancelled" | "lost" | undefined;
  let patience: NodeJS.Timeout | undefined;
  const stop = (reason: typeof why): void => {
    if (why !== undefined) return;
    why = reason;
    running.stop();
    patience = setTimeout(
      () => {
        child.kill();
      },
      reason === "lost" ? 0 : PATIENCE,
    );
  };
  const stopWithWorker = (): void => {
    stop("stopped");
  };
  if (signal.aborted) stopWithWorker();
  signal.addEventListener("abort", stopWithWorker);
  const ended = new AbortController();
  const save = async (): Promise<void> => {
    if (!(await attempt.isNewer(folder))) return;
    if (!(await attempt.save(folder, seconds()))) stop("lost");
  };
  const watch = async (): Promise<void> => {
    let reported = -Infinity;
    for (;;) {
      try {
        if (performance.now() - reported >= REPORT) {
          reported = performance.now();
          await attempt.report({ ...progress, seconds: seconds() });
        }
        if (await store.isCancelled()) stop("cancelled");
        await save();
      } catch (error) {
        // The cell computes on: the next checkpoint may find room, and until then less is lost than by a stop.
        onNote(`${name}: ${error instanceof Error ? error.message : String(error)} Tries again.`);
      }
      try {
        await sleep(LOOK, undefined, { signal: ended.signal });
      } catch {
        return;
      }
    }
  };
  const watching = watch();
  const end = await running.end;
  clearTimeout(patience);
  ended.abort();
  signal.removeEventListener("abort", stopWithWorker);
  await watching;
  const total = seconds();
  if (end.kind === "finished")
    return { outcome: { kind: "finished", description: end.description, computed: true }, seconds: total };
  if (why !== undefined) {
    // A cell that was killed after its time to stop has the checkpoint that it wrote last.
    if (why !== "lost" && end.kind !== "failed" && end.kind !== "unable") {
      await save().catch((error: unknown) => {
        onNote(
          `${name}: the last checkpoint is lost. ${error instanceof Error ? error.message : String(error)}`,
        );
      });
    }
    return { outcome: { kind: why }, seconds: total };
  }
  if (end.kind === "unable") throw new StriateError(`${name}: ${end.message}`);
  if (end.kind === "stopped") return { outcome: { kind: "stopped" }, seconds: total };
  return {
    outcome: { kind: "failed", message: end.message, mayPass: end.kind === "crashed" },
    seconds: total,
  };
}

/** Stores a result, and tries again while that is impossible: an hour of computing is not lost to a full disk. */
async function untilStored<T>(
  signal: AbortSignal,
  onNote: (line: string) => void,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StriateError) || signal.aborted) throw error;
      onNote(`${name} is finished, but cannot be stored: ${error.message} Tries again in ${AGAIN / 1000} s.`);
      try {
        await sleep(AGAIN, undefined, { signal });
      } catch {
        throw error;
      }
    }
  }
}

function processor(): string {
  return cpus()[0]?.model.trim() ?? "unknown";
}
