import { readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { check, StriateError } from "../util/errors.js";
import { ensureFolder, errorCode, fileError, readFileChecked, writeFileAtomic } from "../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../util/json.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.js";
import type { Checkpoint } from "./checkpoint.js";

const maxCheckpointBytes = 2 ** 32 - 4096;
const namePattern = /^step-(\d{8,16})\.safetensors$/;

/** Reads one checkpoint file. Throws {@link StriateError} naming the file and what is wrong with it. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await readFileChecked(path, { what: "checkpoint", maxBytes: maxCheckpointBytes });
  return decodeCheckpoint(bytes, `The checkpoint "${path}"`);
}

/** Writes one checkpoint file atomically. Throws {@link StriateError}. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeFileAtomic(path, encodeCheckpoint(checkpoint));
}

/** `checkpoints/step-00001200.safetensors` */
export function checkpointPath(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(8, "0")}.safetensors`);
}

/** The steps that a folder holds checkpoints of, ascending; none when there is no folder. */
export async function listCheckpoints(folder: string): Promise<number[]> {
  try {
    const names = await readdir(folder);
    const steps = names.flatMap((name) => namePattern.exec(name)?.[1] ?? []).map(Number);
    return steps.sort((a, b) => a - b);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return [];
    throw fileError("list the checkpoints in", folder, cause);
  }
}

export interface DamagedCheckpoint {
  readonly path: string;
  readonly reason: string;
}

export interface LatestCheckpoint {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** Newer files that could not be used, newest first. */
  readonly damaged: readonly DamagedCheckpoint[];
}

/**
 * The newest checkpoint that reads completely; undefined when the folder holds none. Changes nothing.
 * Throws {@link StriateError} when there are checkpoints but every one is damaged, or when one cannot be opened.
 */
export async function findLatestCheckpoint(folder: string): Promise<LatestCheckpoint | undefined> {
  const steps = await listCheckpoints(folder);
  const damaged: DamagedCheckpoint[] = [];
  for (const step of steps.reverse()) {
    const path = checkpointPath(folder, step);
    try {
      const checkpoint = await readCheckpoint(path);
      check(
        checkpoint.step === step,
        () => `The checkpoint "${path}" is of step ${checkpoint.step}, its name says ${step}.`,
      );
      return { path, checkpoint, damaged };
    } catch (error) {
      // A file that cannot be opened (permissions, too many open files) is not a damaged one.
      if (!(error instanceof StriateError) || errorCode(error.cause) !== undefined) throw error;
      damaged.push({ path, reason: error.message });
    }
  }
  check(
    damaged.length === 0,
    () => `None of the ${damaged.length} checkpoints in "${folder}" can be used. ${damaged[0]?.reason ?? ""}`,
  );
  return undefined;
}

/** The checkpoint with the best score so far. */
export interface BestCheckpoint {
  readonly step: number;
  readonly score: number;
}

export interface CheckpointStoreOptions {
  /** How many of the newest checkpoints stay; the best one stays besides. At least 1. */
  readonly keepLast: number;
  /** Whether the best score is the highest or the lowest. */
  readonly better: "higher" | "lower";
}

export interface CheckpointStore {
  readonly best: () => BestCheckpoint | undefined;
  /** Writes one checkpoint, then removes those that are neither among the newest nor the best. */
  save(checkpoint: Checkpoint, score?: number): Promise<string>;
}

/** Opens a checkpoint folder for writing; the caller holds the run's lock. `resumeStep` is where training goes on. */
export async function openCheckpointStore(
  folder: string,
  resumeStep: number,
  options: CheckpointStoreOptions,
): Promise<CheckpointStore> {
  const { keepLast, better } = options;
  check(
    Number.isSafeInteger(keepLast) && keepLast >= 1,
    () => `keepLast: expected 1 or more, got ${keepLast}.`,
  );
  await ensureFolder(folder);
  const bestPath = join(folder, "best.json");
  const held = new Set(await listCheckpoints(folder));
  let best = await readBest(bestPath);
  // A best checkpoint from beyond the step that training goes on from will come again.
  if (best !== undefined && (best.step > resumeStep || !held.has(best.step))) best = undefined;
  return {
    best: () => best,
    async save(checkpoint, score) {
      const { step } = checkpoint;
      const path = checkpointPath(folder, step);
      check(
        score === undefined || !Number.isNaN(score),
        () => `The score of the checkpoint at step ${step} is NaN.`,
      );
      await writeCheckpoint(path, checkpoint);
      held.add(step);
      if (
        score !== undefined &&
        (best === undefined || (better === "higher" ? score > best.score : score < best.score))
      ) {
        best = { step, score };
        await writeFileAtomic(bestPath, `${JSON.stringify(best)}\n`);
      }
      for (const old of checkpointsToRemove([...held], keepLast, best?.step)) {
        await removeFile(checkpointPath(folder, old));
        held.delete(old);
      }
      return path;
    },
  };
}

/** All but the `keepLast` newest steps and the best one. */
export function checkpointsToRemove(
  steps: readonly number[],
  keepLast: number,
  best: number | undefined,
): number[] {
  const ascending = steps.toSorted((a, b) => a - b);
  return ascending.slice(0, Math.max(0, ascending.length - keepLast)).filter((step) => step !== best);
}

async function readBest(path: string): Promise<BestCheckpoint | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileChecked(path, { what: "record of the best checkpoint", maxBytes: 4096 });
  } catch (error) {
    if (error instanceof StriateError && errorCode(error.cause) === "ENOENT") return undefined;
    throw error;
  }
  const what = `The record of the best checkpoint "${path}"`;
  const value = parseStrictJson(new TextDecoder().decode(bytes), what);
  check(
    isJsonObject(value) && typeof value.step === "number" && typeof value.score === "number",
    () => `${what} lacks step and score; remove it to let the next checkpoint become the best.`,
  );
  return { step: value.step, score: value.score };
}

/** Renames a damaged checkpoint out of the way, so that it is neither counted nor tried again; it is not deleted. */
export async function setAside(path: string): Promise<string> {
  const target = `${path}.damaged`;
  try {
    await rename(path, target);
  } catch (cause) {
    throw fileError("rename the damaged checkpoint", path, cause);
  }
  return target;
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw fileError("remove the old checkpoint", path, cause);
  }
}
