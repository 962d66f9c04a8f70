import { readTorchCheckpoint } from "../../data/formats/torch-tensor-node.js";
import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";

/** Where the authors' training script puts the network among optimizer and epoch. */
const NETWORK = "state_dict.";

/**
 * The tensors of a network in one of the authors' checkpoints (`.pth.tar`), under their names, for `stateFromAuthors` and
 * `authorsFilters`. Takes what their training script saves and a state dictionary alone. Nothing in the file is executed.
 *
 * @throws StriateError for a file that is missing, damaged, or holds no tensors of floats
 */
export async function readAuthorsWeights(path: string): Promise<ReadonlyMap<string, TensorData>> {
  const { tensors } = await readTorchCheckpoint(path);
  const all = [...tensors];
  const inside = all.some(([name]) => name.startsWith(NETWORK));
  const found = new Map<string, TensorData>();
  for (const [name, { shape, data }] of all) {
    if (inside && !name.startsWith(NETWORK)) continue;
    // What is left are counters of batches, which nothing here needs.
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    found.set(inside ? name.slice(NETWORK.length) : name, tensorData(Float32Array.from(data), shape));
  }
  check(found.size > 0, () => `"${path}": expected the weights of a network, it holds no tensors of floats`);
  return found;
}
