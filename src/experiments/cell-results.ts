import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { StriateError, check } from "../util/errors.js";
import { readFileChecked, writeFileAtomic } from "../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../util/json.js";
import { packageFacts } from "../util/package-facts-node.js";
import { installedVersion } from "../util/peers-node.js";

/*
 * The file that a finished cell leaves: its result, the versions of the software that computed it, and a digest of the
 * result, which tells whether the file still holds what was written.
 */

const NAME = "result.json";
const LARGEST = 64 * 2 ** 20;

/** The versions of the software that decides the numbers of a cell, by package. */
function versions(): Readonly<Record<string, string>> {
  return {
    striate: packageFacts().version,
    "onnxruntime-node": installedVersion("onnxruntime-node") ?? "none",
  };
}

/**
 * Writes the result of a cell into the cell's folder. Returns the result as {@link readCellResult} will read it, so that a
 * resumed run sees the same values as an uninterrupted one.
 */
export async function writeCellResult<R>(folder: string, result: R): Promise<R> {
  const text = encode(result);
  const file = `{"versions":${JSON.stringify(versions())},"sha256":"${digest(text)}","result":${text}}\n`;
  await writeFileAtomic(join(folder, NAME), file);
  return decode(text, folder) as R;
}

/** Whether the folder of a cell has a result, which may be damaged or of another version. */
export function hasCellResult(folder: string): boolean {
  return existsSync(join(folder, NAME));
}

/**
 * Reads the result of a cell; undefined if the cell's folder has none.
 *
 * @throws StriateError if the file is damaged or was changed, or if other versions of the software computed the result
 */
export async function readCellResult<R>(folder: string): Promise<R | undefined> {
  const path = join(folder, NAME);
  if (!hasCellResult(folder)) return undefined;
  const bytes = await readFileChecked(path, { what: "cell result", maxBytes: LARGEST });
  const file = decode(new TextDecoder().decode(bytes), path);
  const again = `remove "${folder}" to run this cell again`;
  check(
    isJsonObject(file) && isJsonObject(file.versions) && "result" in file,
    () => `"${path}": expected a result with its versions; ${again}`,
  );
  const { versions: found } = file;
  for (const [name, now] of Object.entries(versions())) {
    const then = isJsonObject(found) ? found[name] : undefined;
    if (then === now) continue;
    throw new StriateError(
      `"${path}": expected a result of ${name} ${now}, got one of ${name} ${String(then)}. Results of two versions must ` +
        `not be mixed: start the run in another folder, or ${again}`,
    );
  }
  const sha256 = digest(encode(file.result));
  check(
    file.sha256 === sha256,
    () =>
      `"${path}" was changed or is damaged: expected the SHA-256 ${String(file.sha256)}, got ${sha256}; ${again}`,
  );
  return file.result as R;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Numbers that JSON has no form for. */
const NOT_FINITE: ReadonlyMap<unknown, number> = new Map([NaN, Infinity, -Infinity].map((n) => [`#${n}`, n]));

function encode(result: unknown): string {
  return JSON.stringify(result, (_key, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? `#${value}` : value,
  );
}

function decode(text: string, what: string): unknown {
  return restored(parseStrictJson(text, what));
}

function restored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(restored);
  if (!isJsonObject(value)) return NOT_FINITE.get(value) ?? value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, restored(inner)]));
}
