import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { StriateError, check } from "../../util/errors.js";
import { errorCode, fileError } from "../../util/files-node.js";
import type { ImageSource } from "../images/image-source.js";
import { csvParts } from "../images/sources/csv-images-node.js";
import { parquetParts } from "../images/sources/parquet-files-node.js";
import { shardParts } from "../images/sources/shards-node.js";
import { classSizes, splitByName } from "../images/split-by-name.js";
import { namedImages } from "./named-images-node.js";

/** The parts of a data set for training a network and measuring it. */
export interface TrainingParts {
  readonly train: ImageSource;
  /** Images that choose the best weights. They are not trained on. */
  readonly validation: ImageSource;
  /** Images that are only measured, at the end. */
  readonly test: ImageSource;
  /** Where the parts come from, for reports. */
  readonly text: string;
  readonly cautions: readonly string[];
}

/** Options of `trainingParts`. */
export interface TrainingPartsOptions {
  /** Share of the training images that is held out as validation images, if the data set has none. Default 0.1. */
  readonly validation?: number;
  /** Random seed of that choice. Default 1. */
  readonly seed?: number;
}

/** Parts of the data sets with names. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  cifar10: ["train", "test"],
  mnist: ["train", "test"],
  "tiny-imagenet": ["train", "val"],
};

const TRAINING = /^train(ing)?$/i;
const VALIDATION = /^val(id|idation)?$/i;
const TEST = /^test(ing)?$/i;

/**
 * Opens the images of a data set to train on. A data set has the parts train, val and test, or some of them: as folders,
 * as NumPy files, or built in. If it has only one part besides train, that part is the test part, and the validation
 * images are held out from the training images. A folder without parts is split into three. Images are assigned by their
 * names, so they stay where they are when others are added.
 *
 * @param name as for `namedImages`: a folder, cifar10, mnist or tiny-imagenet
 * @throws StriateError in the cases of `namedImages`, if a part has a class that the training part lacks, and for a
 * class with a single training image
 */
export async function trainingParts(
  name: string,
  options: TrainingPartsOptions = {},
): Promise<TrainingParts> {
  const { validation: share = 0.1, seed = 1 } = options;
  const parts = KNOWN[name] ?? (await partsIn(name));
  const training = parts.find((part) => TRAINING.test(part));
  const [val, test] = [VALIDATION, TEST].map((pattern) => parts.find((part) => pattern.test(part)));
  if (training === undefined || (val ?? test) === undefined) {
    checkShare(name, share, 0.5, "it has no parts, so as many images again become the test part");
    const [train, validation, held] = splitByName(await namedImages(name), [share, share], seed);
    const text = `train, validation and test images are parts of ${name}, chosen by their names with seed ${seed}`;
    return withCautions({ train: train!, validation: validation!, test: held!, text });
  }
  const all = await namedImages(name, { split: training });
  const classes = all.classes;
  const open = async (part: string) => namedImages(name, { split: part, classes });
  if (val !== undefined && test !== undefined)
    return withCautions({
      train: all,
      validation: await open(val),
      test: await open(test),
      text: parts.join(", "),
    });
  checkShare(name, share, 1, "it has no part val");
  const [train, validation] = splitByName(all, [share], seed);
  return withCautions({
    train: train!,
    validation: validation!,
    test: await open((val ?? test)!),
    text: `test images are the part ${(val ?? test)!}; validation images are held out from ${training} by their names, with seed ${seed}`,
  });
}

/** Makes sure that there are validation images, without which no epoch could be chosen. */
function checkShare(name: string, share: number, below: number, why: string): void {
  check(
    share > 0 && share < below,
    () =>
      `${name}: validation: expected a share above 0 and below ${below} of the images (${why}), got ${share}: the validation images choose the best epoch`,
  );
}

function withCautions(parts: Omit<TrainingParts, "cautions">): TrainingParts {
  const { train, validation, test } = parts;
  const sizes = classSizes(train.classes.length, train.labels);
  const missing = train.classes.filter((_, i) => sizes[i] === 0);
  check(
    missing.length === 0,
    () =>
      `${train.name}: expected training images of every class, got none of ${missing.slice(0, 5).join(", ")}`,
  );
  const cautions = [
    ...(train.labelling?.cautions ?? []),
    ...[validation, test].flatMap((part, i) => {
      const own = classSizes(part.classes.length, part.labels);
      const absent = part.classes.filter((_, label) => own[label] === 0).length;
      return absent === 0 ? [] : [`${absent} classes have no ${i === 0 ? "validation" : "test"} image`];
    }),
  ];
  return { ...parts, cautions };
}

/** Names of the parts of a data set: its subfolders, NumPy files or shards, or what its list names. */
async function partsIn(folder: string): Promise<string[]> {
  if (folder.toLowerCase().endsWith(".csv")) return csvParts(folder);
  const parquet = await parquetParts(folder);
  if (parquet.length > 0 || folder.toLowerCase().endsWith(".parquet")) return parquet;
  try {
    const shards = await shardParts(folder);
    if (shards.length > 0) return shards;
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((entry) =>
      entry.name.endsWith(".npy") ? [entry.name.slice(0, -4)] : entry.isFile() ? [] : [entry.name],
    );
  } catch (cause) {
    const missing = cause instanceof StriateError ? cause.cause : cause;
    if (errorCode(missing) === "ENOENT" || errorCode(missing) === "ENOTDIR")
      throw new StriateError(
        `expected a folder of images or one of ${Object.keys(KNOWN).join(", ")}, got "${folder}"`,
        { cause },
      );
    throw fileError("read the folder", folder, cause);
  }
}

/** A hash of the names and labels of all images, by which a resumed run notices other data. The pixels are not read. */
export function fingerprintOf({
  train,
  validation,
  test,
}: Pick<TrainingParts, "train" | "validation" | "test">): string {
  const hash = createHash("sha256");
  for (const part of [train, validation, test]) {
    hash.update(JSON.stringify(part.classes));
    for (let i = 0; i < part.count; i++) hash.update(`${part.nameOf(i)}\0${part.labels[i]!}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
