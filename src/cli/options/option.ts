import { Option as CommanderOption } from "commander";
import { flagOf } from "../../util/command-words.js";

/** The way in which the text after an option becomes a value. */
export interface ValueType<T> {
  /** Placeholder for the value in help texts, such as "file", or its unit, such as "pixels". */
  readonly placeholder: string;
  /**
   * Reads the text, or throws commander's InvalidArgumentError, which says what was expected. `before` is the value so
   * far of an option that may be given several times.
   */
  parse(text: string, before: T | undefined): T;
  /** All possible values, if there are few. */
  readonly choices?: readonly string[];
  /** Whether the option may be given several times. */
  readonly repeats?: boolean;
  /** What shell completion offers for the value. Default: nothing. */
  readonly completes?: "file" | "folder";
}

interface Described {
  /** The help text: a phrase without a full stop. */
  readonly help: string;
}

/** An option without a value: true if it is given, otherwise false. */
export interface Flag extends Described {
  readonly kind: "flag";
}

/** An option with a value. */
export interface Valued<T> extends Described {
  readonly kind: "optional" | "standard" | "required";
  readonly type: ValueType<T>;
  /** The value if an option of kind "standard" is absent. */
  readonly standard?: T;
  /** How help texts describe the default. Default: the standard value. */
  readonly absent?: string;
}

export interface OptionalValue<T> extends Valued<T> {
  readonly kind: "optional";
}

export interface CertainValue<T> extends Valued<T> {
  readonly kind: "standard" | "required";
}

export type OptionSpec = Flag | Valued<unknown>;

/** The options of a command by the names that its code uses: `batchSize` is `--batch-size`. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type OptionalKeys<S extends OptionSpecs> = {
  [K in keyof S]: S[K] extends OptionalValue<unknown> ? K : never;
}[keyof S];

type ValueOf<O> = O extends Valued<infer T> ? T : boolean;

/** The values of options, as the code of a command gets them. */
export type Parsed<S extends OptionSpecs> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: ValueOf<S[K]>;
} & { readonly [K in OptionalKeys<S>]?: ValueOf<S[K]> };

/** Defines an option without a value. */
export function flag(help: string): Flag {
  return { kind: "flag", help };
}

/** Defines an option that may be absent; `absent` says in help texts what happens then. */
export function optional<T>(type: ValueType<T>, help: string, absent?: string): OptionalValue<T> {
  return { kind: "optional", type, help, ...(absent !== undefined && { absent }) };
}

/** Defines an option with a standard value; `absent` is how help texts write that value. */
export function standard<T>(
  type: ValueType<T>,
  value: NoInfer<T>,
  help: string,
  absent?: string,
): CertainValue<T> {
  return { kind: "standard", type, standard: value, help, absent: absent ?? String(value) };
}

/** Defines an option that must be given. */
export function mandatory<T>(type: ValueType<T>, help: string): CertainValue<T> {
  return { kind: "required", type, help };
}

/** The option as commander declares it, such as `--batch-size <n>`. */
export function usageOf(key: string, option: OptionSpec): string {
  return option.kind === "flag" ? flagOf(key) : `${flagOf(key)} <${option.type.placeholder}>`;
}

/** The help text of an option without its default. */
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

/** The default of an option in help texts: "required", "default: 64", or nothing. */
export function absenceOf(option: OptionSpec): string {
  if (option.kind === "flag") return "";
  if (option.kind === "required") return "required";
  return option.absent === undefined ? "" : `default: ${option.absent}`;
}

/** Converts an option to commander's class, without a default: {@link withStandards} fills in standard values. */
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

/** Adds the standard values of options that were not given. */
export function withStandards<S extends OptionSpecs>(
  specs: S,
  given: Readonly<Record<string, unknown>>,
): Parsed<S> {
  const standards = Object.entries(specs).flatMap(([key, option]): [string, unknown][] =>
    option.kind === "flag" ? [[key, false]] : option.kind === "standard" ? [[key, option.standard]] : [],
  );
  return { ...Object.fromEntries(standards), ...given } as Parsed<S>;
}
