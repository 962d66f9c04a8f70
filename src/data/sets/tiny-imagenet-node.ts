import { existsSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../util/errors.js";
import type { DownloadProgress } from "./download-node.js";
import { dataCache, download, fileNameOf } from "./download-node.js";
import { imageFolder } from "../images/sources/image-folder-node.js";
import { annotations } from "../images/sources/image-folder.js";
import type { ImageSource } from "../images/image-source.js";
import { decodeImage } from "../images/images-node.js";
import { openZip } from "../formats/zip-node.js";

/** The address of the archive, and its checksum. */
export interface TinyImageNetArchive {
  readonly url: string;
  readonly sha256: string;
}

/** The archive (248 MB) on the site of Stanford's course CS231n. */
export const TINY_IMAGENET_OFFICIAL: TinyImageNetArchive = {
  url: "https://cs231n.stanford.edu/tiny-imagenet-200.zip",
  sha256: "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
};

/** Options that say where Tiny ImageNet is stored, and from where it is downloaded. */
export interface TinyImageNetOptions {
  /**
   * Path of the unpacked archive, or of the archive itself (a file whose name ends in `.zip`). Default:
   * `tiny-imagenet-200` in the data cache or, if that does not exist, `tiny-imagenet-200.zip` there.
   */
  readonly path?: string;
  /** Whether to download the archive if neither the folder nor the archive exists. Default "official". */
  readonly fetch?: "official" | "never";
  /** Another address from which to download the archive. */
  readonly archive?: TinyImageNetArchive;
  readonly signal?: AbortSignal;
  readonly onProgress?: DownloadProgress;
}

const ANNOTATIONS = "val_annotations.txt";

/**
 * Loads Tiny ImageNet-200 (Le & Yang 2015): 100,000 training or 10,000 validation images of 200 classes, with
 * 64 x 64 pixels. A label is the position of the class's WordNet id in alphabetical order. Validation images
 * are read as published (`val/images` and `val_annotations.txt`) or from one folder per class. Images are
 * read directly from the archive if it was not unpacked.
 *
 * @throws StriateError if the data set is missing and cannot be downloaded, or has an unexpected form.
 */
export async function loadTinyImageNet(
  part: "train" | "val",
  options: TinyImageNetOptions = {},
): Promise<ImageSource> {
  const { fetch = "official", archive = TINY_IMAGENET_OFFICIAL, signal, onProgress } = options;
  const folder = options.path ?? join(dataCache(), "tiny-imagenet-200");
  if (folder.endsWith(".zip")) return fromArchive(folder, part);
  if (existsSync(join(folder, "train"))) return fromFolder(folder, part);
  check(
    options.path === undefined,
    () => `Tiny ImageNet: "${folder}" has no folder "train": expected the unpacked archive`,
  );
  const zip = join(dataCache(), fileNameOf(archive.url));
  if (!existsSync(zip)) {
    check(fetch !== "never", () => `Tiny ImageNet: expected "${folder}" or "${zip}", found neither`);
    await download(archive.url, zip, {
      checksum: { algorithm: "sha256", digest: archive.sha256 },
      maxBytes: 2 ** 29,
      signal,
      ...(onProgress && { onProgress }),
    });
  }
  return fromArchive(zip, part, archive === TINY_IMAGENET_OFFICIAL);
}

async function fromFolder(root: string, part: "train" | "val"): Promise<ImageSource> {
  const train = await imageFolder(join(root, "train"));
  if (part === "train") return { ...train, name: "Tiny ImageNet train" };
  const val = await imageFolder(join(root, "val"), { classes: train.classes });
  return { ...val, name: "Tiny ImageNet val" };
}

async function fromArchive(path: string, part: "train" | "val", official = false): Promise<ImageSource> {
  const zip = await openZip(path);
  /** Maps paths below the archive's top folder to names in the archive. */
  const below = new Map<string, string>();
  for (const name of zip.names) {
    const found = /(?:^|\/)((?:train|val)\/.*)$/.exec(name);
    if (found) below.set(found[1]!, name);
  }
  const train = [...below.keys()].filter((name) => /^train\/[^/]+\/.*\.jpe?g$/i.test(name)).sort();
  const classes = [...new Set(train.map((name) => name.split("/")[1]!))].sort();
  check(train.length > 0, () => `"${path}": expected images train/CLASS/images/NAME.JPEG, found none`);
  check(
    !official || train.length === 100_000,
    () => `"${path}": expected 100,000 training images, got ${train.length}; unpack the archive again`,
  );
  const { files, labels } =
    part === "train"
      ? { files: train, labels: train.map((name) => classes.indexOf(name.split("/")[1]!)) }
      : await validation();
  return {
    name: `Tiny ImageNet ${part}`,
    count: files.length,
    classes,
    labels: Int32Array.from(labels),
    nameOf: (index) => files[index]!,
    read: async (index) => {
      const name = files[index]!;
      return decodeImage(await zip.read(below.get(name) ?? name), `${path}: ${name}`);
    },
  };

  async function validation(): Promise<{ files: string[]; labels: number[] }> {
    const list = below.get(`val/${ANNOTATIONS}`);
    check(list, () => `"${path}": val/${ANNOTATIONS} is missing`);
    const rows = annotations(await zip.read(list), `${path}: ${list}`);
    return {
      files: rows.map(({ file }) => `val/images/${file}`),
      labels: rows.map(({ id }, i) => {
        const label = classes.indexOf(id);
        check(
          label >= 0,
          () => `"${path}: ${list}", row ${i + 1}: "${id}" is none of the ${classes.length} classes`,
        );
        return label;
      }),
    };
  }
}
