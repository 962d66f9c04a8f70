import type { OptionSpecs, Parsed } from "../options/option.js";
import type { Streams } from "../terminal/streams.js";

/** An example of a command line, for help texts. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

/** What a command gets in addition to its options. */
export interface Invocation {
  /** The value of the command's argument; "" if it has none, or none was given. */
  readonly argument: string;
  /** All values of an argument that may have several. */
  readonly all: readonly string[];
  /** The options that were given, on the command line or in a configuration file, without standard values. */
  readonly given: Readonly<Record<string, unknown>>;
  /** The whole command line as it was typed, without "striate". */
  readonly words: readonly string[];
  readonly streams: Streams;
}

/**
 * A command as data. Parsing, help texts, shell completion and docs/cli.md are all derived from it. The code
 * of a command is loaded only when the command runs, so that help and errors appear at once.
 */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** What the command does: a phrase that begins with a verb. */
  readonly summary: string;
  readonly argument?: {
    readonly name: string;
    readonly help: string;
    readonly completes?: "file" | "experiment" | "shell";
    /** Whether the command takes one value or more. Default: exactly one. */
    readonly several?: boolean;
    /** Whether the command can do without it. */
    readonly optional?: boolean;
  };
  readonly options: S;
  /** Examples for the help text; at least one. */
  readonly examples: readonly Example[];
  /** Text below the options in the help, loaded only when help is printed. */
  readonly more?: () => Promise<string>;
  /** Whether the option `config` names a TOML file with values of the options. */
  readonly readsOptionsFile?: boolean;
  readonly commands?: readonly Command[];
  /** Runs the command and returns the exit status; undefined means 0. */
  run(options: Parsed<S>, invocation: Invocation): Promise<number | undefined>;
}

/** Gives `run` the types of the command's own options, and returns the general type that lists of commands hold. */
export function command<S extends OptionSpecs>(spec: Command<S>): Command {
  return spec;
}
