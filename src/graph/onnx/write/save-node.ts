import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { fileError, stageFile, writeFileAtomic } from "../../../util/files-node.js";
import type { StorableModel } from "./storable.js";

/** Options for the location of a saved model's values. */
export interface SaveOptions {
  /**
   * Whether values go into a file beside the model, with the name of the model plus ".data". Default: only if
   * the model takes more than the 2 GB that one ONNX file can hold.
   */
  readonly externalData?: boolean | undefined;
}

/**
 * Writes a model to a file, at first under a temporary name. If values go into a second file, keep both files
 * together and do not rename the second one, because the model refers to it by name.
 *
 * @returns the paths written, the model's first
 * @throws StriateError if the disk is full, the folder is missing or writing is not permitted
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
  // Both files are on disk before the old ones go: a full disk leaves the old model as it was.
  const stagedValues = await stageFile(data, values);
  const stagedModel = await stageFile(path, bytes).catch(async (error: unknown) => {
    await stagedValues.discard();
    throw error;
  });
  try {
    // If the process is killed in between, no model is left. This is better than an old model beside new
    // values.
    await rm(path, { force: true }).catch((cause: unknown) => {
      throw fileError("replace", path, cause);
    });
    await stagedValues.commit();
    await stagedModel.commit();
  } catch (error) {
    await stagedValues.discard();
    await stagedModel.discard();
    throw error;
  }
  return [path, data];
}
