import { readTorchCheckpoint } from "../../../data/formats/torch-tensor-node.js";
import type { TensorData } from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import { readSafetensors, writeSafetensors } from "../../../util/safetensors-node.js";
import { storedFloats, storedToFloat32 } from "../../../util/safetensors.js";
import { check } from "../../../util/errors.js";
import type { PredictiveNetwork } from "../core/network.js";
import { valuesFromState } from "../core/values.js";

/**
 * Reads the decoder of one PCoder, or those of all PCoders, from a `.pth` checkpoint of the authors' code.
 * Prefixes before "pcoderI." or "pmodule." are ignored, because checkpoints nest the decoders in various
 * dictionaries, as in "pcoderweights.pmodule.weight". Nothing in the checkpoint is executed.
 *
 * @param options `pcoder`: the number of the PCoder, if the file has a single decoder
 * @throws StriateError in the same cases as {@link readWeights}
 */
export async function readTorchWeights(
  path: string,
  network: PredictiveNetwork,
  options: { readonly pcoder?: number } = {},
): Promise<State> {
  const state = new Map<string, TensorData>();
  const { tensors } = await readTorchCheckpoint(path);
  for (const [name, { shape, data }] of tensors) {
    const [shortName] = /(?:pcoder\d+\.)?(?:pmodule\..*|C_sqrt)$/.exec(name) ?? [];
    if (shortName === undefined || !(data instanceof Float32Array || data instanceof Float64Array)) continue;
    state.set(shortName, { dtype: "float32", shape, data: Float32Array.from(data) });
  }
  return valuesFromState(network, state, options);
}

/**
 * Reads decoders from a safetensors file with the names of the authors' code. The file may contain other tensors.
 * Throws `StriateError` if a tensor is missing or has the wrong shape.
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

/**
 * Reads decoders from a safetensors file ({@link readWeights}) or from `.pth` files
 * ({@link readTorchWeights}). The latter are one file with all decoders, or one file for each PCoder, lowest
 * first, separated by commas.
 */
export async function readAnyWeights(paths: string, network: PredictiveNetwork): Promise<State> {
  const files = paths.split(",");
  if (!files.every((file) => file.endsWith(".pth"))) return readWeights(paths, network);
  const { length } = network.pcoders;
  check(
    files.length === 1 || files.length === length,
    () => `weights: expected one .pth file, or one for each of ${length} PCoders, got ${files.length}`,
  );
  const hasAllDecoders = files.length === 1 && length > 1;
  const parts = await Promise.all(
    files.map((file, i) => readTorchWeights(file, network, hasAllDecoders ? {} : { pcoder: i + 1 })),
  );
  return new Map(parts.flatMap((part) => [...part]));
}

/** Writes decoders as safetensors with the names of the authors' code. */
export async function writeWeights(path: string, network: PredictiveNetwork, values: State): Promise<void> {
  await writeSafetensors(path, storedFloats(values), { name: network.options.name ?? "network" });
}
