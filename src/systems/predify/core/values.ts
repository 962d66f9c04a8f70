import type { TensorData } from "../../../graph/index.js";
import { showShape } from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import { initialState } from "../../../nn/module.js";
import { Random } from "../../../util/random.js";
import { StriateError, check } from "../../../util/errors.js";
import { unknownName } from "../../../util/suggest.js";
import type { PredictiveNetwork } from "./network.js";

/** Fresh decoders, drawn from the seed as PyTorch draws them; sqrt(C) of PCoderNs by their rule. */
export function freshValues(network: PredictiveNetwork, seed: number): State {
  return initialState(network.parameters, (name) => Random.derive(seed, "initial", name));
}

/**
 * The network's values out of a state dictionary in the original's names ("pcoder1.pmodule.weight"), which may hold more,
 * such as the backbone and hyper-parameters. A file of one PCoder alone ("pmodule.weight") is read with its number.
 *
 * @throws StriateError for a value that is missing or has another shape
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
    const value = found.get(name) ?? (name.endsWith(".C_sqrt") ? fixedWindow(network, name) : undefined);
    check(value, () => `weights: ${unknownName("value", name, [...found.keys()].slice(0, 40))}`);
    check(
      value.dtype === "float32" && value.shape.join() === tensor.shape.join(),
      () =>
        `weights: "${name}" must be float32${showShape(tensor.shape)}, got ${value.dtype}${showShape(value.shape)}`,
    );
    values.set(name, value);
  }
  return values;
}

/** Files of plain PCoders have no C: the rule gives it, where the rule needs no measurement. */
function fixedWindow(network: PredictiveNetwork, name: string): TensorData | undefined {
  const value = freshValues(network, 0).get(name);
  return value !== undefined && Number(value.data[0]) > 0 ? value : undefined;
}

/**
 * Throws {@link StriateError} unless every value is there, finite and of the right shape, and every PCoderN's C is known.
 */
export function checkValues(network: PredictiveNetwork, values: ReadonlyMap<string, TensorData>): void {
  const checked = valuesFromState(network, values);
  for (const [name, { data }] of checked) {
    if (name.endsWith(".C_sqrt")) {
      check(
        Number(data[0]) > 0,
        () => `"${name}": C is to be measured, but has not been: call measureWindows with some images first`,
      );
      continue;
    }
    const bad = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new StriateError(`weights: "${name}" holds ${String(data[bad])} at position ${bad}`);
  }
}
