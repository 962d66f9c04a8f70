import { InvalidArgumentError } from "commander";
import { ATTACK_NAMES } from "../robustness/attacks/ensemble.js";
import { PREPROCESSING_PRESETS } from "../robustness/preprocessing.js";
import { unknownName } from "../util/suggest.js";

/** "pgd,apgd": short names of attacks. */
export function attackList(text: string): readonly string[] {
  const names = [...new Set(text.split(",").map((name) => name.trim().toLowerCase()))];
  for (const name of names) {
    if (ATTACK_NAMES.includes(name)) continue;
    throw new InvalidArgumentError(`Unk${unknownName("attack", name, ATTACK_NAMES).slice(3)}.`);
  }
  return names;
}

/** "2/255,4/255" or "0.5": radii. */
export function epsilonList(text: string): readonly number[] {
  return text.split(",").map((part) => {
    const [, top, bottom] = /^\s*(\d+(?:\.\d+)?)\s*(?:\/\s*(\d+(?:\.\d+)?))?\s*$/.exec(part) ?? [];
    const value = Number(top) / Number(bottom ?? 1);
    if (top !== undefined && value > 0 && Number.isFinite(value)) return value;
    throw new InvalidArgumentError(`Expected radii above 0 such as 8/255 or 0.5, got "${part.trim()}".`);
  });
}

/** "0.5" or "0.485,0.456,0.406". */
export function numberList(text: string): readonly number[] {
  const values = text.split(",").map(Number);
  if (text.trim() !== "" && values.every(Number.isFinite)) return values;
  throw new InvalidArgumentError("Expected numbers with commas between them.");
}

export function presetName(text: string): string {
  const known = Object.keys(PREPROCESSING_PRESETS);
  if (known.includes(text)) return text;
  throw new InvalidArgumentError(`Unk${unknownName("preprocessing", text, known).slice(3)}.`);
}
