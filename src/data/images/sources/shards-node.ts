import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { check, counted } from "../../../util/errors.js";
import { fileError, readFileChecked } from "../../../util/files-node.js";
import { indexTar, readRange } from "../../formats/tar-index-node.js";
import { parseClassNames } from "../class-names.js";
import { isImage } from "../decode/image-formats.js";
import type { ClassOptions } from "./image-folder.js";
import { labelsFor } from "./image-folder.js";
import type { ImageSource } from "../image-source.js";
import { decodeImage } from "../images-node.js";

/** Name of the file beside the shards that holds the names of the classes, one in each line. */
const CLASSES = "classes.txt";
const LARGEST_LIST = 2 ** 24;

/** The parts that the names of shards begin with, such as "train" of "train-000000.tar". */
export async function shardParts(root: string): Promise<string[]> {
  return [...new Set((await shardsIn(root)).map(partOf))];
}

/**
 * Reads labelled images from tar shards as WebDataset writes them: uncompressed archives whose files have the same name
 * up to the first dot if they belong together, such as `0001.jpg` and `0001.cls`. The file `.cls` holds the number of
 * the class. `classes.txt` beside the shards may name the classes. Only the headers of the archives are read at first;
 * images are read when they are requested.
 *
 * @param part the beginning of the shards' names, such as "train". Default: all shards
 * @throws StriateError for archives that are damaged, images without a label, and labels that are no class
 */
export async function tarShards(
  root: string,
  part: string | undefined,
  options: ClassOptions = {},
): Promise<ImageSource> {
  const shards = (await shardsIn(root)).filter((name) => part === undefined || partOf(name) === part);
  check(
    shards.length > 0,
    () => `"${root}": expected shards${part === undefined ? "" : ` "${part}-*.tar"`}, found none`,
  );
  const images: {
    readonly shard: string;
    readonly name: string;
    readonly offset: number;
    readonly size: number;
  }[] = [];
  const labels: number[] = [];
  for (const shard of shards) {
    const path = join(root, shard);
    const entries = await indexTar(path);
    const classes = new Map(
      entries.filter(({ name }) => endingOf(name) === "cls").map((entry) => [keyOf(entry.name), entry]),
    );
    for (const entry of entries) {
      if (!isImage(entry.name)) continue;
      const label = classes.get(keyOf(entry.name));
      check(label, () => `"${path}": expected a label "${keyOf(entry.name)}.cls" beside "${entry.name}"`);
      const text = new TextDecoder()
        .decode(await readRange(path, { ...label, size: Math.min(label.size, 32) }))
        .trim();
      check(
        /^\d{1,9}$/.test(text),
        () => `"${path}": "${label.name}": expected the number of a class, got "${text}"`,
      );
      images.push({ ...entry, shard });
      labels.push(Number(text));
    }
  }
  check(
    images.length > 0,
    () => `"${root}": expected images in ${counted(shards.length, "shard")}, found none`,
  );
  const count = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const names = await classNames(root, count);
  const found = labelsFor(
    names.map((name) => ({ name })),
    options,
    `"${root}"`,
    {
      own: "numbers in the shards' .cls files",
    },
  );
  return {
    name: part === undefined ? root : `${root} (${part})`,
    count: images.length,
    classes: found.classes,
    labels: Int32Array.from(labels, (label) => found.places[label]!),
    labelling: found.labelling,
    nameOf: (index) => `${images[index]!.shard}/${images[index]!.name}`,
    bytes: (index) => readRange(join(root, images[index]!.shard), images[index]!),
    read: async (index) => {
      const { shard, name } = images[index]!;
      return decodeImage(await readRange(join(root, shard), images[index]!), `${shard}/${name}`);
    },
  };
}

async function shardsIn(root: string): Promise<string[]> {
  const names = await readdir(root).catch((cause: unknown) => {
    throw fileError("read the folder", root, cause);
  });
  return names.filter((name) => name.endsWith(".tar")).sort();
}

function partOf(shard: string): string {
  return /^([A-Za-z]+)/.exec(shard)?.[1] ?? "";
}

/** What the files of one sample have in common: the path up to the first dot of the name. */
function keyOf(name: string): string {
  return /^((?:.*\/)?[^./]*)/.exec(name)![1]!;
}

function endingOf(name: string): string {
  return name.slice(keyOf(name).length + 1).toLowerCase();
}

async function classNames(root: string, count: number): Promise<readonly string[]> {
  const path = join(root, CLASSES);
  if (!existsSync(path)) return Array.from({ length: count }, (_, i) => String(i));
  const bytes = await readFileChecked(path, { what: "list of classes", maxBytes: LARGEST_LIST });
  const names = parseClassNames(new TextDecoder().decode(bytes), `"${path}"`).map(({ name }) => name);
  check(
    names.length >= count,
    () => `"${path}": expected names for the classes 0 to ${count - 1} of the shards, got ${names.length}`,
  );
  return names;
}
