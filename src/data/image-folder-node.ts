import type { Dirent } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { StriateError, check } from "../util/errors.js";
import { errorCode, fileError } from "../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../util/json.js";
import { IMAGE_ENDINGS, readImage } from "./images-node.js";
import type { ImageSource } from "./image-source.js";
import { readNpy, readNpyHeader } from "./npy-node.js";

export interface ImageFolderOptions {
  /**
   * Names of the model's classes in the order of its outputs. Folders must be among them; without it, labels count the
   * folders in alphabetical order.
   */
  readonly classes?: readonly string[];
}

/**
 * Images in one folder for each class: `ROOT/CLASS/*.jpg`, also deeper down, all in alphabetical order. Throws
 * {@link StriateError} when there is no such folder, no image, or a folder that is no known class.
 */
export async function imageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageSource> {
  const entries = await listFolder(root);
  const folders = entries.filter((entry) => isFolder(entry)).map(({ name }) => name);
  check(
    folders.length > 0,
    () => `"${root}": expected one folder of images for each class, found no folder in it`,
  );
  const classes = options.classes ?? folders;
  const files: string[] = [];
  const labels: number[] = [];
  for (const folder of folders) {
    const label = classes.indexOf(folder);
    check(
      label >= 0,
      () =>
        `"${join(root, folder)}": "${folder}" is none of the ${classes.length} classes (${some(classes)})`,
    );
    for (const file of await imagesBelow(root, folder)) {
      files.push(file);
      labels.push(label);
    }
  }
  check(
    files.length > 0,
    () => `"${root}": no image in its ${folders.length} folders (${IMAGE_ENDINGS.join(", ")})`,
  );
  return filesSource(root, files, labels, classes);
}

/**
 * Images that a list names: `ROOT/files.json` holds `[{ "file": "0001_goldfish.jpg", "index": 1 }, ...]`, and
 * `ROOT/labels.json`, if present, `{ "1": { "name": "goldfish" }, ... }`. A listed file that is missing is skipped when it
 * is read. Throws {@link StriateError} for lists of another form.
 */
export async function listedImages(root: string): Promise<ImageSource> {
  const path = join(root, "files.json");
  const list = await readJson(path);
  check(Array.isArray(list) && list.length > 0, () => `"${path}": expected a list of files`);
  const files: string[] = [];
  const labels: number[] = [];
  list.forEach((entry: unknown, i) => {
    check(
      isJsonObject(entry) && typeof entry.file === "string" && isLabel(entry.index),
      () => `"${path}": entry ${i}: expected {"file": name, "index": label}, got ${JSON.stringify(entry)}`,
    );
    check(
      !entry.file.split(/[/\\]/).includes("..") && !/^([/\\]|[A-Za-z]:)/.test(entry.file),
      () => `"${path}": entry ${i}: "${String(entry.file)}" leads out of the folder`,
    );
    files.push(entry.file);
    labels.push(entry.index);
  });
  return filesSource(root, files, labels, await classNames(root, Math.max(...labels) + 1));
}

/**
 * Images of a NumPy file of bytes [images, height, width, 3], `ROOT/SPLIT.npy`, with `ROOT/labels.json` of the form
 * `{ "classes": [{ "label": 0, "name": "goldfish" }, ...], "splits": { SPLIT: { "labels": [...] } } }`. Only rows that are
 * asked for are read. Throws {@link StriateError} for files of another form.
 */
export async function npyImages(root: string, split: string): Promise<ImageSource> {
  const path = join(root, "labels.json");
  const content = await readJson(path);
  const splits = isJsonObject(content) && isJsonObject(content.splits) ? content.splits : {};
  const own = splits[split];
  check(
    isJsonObject(content) && Array.isArray(content.classes) && isJsonObject(own) && Array.isArray(own.labels),
    () =>
      `"${path}": expected classes and splits.${split}.labels, got splits ${Object.keys(splits).join(", ") || "none"}`,
  );
  const classes = content.classes.map((entry: unknown, i) => {
    check(isJsonObject(entry) && entry.label === i, () => `"${path}": class ${i} has no label ${i}`);
    return typeof entry.name === "string" ? entry.name : String(i);
  });
  const labels = own.labels.map((label: unknown, i) => {
    check(
      isLabel(label) && label < classes.length,
      () =>
        `"${path}": label ${i} of ${split}: expected 0 to ${classes.length - 1}, got ${JSON.stringify(label)}`,
    );
    return label;
  });
  return npySource(join(root, `${split}.npy`), Int32Array.from(labels), classes);
}

/** Rows of a NumPy file of images as a source; `first` is the row of image 0. Throws {@link StriateError}. */
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

/** Image files below a folder, with their labels. */
export function filesSource(
  root: string,
  files: readonly string[],
  labels: readonly number[],
  classes: readonly string[],
): ImageSource {
  return {
    name: root,
    count: files.length,
    classes,
    labels: Int32Array.from(labels),
    nameOf: (index) => files[index]!,
    read: (index) => readImage(join(root, files[index]!)),
  };
}

async function classNames(root: string, count: number): Promise<string[]> {
  const path = join(root, "labels.json");
  const content = await readJson(path).catch((error: unknown) => {
    if (error instanceof StriateError && errorCode(error.cause) === "ENOENT") return undefined;
    throw error;
  });
  if (content === undefined) return Array.from({ length: count }, (_, i) => String(i));
  check(isJsonObject(content), () => `"${path}": expected an object of classes by label`);
  const total = Object.keys(content).length;
  check(total >= count, () => `"${path}": names ${total} classes, but files.json has the label ${count - 1}`);
  return Array.from({ length: total }, (_, i) => {
    const entry = content[String(i)];
    check(isJsonObject(entry) && typeof entry.name === "string", () => `"${path}": class ${i} has no name`);
    return entry.name;
  });
}

async function imagesBelow(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await listFolder(join(root, folder))) {
    const path = join(folder, entry.name);
    if (isFolder(entry)) found.push(...(await imagesBelow(root, path)));
    else if (isImage(entry.name)) found.push(path);
  }
  return found;
}

async function listFolder(path: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw fileError("read the folder", path, cause);
  }
}

function isFolder(entry: Dirent): boolean {
  return entry.isDirectory() && !entry.name.startsWith(".");
}

function isImage(name: string): boolean {
  return !name.startsWith(".") && (IMAGE_ENDINGS as readonly string[]).includes(extname(name).toLowerCase());
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

function some(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 4).join(", ")}, ...` : names.join(", ");
}
