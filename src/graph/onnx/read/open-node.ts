import { createHash } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { StriateError } from "../../../util/errors.js";
import { fileError, readFileChecked } from "../../../util/files-node.js";
import { checkEnd } from "./external-data.js";
import type { ImportedModel, ReadOptions } from "./read.js";
import { OnnxFile } from "./read.js";

/** Largest size of one ONNX file; its values may be in other files. */
const LARGEST_FILE = 2 ** 31 - 1;

/**
 * Opens an ONNX model. If the model has values in files beside it (as PyTorch 2.9 writes them), they are read
 * with the model, one tensor at a time, and only from the model's own folder.
 *
 * @param what name of the model in error messages (default: the name of its file in quotes)
 * @throws StriateError if the file is missing or damaged, or is not an ONNX file
 * @example
 * ```ts
 * import { openOnnx } from "striate/node";
 *
 * const file = await openOnnx("resnet18.onnx");
 * const { inputs, outputs } = file.read({ inputShapes: { images: ["batch", 3, 224, 224] } });
 * ```
 */
export async function openOnnx(path: string, what = `"${basename(path)}"`): Promise<OnnxFile> {
  const bytes = await readFileChecked(path, { what: "ONNX model", maxBytes: LARGEST_FILE });
  const folder = dirname(path);
  const beside = (location: string, offset: number, length: number) =>
    readPart(fileBeside(folder, location), location, offset, length);
  return new OnnxFile(bytes, what, beside, { owned: true });
}

/**
 * Opens an ONNX model and reads it: {@link openOnnx} and `readOnnx` in one.
 *
 * @example
 * ```ts
 * import { summariseModel } from "striate";
 * import { loadOnnx } from "striate/node";
 *
 * const model = await loadOnnx("resnet18.onnx");
 * console.log(summariseModel(model.outputs).total.parameters);
 * ```
 */
export async function loadOnnx(path: string, options: ReadOptions = {}): Promise<ImportedModel> {
  return (await openOnnx(path, options.what)).read(options);
}

/**
 * SHA-256 of a model in hexadecimal digits, over the bytes of its file and of the files beside it that hold its values.
 *
 * @param path path of the model's file
 */
export async function sha256OfModel(path: string, { locations }: OnnxFile): Promise<string> {
  const hash = createHash("sha256");
  for (const file of [path, ...locations.map((location) => fileBeside(dirname(path), location))]) {
    const pieces = createReadStream(file, { highWaterMark: 2 ** 20 }) as AsyncIterable<Uint8Array>;
    for await (const piece of pieces) hash.update(piece);
  }
  return hash.digest("hex");
}

/** Size of a model in bytes: its file, and the files beside it that hold its values. */
export function bytesOfModel(path: string, { size, locations }: OnnxFile): number {
  const beside = [...locations].map((location) => statSync(fileBeside(dirname(path), location)).size);
  return beside.reduce((a, b) => a + b, size);
}

/** The path of a file in a model's folder or in a folder inside it. No name or link can lead elsewhere. */
function fileBeside(folder: string, location: string): string {
  const refuse = (why: string) =>
    new StriateError(
      `its values are in "${location}", ${why}; files are read only from the model's own folder`,
    );
  const steps = location.split(/[/\\]/);
  if (isAbsolute(location) || /^[a-z]:/i.test(location) || steps.includes(".."))
    throw refuse("which is outside the model's folder");
  const file = join(folder, ...steps);
  try {
    const real = realpathSync(file);
    const inside = relative(realpathSync(folder), real);
    if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
      throw refuse(`which is a link to "${real}"`);
    return real;
  } catch (cause) {
    throw fileError("read the values in", file, cause);
  }
}

function readPart(file: string, location: string, offset: number, length: number): Uint8Array {
  const descriptor = openSync(file, "r");
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new StriateError(`its values are in "${location}", which is not a file`);
    checkEnd(location, stats.size, offset, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      // One call reads at most 2 GB.
      const read = readSync(descriptor, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (read === 0) throw new StriateError(`"${location}" became shorter while it was read`);
      done += read;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}
