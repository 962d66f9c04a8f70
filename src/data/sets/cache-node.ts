import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { check } from "../../util/errors.js";
import { errorCode, fileError, readFileChecked } from "../../util/files-node.js";
import { unknownName } from "../../util/suggest.js";
import { CIFAR10_RECORD } from "./cifar10.js";
import { dataCache, fileNameOf } from "./download-node.js";
import { mnistFileIn } from "./mnist-download-node.js";
import { MNIST_FILES } from "./mnist-files.js";
import { TINY_IMAGENET_OFFICIAL } from "./tiny-imagenet-node.js";

/** The data sets that Striate keeps in the data cache, and the names of their files and folders there. */
const PLACES = {
  mnist: ["mnist"],
  cifar10: ["cifar-10-batches-bin"],
  "tiny-imagenet": ["tiny-imagenet-200", fileNameOf(TINY_IMAGENET_OFFICIAL.url)],
  sudoku: ["sudoku"],
  parquet: ["parquet"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type CachedName = keyof typeof PLACES;

export const CACHED_NAMES = Object.keys(PLACES) as readonly CachedName[];

/** What the data cache holds of one data set. */
export interface CachedSet {
  readonly name: CachedName;
  /** The files and folders of the set that exist. */
  readonly paths: readonly string[];
  readonly files: number;
  readonly bytes: number;
  /** Whether a download broke off; the next one resumes it. */
  readonly isIncomplete: boolean;
}

/** What a check of a cached file found. */
export interface CacheFinding {
  readonly name: CachedName;
  readonly path: string;
  readonly verdict: "intact" | "damaged" | "unknown";
  /** How the file was checked, or what is wrong. */
  readonly text: string;
}

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly changed: number;
}

/** The files at a path, with those in the folders below it; none if nothing is there. Links are not followed. */
async function filesAt(path: string): Promise<Found[]> {
  const found = await lstat(path).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw fileError("read", path, cause);
  });
  if (found === undefined) return [];
  if (!found.isDirectory()) return [{ path, bytes: found.size, changed: found.mtimeMs }];
  const names = await readdir(path).catch((cause: unknown) => {
    throw fileError("list the folder", path, cause);
  });
  const lists = await Promise.all(names.map((name) => filesAt(join(path, name))));
  // A lock is a folder without files.
  return lists.flat().concat(path.endsWith(".lock") ? [{ path, bytes: 0, changed: found.mtimeMs }] : []);
}

/** The paths that a set may have, with those of a download that broke off. */
function placesOf(name: CachedName, folder: string): string[] {
  return PLACES[name].flatMap((place) => ["", ".part", ".part.lock"].map((end) => join(folder, place + end)));
}

/**
 * Lists the data sets in the data cache.
 *
 * @param folder the folder of the cache. Default: {@link dataCache}.
 */
export async function listCache(folder: string = dataCache()): Promise<CachedSet[]> {
  const sets = await Promise.all(
    CACHED_NAMES.map(async (name) => {
      const places = await Promise.all(
        placesOf(name, folder).map(async (path) => ({ path, files: await filesAt(path) })),
      );
      const present = places.filter(({ files }) => files.length > 0);
      const files = present.flatMap((place) => place.files).filter(({ path }) => !path.endsWith(".lock"));
      return {
        name,
        paths: present.map(({ path }) => path),
        files: files.length,
        bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        isIncomplete: files.some(({ path }) => path.endsWith(".part")),
      };
    }),
  );
  return sets.filter(({ files }) => files > 0);
}

/** Milliseconds without a touch after which the lock of a download counts as left by a killed process. */
const LOCK_AGE = 15_000;

/**
 * Removes a data set from the data cache, and returns what was there. Other files of the folder stay.
 *
 * @throws StriateError if the name is unknown, if the set is being downloaded, or if a file cannot be removed
 */
export async function removeCached(
  name: string,
  folder: string = dataCache(),
): Promise<CachedSet | undefined> {
  check((CACHED_NAMES as readonly string[]).includes(name), () =>
    unknownName("data set", name, CACHED_NAMES),
  );
  const known = name as CachedName;
  const set = (await listCache(folder)).find((one) => one.name === known);
  if (set === undefined) return undefined;
  const files = (await Promise.all(set.paths.map(filesAt))).flat();
  const lock = files.find(({ path, changed }) => path.endsWith(".lock") && Date.now() - changed < LOCK_AGE);
  check(lock === undefined, () => `${name}: another process is downloading it; stop that process first`);
  for (const path of set.paths) {
    await rm(path, { recursive: true, force: true }).catch((cause: unknown) => {
      throw fileError("remove", path, cause);
    });
  }
  return set;
}

/** Checks the files of the data cache, as far as checksums or sizes are known. */
export async function verifyCache(folder: string = dataCache()): Promise<CacheFinding[]> {
  const names = (await listCache(folder)).map(({ name }) => name);
  const findings = await Promise.all(names.map((name) => CHECKS[name](folder)));
  return findings.flat();
}

const CHECKS: Readonly<Record<CachedName, (folder: string) => Promise<CacheFinding[]>>> = {
  mnist: verifyMnist,
  cifar10: verifyCifar10,
  "tiny-imagenet": verifyTinyImageNet,
  sudoku: (folder) =>
    Promise.resolve([
      {
        name: "sudoku",
        path: join(folder, "sudoku"),
        verdict: "unknown",
        text: "the authors publish no checksums",
      },
    ]),
  parquet: (folder) =>
    Promise.resolve([
      {
        name: "parquet",
        path: join(folder, "parquet"),
        verdict: "unknown",
        text: "images unpacked from Parquet files have no checksums; their length is compared at each use",
      },
    ]),
};

async function verifyMnist(folder: string): Promise<CacheFinding[]> {
  const findings: CacheFinding[] = [];
  for (const file of Object.values(MNIST_FILES).flatMap(({ images, labels }) => [images, labels])) {
    const path = mnistFileIn(join(folder, "mnist"), file);
    if (path !== undefined) findings.push(await compareDigest("mnist", path, file.sha256));
  }
  return findings;
}

async function verifyTinyImageNet(folder: string): Promise<CacheFinding[]> {
  const [unpacked, zip] = PLACES["tiny-imagenet"].map((place) => join(folder, place)) as [string, string];
  const findings: CacheFinding[] = [];
  if ((await filesAt(unpacked)).length > 0)
    findings.push({
      name: "tiny-imagenet",
      path: unpacked,
      verdict: "unknown",
      text: "there is no checksum of unpacked files",
    });
  if ((await filesAt(zip)).length > 0)
    findings.push(await compareDigest("tiny-imagenet", zip, TINY_IMAGENET_OFFICIAL.sha256));
  return findings;
}

/** Rows of a file of CIFAR-10's binary version. */
const ROWS = 10_000;

async function verifyCifar10(folder: string): Promise<CacheFinding[]> {
  const files = await filesAt(join(folder, PLACES.cifar10[0]));
  const expected = ROWS * CIFAR10_RECORD;
  const findings: CacheFinding[] = [];
  for (const { path, bytes } of files) {
    if (!path.endsWith(".bin")) continue;
    const finding = (verdict: CacheFinding["verdict"], text: string): void => {
      findings.push({ name: "cifar10", path, verdict, text });
    };
    if (bytes !== expected) finding("damaged", `expected ${expected} bytes, got ${bytes}`);
    else {
      const content = await readFileChecked(path, { what: "CIFAR-10 file", maxBytes: expected });
      const wrong = Array.from({ length: ROWS }, (_, i) => content[i * CIFAR10_RECORD]!).findIndex(
        (label) => label > 9,
      );
      if (wrong === -1) finding("intact", "size and labels (there is no checksum of the single files)");
      else finding("damaged", `image ${wrong}: expected a label from 0 to 9, got another byte`);
    }
  }
  return findings;
}

/** Compares the SHA-256 of a file, after decompression if its name ends in .gz. */
async function compareDigest(name: CachedName, path: string, sha256: string): Promise<CacheFinding> {
  const hash = createHash("sha256");
  try {
    await (path.endsWith(".gz")
      ? pipeline(createReadStream(path), createGunzip(), hash)
      : pipeline(createReadStream(path), hash));
  } catch (cause) {
    if ((await stat(path).catch(() => undefined)) === undefined) throw fileError("read", path, cause);
    const why = cause instanceof Error ? cause.message : String(cause);
    return { name, path, verdict: "damaged", text: `it cannot be read: ${why}` };
  }
  const digest = hash.digest("hex");
  return digest === sha256
    ? { name, path, verdict: "intact", text: "SHA-256" }
    : { name, path, verdict: "damaged", text: `expected the SHA-256 ${sha256}, got ${digest}` };
}
