import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { checkOneOf } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import { readFileChecked } from "../../util/files-node.js";
import type { Cifar10Options } from "./cifar10-node.js";
import { loadCifar10 } from "./cifar10-node.js";
import { dataCache } from "./download-node.js";
import { parseClassNames, namedOrder } from "../images/class-names.js";
import type { ClassOrder } from "../images/class-names.js";
import { imageFolder } from "../images/sources/image-folder-node.js";
import type { ClassOptions } from "../images/sources/image-folder.js";
import { labelsFor } from "../images/sources/image-folder.js";
import type { ImageSource } from "../images/image-source.js";
import { csvImages } from "../images/sources/csv-images-node.js";
import { parquetParts } from "../images/sources/parquet-files-node.js";
import { parquetImages } from "../images/sources/parquet-images-node.js";
import { shardParts, tarShards } from "../images/sources/shards-node.js";
import { listedImages, npyImages } from "../images/sources/listed-images-node.js";
import { loadMnist } from "./mnist-node.js";
import { loadTinyImageNet } from "./tiny-imagenet-node.js";

/** Options that say which part of a data set is read, and which classes its labels refer to. */
export interface NamedImagesOptions extends ClassOptions {
  /** Part to read if the data set has several. Default: its test or validation part. */
  readonly split?: string;
  readonly cifar10?: Cifar10Options;
}

/**
 * Opens a source of labelled images. `name` is `cifar10`, `mnist`, `tiny-imagenet`, or the path of a folder.
 * The folder has one subfolder for each class, or a list of files and labels (`files.json`), or NumPy files
 * (`SPLIT.npy` and `labels.json`), or tar shards as WebDataset writes them (`SPLIT-000000.tar`), or Parquet files as the
 * Hugging Face hub stores them (`data/SPLIT-00000-of-00001.parquet`). The name may also be that of a list (`.csv`) or of a
 * Parquet file.
 *
 * @throws StriateError if the data set does not exist, if its files have an unexpected form, or if the
 * classes in `options` do not include the data set's classes.
 */
export async function namedImages(name: string, options: NamedImagesOptions = {}): Promise<ImageSource> {
  const { split, cifar10, ...classes } = options;
  if (name === "cifar10" || name === "mnist") {
    const part = split ?? "test";
    checkOneOf(`${name}: split`, part, ["train", "test"]);
    return relabelled(name === "mnist" ? await mnist(part) : await loadCifar10(part, cifar10), classes);
  }
  if (name === "tiny-imagenet") {
    const part = split ?? "val";
    checkOneOf("tiny-imagenet: split", part, ["train", "val"]);
    return relabelled(await loadTinyImageNet(part), classes);
  }
  if (name.toLowerCase().endsWith(".csv")) return csvImages(name, split, classes);
  if (existsSync(name) && statSync(name).isDirectory()) {
    const shards = await shardParts(name);
    if (shards.length > 0)
      return tarShards(
        name,
        split ?? ["val", "valid", "test"].find((part) => shards.includes(part)),
        classes,
      );
  }
  const parquet = await parquetParts(name);
  if (parquet.length > 0 || name.toLowerCase().endsWith(".parquet"))
    return parquetImages(
      name,
      split ?? parquet.find((part) => /^(val(id|idation)?|test)$/i.test(part)),
      join(dataCache(), "parquet"),
      classes,
    );
  if (existsSync(join(name, "files.json"))) {
    check(
      split === undefined,
      () => `"${name}": expected no split for a folder with a list (files.json), got --split ${split!}`,
    );
    return listedImages(name, classes);
  }
  const found = (split === undefined ? ["val", "test"] : [split]).find((part) =>
    existsSync(join(name, `${part}.npy`)),
  );
  if (found !== undefined) return npyImages(name, found, classes);
  check(
    split !== undefined || !existsSync(join(name, "train.npy")),
    () =>
      `"${name}": expected val.npy or test.npy, found only train.npy, which can be read with --split train`,
  );
  return imageFolder(name, { ...classes, ...(split !== undefined && { split }) });
}

/**
 * Replaces the labels of a data set that has its own classes by the positions of these classes in the order
 * that the options give.
 */
function relabelled(source: ImageSource, options: ClassOptions): ImageSource {
  const ownClasses = source.classes.map((name) =>
    /^n\d{8}$/.test(name) ? { name, synset: name } : { name },
  );
  const { classes, places, labelling } = labelsFor(ownClasses, options, source.name, {
    own: "the data set's own classes in their own order",
  });
  return { ...source, classes, labels: source.labels.map((label) => places[label]!), labelling };
}

const LARGEST_LIST = 2 ** 24;

/**
 * Finds the order of a network's outputs. It is read from a file of class names, or it is the built-in order
 * "imagenet".
 */
export async function readClassOrder(nameOrPath: string, outputs?: number): Promise<ClassOrder> {
  const known = existsSync(nameOrPath) ? undefined : namedOrder(nameOrPath, outputs);
  if (known !== undefined) return known;
  const bytes = await readFileChecked(nameOrPath, { what: "list of classes", maxBytes: LARGEST_LIST });
  const classes = parseClassNames(textOf(bytes, nameOrPath), `"${nameOrPath}"`);
  return { from: basename(nameOrPath), classes };
}

/** Decodes bytes as text. Throws {@link StriateError} for bytes that are not UTF-8. */
function textOf(bytes: Uint8Array, path: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch (cause) {
    throw notText(path, cause);
  }
  throw notText(path);
}

function notText(path: string, cause?: unknown): StriateError {
  return new StriateError(
    `"${path}": expected a list of classes as text (UTF-8) or JSON, found other bytes`,
    {
      cause,
    },
  );
}

async function mnist(part: "train" | "test"): Promise<ImageSource> {
  const { count, width, height, images, labels } = await loadMnist(part);
  const size = width * height;
  return {
    name: `MNIST ${part}`,
    count,
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    labels: Int32Array.from(labels),
    nameOf: (index) => `image ${index}`,
    read: (index) => {
      const grey = images.subarray(index * size, (index + 1) * size);
      const data = new Uint8Array(3 * size);
      grey.forEach((value, i) => data.fill(value, 3 * i, 3 * i + 3));
      return Promise.resolve({ width, height, data });
    },
  };
}
