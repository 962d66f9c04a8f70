import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { imageFolder, listedImages, npyImages } from "../../data/image-folder-node.js";
import type { ImageSource } from "../../data/image-source.js";
import { IMAGE_ENDINGS, readImage } from "../../data/images-node.js";
import { namedImages } from "../../data/named-images-node.js";
import { StriateError } from "../../util/errors.js";
import { fileError } from "../../util/files-node.js";

/**
 * Images by name: "mnist", "cifar10", or a folder. A folder may hold images themselves, one folder for each class, a list
 * (`files.json`), or NumPy files (`train.npy` with `labels.json`).
 *
 * @throws StriateError for a folder that is missing or holds no images
 */
export async function openImages(name: string, part: "train" | "test" = "train"): Promise<ImageSource> {
  if (name === "mnist" || name === "cifar10") return namedImages(name, { split: part });
  const entries = await readdir(name, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError("read the folder", name, cause);
  });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  if (files.includes("files.json")) return listedImages(name);
  const npy = part === "train" ? "train" : "val";
  if (files.includes(`${npy}.npy`)) return npyImages(name, npy);
  const endings: readonly string[] = IMAGE_ENDINGS;
  const images = files
    .filter((file) => !file.startsWith(".") && endings.includes(extname(file).toLowerCase()))
    .sort();
  if (images.length > 0) return flatFolder(name, images);
  if (entries.some((entry) => entry.isDirectory())) return imageFolder(name);
  throw new StriateError(`"${name}": no image in it (${endings.join(", ")}), and no folder of images`);
}

/** Photos without classes: all have label 0. */
function flatFolder(root: string, files: readonly string[]): ImageSource {
  return {
    name: root,
    count: files.length,
    classes: ["image"],
    labels: new Int32Array(files.length),
    nameOf: (index) => files[index]!,
    read: (index) => readImage(join(root, files[index]!)),
  };
}
