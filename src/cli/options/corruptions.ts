import { InvalidArgumentError } from "commander";
import type { CorruptionName, Severity } from "../../robustness/corruptions/corrupt.js";
import {
  BENCHMARK_CORRUPTIONS,
  CORRUPTIONS,
  SEVERITIES,
  corruptionName,
} from "../../robustness/corruptions/corrupt.js";
import { StriateError } from "../../util/errors.js";

/** "all" (19), "benchmark" (15), or names with commas between them; in the benchmark's order. */
export function corruptionList(text: string): readonly CorruptionName[] {
  if (text === "all") return CORRUPTIONS;
  if (text === "benchmark") return BENCHMARK_CORRUPTIONS;
  try {
    const names = new Set(text.split(",").map((name) => corruptionName(name.trim().replaceAll("-", "_"))));
    return CORRUPTIONS.filter((name) => names.has(name));
  } catch (error) {
    if (error instanceof StriateError) throw new InvalidArgumentError(`${capitalised(error.message)}.`);
    throw error;
  }
}

/** "1-5", "3" or "1,3,5". */
export function severityList(text: string): readonly Severity[] {
  const chosen = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last = first] = /^\s*([1-5])(?:\s*-\s*([1-5]))?\s*$/.exec(part) ?? [];
    if (first === undefined || Number(first) > Number(last)) {
      throw new InvalidArgumentError(`Expected severities from 1 to 5, such as 1-5 or 1,3.`);
    }
    for (let severity = Number(first); severity <= Number(last); severity++) chosen.add(severity);
  }
  return SEVERITIES.filter((severity) => chosen.has(severity));
}

/** A JPEG quality from 1 to 100, or "off". */
export function reencodeQuality(text: string): number | false {
  if (text === "off") return false;
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 100) return Number(text);
  throw new InvalidArgumentError("Expected a JPEG quality from 1 to 100, or off.");
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
