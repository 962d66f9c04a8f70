import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DType, TensorData } from "../../src/graph/index.js";
import { StriateError, check } from "../../src/util/errors.js";
import { isJsonObject, parseStrictJson } from "../../src/util/json.js";
import { readSafetensors } from "../../src/util/safetensors-node.js";
import type { SafetensorsDtype, StoredTensor } from "../../src/util/safetensors.js";
import { storedToFloat32 } from "../../src/util/safetensors.js";

/** One file of numbers that the authors' code produced, with what it says about itself. */
export interface GoldenCase {
  readonly system: string;
  readonly folder: string;
  readonly file: string;
  /** In words. */
  readonly what: string;
  /** From the index, overridden by the file's own metadata. */
  readonly config: Readonly<Record<string, unknown>>;
  /** As the index gives it; every system has its own form. */
  readonly tolerance: unknown;
  readonly metadata: Readonly<Record<string, string>>;
  /** Empty for files that are not safetensors. */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** What a JSON file holds. */
  readonly content?: unknown;
}

interface IndexEntry {
  readonly file: string;
  readonly what: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tolerance: unknown;
}

/** Reads FOLDER/index.json. Throws {@link StriateError} where it is missing or has another form. */
export async function readIndex(folder: string): Promise<IndexEntry[]> {
  const path = join(folder, "index.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new StriateError(`goldens: cannot read "${path}"`, { cause });
  }
  const index = parseStrictJson(text, `"${path}"`);
  check(Array.isArray(index), () => `"${path}": expected a list of cases`);
  return index.map((entry: unknown, i) => {
    check(isJsonObject(entry) && typeof entry.file === "string", () => `"${path}": case ${i} names no file`);
    return {
      file: entry.file,
      what: typeof entry.what === "string" ? entry.what : "",
      config: isJsonObject(entry.config) ? entry.config : {},
      tolerance: entry.tolerance,
    };
  });
}

export async function readGolden(system: string, folder: string, entry: IndexEntry): Promise<GoldenCase> {
  const path = join(folder, entry.file);
  const common = { system, folder, ...entry, metadata: {}, tensors: new Map<string, TensorData>() };
  if (entry.file.endsWith(".json")) {
    return { ...common, content: parseStrictJson(await readFile(path, "utf8"), `"${path}"`) };
  }
  if (!entry.file.endsWith(".safetensors")) return common;
  const { tensors, metadata } = await readSafetensors(path);
  const own = metadata.config === undefined ? {} : parseStrictJson(metadata.config, `config of "${path}"`);
  return {
    ...common,
    config: { ...entry.config, ...(isJsonObject(own) ? own : {}) },
    metadata,
    tensors: new Map([...tensors].map(([name, stored]) => [name, valueOf(stored)])),
  };
}

const DTYPES: Partial<Record<SafetensorsDtype, DType>> = {
  F64: "float64",
  F32: "float32",
  I64: "int64",
  I32: "int32",
  U8: "uint8",
  I8: "int8",
  BOOL: "bool",
};

/** Floats of 16 bits become 32-bit ones. */
function valueOf(stored: StoredTensor): TensorData {
  const { shape, data } = stored;
  const dtype = DTYPES[stored.dtype];
  return dtype === undefined
    ? { dtype: "float32", shape, data: storedToFloat32(stored) }
    : { dtype, shape, data };
}

/** The file's name without its ending: a label for people, not what decides how a case is computed. */
export function labelOf(golden: Pick<GoldenCase, "file">): string {
  return basename(golden.file).replace(/\.[a-z]+$/, "");
}

/** All tensors whose names begin with a prefix, by the rest of their names. */
export function withPrefix(golden: GoldenCase, prefix: string): Map<string, TensorData> {
  const found = [...golden.tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** A tensor that the case must have. */
export function tensorOf(golden: GoldenCase, name: string): TensorData {
  const value = golden.tensors.get(name);
  check(value, () => `${golden.file}: there is no tensor "${name}"`);
  return value;
}
