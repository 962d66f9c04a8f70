import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { Preprocessing } from "../../data/images/preprocessing.js";
import { PREPROCESSING_NAMES, preprocessingPreset } from "../../data/images/preprocessing.js";
import { choice, positive } from "./values.js";

/** The options that say how pixels reach a network, parsed. */
export interface PreprocessingOptions {
  readonly preprocessing?: string;
  readonly resize?: number;
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly layout?: "NCHW" | "NHWC";
  readonly colours?: "RGB" | "BGR";
}

/** How pixels reach a network, by name. */
export function preprocessingOption(): Option {
  return choices("--preprocessing <name>", "how pixels reach the network", PREPROCESSING_NAMES);
}

/** The same options for every command that feeds pictures to a network. */
export function addPreprocessingOptions(command: Command): Command {
  return command
    .addOption(preprocessingOption())
    .option("--scale <factor>", "factor of images in 0 to 1, such as 255 for bytes", oneNumber)
    .option("--mean <list>", "subtracted after the scale, one number or one for each of R, G, B", numberList)
    .option("--std <list>", "divided by after the mean, one number or one for each of R, G, B", numberList)
    .option("--resize <pixels>", "short side that pictures are resized to before the centre crop", positive)
    .addOption(choices("--layout <axes>", "order of the network's axes", ["NCHW", "NHWC"]))
    .addOption(choices("--colours <order>", "order of the network's colour channels", ["RGB", "BGR"]));
}

/** What was stated: the named preprocessing, changed by what stands beside it. Undefined if nothing was. */
export function statedPreprocessing(options: PreprocessingOptions): Preprocessing | undefined {
  const { preprocessing, resize, scale, mean, std, layout, colours } = options;
  const stated = { resize, scale, mean, std, layout, colours };
  const given = Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined));
  if (preprocessing === undefined && Object.keys(given).length === 0) return undefined;
  const { cropFraction, ...preset } = preprocessing === undefined ? {} : preprocessingPreset(preprocessing);
  return { ...preset, ...(cropFraction !== undefined && resize === undefined && { cropFraction }), ...given };
}

function choices(flags: string, description: string, names: readonly string[]): Option {
  const option = new Option(flags, `${description}: ${names.join(", ")}`);
  return option.argParser(choice(option.name(), names));
}

/** "0.5" or "0.485,0.456,0.406". */
function numberList(text: string): readonly number[] {
  const parts = text.split(",");
  const values = parts.map(Number);
  if (parts.every((part) => part.trim() !== "") && values.every(Number.isFinite)) return values;
  throw new InvalidArgumentError("Expected numbers with commas between them.");
}

function oneNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number.");
}
