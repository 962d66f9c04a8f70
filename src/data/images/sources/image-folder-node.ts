import type { Dirent } from "node:fs";
import { existsSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileError, readFileChecked } from "../../../util/files-node.js";
import type { FolderTree, ImageFolderOptions } from "./image-folder.js";
import { byName, imagesOfTree } from "./image-folder.js";
import { isForeign, isImage } from "../decode/image-formats.js";
import type { ImageSource } from "../image-source.js";
import { readImage, readImageFile } from "../images-node.js";

const LARGEST_LIST = 2 ** 26;

/** Folders on disk. Links are followed. */
export const diskTree: FolderTree = {
  join,
  list: listFolder,
  exists: existsSync,
  place: (path) =>
    realpath(path).catch((cause: unknown) => {
      throw fileError("read the folder", path, cause);
    }),
  bytes: readImageFile,
  listBytes: (path) => readFileChecked(path, { what: "list of validation images", maxBytes: LARGEST_LIST }),
  image: readImage,
};

/**
 * Reads a folder of images with one subfolder per class. The subfolders' names are the classes, in alphabetical order,
 * or in numerical order if all names are numbers. Links are followed.
 */
export function imageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageSource> {
  return imagesOfTree(diskTree, root, options);
}

/**
 * Lists the folders and files in a folder, in alphabetical order, without hidden and system files. Links are
 * followed.
 */
async function listFolder(
  path: string,
): Promise<{ readonly folders: readonly string[]; readonly files: readonly string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (cause) {
    throw fileError("read the folder", path, cause);
  }
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entries) {
    if (isForeign(entry.name)) continue;
    if (await isFolder(path, entry)) folders.push(entry.name);
    else files.push(entry.name);
  }
  return { folders: folders.sort(byName), files: files.sort(byName) };
}

/**
 * Whether an entry is a folder. A broken link to an image counts as a file, because reading the image will
 * report it. Any other broken link is an error, because a missing folder would go unnoticed.
 */
async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const at = join(path, entry.name);
  return stat(at).then(
    (found) => found.isDirectory(),
    (cause: unknown) => {
      if (isImage(entry.name)) return false;
      throw fileError("follow the link", at, cause);
    },
  );
}
