import type { Outcome } from "../run-cell.js";

/*
 * The port of a queue of cells. A queue says which machine computes which cell next, and notices when a machine is gone. It
 * holds only cells that are still to be computed, and the failed ones; the folder of a sweep holds everything else.
 */

/** An entry of a queue: the address of a cell. Nothing else travels through the queue. */
export interface CellJob {
  /** The id of the sweep. */
  readonly sweep: string;
  /** The absolute path of the sweep's folder, as the machine sees it that submitted the sweep. */
  readonly folder: string;
  readonly key: string;
  readonly name: string;
  /** The address of the cell that this one starts from. */
  readonly start?: string;
}

/**
 * What a queue says about a cell. An absent cell is not in the queue. An uncertain cell may be in it: that cannot be found
 * out, so the cell is not added again unless the user says so.
 */
export type QueuedState = "waiting" | "running" | "failed" | "absent" | "uncertain";

/** What a queue says about a cell, with the reason if the queue has given up the cell. */
export interface QueuedCell {
  readonly state: QueuedState;
  readonly reason?: string;
}

/** Where cells wait for machines: a queue, or a cluster that has queues of its own. */
export interface CellQueue {
  /** What messages call it: the address without its password, or "SLURM". */
  readonly shown: string;
  /** Facts about the service that its user should know. */
  readonly warnings: readonly string[];
  /** Adds cells, each one after the cell that it starts from. Those that are in the queue already keep their places. */
  add(jobs: readonly CellJob[]): Promise<void>;
  /** The states of cells of one sweep, in the order of the keys. */
  states(sweep: string, keys: readonly string[]): Promise<QueuedCell[]>;
  /** Removes cells that no worker computes. Returns the keys of those that were in the queue and are removed. */
  remove(sweep: string, keys: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** A queue from which workers take cells. */
export interface WorkQueue extends CellQueue {
  /** Takes cells out of the queue and computes them until the signal is aborted; see {@link WorkOptions}. */
  work(options: WorkOptions): Promise<void>;
}

export interface WorkOptions {
  /** Number of cells that are computed at the same time. */
  readonly jobs: number;
  /** Seconds after which a cell goes to another worker if this one is not heard of. */
  readonly leaseSeconds: number;
  /** Seconds after which a cell is looked at again that waits for the one that it starts from. */
  readonly waitSeconds: number;
  readonly signal: AbortSignal;
  /** Whether to return as soon as the queue is empty and no other worker computes a cell. */
  readonly untilEmpty: boolean;
  readonly onNote: (line: string) => void;
  /**
   * Computes a cell.
   *
   * @throws StriateError if this machine cannot compute the cells of the sweep: the cell goes back, and the error ends `work`
   */
  readonly compute: (job: CellJob, how: ComputeOptions) => Promise<Outcome>;
  /** The cells that start from a cell. */
  readonly dependents: (job: CellJob) => Promise<readonly string[]>;
}

export interface ComputeOptions {
  /** Is aborted when the worker stops. */
  readonly signal: AbortSignal;
  /** Whether a cell whose process is ended again will not be started once more. */
  readonly isLast: boolean;
}
