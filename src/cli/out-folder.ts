import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { StriateError } from "../util/errors.js";
import { errorCode, fileError } from "../util/files-node.js";

export interface OutFolderOptions {
  readonly out?: string;
  readonly resume: boolean;
  readonly force: boolean;
  /** Folder that holds the runs that got no `out`. Default "runs". */
  readonly runs?: string;
  /** Default: now. */
  readonly date?: Date;
}

/**
 * The folder of a run. Without `out` it is a new one, named by the time, or with `resume` the newest of that name.
 * With `force`, what a given folder holds is set aside under another name, never deleted.
 *
 * @throws StriateError when both resume and force are asked for, or there is nothing to resume.
 */
export async function chooseOutFolder(name: string, options: OutFolderOptions): Promise<string> {
  const { out, resume, force, runs = "runs", date = new Date() } = options;
  if (resume && force)
    throw new StriateError("--resume and --force exclude each other: go on, or begin anew?");
  const stamp = timestamp(date);
  if (out === undefined) {
    if (!resume) return join(runs, `${name}-${stamp}`);
    const newest = (await namesIn(runs)).filter((entry) => isRunOf(name, entry)).at(-1);
    if (newest !== undefined) return join(runs, newest);
    throw new StriateError(
      `nothing to resume: there is no folder "${join(runs, name)}-..."; name one with --out`,
    );
  }
  if (resume && (await namesIn(out)).length === 0) {
    throw new StriateError(`nothing to resume: the folder "${out}" is not there or empty`);
  }
  if (force && (await namesIn(out)).length > 0) await setAside(out, stamp);
  return out;
}

function isRunOf(name: string, entry: string): boolean {
  return entry.startsWith(`${name}-`) && /^\d{8}-\d{6}$/.test(entry.slice(name.length + 1));
}

/** "20261122-013502", local time: sorts by age. */
function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return [];
    throw fileError("read the folder", folder, cause);
  }
}

async function setAside(folder: string, stamp: string): Promise<void> {
  const path = folder.replace(/[/\\]+$/, "");
  try {
    await rename(path, `${path}.before-${stamp}`);
  } catch (cause) {
    throw fileError("set aside the folder", folder, cause);
  }
}
