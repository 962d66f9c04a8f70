import { InvalidArgumentError } from "commander";
import type { NoiseKind } from "../../train/task.js";
import type { ValueType } from "./option.js";
import { optional } from "./option.js";

/** "noise=normal". */
const noiseInput: ValueType<Readonly<Record<string, NoiseKind>>> = {
  placeholder: "name=kind",
  repeats: true,
  parse: (text, before = {}) => {
    const [name, kind] = split(text);
    if (kind !== "normal" && kind !== "uniform")
      throw new InvalidArgumentError("Expected NAME=normal or NAME=uniform.");
    return { ...before, [name]: kind };
  },
};

/** "feedback=0.3,0.3". */
const inputValues: ValueType<Readonly<Record<string, readonly number[]>>> = {
  placeholder: "name=values",
  repeats: true,
  parse: (text, before = {}) => {
    const [name, list] = split(text);
    const parts = list.split(",");
    const values = parts.map(Number);
    if (parts.some((part) => part.trim() === "") || !values.every(Number.isFinite))
      throw new InvalidArgumentError("Expected NAME=NUMBER, or several numbers with commas between.");
    return { ...before, [name]: values };
  },
};

/** What the inputs of a network are, besides its images. Files that Striate wrote say so themselves. */
export const inputOptions = {
  noise: optional(
    noiseInput,
    "an input of the network that takes noise, and its distribution: normal or uniform",
  ),
  input: optional(inputValues, "values of an input of the network, such as feedback=0.3,0.3"),
};

/** The name may hold "=" itself: what follows the last one is the value. */
function split(text: string): [name: string, value: string] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected NAME=VALUE.");
  return [text.slice(0, at), text.slice(at + 1)];
}
