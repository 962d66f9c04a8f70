import { InvalidArgumentError } from "commander";
import { parse, stringify } from "smol-toml";
import { wordsOf } from "../../util/command-words.js";
import { StriateError, check } from "../../util/errors.js";
import { readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import { unknownName } from "../../util/suggest.js";
import type { OptionSpec, OptionSpecs } from "./option.js";

const LARGEST = 2 ** 20;

/**
 * Reads the values of a command's options from a TOML file, whose keys are the names of the options without dashes at
 * the beginning, such as `learning-rate = 0.01`.
 *
 * @throws StriateError for a file that is not TOML, a key that is no option, and a value that the option does not take;
 * the error names the file and the key
 */
export async function readOptionsFile(path: string, specs: OptionSpecs): Promise<Record<string, unknown>> {
  const bytes = await readFileChecked(path, { what: "configuration", maxBytes: LARGEST });
  const what = `"${path}"`;
  let table: Record<string, unknown>;
  try {
    table = parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0]! : String(cause);
    throw new StriateError(`${what} is not a TOML file: ${why}`, { cause });
  }
  const keys = new Map(Object.keys(specs).map((key) => [wordsOf(key), key]));
  return Object.fromEntries(
    Object.entries(table).map(([name, value]) => {
      const key = keys.get(name);
      check(key !== undefined, () => `${what}: ${unknownName("option", name, [...keys.keys()])}`);
      return [key, valueIn(specs[key]!, value, `${what}: ${name}`)];
    }),
  );
}

function valueIn(spec: OptionSpec, value: unknown, what: string): unknown {
  if (spec.kind === "flag") {
    check(typeof value === "boolean", () => `${what}: expected true or false, got ${JSON.stringify(value)}`);
    return value;
  }
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  check(
    list.every((one) => typeof one === "string" || typeof one === "number" || typeof one === "bigint"),
    () => `${what}: expected a text, a number or a list of them, got ${JSON.stringify(value)}`,
  );
  const texts = list.map(String);
  const { type } = spec;
  try {
    if (type.repeats !== true) return type.parse(texts.join(","), undefined);
    return texts.reduce<unknown>((before, text) => type.parse(text, before), undefined);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new StriateError(`${what}: got ${JSON.stringify(value)}. ${error.message}`, { cause: error });
  }
}

/**
 * Writes a TOML file that {@link readOptionsFile} reads. Options without a value, and flags that are off, are left out.
 *
 * @param about comment lines for the beginning of the file
 */
export async function writeOptionsFile(
  path: string,
  values: Readonly<Record<string, unknown>>,
  about: readonly string[],
): Promise<void> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== false);
  const table = Object.fromEntries(given.map(([key, value]) => [wordsOf(key), value]));
  await writeFileAtomic(path, `${about.map((line) => `# ${line}\n`).join("")}${stringify(table)}\n`);
}
