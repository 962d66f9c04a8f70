import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { StriateError } from "../util/errors.js";
import { errorCode, fileError } from "../util/files-node.js";

export interface OutFolderOptions {
  readonly out?: string;
  readonly resume: boolean;
  readonly force: boolean;
  /** Folder in which runs without `out` get their folders. Default "runs". */
  readonly runs?: string;
  /** Time that a new folder is named after. Default: now. */
  readonly date?: Date;
}

/**
 * Returns the folder of a run. Without `out` it is a new folder named after the time or, with `resume`, the
 * newest such folder. With `force`, an existing folder is renamed, never deleted.
 *
 * @throws StriateError for resume together with force, or if there is nothing to resume.
 */
export async function chooseOutFolder(name: string, options: OutFolderOptions): Promise<string> {
  const { out, resume, force, runs = "runs", date = new Date() } = options;
  if (resume && force)
    throw new StriateError("--resume and --force exclude each other: expected one of them");
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
    throw new StriateError(`nothing to resume: the folder "${out}" does not exist or is empty`);
  }
  if (force && (await namesIn(out)).length > 0) await setAside(out, stamp);
  return out;
}

function isRunOf(name: string, entry: string): boolean {
  return entry.startsWith(`${name}-`) && /^\d{8}-\d{6}$/.test(entry.slice(name.length + 1));
}

/** The local time such as "20261122-013502", so that names sort by age. */
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
