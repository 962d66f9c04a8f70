import { Option as CommanderOption } from "commander";
import { flagOf } from "../../util/command-words.js";

/** How the text behind an option becomes a value. */
export interface ValueType<T> {
  /** Stands for the value in help texts, such as "file" or "pixels": the unit, if there is one. */
  readonly placeholder: string;
  /**
   * Reads the text; throws commander's InvalidArgumentError with what was expected. An option that may be given several times
   * gets the value so far.
   */
  parse(text: string, before: T | undefined): T;
  /** All values, if there are few. */
  readonly choices?: readonly string[];
  /** Whether the option may be given several times. */
  readonly repeats?: boolean;
  /** What completion in a shell offers. Default: nothing. */
  readonly completes?: "file" | "folder";
}

interface Described {
  /** What the option does, as help texts say it. A phrase without a full stop. */
  readonly help: string;
}

/** An option that stands alone: false if it is absent. */
export interface Flag extends Described {
  readonly kind: "flag";
}

/** An option with a value. */
export interface Valued<T> extends Described {
  readonly kind: "optional" | "standard" | "required";
  readonly type: ValueType<T>;
  /** The value of an option of kind "standard" that is absent. */
  readonly standard?: T;
  /** What help texts say about an absent option. Default: the standard value. */
  readonly absent?: string;
}

export interface OptionalValue<T> extends Valued<T> {
  readonly kind: "optional";
}

export interface CertainValue<T> extends Valued<T> {
  readonly kind: "standard" | "required";
}

export type OptionSpec = Flag | Valued<unknown>;

/** The options of a command, by the names that its code reads them by: `batchSize` is `--batch-size`. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type OptionalKeys<S extends OptionSpecs> = {
  [K in keyof S]: S[K] extends OptionalValue<unknown> ? K : never;
}[keyof S];

type ValueOf<O> = O extends Valued<infer T> ? T : boolean;

/** What a command line gives for some options. */
export type Parsed<S extends OptionSpecs> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: ValueOf<S[K]>;
} & { readonly [K in OptionalKeys<S>]?: ValueOf<S[K]> };

/** An option without a value. */
export function flag(help: string): Flag {
  return { kind: "flag", help };
}

/** An option that may be absent; `absent` says what happens then, if that is not plain. */
export function optional<T>(type: ValueType<T>, help: string, absent?: string): OptionalValue<T> {
  return { kind: "optional", type, help, ...(absent !== undefined && { absent }) };
}

/** An option that has a standard value; `absent` is how help texts write it. */
export function standard<T>(
  type: ValueType<T>,
  value: NoInfer<T>,
  help: string,
  absent?: string,
): CertainValue<T> {
  return { kind: "standard", type, standard: value, help, absent: absent ?? String(value) };
}

/** An option that has to be given. */
export function mandatory<T>(type: ValueType<T>, help: string): CertainValue<T> {
  return { kind: "required", type, help };
}

/** `--batch-size <n>`. */
export function usageOf(key: string, option: OptionSpec): string {
  return option.kind === "flag" ? flagOf(key) : `${flagOf(key)} <${option.type.placeholder}>`;
}

/** What help texts say of an option, without its default. */
export function helpOf(option: OptionSpec): string {
  if (option.kind === "flag") return option.help;
  const { choices, repeats } = option.type;
  return [
    choices === undefined ? option.help : `${option.help}: ${choices.join(", ")}`,
    repeats === true ? "may be given several times" : "",
  ]
    .filter((part) => part !== "")
    .join("; ");
}

/** What help texts say of a missing option: "required", "default: 64", or nothing. */
export function absenceOf(option: OptionSpec): string {
  if (option.kind === "flag") return "";
  if (option.kind === "required") return "required";
  return option.absent === undefined ? "" : `default: ${option.absent}`;
}

/** The option as commander takes it. Commander's own defaults are left out: {@link withStandards} fills them in. */
export function commanderOption(key: string, option: OptionSpec): CommanderOption {
  const absence = absenceOf(option);
  const one = new CommanderOption(
    usageOf(key, option),
    absence === "" ? helpOf(option) : `${helpOf(option)} (${absence})`,
  );
  if (option.kind === "flag") return one;
  const { type } = option;
  one.argParser<unknown>((text, before) => type.parse(text, type.repeats === true ? before : undefined));
  return one.makeOptionMandatory(option.kind === "required");
}

/** What was given, and the standard values of what was not. */
export function withStandards<S extends OptionSpecs>(
  specs: S,
  given: Readonly<Record<string, unknown>>,
): Parsed<S> {
  const standards = Object.entries(specs).flatMap(([key, option]): [string, unknown][] =>
    option.kind === "flag" ? [[key, false]] : option.kind === "standard" ? [[key, option.standard]] : [],
  );
  return { ...Object.fromEntries(standards), ...given } as Parsed<S>;
}
