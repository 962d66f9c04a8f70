import { parse as parseToml, stringify } from "smol-toml";
import { StriateError, check } from "../../../util/errors.js";
import { isJsonObject, shorten } from "../../../util/json.js";
import { unknownName } from "../../../util/suggest.js";
import { DEFAULT_HYPERPARAMETERS, checkHyperparameters } from "../core/hyperparameters.js";
import type { PCoderOptions, PredifyOptions, WindowRule } from "../core/options.js";

/**
 * The error for a configuration that cannot be used. `about` is the key that is wrong, such as "input_size"
 * or "pcoders[2].module", or "" for the whole file.
 */
export class PredifyConfigError extends StriateError {
  override name = "PredifyConfigError";

  constructor(
    readonly about: string,
    message: string,
  ) {
    super(message);
  }
}

/** A warning about a key that is missing or has no effect. */
export interface ConfigWarning {
  readonly about: "3D" | "predictor" | "hyperparameters" | "gradient_scaling" | "shared_hyperparameters";
  readonly message: string;
}

/** Hyper-parameters under the names that they have in the authors' code. */
export interface ConfigHyperparameters {
  readonly feedforward: number;
  readonly feedback: number;
  readonly pc: number;
}

/** A configuration in the format of the authors' code. */
export interface PredifyConfig {
  readonly name: string;
  /** Lines of Python that import predictors. They have no effect here. */
  readonly imports: readonly string[] | undefined;
  readonly gradientScaling: boolean;
  readonly sharedHyperparameters: boolean;
  readonly inputSize: readonly number[];
  readonly pcoders: readonly {
    readonly module: string;
    readonly predictor: string | undefined;
    readonly hyperparameters: ConfigHyperparameters;
    readonly window?: WindowRule;
  }[];
  /** Options for which the authors' code has no keys. */
  readonly more: Pick<
    PredifyOptions,
    "window" | "errorOver" | "units" | "randomInit" | "topDownPrior" | "output"
  >;
}

/** A configuration and the warnings about its file. */
export interface ParsedConfig {
  readonly config: PredifyConfig;
  readonly warnings: readonly ConfigWarning[];
}

const KEYS = ["name", "imports", "gradient_scaling", "shared_hyperparameters", "input_size", "pcoders"];
const MORE_KEYS = ["window", "error_over", "units", "random_init", "top_down_prior", "output"];
const PCODER_KEYS = ["module", "predictor", "hyperparameters", "window"];
const VALUE_KEYS = ["feedforward", "feedback", "pc"] as const;
const LONGEST = 1_000_000;

/**
 * Reads a TOML configuration in the format of the authors' code. Nothing in it is evaluated, and no file that
 * it names is read.
 *
 * @param options `compatible`: whether to also accept what the authors' code accepts, such as unknown keys
 * and values out of range (default false)
 * @throws PredifyConfigError, which names the wrong key
 */
export function parsePredifyConfig(
  text: string,
  options: { readonly compatible?: boolean } = {},
): ParsedConfig {
  if (text.length > LONGEST)
    throw new PredifyConfigError(
      "",
      `configuration: expected at most ${LONGEST} characters, got ${text.length}`,
    );
  let table: Record<string, unknown>;
  try {
    table = parseToml(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0]! : String(cause);
    throw new PredifyConfigError("", `configuration: expected valid TOML: ${why}`);
  }
  return checked(table, options.compatible === true);
}

function checked(table: Readonly<Record<string, unknown>>, compatible: boolean): ParsedConfig {
  const warnings: ConfigWarning[] = [];
  const warn = (about: ConfigWarning["about"], message: string) => warnings.push({ about, message });
  if (!compatible) checkKeys("", table, [...KEYS, ...MORE_KEYS]);
  const name = nameOf(table.name);
  const imports = table.imports;
  if (imports !== undefined && !isListOf(imports, "string")) wrong("imports", "a list of strings", imports);
  const inputSize = sizeOf(table.input_size);
  if (inputSize.length === 4)
    warn("3D", "input_size has 4 numbers, which are read as [channels, depth, height, width]");
  const gradientScaling = flag(table, "gradient_scaling", () => {
    warn(
      "gradient_scaling",
      "gradient_scaling is missing and taken as false: the error step depends on batch size and image size",
    );
  });
  const sharedHyperparameters = flag(table, "shared_hyperparameters", () => {
    warn(
      "shared_hyperparameters",
      "shared_hyperparameters is missing and taken as false: every PCoder has its own hyper-parameters",
    );
  });
  const list = table.pcoders;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isJsonObject)) {
    wrong("pcoders", "a list with at least one [[pcoders]] table", list);
  }
  const pcoders = list.map((entry, i) => pcoderOf(entry, i, compatible, warn));
  if (sharedHyperparameters) {
    warn(
      "shared_hyperparameters",
      "shared_hyperparameters is true: the first PCoder's hyper-parameters are used for all PCoders",
    );
  }
  return {
    config: {
      name,
      imports: imports,
      gradientScaling,
      sharedHyperparameters,
      inputSize,
      pcoders,
      more: moreOf(table),
    },
    warnings,
  };
}

function pcoderOf(
  entry: Readonly<Record<string, unknown>>,
  i: number,
  compatible: boolean,
  warn: (about: ConfigWarning["about"], message: string) => void,
): PredifyConfig["pcoders"][number] {
  const path = `pcoders[${i + 1}]`;
  if (!compatible) checkKeys(`${path}.`, entry, PCODER_KEYS);
  const { module, predictor, hyperparameters } = entry;
  if (typeof module !== "string" || module === "")
    wrong(`${path}.module`, "the name of a module or tensor", module);
  if (predictor === undefined) warn("predictor", `${path} has no predictor: the default one is used`);
  else if (typeof predictor !== "string")
    wrong(`${path}.predictor`, 'an expression such as "ConvTranspose2d(64, 3, 5, padding=2)"', predictor);
  const window = windowOf(`${path}.window`, entry.window);
  return {
    module: module,
    predictor: predictor,
    hyperparameters: hyperparametersOf(`${path}.hyperparameters`, hyperparameters, compatible, () => {
      warn("hyperparameters", `${path} has no hyperparameters: 0.3, 0.3 and 0.01 are used`);
    }),
    ...(window !== undefined && { window }),
  };
}

function hyperparametersOf(
  path: string,
  given: unknown,
  compatible: boolean,
  missing: () => void,
): ConfigHyperparameters {
  if (given === undefined) {
    missing();
    const { feedforward, feedback, error } = DEFAULT_HYPERPARAMETERS;
    return { feedforward, feedback, pc: error };
  }
  const expected = `a table with ${VALUE_KEYS.join(", ")}`;
  if (!isJsonObject(given)) return wrong(path, expected, given);
  const lacking = VALUE_KEYS.filter((key) => given[key] === undefined);
  if (lacking.length > 0)
    throw new PredifyConfigError(
      path,
      `configuration: ${path}: expected ${expected}, got one without ${lacking.join(" and ")}`,
    );
  if (!compatible) checkKeys(`${path}.`, given, VALUE_KEYS);
  const [feedforward, feedback, pc] = VALUE_KEYS.map((key) => {
    const value = given[key];
    return typeof value === "number" ? value : wrong(`${path}.${key}`, "a number", value);
  }) as [number, number, number];
  if (!compatible) {
    try {
      checkHyperparameters({ feedforward, feedback, error: pc }, `configuration: ${path}`);
    } catch (error) {
      throw new PredifyConfigError(path, error instanceof Error ? error.message : String(error));
    }
  }
  return { feedforward, feedback, pc };
}

function nameOf(name: unknown): string {
  if (name === undefined) return "network";
  if (typeof name !== "string" || !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))
    return wrong("name", "a name of letters, digits and _", name);
  if (name === "Net")
    throw new PredifyConfigError("name", 'configuration: name: "Net" is reserved; choose another name');
  return name;
}

function sizeOf(size: unknown): readonly number[] {
  const fits =
    isListOf(size, "number") &&
    (size.length === 3 || size.length === 4) &&
    size.every((n) => Number.isInteger(n) && n >= 1);
  return fits
    ? size
    : wrong("input_size", "[channels, height, width] or [channels, depth, height, width]", size);
}

function isListOf(value: unknown, type: "string"): value is string[];
function isListOf(value: unknown, type: "number"): value is number[];
function isListOf(value: unknown, type: string): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}

function flag(table: Readonly<Record<string, unknown>>, key: string, missing?: () => void): boolean {
  const value = table[key];
  if (value === undefined) missing?.();
  return value === undefined || typeof value === "boolean"
    ? value === true
    : wrong(key, "true or false", value);
}

function windowOf(path: string, value: unknown): WindowRule | undefined {
  if (value === undefined || value === "window" || value === "measured") return value;
  return typeof value === "number" && value > 0
    ? value
    : wrong(path, '"window", "measured" or a number above 0', value);
}

function moreOf(table: Readonly<Record<string, unknown>>): PredifyConfig["more"] {
  const window = windowOf("window", table.window);
  const { error_over: errorOver, output, units } = table;
  if (errorOver !== undefined && errorOver !== "batch" && errorOver !== "image")
    wrong("error_over", '"batch" or "image"', errorOver);
  if (units !== undefined && units !== "measured" && units !== "authors")
    wrong("units", '"measured" or "authors"', units);
  if (output !== undefined && typeof output !== "string") wrong("output", "the name of an output", output);
  return {
    ...(window !== undefined && { window }),
    ...(errorOver !== undefined && { errorOver }),
    ...(units !== undefined && { units }),
    ...(output !== undefined && { output }),
    ...(table.random_init !== undefined && { randomInit: flag(table, "random_init") }),
    ...(table.top_down_prior !== undefined && { topDownPrior: flag(table, "top_down_prior") }),
  };
}

function checkKeys(path: string, table: object, known: readonly string[]): void {
  for (const key of Object.keys(table)) {
    if (!known.includes(key)) {
      throw new PredifyConfigError(
        path + key,
        `configuration: ${path}${unknownName("key", shorten(key, 60), known)}`,
      );
    }
  }
}

function wrong(about: string, expected: string, came: unknown): never {
  const shown = came === undefined ? "nothing" : shorten(JSON.stringify(came));
  throw new PredifyConfigError(about, `configuration: ${about}: expected ${expected}, got ${shown}`);
}

/** Converts a configuration to options of `predify`. */
export function optionsFromConfig(config: PredifyConfig): PredifyOptions {
  const { name, gradientScaling, sharedHyperparameters, inputSize, more } = config;
  return {
    name,
    gradientScaling,
    sharedHyperparameters,
    inputSize,
    // A configuration of the authors' code means what it means there.
    units: "authors",
    ...more,
    pcoders: config.pcoders.map(({ module, predictor, hyperparameters, window }): PCoderOptions => ({
      after: module,
      ...(predictor !== undefined && { decoder: predictor }),
      ...(window !== undefined && { window }),
      feedforward: hyperparameters.feedforward,
      feedback: hyperparameters.feedback,
      error: hyperparameters.pc,
    })),
  };
}

/** Writes a configuration as TOML. The authors' code can read it if its modules have PyTorch's names. */
export function writePredifyConfig(
  config: Pick<
    PredifyConfig,
    "name" | "gradientScaling" | "sharedHyperparameters" | "inputSize" | "pcoders"
  > & {
    readonly more?: Pick<PredifyConfig["more"], "units">;
  },
): string {
  const head = {
    name: config.name,
    gradient_scaling: config.gradientScaling,
    shared_hyperparameters: config.sharedHyperparameters,
    input_size: config.inputSize,
    ...(config.more?.units !== undefined && { units: config.more.units }),
  };
  const number = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : String(value));
  const blocks = config.pcoders.map(({ module, predictor, hyperparameters }) => {
    check(
      module !== "",
      () => "configuration: module: expected the name of a module or tensor, got an empty string",
    );
    const values = VALUE_KEYS.map((key) => `${key} = ${number(hyperparameters[key])}`).join(", ");
    const named = stringify({ module, ...(predictor !== undefined && { predictor }) }).trim();
    return `[[pcoders]]\n${named}\nhyperparameters = { ${values} }\n`;
  });
  return [`${stringify(head).trim()}\n`, ...blocks].join("\n");
}
