import { readTorchCheckpoint } from "../../data/formats/torch-tensor-node.js";
import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";

/**
 * Prefix of the network's tensors in checkpoints of the authors' training script. These checkpoints also
 * contain the optimizer's state and the epoch.
 */
const NETWORK = "state_dict.";

/**
 * Reads the tensors of a network, under the authors' names, from a checkpoint (`.pth.tar`) of their training
 * script or from a plain state dictionary. Pass the tensors to `stateFromAuthors` and `authorsFilters`.
 * Nothing in the file is executed.
 *
 * @throws StriateError if the file is missing or damaged, or has no floating-point tensors
 */
export async function readAuthorsWeights(path: string): Promise<ReadonlyMap<string, TensorData>> {
  const { tensors } = await readTorchCheckpoint(path);
  const all = [...tensors];
  const inside = all.some(([name]) => name.startsWith(NETWORK));
  const found = new Map<string, TensorData>();
  for (const [name, { shape, data }] of all) {
    if (inside && !name.startsWith(NETWORK)) continue;
    // Tensors of other types are batch counters, which are not needed.
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    found.set(inside ? name.slice(NETWORK.length) : name, tensorData(Float32Array.from(data), shape));
  }
  check(found.size > 0, () => `"${path}": expected the weights of a network, got no floating-point tensors`);
  return found;
}
