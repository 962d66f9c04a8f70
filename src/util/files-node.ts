import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { StriateError } from "./errors.js";
import type { FileReadOptions } from "./folders/file-folder.js";

/**
 * Pattern of the names of the temporary files that {@link writeFileAtomic} creates. A process that is killed
 * may leave one behind.
 */
export const temporaryFilePattern = /^\..+\.[0-9a-f]{12}\.striate-tmp$/;

/** The `code` of a Node system error, such as "ENOENT"; undefined for anything else. */
export function errorCode(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

const advice: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space or choose a folder on another disk",
  EFBIG:
    "the file would be larger than the file size limit of this process; raise the limit (ulimit -f, or that of the batch system)",
  EDQUOT: "the disk quota is used up; free some space or choose a folder on another disk",
  EACCES: "no permission; change the permissions or choose another place",
  EPERM: "not permitted; change the permissions or choose another place",
  EROFS: "the file system is read-only; choose a place that can be written",
  ENOENT: "there is no such file or folder; check the path",
  ENOTDIR: "a part of the path is a file, not a folder; check the path",
  EISDIR: "it is a folder where a file is expected; check the path",
  EEXIST: "something with this name exists already; choose another name",
  EMFILE: "this process has too many files open; close some or raise the limit (ulimit -n)",
  ENAMETOOLONG: "the name is too long; choose a shorter one",
};

/**
 * Makes a clear error for a failed file operation. `doing` completes the sentence "Could not ...", for
 * example with "write the checkpoint". An error that is already a {@link StriateError} is returned unchanged.
 */
export function fileError(doing: string, path: string, cause: unknown): StriateError {
  if (cause instanceof StriateError) return cause;
  const code = errorCode(cause);
  const known = code === undefined ? undefined : advice[code];
  const detail = cause instanceof Error ? cause.message : String(cause);
  const why = known === undefined ? detail : `${known} (${code ?? ""})`;
  return new StriateError(`Could not ${doing} "${path}": ${why}.`, { cause });
}

/**
 * Makes a write beyond the file size limit (ulimit -f) fail with EFBIG. Without a listener, its signal ends the process
 * without a word. All code that writes files calls this function first.
 */
export function surviveFileSizeLimit(): void {
  if (process.listenerCount("SIGXFSZ") === 0) process.on("SIGXFSZ", () => undefined);
}

/** Creates a folder and its parents if they do not exist. Throws {@link StriateError}. */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await makeFolder(resolve(path));
  } catch (cause) {
    // mkdir reports EEXIST if a file has the folder's name, so this becomes the advice for ENOTDIR.
    const reason = errorCode(cause) === "EEXIST" ? Object.assign(new Error(), { code: "ENOTDIR" }) : cause;
    throw fileError("create the folder", path, reason);
  }
}

/**
 * Creates a folder recursively. Node's own recursive mkdir never returns if a file system refuses a folder
 * with ENOENT although its parent exists, as /proc does.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if (await isFolder(path)) return;
    const parent = dirname(path);
    if (errorCode(cause) !== "ENOENT" || parent === path) throw cause;
    // Another process may create the parent, or the folder itself, between two of these calls.
    if (!(await isFolder(parent))) await makeFolder(parent);
    await mkdir(path).catch(async (again: unknown) => {
      if (!(await isFolder(path))) throw again;
    });
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * Writes a whole file atomically: readers see either the old content or the new, never a part of it, even
 * after a crash. The function writes a temporary file in the same folder, flushes it to disk and renames it
 * to the target. If this fails (full disk, no permission, missing folder), it removes the temporary file and
 * throws `StriateError`.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  await (await stageFile(path, data)).commit();
}

/** A file whose whole content is on disk under a temporary name. */
export interface StagedFile {
  /** Gives the file its name, in the place of a file that has this name. Throws {@link StriateError}. */
  commit(): Promise<void>;
  /** Removes the file. */
  discard(): Promise<void>;
}

/**
 * Writes a file under a temporary name, so that several files can be on disk before the first of them replaces an old
 * one. Throws as {@link writeFileAtomic} does, and leaves nothing if it fails.
 */
export async function stageFile(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
): Promise<StagedFile> {
  surviveFileSizeLimit();
  const folder = dirname(path);
  await removeLeftovers(folder);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.striate-tmp`);
  const discard = () => unlink(temporary).catch(() => undefined);
  const orFail = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      await discard();
      throw fileError("write", path, cause);
    }
  };
  await orFail(async () => {
    const handle = await open(temporary, "wx");
    try {
      // Pieces are written one after another, because together they may exceed the largest size of an array.
      for (const piece of Array.isArray(data)
        ? (data as readonly Uint8Array[])
        : [data as string | Uint8Array])
        await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
  return {
    discard,
    commit: async () => {
      await orFail(() => rename(temporary, path));
      await syncFolder(folder);
    },
  };
}

/** Milliseconds without a write after which a temporary file counts as left by a killed process. */
const LEFT_AFTER = 60 * 60 * 1000;
const cleared = new Set<string>();

/** Removes what killed processes left in a folder: temporary files, and folders with the given prefix. */
export async function removeLeftovers(folder: string, prefix?: string): Promise<void> {
  const key = `${resolve(folder)} ${prefix ?? ""}`;
  if (cleared.has(key)) return;
  cleared.add(key);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (prefix === undefined ? !temporaryFilePattern.test(name) : !name.startsWith(prefix)) continue;
    const path = join(folder, name);
    const written = await stat(path).catch(() => undefined);
    // What cannot be removed is no reason not to write.
    if (written && Date.now() - written.mtimeMs > LEFT_AFTER)
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Makes a rename durable. Some systems (Windows) cannot open a folder, so a failure is ignored. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file's content is complete even if the folder cannot be synchronised.
  }
}

/**
 * Reads a whole regular file into a new buffer. Throws {@link StriateError} if the file is missing, a folder,
 * empty, larger than `maxBytes` or unreadable.
 */
export async function readFileChecked(
  path: string,
  options: FileReadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { what, maxBytes, mayBeEmpty = false } = options;
  try {
    const handle = await open(path, "r");
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
      if (!stat.isFile()) {
        throw new StriateError(`Could not read the ${what} "${path}": expected a regular file.`);
      }
      if (stat.size === 0 && !mayBeEmpty) throw new StriateError(`The ${what} "${path}" is empty (0 bytes).`);
      if (stat.size > maxBytes) {
        throw new StriateError(
          `The ${what} "${path}" is too large: expected at most ${maxBytes} bytes, got ${stat.size}.`,
        );
      }
      const bytes = new Uint8Array(stat.size);
      let filled = 0;
      while (filled < bytes.length) {
        // A single read of more than 2 GiB fails on some systems.
        const want = Math.min(bytes.length - filled, 1 << 28);
        const { bytesRead } = await handle.read(bytes, filled, want, filled);
        if (bytesRead === 0) {
          throw new StriateError(
            `The ${what} "${path}" became shorter while it was being read (${filled} of ${stat.size} bytes).`,
          );
        }
        filled += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fileError(`read the ${what}`, path, cause);
  }
}
