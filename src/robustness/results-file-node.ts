import { existsSync } from "node:fs";
import { rename, truncate } from "node:fs/promises";
import type { AppendFile } from "../util/append-file-node.js";
import { openAppendFile } from "../util/append-file-node.js";
import { StriateError, check } from "../util/errors.js";
import { fileError, readFileChecked } from "../util/files-node.js";
import type { Json, JsonObject } from "../util/json.js";
import { firstDifference, isJsonObject, parseStrictJson, toJson } from "../util/json.js";
import type { RunRecord } from "./records.js";
import { decodeRecord, encodeRecord } from "./records.js";

/** Results of a run so far, and the file that further ones are appended to. */
export interface ResultsFile {
  readonly path: string;
  /** What earlier calls of the same run found out. */
  readonly records: readonly RunRecord[];
  append(record: RunRecord): void;
  close(): void;
}

const LARGEST = 2 ** 31 - 1;

/**
 * Opens the results of a run, or begins new ones with the first record. A line that a killed process left unfinished is taken
 * away.
 *
 * @throws StriateError where the file belongs to a run with other settings (unless `force`, which sets it aside).
 */
export async function openResults(
  path: string,
  settings: JsonObject,
  options: { readonly force?: boolean } = {},
): Promise<ResultsFile> {
  if (options.force === true && existsSync(path)) {
    await rename(path, `${path}.before-${Date.now()}`).catch((cause: unknown) => {
      throw fileError("set aside", path, cause);
    });
  }
  const own = toJson(settings, "settings");
  const records = existsSync(path) ? await readRecords(path, own) : undefined;
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
      file ??= begin();
      file.append(`${encodeRecord(record)}\n`);
    },
    close: () => file?.close(),
  };
}

/** The records in a file, undefined where not even its first line is complete. */
async function readRecords(path: string, settings: Json): Promise<RunRecord[] | undefined> {
  const bytes = await readFileChecked(path, {
    what: "results file",
    maxBytes: LARGEST,
    mayBeEmpty: true,
  });
  const complete = bytes.lastIndexOf(10) + 1;
  if (complete < bytes.length) {
    await truncate(path, complete).catch((cause: unknown) => {
      throw fileError("repair", path, cause);
    });
  }
  const lines = new TextDecoder().decode(bytes.subarray(0, complete)).split("\n").slice(0, -1);
  const [first, ...rest] = lines;
  if (first === undefined) return undefined;
  checkSettings(path, parseStrictJson(first, `line 1 of "${path}"`), settings);
  return rest.map((line, i) => {
    const what = `line ${i + 2} of "${path}"`;
    return decodeRecord(parseStrictJson(line, what), what);
  });
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
