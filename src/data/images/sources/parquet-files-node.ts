import { opendir } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { check } from "../../../util/errors.js";
import { errorCode, fileError } from "../../../util/files-node.js";

/** Names of the files of a repository are looked for in this number of levels of folders. */
const LEVELS = 3;
/** A folder with more subfolders than this is none of a repository, and a folder of images is not searched to its end. */
const [MOST_FOLDERS, LOOKED_AT] = [32, 64];

/** A Parquet file of a data set, with the part that its name or folder gives. */
export interface ParquetPlace {
  readonly path: string;
  readonly part: string;
  /** The folder of the configuration. */
  readonly configuration: string;
}

/**
 * The Parquet files of a data set as the Hugging Face hub stores them: `data/train-00000-of-00002.parquet`,
 * `CONFIGURATION/train-00000-of-00002.parquet`, or `CONFIGURATION/train/0000.parquet`. The root may also be one of these
 * folders, or a single file. Empty if there are none.
 *
 * @throws StriateError if the folder has several configurations
 */
export async function parquetFiles(root: string): Promise<readonly ParquetPlace[]> {
  if (root.toLowerCase().endsWith(".parquet")) return [{ path: root, part: "", configuration: "" }];
  const paths = await filesBelow(root, LEVELS);
  const places = paths.sort().map((path) => ({ path, ...placeOf(root, path) }));
  const configurations = [...new Set(places.map(({ configuration }) => configuration))];
  check(
    configurations.length < 2,
    () =>
      `"${root}": expected the Parquet files of one configuration, got ${configurations.length} (${configurations.slice(0, 5).join(", ")}): give the folder of one`,
  );
  return places;
}

/** The parts of a data set in Parquet files; empty if there are none. */
export async function parquetParts(root: string): Promise<string[]> {
  return [...new Set((await parquetFiles(root)).map(({ part }) => part))].filter((part) => part !== "");
}

function placeOf(root: string, path: string): Omit<ParquetPlace, "path"> {
  const folder = relative(root, dirname(path)).split(sep).join("/");
  const name = basename(path).slice(0, -".parquet".length);
  if (/^\d+$/.test(name)) {
    // The hub's own conversion: CONFIGURATION/PART/0000.parquet
    const at = folder.lastIndexOf("/");
    return { part: basename(dirname(path)), configuration: folder.slice(0, Math.max(0, at)) };
  }
  const part = /^(.+?)-\d+-of-\d+/.exec(name)?.[1] ?? /^[A-Za-z_]+/.exec(name)?.[0] ?? name;
  return { part, configuration: folder };
}

async function filesBelow(folder: string, levels: number): Promise<string[]> {
  const files: string[] = [];
  const folders: string[] = [];
  let others = 0;
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.name.toLowerCase().endsWith(".parquet")) files.push(path);
      else others++;
      if (folders.length > MOST_FOLDERS || (files.length === 0 && others > LOOKED_AT)) return files;
    }
  } catch (cause) {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "ENOTDIR") return [];
    throw fileError("read the folder", folder, cause);
  }
  if (files.length > 0 || levels === 1) return files;
  return (await Promise.all(folders.map((path) => filesBelow(path, levels - 1)))).flat();
}
