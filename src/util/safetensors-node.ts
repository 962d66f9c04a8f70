import { readFileChecked, writeFileAtomic } from "./files-node.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
import type { Safetensors, StoredTensor } from "./safetensors.js";

/** Largest accepted size of a file, a little less than that of the largest buffer, 4 GiB. */
const defaultMaxBytes = 2 ** 32 - 4096;

/**
 * Reads a safetensors file. Throws `StriateError` if the file is missing or damaged; the message names the
 * file and what is wrong with it.
 */
export async function readSafetensors(
  path: string,
  options: { maxBytes?: number } = {},
): Promise<Safetensors> {
  const bytes = await readFileChecked(path, {
    what: "safetensors file",
    maxBytes: options.maxBytes ?? defaultMaxBytes,
  });
  return decodeSafetensors(bytes, `"${path}"`);
}

/** Writes a safetensors file atomically: after a crash, there is either the old file or the new one, never a part. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}
