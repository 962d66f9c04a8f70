import { StriateError, check } from "../errors.js";
import type { FileFolder } from "./file-folder.js";

/*
 * The origin private file system: files that a browser stores for a site. The new content of a file replaces the old
 * one only when its stream is closed, so a killed tab leaves the old content. Until then, a new file is empty, and an
 * empty file counts as absent.
 */

/** The root folder of the site's files. Throws {@link StriateError} if the browser offers none here. */
async function siteFiles(): Promise<FileSystemDirectoryHandle> {
  check(
    globalThis.isSecureContext,
    () =>
      "storing files in the browser needs a page served over https or from localhost; leave out `folder` on other pages",
  );
  const storage = globalThis.navigator.storage as
    { getDirectory?(): Promise<FileSystemDirectoryHandle> } | undefined;
  check(
    storage?.getDirectory && "createWritable" in FileSystemFileHandle.prototype,
    () => "this browser cannot write files for a site; update it, or store checkpoints as bytes",
  );
  try {
    return await storage.getDirectory();
  } catch (cause) {
    throw new StriateError(
      "this browser refuses to store files for a site, as private windows may; store checkpoints as bytes",
      { cause },
    );
  }
}

/**
 * Opens a folder of the site's files, and creates it if it does not exist.
 *
 * @param path names separated by "/", such as "runs/digits"
 * @throws StriateError if the browser cannot store files, or the path is not a folder's.
 */
export async function siteFolder(path: string): Promise<FileFolder> {
  const names = namesIn(path);
  let handle = await siteFiles();
  try {
    for (const name of names) handle = await handle.getDirectoryHandle(name, { create: true });
  } catch (cause) {
    throw await siteFileError("create the folder", path, cause);
  }
  return folderOf(handle, names.join("/"));
}

/** Removes a folder of the site's files with its content; a missing folder is not an error. */
export async function removeSiteFolder(path: string): Promise<void> {
  const names = namesIn(path);
  let handle = await siteFiles();
  try {
    for (const name of names.slice(0, -1)) handle = await handle.getDirectoryHandle(name);
    await handle.removeEntry(names.at(-1)!, { recursive: true });
  } catch (cause) {
    if (!isAbsent(cause)) throw await siteFileError("remove the folder", path, cause);
  }
}

/**
 * The canonical path of a folder: "/runs//digits/" becomes "runs/digits".
 *
 * @throws StriateError for a path that does not name a folder
 */
export function sitePath(path: string): string {
  return namesIn(path).join("/");
}

function namesIn(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  check(
    names.length > 0 && names.every((name) => name !== "." && name !== ".."),
    () => `folder "${path}": expected names separated by "/", such as "runs/digits"`,
  );
  return names;
}

function folderOf(handle: FileSystemDirectoryHandle, path: string): FileFolder {
  const file = (name: string) => `${path}/${name}`;
  const guarded = async <T>(doing: string, name: string | undefined, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      throw await siteFileError(doing, name === undefined ? path : file(name), cause);
    }
  };
  const folder: FileFolder = {
    path,
    file,
    list: () =>
      guarded("list the files in", undefined, async () => {
        const names: string[] = [];
        for await (const entry of handle.values()) {
          if (entry.kind === "file" && (await entry.getFile()).size > 0) names.push(entry.name);
        }
        return names;
      }),
    read: (name, { what, maxBytes }) =>
      guarded(`read the ${what}`, name, async () => {
        const content = await contentOf(handle, name);
        if (content === undefined) return undefined;
        check(
          content.size <= maxBytes,
          () =>
            `The ${what} "${file(name)}" is too large: expected at most ${maxBytes} bytes, got ${content.size}.`,
        );
        return new Uint8Array(await content.arrayBuffer());
      }),
    readStart: (name, bytes, what) =>
      guarded(`read the ${what}`, name, async () => {
        const content = await contentOf(handle, name);
        return content && new Uint8Array(await content.slice(0, bytes).arrayBuffer());
      }),
    write: (name, content) =>
      guarded("write", name, async () => {
        const stream = await (await handle.getFileHandle(name, { create: true })).createWritable();
        try {
          await stream.write(content);
          await stream.close();
        } catch (cause) {
          await stream.abort().catch(() => undefined);
          throw cause;
        }
      }),
    remove: (name, what) =>
      guarded(`remove the ${what}`, name, async () => {
        await handle.removeEntry(name).catch((cause: unknown) => {
          if (!isAbsent(cause)) throw cause;
        });
      }),
    rename: async (name, to, what) => {
      const bytes = await folder.read(name, { what, maxBytes: Infinity });
      if (bytes !== undefined) await folder.write(to, bytes);
      await folder.remove(name, what);
    },
  };
  return folder;
}

/** The content of a file; undefined if the file is absent or empty. */
async function contentOf(handle: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  const found = await handle.getFileHandle(name).catch((cause: unknown) => {
    if (isAbsent(cause)) return undefined;
    throw cause;
  });
  const content = await found?.getFile();
  return content === undefined || content.size === 0 ? undefined : content;
}

function isAbsent(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "NotFoundError";
}

/** Turns a failed operation on a site's files into one clear error. */
async function siteFileError(doing: string, path: string, cause: unknown): Promise<StriateError> {
  if (cause instanceof StriateError) return cause;
  const name = cause instanceof DOMException ? cause.name : "";
  const detail = cause instanceof Error ? cause.message : String(cause);
  const why =
    name === "QuotaExceededError"
      ? `this site's storage in the browser is full${await usage()}; remove old runs (deleteRun) or free space on the disk`
      : name === "NoModificationAllowedError"
        ? "another tab is writing to it; close that tab or choose another folder"
        : detail;
  return new StriateError(`Could not ${doing} "${path}" in this site's files: ${why}.`, { cause });
}

async function usage(): Promise<string> {
  const { usage, quota } = await globalThis.navigator.storage.estimate();
  if (usage === undefined || quota === undefined) return "";
  return ` (${megabytes(usage)} of ${megabytes(quota)} MB used)`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
