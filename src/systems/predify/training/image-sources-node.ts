import { join } from "node:path";
import { diskTree } from "../../../data/images/sources/image-folder-node.js";
import { imagesBelow } from "../../../data/images/sources/image-folder.js";
import { IMAGE_ENDINGS } from "../../../data/images/decode/image-formats.js";
import type { ImageSource } from "../../../data/images/image-source.js";
import { readImage } from "../../../data/images/images-node.js";
import { namedImages } from "../../../data/sets/named-images-node.js";
import { StriateError } from "../../../util/errors.js";

/**
 * Opens images for training without labels. `name` is "mnist", "cifar10" or a folder. The folder may contain
 * images at any depth, a list (`files.json`), or NumPy files (`train.npy` with `labels.json`). If it has a
 * subfolder `train`, only the images in that subfolder are used; for the part "test", the same holds for
 * `val`.
 *
 * @throws StriateError if the folder is missing or has no images
 */
export async function openImages(name: string, part: "train" | "test" = "train"): Promise<ImageSource> {
  if (name === "mnist" || name === "cifar10") return namedImages(name, { split: part });
  const { folders, files } = await diskTree.list(name);
  const split = part === "train" ? "train" : "val";
  if (files.includes("files.json") || files.includes(`${split}.npy`)) return namedImages(name, { split });
  const root = folders.includes(split) ? join(name, split) : name;
  const images = await imagesBelow(diskTree, root);
  if (images.length > 0) return unlabelled(root, images);
  throw new StriateError(
    `"${root}": expected images in the folder or below (${IMAGE_ENDINGS.join(", ")}), got none`,
  );
}

/** Makes an image source without classes: all labels are 0. */
function unlabelled(root: string, files: readonly string[]): ImageSource {
  return {
    name: root,
    count: files.length,
    classes: ["image"],
    labels: new Int32Array(files.length),
    nameOf: (index) => files[index]!,
    read: (index) => readImage(join(root, files[index]!)),
  };
}
