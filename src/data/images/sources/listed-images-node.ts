import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { StriateError, check } from "../../../util/errors.js";
import { errorCode, fileError } from "../../../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../../../util/json.js";
import type { ClassName } from "../class-names.js";
import { diskTree } from "./image-folder-node.js";
import type { ClassOptions } from "./image-folder.js";
import { filesSource, labelsFor } from "./image-folder.js";
import type { ImageSource } from "../image-source.js";
import { readNpy, readNpyHeader } from "../../formats/npy-node.js";

/**
 * Reads images from a list: `ROOT/files.json` holds `[{ "file": "0001_goldfish.jpg", "index": 1 }, ...]`, and the
 * optional `ROOT/labels.json` holds `{ "1": { "name": "goldfish" }, ... }`. A missing file is skipped when the images
 * are read. Throws {@link StriateError} for lists in another format.
 */
export async function listedImages(root: string, options: ClassOptions = {}): Promise<ImageSource> {
  const path = join(root, "files.json");
  const list = await readJson(path);
  check(Array.isArray(list) && list.length > 0, () => `"${path}": expected a list of files`);
  const files: string[] = [];
  const labels: number[] = [];
  const seen = new Map<string, number>();
  list.forEach((entry: unknown, i) => {
    check(
      isJsonObject(entry) && typeof entry.file === "string" && isLabel(entry.index),
      () => `"${path}": entry ${i}: expected {"file": name, "index": label}, got ${JSON.stringify(entry)}`,
    );
    check(
      !entry.file.split(/[/\\]/).includes("..") && !/^([/\\]|[A-Za-z]:)/.test(entry.file),
      () => `"${path}": entry ${i}: "${String(entry.file)}" lies outside the folder`,
    );
    const file = normalize(entry.file);
    const before = seen.get(file);
    check(
      before === undefined,
      () =>
        `"${path}": entry ${i}: "${file}" is already listed as entry ${before!} with the label ${labels[before!]!} ` +
        `(here ${String(entry.index)})`,
    );
    seen.set(file, i);
    files.push(entry.file);
    labels.push(entry.index);
  });
  const count = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const names = await classNames(root, count);
  if (names === undefined)
    return { ...filesSource(diskTree, root, files, labels, numbersTo(count)), labelling: LISTED };
  const { classes, places, labelling } = labelsFor(names, options, `"${root}"`, {
    own: "numbers in files.json, with the names in labels.json",
  });
  const placed = labels.map((label) => places[label]!);
  return { ...filesSource(diskTree, root, files, placed, classes), labelling };
}

const LISTED = {
  text: "output numbers in files.json",
  cautions: [],
  complete: false,
} as const;

function numbersTo(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

/**
 * Reads images from a NumPy file `ROOT/SPLIT.npy` of bytes, whose shape is [images, height, width, 3]. The
 * labels are in `ROOT/labels.json`: `{ "classes": [{ "label": 0, "name": "goldfish" }, ...], "splits": {
 * SPLIT: { "labels": [...] } } }`. Images are read only when they are requested. Throws {@link StriateError}
 * for files in another format.
 */
export async function npyImages(
  root: string,
  split: string,
  options: ClassOptions = {},
): Promise<ImageSource> {
  const path = join(root, "labels.json");
  const content = await readJson(path);
  const splits = isJsonObject(content) && isJsonObject(content.splits) ? content.splits : {};
  const part = splits[split];
  check(
    isJsonObject(content) &&
      Array.isArray(content.classes) &&
      isJsonObject(part) &&
      Array.isArray(part.labels),
    () =>
      `"${path}": expected classes and splits.${split}.labels, got splits ${Object.keys(splits).join(", ") || "none"}`,
  );
  const ownClasses = content.classes.map((entry: unknown, i) => {
    check(
      isJsonObject(entry) && entry.label === i,
      () => `"${path}": expected the label ${i} for class ${i}`,
    );
    return nameOf(entry, String(i));
  });
  const labels = part.labels.map((label: unknown, i) => {
    check(
      isLabel(label) && label < ownClasses.length,
      () =>
        `"${path}": label ${i} of ${split}: expected 0 to ${ownClasses.length - 1}, got ${JSON.stringify(label)}`,
    );
    return label;
  });
  const { classes, places, labelling } = labelsFor(ownClasses, options, `"${root}"`, {
    own: `labels of ${split} in labels.json`,
  });
  const placed = Int32Array.from(labels, (label) => places[label]!);
  return { ...(await npySource(join(root, `${split}.npy`), placed, classes)), labelling };
}

/**
 * Makes an image source of rows of a NumPy file; `first` is the row of image 0. Throws {@link StriateError}.
 */
export async function npySource(
  path: string,
  labels: Int32Array,
  classes: readonly string[],
  first = 0,
): Promise<ImageSource> {
  const { shape, descr } = await readNpyHeader(path);
  const [rows = 0, height = 0, width = 0, channels] = shape;
  check(
    shape.length === 4 && channels === 3 && descr === "|u1",
    () => `${path}: expected bytes of shape NxHxWx3, got ${descr} of shape ${shape.join("x")}`,
  );
  check(
    first + labels.length <= rows,
    () => `${path}: expected at least ${first + labels.length} images for the labels, got ${rows}`,
  );
  return {
    name: path,
    count: labels.length,
    classes,
    labels,
    nameOf: (index) => `row ${first + index}`,
    read: async (index) => {
      const { data } = await readNpy(path, { rows: [first + index, first + index + 1] });
      return { width, height, data: data as Uint8Array };
    },
  };
}

/** Reads the names of the classes from `labels.json`; undefined if there is no such file. */
async function classNames(root: string, count: number): Promise<ClassName[] | undefined> {
  const path = join(root, "labels.json");
  const content = await readJson(path).catch((error: unknown) => {
    if (error instanceof StriateError && errorCode(error.cause) === "ENOENT") return undefined;
    throw error;
  });
  if (content === undefined) return undefined;
  check(isJsonObject(content), () => `"${path}": expected an object of classes by label`);
  const total = Object.keys(content).length;
  check(
    total >= count,
    () => `"${path}": expected at least ${count} classes for the labels in files.json, got ${total}`,
  );
  return Array.from({ length: total }, (_, i) => {
    const entry = content[String(i)];
    check(
      isJsonObject(entry) && typeof entry.name === "string",
      () => `"${path}": expected a name for class ${i}, got none`,
    );
    return nameOf(entry, entry.name);
  });
}

function nameOf(entry: Readonly<Record<string, unknown>>, fallback: string): ClassName {
  const { name, wnid } = entry;
  return {
    name: typeof name === "string" ? name : fallback,
    ...(typeof wnid === "string" && { synset: wnid }),
  };
}

function isLabel(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  return parseStrictJson(text, `"${path}"`);
}
