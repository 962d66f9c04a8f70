import type { TensorData } from "../../graph/index.js";
import type { State } from "../../nn/module.js";
import { readSafetensors, writeSafetensors } from "../../util/safetensors-node.js";
import type { StoredTensor } from "../../util/safetensors.js";
import { storedToFloat32 } from "../../util/safetensors.js";
import type { PredictiveNetwork } from "./network.js";
import { valuesFromState } from "./values.js";

/**
 * Reads decoders from a safetensors file in the original's names; it may hold more. Throws {@link StriateError} for a
 * file that lacks something or was made for another network.
 */
export async function readWeights(path: string, network: PredictiveNetwork): Promise<State> {
  const { tensors } = await readSafetensors(path);
  const state = new Map(
    Array.from(tensors, ([name, stored]): [string, TensorData] => [
      name,
      { dtype: "float32", shape: stored.shape, data: storedToFloat32(stored) },
    ]),
  );
  return valuesFromState(network, state);
}

/** Writes decoders as safetensors in the original's names. */
export async function writeWeights(path: string, network: PredictiveNetwork, values: State): Promise<void> {
  const stored = Array.from(values, ([name, { shape, data }]): [string, StoredTensor] => [
    name,
    { dtype: "F32", shape: [...shape], data: data },
  ]);
  await writeSafetensors(path, new Map(stored), { name: network.options.name ?? "network" });
}
