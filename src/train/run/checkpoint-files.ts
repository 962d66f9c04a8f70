import { checkWhole, nonFiniteTensor } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import type { FileFolder } from "../../util/folders/file-folder.js";
import { isOpeningFailure } from "../../util/folders/file-folder.js";
import { safetensorsHeaderBytes } from "../../util/safetensors.js";
import type { BestCheckpoint } from "./best-checkpoint.js";
import { betterCheckpoint } from "./best-checkpoint.js";
import { decodeCheckpoint, encodeCheckpoint, scoreInHeader } from "./checkpoint-format.js";
import type { Checkpoint } from "./checkpoint-format.js";

export const checkpointFile = { what: "checkpoint", maxBytes: 2 ** 32 - 4096 } as const;
const namePattern = /^step-(\d{8,16})\.safetensors$/;

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
 * The newest complete checkpoint; undefined if the folder has no checkpoint. Changes nothing. Throws
 * {@link StriateError} when there are checkpoints but every one is damaged, or when one cannot be opened.
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
      const bad = nonFiniteTensor(checkpoint.tensors);
      check(
        bad === undefined,
        () =>
          `The checkpoint "${folder.file(name)}": expected finite numbers in "${bad!.name}", got ${bad!.value}.`,
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

export interface CheckpointStoreOptions {
  /** Number of newest checkpoints to keep, in addition to the best one. At least 1. */
  readonly keepLast: number;
}

export interface CheckpointStore {
  readonly best: () => BestCheckpoint | undefined;
  /** Writes one checkpoint, then removes those that are neither among the newest nor the best. Returns its path. */
  save(checkpoint: Checkpoint): Promise<string>;
}

/** Opens a checkpoint folder for writing; the caller holds the run's lock. */
async function openCheckpointStore(
  folder: FileFolder,
  { keepLast }: CheckpointStoreOptions,
): Promise<CheckpointStore> {
  checkWhole("keepLast", keepLast);
  const held = new Set(await checkpointSteps(folder));
  let best = await bestOf(folder, [...held]);
  const removeOld = async (): Promise<void> => {
    for (const old of checkpointsToRemove([...held], keepLast, best?.step)) {
      await folder.remove(checkpointName(old), "old checkpoint");
      held.delete(old);
    }
  };
  // A killed process may have left more than these.
  await removeOld();
  return {
    best: () => best,
    async save(checkpoint) {
      const { step, score } = checkpoint;
      await folder.write(checkpointName(step), encodeCheckpoint(checkpoint));
      held.add(step);
      if (score !== undefined) best = betterCheckpoint(best, { step, score });
      await removeOld();
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
  return { checkpoint: latest?.checkpoint, store: await openCheckpointStore(folder, options) };
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

/**
 * The checkpoint with the best score among those in the folder. Each checkpoint file holds its own score, so a killed
 * process cannot leave a checkpoint without the score that belongs to it.
 */
async function bestOf(folder: FileFolder, steps: readonly number[]): Promise<BestCheckpoint | undefined> {
  let best: BestCheckpoint | undefined;
  for (const step of steps) {
    const score = await scoreOf(folder, checkpointName(step));
    if (score !== undefined) best = betterCheckpoint(best, { step, score });
  }
  return best;
}

async function scoreOf(folder: FileFolder, name: string): Promise<number | undefined> {
  const what = `The checkpoint "${folder.file(name)}"`;
  const read = async (bytes: number) =>
    (await folder.readStart(name, bytes, "checkpoint")) ?? new Uint8Array();
  try {
    return scoreInHeader(await read(safetensorsHeaderBytes(await read(8), what)), what);
  } catch (error) {
    // A damaged checkpoint has no score. The newest one, from which the run continues, has been read before.
    if (!(error instanceof StriateError) || isOpeningFailure(error)) throw error;
    return undefined;
  }
}
