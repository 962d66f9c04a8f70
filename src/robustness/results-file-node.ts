import { existsSync } from "node:fs";
import { rename, truncate } from "node:fs/promises";
import { acquireLock } from "../train/run/run-lock-node.js";
import type { AppendFile } from "../util/append-file-node.js";
import { openAppendFile } from "../util/append-file-node.js";
import { StriateError, check } from "../util/errors.js";
import { fileError, readFileChecked } from "../util/files-node.js";
import type { Json, JsonObject } from "../util/json.js";
import { firstDifference, isJsonObject, parseStrictJson, shorten, toJson } from "../util/json.js";
import type { RecordLimits, RunRecord } from "./records.js";
import { decodeRecord, encodeRecord, subjectsOf } from "./records.js";

/** Results of a run so far, and the file that further ones are appended to. */
export interface ResultsFile {
  readonly path: string;
  /** What earlier calls of the same run found out. */
  readonly records: readonly RunRecord[];
  /** Throws {@link StriateError} once another process has taken the file over (after this one was suspended). */
  append(record: RunRecord): void;
  close(): Promise<void>;
}

export interface ResultsOptions {
  /** Sets a file aside that is there already. Default false. */
  readonly force?: boolean;
  /** What earlier records may say; by default anything of their form. */
  readonly limits?: RecordLimits;
  readonly onWarning?: (message: string) => void;
}

const LARGEST = 2 ** 31 - 1;

/**
 * Opens the results of a run, or begins new ones with the first record. A line that a killed process left unfinished is taken
 * away.
 *
 * @throws StriateError for a file of a run with other settings (unless `force`, which sets it aside), one that is no results
 * file or damaged, which stays as it is, and one that another process writes to
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

/** How a results file begins. */
const BEGINNING = '{"kind":"run","settings":';

/** The records in a file, undefined if not even its first line is complete. */
async function readRecords(
  path: string,
  settings: Json,
  limits: RecordLimits | undefined,
): Promise<RunRecord[] | undefined> {
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
      `"${path}" is no results file of a robustness run: it begins with ${JSON.stringify(shorten(text, 20))}`,
  );
  const [first, ...rest] = text.slice(0, complete).split("\n").slice(0, -1);
  if (first !== undefined) checkSettings(path, parseStrictJson(first, `line 1 of "${path}"`), settings);
  const lines = new Map<string, number>();
  const records = rest.map((line, i) => {
    const what = `line ${i + 2} of "${path}"`;
    const record = decodeRecord(parseStrictJson(line, what), what, limits);
    for (const subject of subjectsOf(record)) {
      const before = lines.get(subject);
      check(
        before === undefined,
        () => `${what} repeats line ${before!} (${subject}): begin anew with --force`,
      );
      lines.set(subject, i + 2);
    }
    return record;
  });
  if (complete < bytes.length) {
    await truncate(path, complete).catch((cause: unknown) => {
      throw fileError("repair", path, cause);
    });
  }
  return first === undefined ? undefined : records;
}

function checkSettings(path: string, first: unknown, settings: Json): void {
  check(
    isJsonObject(first) && first.kind === "run",
    () => `"${path}" is no results file of a robustness run`,
  );
  const difference = firstDifference(first.settings as Json, settings);
  if (difference === undefined) return;
  const { path: key, expected, found } = difference;
  throw new StriateError(
    `"${path}" belongs to a run with other settings (${key}: ${JSON.stringify(expected)} there, ` +
      `${JSON.stringify(found)} now): name another --out, or begin anew with --force`,
  );
}
