import { existsSync } from "node:fs";
import { join } from "node:path";
import { check } from "../util/errors.js";
import type { Cifar10Options } from "./cifar10-node.js";
import { loadCifar10 } from "./cifar10-node.js";
import { imageFolder, listedImages, npyImages } from "./image-folder-node.js";
import type { ImageSource } from "./image-source.js";
import { loadMnist } from "./mnist-node.js";
import { loadTinyImageNet } from "./tiny-imagenet-node.js";

export interface NamedImagesOptions {
  /** Names of the model's classes, for folders. */
  readonly classes?: readonly string[];
  /** Part of a data set that has several (default: its test or validation part). */
  readonly split?: string;
  readonly cifar10?: Cifar10Options;
}

/**
 * Labelled images by a short name or a path: `cifar10`, `mnist`, `tiny-imagenet`, a folder with one folder for each class, one
 * with a list
 * (`files.json`), or one with NumPy files (`SPLIT.npy` and `labels.json`).
 *
 * @throws StriateError where there is no such thing, or its files are not as they should be.
 */
export async function namedImages(name: string, options: NamedImagesOptions = {}): Promise<ImageSource> {
  const { classes, split } = options;
  if (name === "cifar10" || name === "mnist") {
    const part = split ?? "test";
    check(
      part === "train" || part === "test",
      () => `${name}: expected the split train or test, got "${part}"`,
    );
    return name === "mnist" ? mnist(part) : loadCifar10(part, options.cifar10);
  }
  if (name === "tiny-imagenet") {
    const part = split ?? "val";
    check(
      part === "train" || part === "val",
      () => `tiny-imagenet: expected the split train or val, got "${part}"`,
    );
    return loadTinyImageNet(part);
  }
  if (existsSync(join(name, "files.json"))) return listedImages(name);
  const found = (split === undefined ? ["val", "test"] : [split]).find((part) =>
    existsSync(join(name, `${part}.npy`)),
  );
  if (found !== undefined) return npyImages(name, found);
  return imageFolder(name, classes === undefined ? {} : { classes });
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
