import { InvalidArgumentError } from "commander";
import { ATTACK_NAMES } from "../../robustness/attacks/ensemble.js";
import { unknownName } from "../../util/suggest.js";

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
