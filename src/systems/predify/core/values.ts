import type { TensorData } from "../../../graph/index.js";
import { tensorData } from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import { initialState } from "../../../nn/module.js";
import { Random } from "../../../util/random.js";
import { checkEveryFinite, checkPositive, checkTensor } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import { unknownName } from "../../../util/suggest.js";
import type { PredictiveNetwork } from "./network.js";

/**
 * Makes initial values: decoder weights drawn from PyTorch's default distribution with the given random seed,
 * and sqrt(C) of each PCoderN according to its rule.
 */
export function freshValues(network: PredictiveNetwork, seed: number): State {
  return initialState(network.parameters, (name) => Random.derive(seed, "initial", name));
}

/**
 * Takes the network's values from a state dictionary with the names of the authors' code
 * ("pcoder1.pmodule.weight"). The dictionary may contain other values, such as the backbone and
 * hyper-parameters. If the dictionary is that of a single PCoder ("pmodule.weight"), pass the PCoder's number
 * as `pcoder`.
 *
 * @throws StriateError if a value is missing or has the wrong shape
 */
export function valuesFromState(
  network: PredictiveNetwork,
  state: ReadonlyMap<string, TensorData>,
  options: { readonly pcoder?: number } = {},
): State {
  const prefix = options.pcoder === undefined ? "" : `pcoder${options.pcoder}.`;
  const found = new Map(Array.from(state, ([name, value]) => [prefix + name, value]));
  const values: State = new Map();
  for (const [name, tensor] of network.parameters) {
    if (!name.startsWith(prefix)) continue;
    const value = found.get(name) ?? knownWithout(network, name);
    check(value, () => `weights: ${unknownName("value", name, [...found.keys()].slice(0, 40))}`);
    checkTensor(`weights: "${name}"`, value, "float32", tensor.shape);
    values.set(name, value);
  }
  return values;
}

/** The value that a file may lack: sqrt(C) if it follows from the decoder, and 1 for units, which changes nothing. */
function knownWithout(network: PredictiveNetwork, name: string): TensorData | undefined {
  if (name.endsWith(".C_sqrt")) return fixedWindow(network, name);
  return UNITS.test(name) ? tensorData([1], []) : undefined;
}

const UNITS = /\.(?:source|target)_std$/;

/**
 * Returns sqrt(C) according to the PCoder's rule, for files of plain PCoders, which do not contain it.
 * Returns undefined if C has to be measured.
 */
function fixedWindow(network: PredictiveNetwork, name: string): TensorData | undefined {
  const value = freshValues(network, 0).get(name);
  return value !== undefined && Number(value.data[0]) > 0 ? value : undefined;
}

/**
 * Throws `StriateError` unless every value is present, is finite and has the right shape, and C of every
 * PCoderN is known.
 */
export function checkValues(network: PredictiveNetwork, values: ReadonlyMap<string, TensorData>): void {
  const checked = valuesFromState(network, values);
  for (const [name, { data }] of checked) {
    if (name.endsWith(".C_sqrt")) {
      check(
        Number(data[0]) > 0,
        () => `"${name}": C has not been measured yet: call measureWindows with some images first`,
      );
      continue;
    }
    if (UNITS.test(name)) checkPositive(`"${name}": standard deviation`, Number(data[0]));
    checkEveryFinite(`weights: "${name}"`, data as Float32Array);
  }
}
