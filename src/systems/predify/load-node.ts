import { basename } from "node:path";
import type { ImportedModel, ReadOptions } from "../../graph/onnx/read.js";
import { readOnnx } from "../../graph/onnx/read.js";
import { readFileChecked } from "../../util/files-node.js";

/** One ONNX file can hold 2 GB. */
const LARGEST_FILE = 2 ** 31 - 1;

/** Reads an ONNX file, for `predify`. Throws {@link StriateError} for a file that is missing, damaged or not supported. */
export async function loadOnnx(path: string, options: ReadOptions = {}): Promise<ImportedModel> {
  const bytes = await readFileChecked(path, { what: "ONNX model", maxBytes: LARGEST_FILE });
  return readOnnx(bytes, { what: `"${basename(path)}"`, ...options });
}
