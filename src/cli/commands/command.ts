import type { OptionSpecs, Parsed } from "../options/option.js";
import type { Streams } from "../terminal/streams.js";

/** A command line that shows what a command is for. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

/** What a command is called with besides its options. */
export interface Invocation {
  /** The value of the command's argument; "" if it has none. */
  readonly argument: string;
  /** The whole command line as it was typed, without "striate". */
  readonly words: readonly string[];
  readonly streams: Streams;
}

/**
 * A command as data. Parsing, help texts, docs/cli.md and the completion of shells follow from it. What a command does is
 * loaded when it is called, so that help and errors come at once.
 */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** A phrase that begins with a verb. */
  readonly summary: string;
  readonly argument?: {
    readonly name: string;
    readonly help: string;
    readonly completes?: "file" | "experiment" | "shell";
  };
  readonly options: S;
  /** At least one. */
  readonly examples: readonly Example[];
  /** Text below the options of the help, loaded when help is asked for. */
  readonly more?: () => Promise<string>;
  readonly commands?: readonly Command[];
  /** Gives the exit status; undefined means 0. */
  run(options: Parsed<S>, invocation: Invocation): Promise<number | undefined>;
}

/** Keeps the types of the options for `run`, and forgets them for lists of commands. */
export function command<S extends OptionSpecs>(spec: Command<S>): Command {
  return spec;
}
