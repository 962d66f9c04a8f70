import { existsSync } from "node:fs";
import { rename, truncate } from "node:fs/promises";
import { acquireLock } from "../util/lock-node.js";
import type { AppendFile } from "../util/append-file-node.js";
import { openAppendFile } from "../util/append-file-node.js";
import { StriateError, check } from "../util/errors.js";
import { fileError, readFileChecked } from "../util/files-node.js";
import type { Json, JsonObject } from "../util/json.js";
import { firstDifference, isJsonObject, parseStrictJson, shorten, toJson } from "../util/json.js";
import type { RecordLimits, RunRecord } from "./records.js";
import { decodeRecord, encodeRecord, subjectsOf } from "./records.js";

/** The results of a run so far, and the file to which further results are appended. */
export interface ResultsFile {
  readonly path: string;
  /** The records of earlier calls of the same run. */
  readonly records: readonly RunRecord[];
  /**
   * Appends a record. Throws {@link StriateError} if another process took over the file while this one was
   * suspended.
   */
  append(record: RunRecord): void;
  close(): Promise<void>;
}

export interface ResultsOptions {
  /** Whether to rename an existing file and begin a new one. Default false. */
  readonly force?: boolean;
  /** Limits for the values in earlier records. Default: none. */
  readonly limits?: RecordLimits;
  readonly onWarning?: (message: string) => void;
}

const LARGEST = 2 ** 31 - 1;

/**
 * Opens the results of a run, or begins a new file with the first record. An incomplete last line, left by a killed
 * process, is removed.
 *
 * @throws StriateError for a file of a run with other settings (unless `force` renames it), for a file that
 * is damaged or not a results file (which is left unchanged), and for a file to which another process is
 * writing
 */
export async function openResults(
  path: string,
  settings: JsonObject,
  options: ResultsOptions = {},
): Promise<ResultsFile> {
  const lock = await acquireLock(path, "results file", options.onWarning);
  try {
    if (options.force === true && existsSync(path)) {
      await rename(path, `${path}.before-${Date.now()}`).catch((cause: unknown) => {
        throw fileError("set aside", path, cause);
      });
    }
    const own = toJson(settings, "settings");
    const records = existsSync(path) ? await readRecords(path, own, options.limits) : undefined;
    let file: AppendFile | undefined;
    const begin = (): AppendFile => {
      const opened = openAppendFile(path);
      if (records === undefined) opened.append(`${JSON.stringify({ kind: "run", settings: own })}\n`);
      return opened;
    };
    return {
      path,
      records: records ?? [],
      append: (record) => {
        lock.check();
        file ??= begin();
        file.append(`${encodeRecord(record)}\n`);
      },
      close: async () => {
        file?.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The beginning of a results file. */
const BEGINNING = '{"kind":"run","settings":';

/** The records in a file; undefined if the first line is incomplete. */
async function readRecords(
  path: string,
  settings: Json,
  limits: RecordLimits | undefined,
): Promise<RunRecord[] | undefined> {
  const { first, records, complete, size } = await readLines(path, limits, (line) => {
    checkSettings(path, line, settings);
  });
  if (complete < size) {
    await truncate(path, complete).catch((cause: unknown) => {
      throw fileError("repair", path, cause);
    });
  }
  return first === undefined ? undefined : records;
}

/**
 * Reads the results of a run for a comparison, without changing the file. An incomplete last line is left out.
 *
 * @throws StriateError for a file that is damaged or not a results file
 */
export async function readResults(
  path: string,
): Promise<{ readonly settings: Json; readonly records: readonly RunRecord[] }> {
  const { first, records } = await readLines(path, undefined, () => undefined);
  check(
    isJsonObject(first) && first.kind === "run",
    () => `"${path}" is not a results file of a robustness run`,
  );
  return { settings: first.settings as Json, records };
}

/** All complete lines of a results file. `checkFirst` gets the first one before the others are decoded. */
async function readLines(
  path: string,
  limits: RecordLimits | undefined,
  checkFirst: (line: unknown) => void,
): Promise<{ first: unknown; records: RunRecord[]; complete: number; size: number }> {
  const bytes = await readFileChecked(path, {
    what: "results file",
    maxBytes: LARGEST,
    mayBeEmpty: true,
  });
  const complete = bytes.lastIndexOf(10) + 1;
  const text = new TextDecoder().decode(bytes.subarray(0, complete === 0 ? BEGINNING.length : complete));
  check(
    BEGINNING.startsWith(text.slice(0, BEGINNING.length)),
    () =>
      `"${path}" is not a results file of a robustness run: it begins with ${JSON.stringify(shorten(text, 20))}`,
  );
  const [first, ...rest] = text.slice(0, complete).split("\n").slice(0, -1);
  const settings = first === undefined ? undefined : parseStrictJson(first, `line 1 of "${path}"`);
  if (first !== undefined) checkFirst(settings);
  const lines = new Map<string, number>();
  const records = rest.map((line, i) => {
    const what = `line ${i + 2} of "${path}"`;
    const record = decodeRecord(parseStrictJson(line, what), what, limits);
    for (const subject of subjectsOf(record)) {
      const before = lines.get(subject);
      check(
        before === undefined,
        () => `${what} repeats line ${before!} (${subject}): start over with --force`,
      );
      lines.set(subject, i + 2);
    }
    return record;
  });
  return { first: settings, records, complete, size: bytes.length };
}

function checkSettings(path: string, first: unknown, settings: Json): void {
  check(
    isJsonObject(first) && first.kind === "run",
    () => `"${path}" is not a results file of a robustness run`,
  );
  const difference = firstDifference(first.settings as Json, settings);
  if (difference === undefined) return;
  const { path: key, expected, found } = difference;
  throw new StriateError(
    `"${path}" belongs to a run with other settings (${key}: ${JSON.stringify(expected)} there, ` +
      `${JSON.stringify(found)} now): choose another --out, or start over with --force`,
  );
}
