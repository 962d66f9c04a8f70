import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../../util/errors.js";
import { diskFolder } from "../../util/file-folder-node.js";
import { ensureFolder, errorCode, fileError, temporaryFilePattern } from "../../util/files-node.js";
import { toJson } from "../../util/json.js";
import type { Json } from "../../util/json.js";
import { openCheckpoints } from "./checkpoint-files.js";
import type { BestCheckpoint } from "./checkpoint-files.js";
import type { Checkpoint } from "./checkpoint.js";
import { openMetricsFile } from "./metrics-file-node.js";
import type { MetricsRow } from "../metrics.js";
import { checkConfig } from "./run-config.js";
import { acquireRunLock } from "./run-lock-node.js";
import type { RunLock } from "./run-lock-node.js";

/** What a run folder is opened for, and what it keeps. */
export interface RunFolderOptions {
  /** Plain JSON data that decides the run; kept as `config.json` and compared on resume. */
  readonly config: unknown;
  /** Whether to continue the run in the folder, if there is one. Default false: a folder with a run is refused. */
  readonly resume?: boolean;
  /** How many of the newest checkpoints stay, besides the best one. Default 3. */
  readonly keepLast?: number;
  /** Whether the best score is the highest or the lowest. Default "higher". */
  readonly better?: "higher" | "lower";
  /** Told about skipped checkpoints and waits. Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/** A folder that this process alone may write, with everything that one training run leaves. */
export interface RunFolder {
  readonly path: string;
  readonly config: Json;
  /** Whether the folder already held this run. */
  readonly resumed: boolean;
  /** Where to go on: the newest good checkpoint when the run was opened; undefined to begin at step 0. */
  readonly checkpoint: Checkpoint | undefined;
  /** The path of a file in the folder: `file("model.onnx")`. */
  file(name: string): string;
  /** Appends one line to `metrics.jsonl`. */
  appendMetrics(row: MetricsRow): void;
  /** Writes `checkpoints/step-00001200.safetensors`; gives its path. Old ones go, the best by `score` stays. */
  saveCheckpoint(checkpoint: Omit<Checkpoint, "config">, score?: number): Promise<string>;
  bestCheckpoint(): BestCheckpoint | undefined;
  /** Closes the files and gives the folder free. May be called twice. */
  close(): Promise<void>;
}

/**
 * Creates the folder of a run, or opens it again with `resume`: `config.json`, `metrics.jsonl` (one JSON object per
 * line), `checkpoints/`. On resume, metrics of steps after the newest good checkpoint are removed, for they will come
 * again, and damaged checkpoints are renamed to `*.damaged` with a warning.
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
    better: options.better ?? "higher",
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
    async saveCheckpoint(state, score) {
      checkUsable();
      // A checkpoint must not outlive the metrics that led to it.
      metrics.sync();
      return store.save({ ...state, config }, score);
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

/** A killed process leaves the file that it was writing. Only the lock's holder may call this. */
async function removeTemporaryFiles(folder: string): Promise<void> {
  try {
    const names = await readdir(folder);
    for (const name of names) if (temporaryFilePattern.test(name)) await unlink(join(folder, name));
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw fileError("clear the run folder", folder, cause);
  }
}
