import { CIFAR10_CLASSES } from "../../data/sets/cifar10.js";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { imageFolder } from "../../data/images/sources/image-folder-node.js";
import { npySource } from "../../data/images/sources/listed-images-node.js";
import type { ImageSource } from "../../data/images/image-source.js";
import { readNpy, readNpyHeader } from "../../data/formats/npy-node.js";
import { checkEveryWhole, checkOneOf } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import type { CorruptionName, Severity } from "./kinds.js";
import { CORRUPTIONS, SEVERITIES, corruptionName } from "./kinds.js";

/** A published set of corrupted images. */
export interface PublishedSet {
  /** The corruptions in the set, in the benchmark's order. */
  readonly corruptions: readonly CorruptionName[];
  /**
   * Opens the images of one corruption and severity. Throws {@link StriateError} for a missing corruption or
   * severity, or files of another format.
   */
  open(corruption: CorruptionName, severity: Severity): Promise<ImageSource>;
}

/** Options that determine the labels of the class folders of ImageNet-C. */
export interface ImageNetCOptions {
  /**
   * Names of the class folders (WordNet ids) in the order of the model's outputs. Default: alphabetical
   * order.
   */
  readonly classes?: readonly string[];
}

/**
 * Opens ImageNet-C or Tiny-ImageNet-C in the published form: `ROOT/CORRUPTION/SEVERITY/CLASS/*.JPEG`. Throws
 * `StriateError` if ROOT contains no folder with a corruption's name.
 */
export async function openImageNetC(root: string, options: ImageNetCOptions = {}): Promise<PublishedSet> {
  const corruptions = await present(root, (name) => name);
  return {
    corruptions,
    open: async (corruption, severity) => {
      checkPart(root, corruptions, corruption, severity);
      const source = await imageFolder(join(root, corruption, String(severity)), options);
      return source;
    },
  };
}

/**
 * Opens CIFAR-10-C in the published form. `ROOT/CORRUPTION.npy` has bytes of shape [5 x images, 32, 32, 3],
 * severity 1 first; `ROOT/labels.npy` repeats the labels of the images five times. Images are read one at a
 * time. Throws {@link StriateError} if files are missing or inconsistent.
 */
export async function openCifar10C(
  root: string,
  options: { readonly classes?: readonly string[] } = {},
): Promise<PublishedSet> {
  const { classes = CIFAR10_CLASSES } = options;
  const corruptions = await present(root, (name) => `${name}.npy`);
  const path = join(root, "labels.npy");
  const { data, shape } = await readNpy(path, { maxBytes: 2 ** 24 });
  check(
    shape.length === 1 && data.length > 0 && data.length % SEVERITIES.length === 0,
    () => `${path}: expected five times the labels of the test set in one list, got shape ${shape.join("x")}`,
  );
  const each = data.length / SEVERITIES.length;
  const labels = Int32Array.from(data);
  checkEveryWhole(`${path}: labels`, labels, { from: 0, to: classes.length - 1 });
  return {
    corruptions,
    open: async (corruption, severity) => {
      checkPart(root, corruptions, corruption, severity);
      const file = join(root, `${corruption}.npy`);
      const rows = (await readNpyHeader(file)).shape[0] ?? 0;
      check(
        rows === labels.length,
        () => `${file}: expected ${labels.length} images for the labels in labels.npy, got ${rows}`,
      );
      const first = (severity - 1) * each;
      return npySource(file, labels.slice(first, first + each), classes, first);
    },
  };
}

async function present(root: string, pathOf: (name: CorruptionName) => string): Promise<CorruptionName[]> {
  const found: CorruptionName[] = [];
  for (const name of CORRUPTIONS) if (await exists(join(root, pathOf(name)))) found.push(name);
  if (found.length > 0) return found;
  throw new StriateError(
    `"${root}": expected folders or files of corruptions, such as "${join(root, pathOf("gaussian_noise"))}"`,
  );
}

function checkPart(
  root: string,
  there: readonly CorruptionName[],
  corruption: CorruptionName,
  severity: Severity,
): void {
  corruptionName(corruption);
  checkOneOf("corruption severity", severity, SEVERITIES);
  check(
    there.includes(corruption),
    () => `"${root}": expected the corruption ${corruption}, got only ${there.join(", ")}`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
