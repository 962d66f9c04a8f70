import type { BestCheckpoint } from "./best-checkpoint.js";
import type { Checkpoint } from "./checkpoint-format.js";
import type { MetricsRow } from "../metrics.js";

/** Numbers of one step, by name. */
export interface LogRow {
  readonly step: number;
  readonly [name: string]: number;
}

/** The log of a run's metrics. */
export interface LogTarget {
  /** What the run has logged before. */
  readonly rows: readonly MetricsRow[];
  append(row: LogRow): void;
  close(): void;
}

/** The storage of a run: a folder on disk, or in the browser's storage. While it is open, no other run can use it. */
export interface RunStore {
  /** The checkpoint to continue from; undefined to begin at step 0. */
  readonly checkpoint: Checkpoint | undefined;
  openLog(): Promise<LogTarget>;
  /** Writes a checkpoint and removes old ones, except the one with the highest score. */
  saveCheckpoint(checkpoint: Omit<Checkpoint, "config">): Promise<unknown>;
  bestCheckpoint(): BestCheckpoint | undefined;
  readCheckpoint(step: number): Promise<Checkpoint>;
  /** The name of a checkpoint in messages. */
  checkpointName(step: number): string;
}
