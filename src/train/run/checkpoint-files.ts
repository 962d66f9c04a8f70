import { checkWhole } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import type { FileFolder } from "../../util/folders/file-folder.js";
import { isOpeningFailure } from "../../util/folders/file-folder.js";
import { isJsonObject, parseStrictJson } from "../../util/json.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.js";
import type { Checkpoint } from "./checkpoint.js";

export const checkpointFile = { what: "checkpoint", maxBytes: 2 ** 32 - 4096 } as const;
const namePattern = /^step-(\d{8,16})\.safetensors$/;
const bestName = "best.json";

/** "step-00001200.safetensors" */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, "0")}.safetensors`;
}

/** The steps with a checkpoint in a folder, ascending; an empty list if the folder does not exist. */
export async function checkpointSteps(folder: FileFolder): Promise<number[]> {
  const names = await folder.list();
  const steps = names.flatMap((name) => namePattern.exec(name)?.[1] ?? []).map(Number);
  return steps.sort((a, b) => a - b);
}

/** Reads the checkpoint of a step. Throws {@link StriateError} that names the file and its fault. */
export async function readCheckpointOf(folder: FileFolder, step: number): Promise<Checkpoint> {
  const name = checkpointName(step);
  const bytes = await folder.read(name, checkpointFile);
  check(bytes, () => `The checkpoint "${folder.file(name)}" is gone.`);
  return decodeCheckpoint(bytes, `The checkpoint "${folder.file(name)}"`);
}

export interface DamagedCheckpoint {
  readonly name: string;
  readonly reason: string;
}

export interface LatestCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Newer files that could not be used, newest first. */
  readonly damaged: readonly DamagedCheckpoint[];
}

/**
 * The newest complete checkpoint; undefined if the folder has no checkpoint. Changes nothing. Throws {@link
 * StriateError} when there are checkpoints but every one is damaged, or when one cannot be opened.
 */
async function findLatestCheckpoint(folder: FileFolder): Promise<LatestCheckpoint | undefined> {
  const steps = await checkpointSteps(folder);
  const damaged: DamagedCheckpoint[] = [];
  for (const step of steps.reverse()) {
    const name = checkpointName(step);
    try {
      const checkpoint = await readCheckpointOf(folder, step);
      check(
        checkpoint.step === step,
        () => `The checkpoint "${folder.file(name)}" is of step ${checkpoint.step}, its name says ${step}.`,
      );
      return { checkpoint, damaged };
    } catch (error) {
      // A file that cannot be opened (permissions, too many open files) is not a damaged one.
      if (!(error instanceof StriateError) || isOpeningFailure(error)) throw error;
      damaged.push({ name, reason: error.message });
    }
  }
  check(
    damaged.length === 0,
    () =>
      `None of the ${damaged.length} checkpoints in "${folder.path}" can be used. ${damaged[0]?.reason ?? ""}`,
  );
  return undefined;
}

/** Renames a damaged checkpoint out of the way, so that it is neither counted nor tried again; it is not deleted. */
async function setAside(folder: FileFolder, name: string): Promise<string> {
  const target = `${name}.damaged`;
  await folder.rename(name, target, "damaged checkpoint");
  return folder.file(target);
}

/** The checkpoint with the best score so far. */
export interface BestCheckpoint {
  readonly step: number;
  readonly score: number;
}

export interface CheckpointStoreOptions {
  /** Number of newest checkpoints to keep, in addition to the best one. At least 1. */
  readonly keepLast: number;
  /** Whether the best score is the highest or the lowest. */
  readonly better: "higher" | "lower";
}

export interface CheckpointStore {
  readonly best: () => BestCheckpoint | undefined;
  /** Writes one checkpoint, then removes those that are neither among the newest nor the best. Returns its path. */
  save(checkpoint: Checkpoint, score?: number): Promise<string>;
}

/** Opens a checkpoint folder for writing; the caller holds the run's lock. Training continues from `resumeStep`. */
async function openCheckpointStore(
  folder: FileFolder,
  resumeStep: number,
  options: CheckpointStoreOptions,
): Promise<CheckpointStore> {
  const { keepLast, better } = options;
  checkWhole("keepLast", keepLast);
  const held = new Set(await checkpointSteps(folder));
  let best = await readBest(folder);
  // A best checkpoint after the step that training continues from will be written again.
  if (best !== undefined && (best.step > resumeStep || !held.has(best.step))) best = undefined;
  return {
    best: () => best,
    async save(checkpoint, score) {
      const { step } = checkpoint;
      check(
        score === undefined || !Number.isNaN(score),
        () => `The score of the checkpoint at step ${step} is NaN.`,
      );
      await folder.write(checkpointName(step), encodeCheckpoint(checkpoint));
      held.add(step);
      if (
        score !== undefined &&
        (best === undefined || (better === "higher" ? score > best.score : score < best.score))
      ) {
        best = { step, score };
        await folder.write(bestName, `${JSON.stringify(best)}\n`);
      }
      for (const old of checkpointsToRemove([...held], keepLast, best?.step)) {
        await folder.remove(checkpointName(old), "old checkpoint");
        held.delete(old);
      }
      return folder.file(checkpointName(step));
    },
  };
}

/**
 * Finds the step that a run continues from, renames damaged checkpoints with a warning, and opens the folder for
 * writing.
 */
export async function openCheckpoints(
  folder: FileFolder,
  options: CheckpointStoreOptions & { readonly onWarning: (message: string) => void },
): Promise<{ readonly checkpoint: Checkpoint | undefined; readonly store: CheckpointStore }> {
  const latest = await findLatestCheckpoint(folder);
  for (const damaged of latest?.damaged ?? []) {
    const aside = await setAside(folder, damaged.name);
    options.onWarning(`Skipped a damaged checkpoint, now "${aside}". ${damaged.reason}`);
  }
  const checkpoint = latest?.checkpoint;
  // Without a checkpoint, the run restarts at step 0.
  return { checkpoint, store: await openCheckpointStore(folder, checkpoint?.step ?? -1, options) };
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

async function readBest(folder: FileFolder): Promise<BestCheckpoint | undefined> {
  const bytes = await folder.read(bestName, { what: "record of the best checkpoint", maxBytes: 4096 });
  if (bytes === undefined) return undefined;
  const what = `The record of the best checkpoint "${folder.file(bestName)}"`;
  const value = parseStrictJson(new TextDecoder().decode(bytes), what);
  check(
    isJsonObject(value) && typeof value.step === "number" && typeof value.score === "number",
    () => `${what} lacks step and score; remove it to let the next checkpoint become the best.`,
  );
  return { step: value.step, score: value.score };
}
