import { truncate } from "node:fs/promises";
import { checkWhole } from "../../util/check.js";
import { StriateError } from "../../util/errors.js";
import { openAppendFile } from "../../util/append-file-node.js";
import type { AppendFile } from "../../util/append-file-node.js";
import { errorCode, fileError, readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import { cutMetrics, parseMetrics } from "../metrics.js";
import type { MetricsRow } from "../metrics.js";

/** A run that was stopped before its first row leaves an empty file. */
const metricsFile = { what: "metrics", maxBytes: 500_000_000, mayBeEmpty: true } as const;

export interface MetricsFile {
  append(row: MetricsRow): void;
  sync(): void;
  close(): void;
}

/** Opens `metrics.jsonl` for appending, without the lines that {@link cutMetrics} removes. */
export async function openMetricsFile(path: string, lastStep: number): Promise<MetricsFile> {
  const text = await readMetricsText(path);
  const cut = cutMetrics(text, lastStep, path);
  if (cut !== undefined) await replace(path, text, cut);
  const file: AppendFile = openAppendFile(path);
  return {
    append(row) {
      const { step } = row;
      checkWhole("metrics row: step", step, { from: 0, to: Number.MAX_SAFE_INTEGER });
      file.append(`${JSON.stringify(row)}\n`);
    },
    sync: file.sync,
    close: file.close,
  };
}

/** Truncates the file if that is enough, which also works on a full disk. */
async function replace(path: string, text: string, cut: string): Promise<void> {
  // Bytes that are not UTF-8 would make the text and the file differ in length.
  if (!text.startsWith(cut) || text.includes("\ufffd")) {
    await writeFileAtomic(path, cut);
    return;
  }
  try {
    await truncate(path, new TextEncoder().encode(cut).length);
  } catch (cause) {
    throw fileError("shorten", path, cause);
  }
}

/** All complete rows of a `metrics.jsonl`, also while a run is writing it; an empty list if there is no file. */
export async function readMetrics(path: string): Promise<MetricsRow[]> {
  return parseMetrics(await readMetricsText(path), path).map(({ row }) => row);
}

async function readMetricsText(path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readFileChecked(path, metricsFile));
  } catch (error) {
    const absent = error instanceof StriateError && errorCode(error.cause) === "ENOENT";
    if (absent) return "";
    throw error;
  }
}
