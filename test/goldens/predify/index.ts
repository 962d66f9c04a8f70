import { isJsonObject } from "../../../src/util/json.js";
import type { Tolerance } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import type { GoldenSystem } from "../harness.js";
import { fileKinds } from "./files.js";
import { wholeNetwork } from "./network.js";
import { partKinds } from "./parts.js";
import { trainingKinds } from "./training.js";

export const predify: GoldenSystem = {
  name: "predify",
  kinds: [wholeNetwork, ...partKinds, ...trainingKinds, ...fileKinds],
  tolerance: (golden, name) => {
    const text = toleranceText(golden, name);
    return text === undefined ? undefined : toleranceOf(text, golden, name);
  },
};

/** The words of a tolerance's key that are about a tensor: "rep,prd" or "logits". */
function toleranceText({ tolerance }: GoldenCase, name: string): string | undefined {
  if (!isJsonObject(tolerance)) return undefined;
  const about = (key: string): boolean =>
    key.split(",").some((word) => {
      if (word === "all") return true;
      if (word === "values") return true;
      if (word === "grad") return name.startsWith("grad.");
      if (word === "loss") return /^output\.(train_|eval_)?loss/.test(name);
      return name.startsWith(`output.${word}`) || new RegExp(`^output\\.case\\d+\\.${word}`).test(name);
    });
  const found = Object.entries(tolerance).find(([key]) => about(key));
  if (found !== undefined) return String(found[1]);
  // Errors, losses and windows have no entry of their own where the case gives one for states or logits.
  if (/^output\.(prediction_error|C_sqrt|loss|case\d+\.structural_window)/.test(name))
    return "1e-5 abs (+1e-5 rel)";
  return undefined;
}

/** "2e-5", "2e-5 abs (+2e-5 rel)", "1e-4 relative to its max". */
function toleranceOf(text: string, golden: GoldenCase, name: string): Tolerance | undefined {
  const value = Number(/^[\d.e+-]+/.exec(text)?.[0]);
  if (!Number.isFinite(value)) return undefined;
  if (text.includes("relative to its max")) {
    const magnitudes = Array.from(golden.tensors.get(name)!.data as ArrayLike<number>, Math.abs);
    const largest = magnitudes.reduce((a, b) => Math.max(a, b), 0);
    return { absolute: value * largest };
  }
  const relative = /\(\+([\d.e+-]+) rel\)/.exec(text);
  return { absolute: value, ...(relative && { relative: Number(relative[1]) }) };
}
