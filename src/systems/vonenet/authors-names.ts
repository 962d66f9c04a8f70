import type { TensorData } from "../../graph/index.js";
import type { NamedParameters, State } from "../../nn/module.js";
import { pytorchName, stateFromPytorch } from "../../nn/pytorch-names.js";
import { check } from "../../util/errors.js";

/**
 * The authors' names of the V1 filters q0 and q1. Each tensor is [cells, channels, size, size]; q1 includes
 * unused filters for simple cells.
 */
export const V1_WEIGHTS = ["vone_block.simple_conv_q0.weight", "vone_block.simple_conv_q1.weight"] as const;

/** Prefix of the tensors of retina and thalamus. */
export const SUBCORTICAL = "subcorticalblock.";

/**
 * The names in EVNet's code that differ from those in VOneNet's, as prefixes. "module." begins all names if
 * the network was trained on several devices.
 */
const PREFIXES = [
  ["module.", ""],
  ["evblock.", ""],
  ["voneblock.", "vone_block."],
  ["voneblock_bottleneck.", "bottleneck."],
] as const;

/**
 * Translates our name of a parameter, such as "V2.norm1.0.weight", to the authors' name, "V2.norm1_0.weight".
 */
export function authorsName(name: string): string {
  return pytorchName(name)
    .replace(/\bnorm([123])\.(\d+)\./, "norm$1_$2.")
    .replace(/\bconvInput\b/, "conv_input")
    .replace(/\bnormSkip\b/, "norm_skip");
}

/**
 * Makes the state of a network from tensors with the authors' names, those of VOneNet or of EVNet, with or
 * without the prefix "module.". The fixed tensors of V1, retina and thalamus are left out. All other names must match. (The authors' loader skips names that differ, and so may silently leave a network
 * untrained.)
 *
 * @throws StriateError if tensors are missing, unknown or of another shape; the message names them.
 */
export function stateFromAuthors(
  parameters: NamedParameters,
  tensors: ReadonlyMap<string, TensorData>,
): State {
  const bare = withoutPrefix(tensors);
  for (const name of bare.keys()) {
    if (name.startsWith(SUBCORTICAL) || V1_WEIGHTS.some((fixed) => fixed === name)) bare.delete(name);
  }
  return stateFromPytorch(parameters, bare, { rename: authorsName });
}

/**
 * Returns the filters q0 and q1 from a state dictionary of the authors. Throws `StriateError` if one is
 * missing.
 */
export function authorsFilters(tensors: ReadonlyMap<string, TensorData>): {
  readonly q0: TensorData;
  readonly q1: TensorData;
} {
  const bare = withoutPrefix(tensors);
  const [q0, q1] = V1_WEIGHTS.map((name) => bare.get(name));
  check(q0 && q1, () => `VOneNet weights: "${V1_WEIGHTS.join('" or "')}" is missing`);
  return { q0, q1 };
}

/** Brings the names of both networks' code into one form, that of VOneNet's. */
export function withoutPrefix(tensors: ReadonlyMap<string, TensorData>): Map<string, TensorData> {
  const bare = (name: string): string =>
    PREFIXES.reduce(
      (rest, [prefix, ours]) => (rest.startsWith(prefix) ? ours + rest.slice(prefix.length) : rest),
      name,
    );
  return new Map([...tensors].map(([name, value]) => [bare(name), value]));
}
