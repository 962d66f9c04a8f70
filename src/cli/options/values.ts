import { InvalidArgumentError } from "commander";
import { unknownName } from "../../util/suggest.js";

/** What --external-data does, for every command that writes a network. */
export const EXTERNAL_DATA =
  "put the weights into a file beside the network, named after it with .data added (default: above 2 GB only)";

/*
 * Parsers of option values. Commander puts "error: option '--x <n>' argument 'y' is invalid." before the message.
 */

/** A whole number from 0. */
export function whole(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= 2 ** 32 - 1) return Number(text);
  throw new InvalidArgumentError("Expected a whole number from 0 to 4294967295.");
}

/** A whole number from 1. */
export function positive(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 100_000) return Number(text);
  throw new InvalidArgumentError("Expected a whole number from 1 to 100000.");
}

/** One of a few words. */
export function choice(what: string, choices: readonly string[]): (text: string) => string {
  return (text) => {
    const found = choices.find((word) => word === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Unk${unknownName(what, text, choices).slice(3)}.`);
  };
}
