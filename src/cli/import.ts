import { basename, extname } from "node:path";
import { readTorchCheckpoint } from "../data/formats/torch-tensor-node.js";
import type { ForeignTensor } from "../graph/onnx/import-weights.js";
import { importWeights } from "../graph/onnx/import-weights.js";
import { openOnnx } from "../graph/onnx/read/open-node.js";
import { saveOnnx } from "../graph/onnx/write/save-node.js";
import { check } from "../util/errors.js";
import { readSafetensors } from "../util/safetensors-node.js";
import { storedToFloat32 } from "../util/safetensors.js";
import type { ImportOptions } from "./commands/import.js";
import type { Streams } from "./terminal/streams.js";

/**
 * Puts the weights of a checkpoint into an ONNX network of the same structure, and prints which tensors did not fit.
 */
export async function importCheckpoint(
  path: string,
  options: ImportOptions,
  streams: Streams,
): Promise<void> {
  const { into, out = `${basename(path, extname(path))}.onnx` } = options;
  check(
    !path.endsWith(".onnx"),
    () => `"${path}": expected a checkpoint of weights (.pth, .pt or .safetensors), got an ONNX file`,
  );
  check(out !== into, () => `--out: "${out}" is the network that is read; choose another name`);
  const file = await openOnnx(into);
  const { tensors, unread } = await readWeights(path);
  const result = importWeights(file, tensors, {
    partial: options.partial,
    ...(options.prefix !== undefined && { prefix: options.prefix }),
  });
  await saveOnnx(out, result, { externalData: options.externalData });
  const { placed, prefix, modelPrefix, missing, otherShape, unused } = result;
  const write = (line: string): void => {
    streams.out.write(`${line}\n`);
  };
  write(`${placed.size} tensors of ${basename(path)} were written to ${out}`);
  if (prefix !== modelPrefix)
    write(`"${prefix}NAME" in the checkpoint became "${modelPrefix}NAME" in the network`);
  writeList(write, "not in the checkpoint, unchanged", missing);
  writeList(
    write,
    "different shape in the checkpoint, unchanged",
    [...otherShape].map(([name, shapes]) => `"${name}" is ${shapes}`),
  );
  writeList(write, "in the checkpoint, not in the network", unused);
  writeList(
    write,
    "in the checkpoint, unreadable",
    [...unread].map(([name, why]) => `${name}: ${why}`),
  );
}

async function readWeights(path: string): Promise<{
  readonly tensors: ReadonlyMap<string, ForeignTensor>;
  readonly unread: ReadonlyMap<string, string>;
}> {
  if (!path.endsWith(".safetensors")) return readTorchCheckpoint(path);
  const { tensors } = await readSafetensors(path);
  const floats = [...tensors].filter(([, { dtype }]) => /^(BF16|F16|F32|F64)$/.test(dtype));
  return {
    tensors: new Map(
      floats.map(([name, stored]) => [name, { shape: stored.shape, data: storedToFloat32(stored) }]),
    ),
    unread: new Map(),
  };
}

const MOST_SHOWN = 12;

function writeList(write: (line: string) => void, title: string, items: readonly string[]): void {
  if (items.length === 0) return;
  write(`${items.length} ${title}:`);
  for (const item of items.slice(0, MOST_SHOWN)) write(`  ${item}`);
  if (items.length > MOST_SHOWN) write(`  and ${items.length - MOST_SHOWN} more`);
}
