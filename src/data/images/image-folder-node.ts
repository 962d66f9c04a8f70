import type { Dirent } from "node:fs";
import { existsSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileError, readFileChecked } from "../../util/files-node.js";
import type { FolderTree, ImageFolderOptions } from "./image-folder.js";
import { byName, imagesOfTree } from "./image-folder.js";
import { isForeign, isImage } from "./decode/image-formats.js";
import type { ImageSource } from "./image-source.js";
import { readImage, readImageFile } from "./images-node.js";

const LARGEST_LIST = 2 ** 26;

/** Folders on disk. Links are taken for what they lead to. */
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

/** Images in one folder for each class; their names are the classes, in alphabetical order, or by number if all are numbers. Links are followed. */
export function imageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageSource> {
  return imagesOfTree(diskTree, root, options);
}

/** Folders and files in a folder, links as what they lead to, in alphabetical order; hidden and foreign ones left out. */
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

/** An image that a broken link stands for is left out when it is read, a folder would be missed in silence. */
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
