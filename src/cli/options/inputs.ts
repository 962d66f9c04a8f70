import { InvalidArgumentError } from "commander";
import type { NoiseKind } from "../../train/task.js";
import type { ValueType } from "./option.js";
import { optional } from "./option.js";

/** An input and its distribution, such as "noise=normal". */
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

/** An input and its values, such as "feedback=0.3,0.3". */
const inputValues: ValueType<Readonly<Record<string, readonly number[]>>> = {
  placeholder: "name=values",
  repeats: true,
  parse: (text, before = {}) => {
    const [name, list] = split(text);
    const parts = list.split(",");
    const values = parts.map(Number);
    if (parts.some((part) => part.trim() === "") || !values.every(Number.isFinite))
      throw new InvalidArgumentError("Expected NAME=NUMBER, or comma-separated numbers.");
    return { ...before, [name]: values };
  },
};

/** Options that describe the inputs of a network other than its images. Files that Striate wrote describe them. */
export const inputOptions = {
  noise: optional(noiseInput, "name of an input that takes noise, and its distribution: normal or uniform"),
  input: optional(inputValues, "constant values of an input, such as feedback=0.3,0.3"),
};

/** Splits "NAME=VALUE". The name may contain "=", so the value begins after the last "=". */
function split(text: string): [name: string, value: string] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected NAME=VALUE.");
  return [text.slice(0, at), text.slice(at + 1)];
}
