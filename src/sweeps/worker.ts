import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../util/errors.js";
import { ensureFolder, fileError, removeLeftovers } from "../util/files-node.js";
import { CellChild } from "./cell-child.js";
import type { SweepPlan } from "./plan.js";
import { readSweep } from "./plan.js";
import type { CellJob, ComputeOptions, WorkQueue } from "./queue/cell-queue.js";
import type { Outcome } from "./run-cell.js";
import { nameOf, runSweepCell } from "./run-cell.js";
import { fingerprintOf, softwareOf, softwareText } from "./software.js";
import { SweepStore } from "./store.js";

export interface WorkerOptions {
  /** Number of cells that are computed at the same time. */
  readonly jobs: number;
  /** The folder of the sweep on this machine, if the machine that submitted the sweep sees it elsewhere. */
  readonly folder?: string;
  /** Folder for the files of cells while they are computed, on a disk of this machine. Default: that for temporary files. */
  readonly scratch?: string;
  /** Seconds without a sign of life after which another worker takes over the cells of this one. Default 60. */
  readonly leaseSeconds?: number;
  /** Seconds between two looks at a cell that waits for another. Default 30. */
  readonly waitSeconds?: number;
  /** Whether the worker ends when the queue is empty. Default false. */
  readonly untilEmpty?: boolean;
  /** Is aborted when the worker is to hand its cells back and to end. */
  readonly signal: AbortSignal;
  /** Is called with lines for the user. */
  readonly onNote: (line: string) => void;
  /** The file that computes cells in a process of its own. Default: that of Striate. */
  readonly entry?: URL;
}

const SCRATCH = "striate-worker-";

/** A sweep of which this worker computes cells. */
export interface OpenSweep {
  readonly plan: SweepPlan;
  readonly store: SweepStore;
}

/**
 * Opens the folder of a sweep for computing.
 *
 * @param id the sweep that must be there; default: any
 * @throws StriateError if it is not there, or if its cells need other software
 */
export async function openSweep(folder: string, id?: string): Promise<OpenSweep> {
  const plan = await readSweep(folder, id);
  const own = softwareOf();
  check(
    fingerprintOf(plan.software) === fingerprintOf(own),
    () =>
      `the sweep ${plan.id}: expected ${softwareText(plan.software)}, got ${softwareText(own)}. Results of two versions must ` +
      `not be mixed: install the version of the sweep, or submit a new sweep`,
  );
  return { plan, store: new SweepStore(folder) };
}

/** A place in which one cell at a time is computed. */
interface Slot {
  readonly child: CellChild;
  readonly folder: string;
}

/** Opens places for computing, uses them, and removes them. */
export async function withSlots<T>(
  { jobs, scratch = tmpdir(), entry }: Pick<WorkerOptions, "jobs" | "scratch" | "entry">,
  use: (slots: Slot[]) => Promise<T>,
): Promise<T> {
  await ensureFolder(scratch);
  await removeLeftovers(scratch, SCRATCH);
  const folder = await mkdtemp(join(scratch, SCRATCH)).catch((cause: unknown) => {
    throw fileError("create a folder in", scratch, cause);
  });
  const slots = Array.from({ length: jobs }, (_, i) => ({
    child: new CellChild(entry),
    folder: join(folder, `slot${i + 1}`),
  }));
  try {
    return await use([...slots]);
  } finally {
    for (const { child } of slots) child.kill();
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Computes cells of a queue until it is stopped. When it is stopped, it stores the checkpoints of its cells and hands them
 * back, so that other workers continue there.
 *
 * @throws StriateError if this machine cannot compute the cells: they are handed back
 */
export async function runWorker(queue: WorkQueue, options: WorkerOptions): Promise<void> {
  const { jobs, folder, signal, onNote, leaseSeconds = 60, waitSeconds = 30, untilEmpty = false } = options;
  const sweeps = new Map<string, Promise<OpenSweep>>();
  const sweepOf = (job: CellJob): Promise<OpenSweep> => {
    const sweep = sweeps.get(job.sweep) ?? openSweep(folder ?? job.folder, job.sweep);
    sweeps.set(job.sweep, sweep);
    return sweep;
  };
  await withSlots(options, async (free) => {
    const compute = async (job: CellJob, { signal: ended, isLast }: ComputeOptions): Promise<Outcome> => {
      const sweep = await sweepOf(job);
      const slot = free.shift()!;
      try {
        return await computeCell(sweep, job.key, { ...slot, signal: ended, isLast, onNote });
      } finally {
        free.push(slot);
      }
    };
    const dependents = async (job: CellJob): Promise<string[]> =>
      (await sweepOf(job)).plan.cells.filter(({ start }) => start === job.key).map(({ key }) => key);
    await queue.work({ jobs, leaseSeconds, waitSeconds, signal, untilEmpty, onNote, compute, dependents });
  });
}

/** Computes one cell, says what becomes of it, and records if it fails. */
export async function computeCell(
  { plan, store }: OpenSweep,
  key: string,
  { child, folder, signal, isLast, onNote }: Slot & ComputeOptions & Pick<WorkerOptions, "onNote">,
): Promise<Outcome> {
  const name = nameOf(plan, key);
  const began = performance.now();
  const scratch = join(folder, plan.id);
  const outcome = await runSweepCell({ plan, store, key, scratch, child, signal, onNote });
  const seconds = Math.round((performance.now() - began) / 1000);
  switch (outcome.kind) {
    case "finished":
      onNote(`${name}: ${outcome.computed ? "" : "was finished already, "}${outcome.description}`);
      break;
    case "stopped":
      onNote(`${name}: handed back after ${seconds} s`);
      break;
    case "cancelled":
      onNote(`${name}: the sweep is cancelled`);
      break;
    case "lost":
      onNote(`${name}: another worker has taken over this cell`);
      break;
    case "waits": {
      const { start } = plan.cells.find((cell) => cell.key === key)!;
      if (start === undefined || (await store.failure(start)) === undefined) break;
      const message = `${outcome.start}, from which this cell starts, has failed`;
      await store.recordFailure(key, name, message);
      return { kind: "failed", message, mayPass: false };
    }
    case "failed": {
      const again = outcome.mayPass && !isLast;
      onNote(`${name}: ${again ? "" : "failed, "}${outcome.message}${again ? "; starts again" : ""}`);
      if (!again) await store.recordFailure(key, name, outcome.message);
    }
  }
  return outcome;
}
