import { InvalidArgumentError } from "commander";
import { unknownName } from "../../util/suggest.js";
import type { ValueType } from "./option.js";

/*
 * Types of option values. Commander puts "error: option '--x <n>' argument 'y' is invalid." before the message of an error.
 */

/** Any text. */
export function text(placeholder: string): ValueType<string> {
  return { placeholder, parse: (value) => value };
}

/** The path of a file. */
export const file: ValueType<string> = { ...text("file"), completes: "file" };

/** The path of a folder. */
export const folder: ValueType<string> = { ...text("folder"), completes: "folder" };

/** A list of texts, one for each time that the option is given. */
export function texts(placeholder: string): ValueType<readonly string[]> {
  return { placeholder, repeats: true, parse: (value, before = []) => [...before, value] };
}

function wholeBetween(placeholder: string, least: number, most: number): ValueType<number> {
  return {
    placeholder,
    parse: (value) => {
      if (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    },
  };
}

/** A whole number of at least 0. */
export function whole(placeholder = "n"): ValueType<number> {
  return wholeBetween(placeholder, 0, 2 ** 32 - 1);
}

/** A whole number of at least 1. */
export function positive(placeholder = "n"): ValueType<number> {
  return wholeBetween(placeholder, 1, 100_000);
}

/** A port of a server; 0 means any free one. */
export const port: ValueType<number> = wholeBetween("port", 0, 65_535);

/** A number for which `accepts` returns true. */
export function numberWhere(
  placeholder: string,
  expected: string,
  accepts: (value: number) => boolean = () => true,
): ValueType<number> {
  return {
    placeholder,
    parse: (value) => {
      const number = Number(value);
      if (value.trim() !== "" && Number.isFinite(number) && accepts(number)) return number;
      throw new InvalidArgumentError(`Expected ${expected}.`);
    },
  };
}

/** One number or several, such as "0.5" or "0.485,0.456,0.406". */
export const numbers: ValueType<readonly number[]> = {
  placeholder: "list",
  parse: (value) => {
    const parts = value.split(",");
    const found = parts.map(Number);
    if (parts.every((part) => part.trim() !== "") && found.every(Number.isFinite)) return found;
    throw new InvalidArgumentError("Expected comma-separated numbers.");
  },
};

/** One of a few words; `what` names the kind of word in error messages. */
export function choice<const T extends string>(
  what: string,
  choices: readonly T[],
  placeholder = what,
): ValueType<T> {
  return {
    placeholder,
    choices,
    parse: (value) => {
      const found = choices.find((word) => word === value);
      if (found !== undefined) return found;
      throw new InvalidArgumentError(capitalised(`${unknownName(what, value, choices)}.`));
    },
  };
}

/** "all" or a whole number of at least 0. */
export const timestepChoice: ValueType<number | "all"> = {
  placeholder: "n",
  parse: (value) => {
    if (value === "all") return value;
    if (/^\d{1,4}$/.test(value)) return Number(value);
    throw new InvalidArgumentError("Expected all, or a number from 0.");
  },
};

/** An image size in pixels: "224", or "160x224" with the height first. */
export const imageSize: ValueType<number | readonly [height: number, width: number]> = {
  placeholder: "pixels",
  parse: (value) => {
    const sides = value.split("x").map(Number);
    const [height, width] = sides;
    if (sides.every((side) => Number.isInteger(side) && side >= 1 && side <= 100_000)) {
      if (sides.length === 1) return height!;
      if (sides.length === 2) return [height!, width!];
    }
    throw new InvalidArgumentError(
      "Expected a size in pixels such as 224, or height and width such as 160x224.",
    );
  },
};

/** The shape of an image, such as "3x224x224". */
export const inputShape: ValueType<readonly number[]> = {
  placeholder: "shape",
  parse: (value) => {
    const sizes = value.split(/[x,]/).map(Number);
    if (sizes.length >= 3 && sizes.length <= 4 && sizes.every((n) => Number.isInteger(n) && n > 0))
      return sizes;
    throw new InvalidArgumentError("Expected channels, height and width, such as 3x224x224.");
  },
};

/** The text with a capital first letter, as in commander's sentences. */
export function capitalised(value: string): string {
  return value.slice(0, 1).toUpperCase() + value.slice(1);
}
