import { check } from "../util/errors.js";
import { isJsonObject } from "../util/json.js";
import type { Json } from "../util/json.js";

/**
 * One line of `metrics.jsonl`. A number that is not finite is read back as null, because JSON has no NaN or
 * infinity.
 */
export type MetricsRow = Readonly<Record<string, Json>> & { readonly step: number };

/**
 * Returns the text without an incomplete last line and without the lines of steps after `lastStep`, because
 * these steps will be repeated. Returns undefined if nothing has to be removed. Throws `StriateError` for an
 * invalid line before a valid one.
 */
export function cutMetrics(text: string, lastStep: number, what = "metrics.jsonl"): string | undefined {
  const kept = parseMetrics(text, what).filter(({ row }) => row.step <= lastStep);
  const cut = kept.map(({ line }) => `${line}\n`).join("");
  return cut === text ? undefined : cut;
}

/**
 * Reads the complete lines of a `metrics.jsonl`. Throws `StriateError` for an invalid line before a valid
 * one.
 */
export function parseMetrics(text: string, what: string): { line: string; row: MetricsRow }[] {
  // The text after the last newline is incomplete: the process ended while writing it.
  const lines = text.split("\n").slice(0, -1);
  const parsed = lines.map((line) => ({ line, row: parseRow(line) }));
  const end = parsed.findLastIndex(({ row }) => row !== undefined) + 1;
  return parsed.slice(0, end).map(({ line, row }, i) => {
    check(
      row !== undefined,
      () => `"${what}" line ${i + 1} is not a JSON object with a step; correct or remove it.`,
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
