import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { check, StriateError } from "../util/errors.js";
import {
  ensureFolder,
  errorCode,
  fileError,
  readFileChecked,
  temporaryFilePattern,
  writeFileAtomic,
} from "../util/files-node.js";
import { firstDifference, parseStrictJson, shorten, toJson } from "../util/json.js";
import type { Json } from "../util/json.js";
import { findLatestCheckpoint, listCheckpoints, openCheckpointStore, setAside } from "./checkpoint-node.js";
import type { BestCheckpoint } from "./checkpoint-node.js";
import type { Checkpoint } from "./checkpoint.js";
import { openMetricsFile } from "./metrics-file-node.js";
import type { MetricsRow } from "./metrics-file-node.js";
import { acquireRunLock } from "./run-lock-node.js";
import type { RunLock } from "./run-lock-node.js";

export interface RunFolderOptions {
  /** Plain JSON data that decides the run; kept as `config.json` and compared on resume. */
  readonly config: unknown;
  /** Go on with the run that the folder holds, if it holds one. Default false: a folder with a run is refused. */
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
 * Throws {@link StriateError} when another process uses the folder, when it holds a run and `resume` is off, when its
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
  const checkpoints = join(path, "checkpoints");
  await removeTemporaryFiles(path);
  await removeTemporaryFiles(checkpoints);
  const resumed = await checkConfig(path, config, options.resume ?? false);
  const latest = await findLatestCheckpoint(checkpoints);
  for (const damaged of latest?.damaged ?? []) {
    const aside = await setAside(damaged.path);
    options.onWarning(`Skipped a damaged checkpoint, now "${aside}". ${damaged.reason}`);
  }
  const checkpoint = latest?.checkpoint;
  // Without a checkpoint, the run begins again at step 0 and gives every row anew.
  const lastStep = checkpoint?.step ?? -1;
  const store = await openCheckpointStore(checkpoints, lastStep, {
    keepLast: options.keepLast ?? 3,
    better: options.better ?? "higher",
  });
  const metrics = await openMetricsFile(join(path, "metrics.jsonl"), lastStep);
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

/** Compares or writes `config.json`; gives whether the folder already held the run. */
async function checkConfig(path: string, config: Json, resume: boolean): Promise<boolean> {
  const configPath = join(path, "config.json");
  const held = await readConfig(configPath);
  if (held === undefined) {
    const steps = await listCheckpoints(join(path, "checkpoints"));
    check(
      steps.length === 0,
      () => `The folder "${path}" holds checkpoints but no config.json: choose another folder for a new run.`,
    );
    await writeFileAtomic(configPath, `${JSON.stringify(config, null, 2)}\n`);
    return false;
  }
  check(
    resume,
    () => `The folder "${path}" already holds a run. Resume it, or choose another folder for a new one.`,
  );
  const difference = firstDifference(held, config);
  if (difference !== undefined) {
    const { path: key, expected, found } = difference;
    throw new StriateError(
      `Cannot resume the run in "${path}": its config.json has ${key === "" ? "" : `${key} = `}${show(expected)}, ` +
        `this run ${show(found)}. Use the same configuration, or another folder.`,
    );
  }
  return true;
}

function show(value: Json | undefined): string {
  return value === undefined ? "(nothing)" : shorten(JSON.stringify(value));
}

async function readConfig(path: string): Promise<Json | undefined> {
  try {
    const bytes = await readFileChecked(path, { what: "run's config", maxBytes: 16_000_000 });
    return toJson(parseStrictJson(new TextDecoder().decode(bytes), `"${path}"`), `"${path}"`);
  } catch (error) {
    if (error instanceof StriateError && errorCode(error.cause) === "ENOENT") return undefined;
    throw error;
  }
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
