import { join } from "node:path";
import { diskFolder } from "../../util/folders/file-folder-node.js";
import { readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import { checkpointFile, checkpointName, checkpointSteps } from "./checkpoint-files.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-format.js";
import type { Checkpoint } from "./checkpoint-format.js";

/** Reads one checkpoint file. Throws `StriateError` naming the file and what is wrong with it. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await readFileChecked(path, checkpointFile), `The checkpoint "${path}"`);
}

/** Writes one checkpoint file atomically. Throws `StriateError`. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeFileAtomic(path, encodeCheckpoint(checkpoint));
}

/** `checkpoints/step-00001200.safetensors` */
export function checkpointPath(folder: string, step: number): string {
  return join(folder, checkpointName(step));
}

/** The steps with a checkpoint in a folder, ascending; an empty list if the folder does not exist. */
export function listCheckpoints(folder: string): Promise<number[]> {
  return checkpointSteps(diskFolder(folder, "checkpoints"));
}
