import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { writeFileAtomic } from "../../../util/files-node.js";
import type { StorableModel } from "./storable.js";

/** Where a saved model keeps its values. */
export interface SaveOptions {
  /**
   * Whether values go into a file beside the model, named after it with ".data" added. Default: only if the model takes more
   * than the 2 GB that one ONNX file can hold.
   */
  readonly externalData?: boolean | undefined;
}

/**
 * Writes a model to a file, to a temporary name first. With values beside it, both files belong together: they are moved,
 * copied and renamed as a pair (the model knows the name of the other).
 *
 * @returns the paths written, the model's first
 * @throws StriateError for a full disk, no permission or a missing folder
 * @example
 * ```ts
 * import { input, lower, relu, writeOnnx } from "striate/graph";
 * import { saveOnnx } from "striate/node";
 *
 * const written = writeOnnx(lower({ y: relu(input("x", ["batch", 4])) }, "portable"));
 * await saveOnnx("relu.onnx", written, { externalData: false });
 * ```
 */
export async function saveOnnx(
  path: string,
  model: StorableModel,
  options: SaveOptions = {},
): Promise<readonly string[]> {
  const { externalData = model.isTooLarge } = options;
  if (!externalData) {
    await writeFileAtomic(path, model.bytes);
    return [path];
  }
  const data = `${path}.data`;
  const { bytes, values } = model.withValuesIn(basename(data));
  // A kill in between leaves no model, never an old one beside new values.
  await rm(path, { force: true });
  await writeFileAtomic(data, values);
  await writeFileAtomic(path, bytes);
  return [path, data];
}
