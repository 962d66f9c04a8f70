import { tensorData } from "../graph/index.js";
import type { State } from "../nn/module.js";
import { storedToFloat32 } from "../util/safetensors.js";
import { readSafetensors, writeSafetensors } from "../util/safetensors-node.js";

/** Leaves the values of a finished network for cells that start from it. */
export async function writeWeights(path: string, values: State): Promise<void> {
  const tensors = [...values].map(
    ([name, { shape, data }]) =>
      [name, { dtype: "F32", shape, data: data as Float32Array<ArrayBuffer> }] as const,
  );
  await writeSafetensors(path, new Map(tensors));
}

/** @throws StriateError where there is no such file, or a damaged one */
export async function readWeights(path: string): Promise<State> {
  const { tensors } = await readSafetensors(path);
  return new Map(
    [...tensors].map(([name, stored]) => [name, tensorData(storedToFloat32(stored), stored.shape)]),
  );
}
