import { truncate } from "node:fs/promises";
import { check, StriateError } from "../util/errors.js";
import { openAppendFile } from "../util/append-file-node.js";
import type { AppendFile } from "../util/append-file-node.js";
import { errorCode, fileError, readFileChecked, writeFileAtomic } from "../util/files-node.js";
import { isJsonObject } from "../util/json.js";
import type { Json } from "../util/json.js";

/** One line of `metrics.jsonl`. A number that is not finite reads back as null: JSON has no NaN. */
export type MetricsRow = Readonly<Record<string, Json>> & { readonly step: number };

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
      check(Number.isSafeInteger(step) && step >= 0, () => `A metrics row needs a whole step, got ${step}.`);
      file.append(`${JSON.stringify(row)}\n`);
    },
    sync: file.sync,
    close: file.close,
  };
}

/** Shortens the file where that is enough, which also works on a full disk. */
async function replace(path: string, text: string, cut: string): Promise<void> {
  // Bytes that are no UTF-8 would make the length of the text another than that of the file.
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

/** All complete rows of a `metrics.jsonl`, also while a run is writing it; none when there is no file. */
export async function readMetrics(path: string): Promise<MetricsRow[]> {
  return parseMetrics(await readMetricsText(path), path).map(({ row }) => row);
}

/**
 * The text without a half-written end and without lines of steps after `lastStep`, which will come again;
 * undefined when there is nothing to remove. Throws {@link StriateError} for a bad line amid good ones.
 */
export function cutMetrics(text: string, lastStep: number, what = "metrics.jsonl"): string | undefined {
  const kept = parseMetrics(text, what).filter(({ row }) => row.step <= lastStep);
  const cut = kept.map(({ line }) => `${line}\n`).join("");
  return cut === text ? undefined : cut;
}

function parseMetrics(text: string, what: string): { line: string; row: MetricsRow }[] {
  // What follows the last newline was being written when the process died.
  const lines = text.split("\n").slice(0, -1);
  const parsed = lines.map((line) => ({ line, row: parseRow(line) }));
  const end = parsed.findLastIndex(({ row }) => row !== undefined) + 1;
  return parsed.slice(0, end).map(({ line, row }, i) => {
    check(
      row !== undefined,
      () => `"${what}" line ${i + 1} is no JSON object with a step; correct or remove it.`,
    );
    return { line, row };
  });
}

function parseRow(line: string): MetricsRow | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRow(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRow(value: unknown): value is MetricsRow {
  return isJsonObject(value) && Number.isSafeInteger(value.step);
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
