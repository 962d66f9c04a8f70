import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../../util/errors.js";
import { diskFolder } from "../../util/folders/file-folder-node.js";
import { ensureFolder, errorCode, fileError, temporaryFilePattern } from "../../util/files-node.js";
import { toJson } from "../../util/json.js";
import type { Json } from "../../util/json.js";
import { openCheckpoints } from "./checkpoint-files.js";
import type { BestCheckpoint } from "./best-checkpoint.js";
import type { Checkpoint } from "./checkpoint-format.js";
import { openMetricsFile } from "./metrics-file-node.js";
import type { MetricsRow } from "../metrics.js";
import { checkConfig } from "./run-config.js";
import { acquireRunLock } from "../../util/lock-node.js";
import type { RunLock } from "../../util/lock-node.js";

/** Options for opening a run folder. */
export interface RunFolderOptions {
  /** Plain JSON data that decides the run. It is stored as `config.json` and compared on resume. */
  readonly config: unknown;
  /** Whether to continue the run in the folder, if there is one. Default false: a folder with a run is refused. */
  readonly resume?: boolean;
  /** Number of newest checkpoints to keep, in addition to the best one. Default 3. */
  readonly keepLast?: number;
  /** Is called with warnings about skipped checkpoints and about waiting for a lock. Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/** The folder of a training run, to which only this process may write. */
export interface RunFolder {
  readonly path: string;
  readonly config: Json;
  /** Whether the folder already contained this run. */
  readonly resumed: boolean;
  /**
   * The checkpoint to continue from: the newest intact one when the run was opened, or undefined to begin at step 0.
   */
  readonly checkpoint: Checkpoint | undefined;
  /** The path of a file in the folder: `file("model.onnx")`. */
  file(name: string): string;
  /** Appends one line to `metrics.jsonl`. */
  appendMetrics(row: MetricsRow): void;
  /**
   * Writes `checkpoints/step-00001200.safetensors` and returns its path. Removes old checkpoints except the one with
   * the highest score.
   */
  saveCheckpoint(checkpoint: Omit<Checkpoint, "config">): Promise<string>;
  bestCheckpoint(): BestCheckpoint | undefined;
  /** Closes the files and releases the folder. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * Creates the folder of a run, or opens it again with `resume`: `config.json`, `metrics.jsonl` (one JSON object per
 * line), `checkpoints/`. On resume, metrics of steps after the newest good checkpoint are removed, for they will come
 * again, and checkpoints that are damaged or hold NaN or an infinity are renamed to `*.damaged` with a warning.
 *
 * Throws `StriateError` when another process uses the folder, when it holds a run and `resume` is off, when its
 * config differs (naming the first key), when no checkpoint of several can be read, or when it cannot be written.
 */
export async function openRunFolder(path: string, options: RunFolderOptions): Promise<RunFolder> {
  const config = toJson(options.config, "The run's config");
  const onWarning =
    options.onWarning ??
    ((message: string): void => {
      console.warn(message);
    });
  await ensureFolder(path);
  const lock = await acquireRunLock(path, onWarning);
  try {
    return await openLocked(path, config, lock, { ...options, onWarning });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openLocked(
  path: string,
  config: Json,
  lock: RunLock,
  options: RunFolderOptions & { onWarning: (message: string) => void },
): Promise<RunFolder> {
  const checkpoints = diskFolder(join(path, "checkpoints"), "checkpoints");
  await removeTemporaryFiles(path);
  await removeTemporaryFiles(checkpoints.path);
  const resumed = await checkConfig(diskFolder(path), checkpoints, config, options.resume ?? false);
  await ensureFolder(checkpoints.path);
  const { checkpoint, store } = await openCheckpoints(checkpoints, {
    keepLast: options.keepLast ?? 3,
    onWarning: options.onWarning,
  });
  const metrics = await openMetricsFile(join(path, "metrics.jsonl"), checkpoint?.step ?? -1);
  let open = true;
  const checkUsable = (): void => {
    check(open, () => `The run folder "${path}" is closed.`);
    lock.check();
  };
  return {
    path,
    config,
    resumed,
    checkpoint,
    file: (name) => join(path, name),
    appendMetrics(row) {
      checkUsable();
      metrics.append(row);
    },
    async saveCheckpoint(state) {
      checkUsable();
      // A checkpoint must not outlive the metrics that led to it.
      metrics.sync();
      return store.save({ ...state, config });
    },
    bestCheckpoint: store.best,
    async close() {
      if (!open) return;
      open = false;
      try {
        metrics.close();
      } finally {
        await lock.release();
      }
    },
  };
}

/** Removes the unfinished files of a killed process. Only the holder of the lock may call this. */
async function removeTemporaryFiles(folder: string): Promise<void> {
  try {
    const names = await readdir(folder);
    for (const name of names) if (temporaryFilePattern.test(name)) await unlink(join(folder, name));
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw fileError("clear the run folder", folder, cause);
  }
}
