import { readTorchCheckpoint } from "../../data/formats/torch-tensor-node.js";
import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";

/**
 * How the names of a network's tensors begin in a checkpoint of the authors' training scripts, which also
 * contains the optimizer's state and the epoch: in VOneNet's, and in EVNet's. In a plain state dictionary,
 * the back end's names begin with "model." as well, but no "model.", "module." or fixed stage follows.
 */
const NETWORKS = [
  { prefix: "state_dict.", sign: /^state_dict\./ },
  { prefix: "model.", sign: /^model\.(module\.)?(model|subcorticalblock|voneblock|evblock)\b/ },
] as const;

/**
 * Reads the tensors of a network, under the authors' names, from a checkpoint (`.pth.tar`) of their training
 * script, VOneNet's or EVNet's, or from a plain state dictionary. Pass the tensors to `stateFromAuthors`, `authorsFilters` and `subcorticalWeights`.
 * Nothing in the file is executed.
 *
 * @throws StriateError if the file is missing or damaged, or has no floating-point tensors
 */
export async function readAuthorsWeights(path: string): Promise<ReadonlyMap<string, TensorData>> {
  const { tensors } = await readTorchCheckpoint(path);
  const all = [...tensors];
  const prefix = NETWORKS.find(({ sign }) => all.some(([name]) => sign.test(name)))?.prefix ?? "";
  const found = new Map<string, TensorData>();
  for (const [name, { shape, data }] of all) {
    if (!name.startsWith(prefix)) continue;
    // Tensors of other types are batch counters, which are not needed.
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    found.set(name.slice(prefix.length), tensorData(Float32Array.from(data), shape));
  }
  check(found.size > 0, () => `"${path}": expected the weights of a network, got no floating-point tensors`);
  return found;
}
