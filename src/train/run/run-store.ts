import type { BestCheckpoint } from "./checkpoint-files.js";
import type { Checkpoint } from "./checkpoint.js";
import type { MetricsRow } from "../metrics.js";

/** Numbers of one step, by name. */
export interface LogRow {
  readonly step: number;
  readonly [name: string]: number;
}

/** Where the metrics of a run go. */
export interface LogTarget {
  /** What the run has logged before. */
  readonly rows: readonly MetricsRow[];
  append(row: LogRow): void;
  close(): void;
}

/** What training keeps: a folder on disk, a folder in the browser's storage. It is one run's alone while it is open. */
export interface RunStore {
  /** Where to go on; undefined to begin at step 0. */
  readonly checkpoint: Checkpoint | undefined;
  openLog(): Promise<LogTarget>;
  /** Keeps a checkpoint; old ones go, the best by `score` stays. */
  saveCheckpoint(checkpoint: Omit<Checkpoint, "config">, score?: number): Promise<unknown>;
  bestCheckpoint(): BestCheckpoint | undefined;
  readCheckpoint(step: number): Promise<Checkpoint>;
  /** What messages call a checkpoint. */
  checkpointName(step: number): string;
}
