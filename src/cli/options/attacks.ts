import { InvalidArgumentError } from "commander";
import { ATTACK_NAMES } from "../../robustness/attacks/ensemble.js";
import { unknownName } from "../../util/suggest.js";
import type { ValueType } from "./option.js";
import { capitalised } from "./values.js";

/** Short names of attacks, such as "pgd,apgd". */
export const attackList: ValueType<readonly string[]> = {
  placeholder: "names",
  parse: (text) => {
    const names = [...new Set(text.split(",").map((name) => name.trim().toLowerCase()))];
    for (const name of names) {
      if (ATTACK_NAMES.includes(name)) continue;
      throw new InvalidArgumentError(capitalised(`${unknownName("attack", name, ATTACK_NAMES)}.`));
    }
    return names;
  },
};

/** Radii, such as "2/255,4/255" or "0.5". */
export const radii: ValueType<readonly number[]> = {
  placeholder: "radii",
  parse: (text) =>
    text.split(",").map((part) => {
      const [, top, bottom] = /^\s*(\d+(?:\.\d+)?)\s*(?:\/\s*(\d+(?:\.\d+)?))?\s*$/.exec(part) ?? [];
      const value = Number(top) / Number(bottom ?? 1);
      if (top !== undefined && value > 0 && Number.isFinite(value)) return value;
      throw new InvalidArgumentError(`Expected radii above 0 such as 8/255 or 0.5, got "${part.trim()}".`);
    }),
};
