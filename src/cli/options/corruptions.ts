import { InvalidArgumentError } from "commander";
import type { CorruptionName, Severity } from "../../robustness/corruptions/kinds.js";
import {
  BENCHMARK_CORRUPTIONS,
  CORRUPTIONS,
  SEVERITIES,
  corruptionName,
} from "../../robustness/corruptions/kinds.js";
import { StriateError } from "../../util/errors.js";
import type { ValueType } from "./option.js";
import { optional, standard } from "./option.js";
import { capitalised } from "./values.js";

/** "all" (19), "benchmark" (15), or comma-separated names; the result is in the benchmark's order. */
export const corruptionList: ValueType<readonly CorruptionName[]> = {
  placeholder: "names",
  parse: (text) => {
    if (text === "all") return CORRUPTIONS;
    if (text === "benchmark") return BENCHMARK_CORRUPTIONS;
    try {
      const names = new Set(text.split(",").map((name) => corruptionName(name.trim().replaceAll("-", "_"))));
      return CORRUPTIONS.filter((name) => names.has(name));
    } catch (error) {
      if (error instanceof StriateError) throw new InvalidArgumentError(`${capitalised(error.message)}.`);
      throw error;
    }
  },
};

/** Severities such as "1-5", "3" or "1,3,5". */
export const severityList: ValueType<readonly Severity[]> = {
  placeholder: "list",
  parse: (text) => {
    const chosen = new Set<number>();
    for (const part of text.split(",")) {
      const [, first, last = first] = /^\s*([1-5])(?:\s*-\s*([1-5]))?\s*$/.exec(part) ?? [];
      if (first === undefined || Number(first) > Number(last)) {
        throw new InvalidArgumentError("Expected severities from 1 to 5, such as 1-5 or 1,3.");
      }
      for (let severity = Number(first); severity <= Number(last); severity++) chosen.add(severity);
    }
    return SEVERITIES.filter((severity) => chosen.has(severity));
  },
};

/** A JPEG quality from 1 to 100, or "off". */
const jpegQuality: ValueType<number | false> = {
  placeholder: "quality",
  parse: (text) => {
    if (text === "off") return false;
    if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 100) return Number(text);
    throw new InvalidArgumentError("Expected a JPEG quality from 1 to 100, or off.");
  },
};

/** Options for the severities of corruptions and the JPEG quality of the corrupted images. */
export const severityOptions = {
  severities: standard(severityList, SEVERITIES, "severities, such as 1-5 or 1,3", "1-5"),
  reencode: optional(
    jpegQuality,
    "quality of the JPEG compression after each corruption, or off",
    "85 with the constants for 224 and 64 pixels, off for 32",
  ),
};
