import { createHash, randomBytes } from "node:crypto";
import { link, readdir, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { check } from "../util/errors.js";
import {
  ensureFolder,
  errorCode,
  fileError,
  readFileChecked,
  temporaryFilePattern,
  writeFileAtomic,
} from "../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../util/json.js";
import type { StoredFile } from "./objects.js";
import { getObject, keepObjects, putObject } from "./objects.js";

/*
 * The folder of a sweep, which all its machines share:
 *
 *   sweep.json              the plan
 *   published/KEY.json      the files of a finished cell. This file decides which run of the cell counts: it is created once
 *   objects/                the contents of these files, under their SHA-256
 *   unfinished/KEY/         the newest checkpoint of a cell that is not finished, who works on it, and its progress
 *   failures/KEY.json       the error of a failed cell
 *   cancelled               is there while the sweep is cancelled
 *
 * The folder alone tells what is done. A queue only says which machine computes what next, so a queue that forgets
 * everything loses no result.
 */

/** A finished cell. */
export interface Published {
  readonly name: string;
  /** One line about the result. */
  readonly description: string;
  /** Seconds of computing, without those of attempts that were lost. */
  readonly seconds: number;
  readonly host: string;
  readonly processor: string;
  readonly date: string;
  readonly files: readonly StoredFile[];
}

/** A failed cell. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly host: string;
  readonly date: string;
}

/** How far a cell is that a machine works on. */
export interface CellProgress {
  readonly host: string;
  /** What the cell does: "training", "testing noise". */
  readonly part: string;
  readonly step: number;
  readonly steps: number;
  readonly imagesPerSecond: number;
  /** Estimated seconds to the end of the part. */
  readonly secondsLeft?: number;
  /** Seconds of computing so far. */
  readonly seconds: number;
}

interface State {
  /** The attempt that works on the cell. */
  readonly owner: string;
  readonly host: string;
  readonly seconds: number;
  readonly files: readonly StoredFile[];
}

const LARGEST = 16 * 2 ** 20;
const PUBLISHED = "published";
const UNFINISHED = "unfinished";
const FAILURES = "failures";
const CANCELLED = "cancelled";

export class SweepStore {
  constructor(readonly folder: string) {}

  get #objects(): string {
    return join(this.folder, "objects");
  }

  /** The keys of the cells that are finished. */
  finished(): Promise<Set<string>> {
    return this.#keysIn(PUBLISHED);
  }

  /** The keys of the cells that have failed. */
  failed(): Promise<Set<string>> {
    return this.#keysIn(FAILURES);
  }

  /** The run of a cell that counts; undefined if the cell is not finished. */
  async published(key: string): Promise<Published | undefined> {
    return readSealed<Published>(join(this.folder, PUBLISHED, `${key}.json`), "finished cell");
  }

  async failure(key: string): Promise<Failure | undefined> {
    return readSealed<Failure>(join(this.folder, FAILURES, `${key}.json`), "failure of a cell");
  }

  async recordFailure(key: string, name: string, message: string): Promise<void> {
    const failure: Failure = { name, message, host: hostname(), date: new Date().toISOString() };
    await writeFileAtomic(join(this.folder, FAILURES, `${key}.json`), seal(failure));
  }

  async forgetFailure(key: string): Promise<void> {
    await remove(join(this.folder, FAILURES, `${key}.json`));
  }

  /** Whether the sweep was cancelled. */
  isCancelled(): Promise<boolean> {
    return exists(join(this.folder, CANCELLED));
  }

  async setCancelled(cancelled: boolean): Promise<void> {
    const path = join(this.folder, CANCELLED);
    await (cancelled ? writeFileAtomic(path, `${new Date().toISOString()}\n`) : remove(path));
  }

  /** Copies the files of a finished cell into a folder, the result last: without it, the cell does not count as finished. */
  async fetch({ files }: Published, folder: string): Promise<void> {
    const isResult = ({ path }: StoredFile): boolean => path === "result.json";
    for (const file of [...files.filter((one) => !isResult(one)), ...files.filter(isResult)])
      await getObject(this.#objects, file, join(folder, file.path));
  }

  /** The seconds of computing that the checkpoint of a cell holds, and who works on the cell. */
  async unfinished(key: string): Promise<{ readonly host: string; readonly seconds: number } | undefined> {
    return this.#state(key);
  }

  async progress(key: string): Promise<CellProgress | undefined> {
    const path = join(this.#unfinishedFolder(key), "progress.json");
    return readSealed<CellProgress>(path, "progress of a cell").catch(() => undefined);
  }

  /** Starts an attempt to compute a cell, which takes the cell away from an attempt that is under way elsewhere. */
  async begin(key: string): Promise<Attempt> {
    const before = await this.#state(key);
    const attempt = new Attempt(this.#unfinishedFolder(key), before);
    await attempt.claim();
    return attempt;
  }

  /**
   * Makes a finished cell count, unless another run of it already does. Returns the run that counts, and whether it is
   * this one.
   *
   * @param folder the cell's folder, of which all files are stored except checkpoints and locks
   */
  async publish(
    key: string,
    folder: string,
    facts: Pick<Published, "name" | "description" | "seconds" | "processor">,
  ): Promise<{ readonly published: Published; readonly isFirst: boolean }> {
    const files: StoredFile[] = [];
    for (const path of await filesIn(folder, false))
      files.push(await putObject(this.#objects, join(folder, path), path));
    const own: Published = { ...facts, host: hostname(), date: new Date().toISOString(), files };
    const path = join(this.folder, PUBLISHED, `${key}.json`);
    const isFirst = await createOnce(path, seal(own));
    const published = isFirst ? own : await this.published(key);
    check(published !== undefined, () => `"${path}" was removed while the cell was published`);
    await this.forgetFailure(key);
    await rm(this.#unfinishedFolder(key), { recursive: true, force: true }).catch(() => undefined);
    return { published, isFirst };
  }

  #unfinishedFolder(key: string): string {
    return join(this.folder, UNFINISHED, key);
  }

  #state(key: string): Promise<State | undefined> {
    return readState(this.#unfinishedFolder(key));
  }

  async #keysIn(name: string): Promise<Set<string>> {
    const folder = join(this.folder, name);
    const names = await readdir(folder).catch((cause: unknown) => {
      throw fileError("read the folder", folder, cause);
    });
    return new Set(names.flatMap((one) => /^([0-9a-f]{16})\.json$/.exec(one)?.[1] ?? []));
  }
}

/** One attempt to compute a cell: it owns the cell's checkpoint until another attempt begins. */
export class Attempt {
  readonly #token = randomBytes(8).toString("hex");
  readonly #known = new Map<string, { readonly mark: string; readonly file: StoredFile }>();
  #files: readonly StoredFile[];
  #saved = "";

  /** Seconds of computing before this attempt that are not lost. */
  readonly secondsBefore: number;

  constructor(
    private readonly folder: string,
    before: State | undefined,
  ) {
    this.#files = before?.files ?? [];
    this.secondsBefore = before?.seconds ?? 0;
  }

  get #objects(): string {
    return join(this.folder, "objects");
  }

  async claim(): Promise<void> {
    await ensureFolder(this.folder);
    await this.#write(this.secondsBefore, this.#files);
  }

  /** Copies the checkpoint, if there is one, into the folder in which the cell is computed. */
  async restore(folder: string): Promise<void> {
    for (const file of this.#files) await getObject(this.#objects, file, join(folder, file.path));
    this.#saved = await checkpointsIn(folder);
  }

  /** Whether the cell has written a checkpoint since the last call of {@link save} or {@link restore}. */
  async isNewer(folder: string): Promise<boolean> {
    const now = await checkpointsIn(folder);
    return now !== "" && now !== this.#saved;
  }

  /**
   * Stores the files of the cell with their newest checkpoint.
   *
   * @param seconds of computing, all in all
   * @returns whether this attempt still owns the cell; if not, nothing is stored
   */
  async save(folder: string, seconds: number): Promise<boolean> {
    const mark = await checkpointsIn(folder);
    const files: StoredFile[] = [];
    for (const path of await filesIn(folder, true)) {
      const stored = await this.#put(folder, path);
      if (stored !== undefined) files.push(stored);
    }
    if (!(await this.isOwner())) return false;
    await this.#write(seconds, files);
    // The files of the checkpoint before stay, for a machine that is reading them.
    await keepObjects(this.#objects, new Set([...files, ...this.#files].map(({ sha256 }) => sha256)));
    [this.#files, this.#saved] = [files, mark];
    return true;
  }

  /** Whether no other attempt has begun. */
  async isOwner(): Promise<boolean> {
    return (await readState(this.folder))?.owner === this.#token;
  }

  async report(progress: Omit<CellProgress, "host">): Promise<void> {
    // A report that is lost is followed by the next one, so it is not flushed to disk.
    const path = join(this.folder, "progress.json");
    await writeFile(path, seal({ host: hostname(), ...progress })).catch(() => undefined);
  }

  async #put(folder: string, path: string): Promise<StoredFile | undefined> {
    const source = join(folder, path);
    try {
      const { size, mtimeMs, ino } = await stat(source);
      const mark = `${size} ${mtimeMs} ${ino}`;
      const known = this.#known.get(path);
      if (known?.mark === mark) return known.file;
      const file = await putObject(this.#objects, source, path);
      this.#known.set(path, { mark, file });
      return file;
    } catch (cause) {
      // The cell may remove an old checkpoint at any time.
      if (!(await exists(source))) return undefined;
      throw cause;
    }
  }

  #write(seconds: number, files: readonly StoredFile[]): Promise<void> {
    const state: State = { owner: this.#token, host: hostname(), seconds, files };
    return writeFileAtomic(join(this.folder, "state.json"), seal(state));
  }
}

function readState(folder: string): Promise<State | undefined> {
  return readSealed<State>(join(folder, "state.json"), "state of a cell");
}

/** The names and times of the checkpoints in the folder of a cell. */
async function checkpointsIn(folder: string): Promise<string> {
  const paths = (await filesIn(folder, true)).filter(isCheckpoint);
  const marks = paths.map(async (path) => {
    const found = await stat(join(folder, path)).catch(() => undefined);
    return found === undefined ? "" : `${path} ${found.mtimeMs}`;
  });
  return (await Promise.all(marks)).filter((mark) => mark !== "").join("\n");
}

const isCheckpoint = (path: string): boolean => /(^|\/)checkpoints\//.test(path);

/**
 * The paths of the files of a cell, the checkpoints first, since what is copied after a checkpoint may be newer than it,
 * but never older. Locks and temporary files are left out.
 */
async function filesIn(folder: string, withCheckpoints: boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return [];
    throw fileError("read the folder", folder, cause);
  });
  const paths = entries
    .filter((entry) => entry.isFile() && !temporaryFilePattern.test(entry.name))
    .filter(({ name }) => !/\.lock(\.json)?$/.test(name))
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter((path) => withCheckpoints || !isCheckpoint(path))
    .sort();
  return [...paths.filter(isCheckpoint), ...paths.filter((path) => !isCheckpoint(path))];
}

/** Creates a file with its whole content, or returns false if it exists. */
async function createOnce(path: string, text: string): Promise<boolean> {
  const staged = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFileAtomic(staged, text);
  try {
    await link(staged, path);
    return true;
  } catch (cause) {
    if (errorCode(cause) === "EEXIST") return false;
    throw fileError("write", path, cause);
  } finally {
    await rm(staged, { force: true }).catch(() => undefined);
  }
}

/** JSON with a digest of itself. */
function seal(value: object): string {
  const text = JSON.stringify(value);
  return `{"sha256":"${digest(text)}","value":${text}}\n`;
}

async function readSealed<T>(path: string, what: string): Promise<T | undefined> {
  if (!(await exists(path))) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = await readFileChecked(path, { what, maxBytes: LARGEST });
  } catch (cause) {
    if (!(await exists(path))) return undefined;
    throw cause;
  }
  const file = parseStrictJson(new TextDecoder().decode(bytes), `"${path}"`);
  check(
    isJsonObject(file) && file.sha256 === digest(JSON.stringify(file.value)),
    () =>
      `"${path}" was changed or is damaged: its SHA-256 differs from the one that was written; remove the file`,
  );
  return file.value as T;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch((cause: unknown) => {
    throw fileError("remove", path, cause);
  });
}
