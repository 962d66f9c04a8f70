import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { NoiseKind } from "../../train/task.js";

/** What is said of a network's inputs besides its images, parsed. */
export interface InputOptions {
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  readonly input?: Readonly<Record<string, readonly number[]>>;
}

/** The same options for every command that runs a network from elsewhere; files of Striate say it themselves. */
export function addInputOptions(command: Command): Command {
  return command
    .option(
      "--noise <name=kind>",
      "an input that is noise: normal or uniform; again for another one",
      addNoise,
    )
    .option(
      "--input <name=values>",
      "values of an input, such as feedback=0.3,0.3; again for another one",
      addValues,
    );
}

/** "noise=normal". */
function addNoise(text: string, before: InputOptions["noise"] = {}): InputOptions["noise"] {
  const [name, kind] = split(text);
  if (kind !== "normal" && kind !== "uniform")
    throw new InvalidArgumentError("Expected NAME=normal or NAME=uniform.");
  return { ...before, [name]: kind };
}

/** "feedback=0.3,0.3". */
function addValues(text: string, before: InputOptions["input"] = {}): InputOptions["input"] {
  const [name, list] = split(text);
  const parts = list.split(",");
  const values = parts.map(Number);
  if (parts.some((part) => part.trim() === "") || !values.every(Number.isFinite))
    throw new InvalidArgumentError("Expected NAME=NUMBER, or several numbers with commas between.");
  return { ...before, [name]: values };
}

/** The name may hold "=" itself: what follows the last one is the value. */
function split(text: string): [name: string, value: string] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected NAME=VALUE.");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** "all" or a number from 0. */
export function timestepChoice(text: string): number | "all" {
  if (text === "all") return text;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected all, or a number from 0.");
}

/** "224" or "160x224", height first. */
export function imageSize(text: string): number | readonly [height: number, width: number] {
  const sides = text.split("x").map(Number);
  const [height, width] = sides;
  if (sides.every((side) => Number.isInteger(side) && side >= 1 && side <= 100_000)) {
    if (sides.length === 1) return height!;
    if (sides.length === 2) return [height!, width!];
  }
  throw new InvalidArgumentError("Expected pixels such as 224, or height and width such as 160x224.");
}
