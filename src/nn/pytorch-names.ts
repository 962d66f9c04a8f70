import type { TensorData } from "../graph/dtype.js";
import { showShape } from "../graph/dims.js";
import { StriateError } from "../util/errors.js";
import type { NamedParameters, State } from "./module.js";

/** Parts of parameter names that PyTorch spells differently. All other parts are spelled alike. */
const SEGMENTS: Readonly<Record<string, string>> = {
  runningMean: "running_mean",
  runningVar: "running_var",
  inProjWeight: "in_proj_weight",
  inProjBias: "in_proj_bias",
  outProj: "out_proj",
};

/** Counters of BatchNorm, which our layers do not have. */
const IGNORED = /(^|\.)num_batches_tracked$/;

/**
 * Converts one of our parameter names, such as "norm.runningMean", to its name in PyTorch's `state_dict`,
 * "norm.running_mean".
 */
export function pytorchName(name: string): string {
  return name
    .split(".")
    .map((segment) => SEGMENTS[segment] ?? segment)
    .join(".");
}

/**
 * Makes a model's state from tensors with PyTorch's names. `rename` maps each of our names to the name of the
 * tensor (default {@link pytorchName}). Tensors that no parameter uses are an error, unless `partial` is
 * true.
 *
 * @throws StriateError if tensors are missing, unused, or of another shape or type; the message names up to
 * four of them
 */
export function stateFromPytorch(
  parameters: NamedParameters,
  tensors: ReadonlyMap<string, TensorData>,
  options: { readonly rename?: (name: string) => string; readonly partial?: boolean } = {},
): State {
  const { rename = pytorchName, partial = false } = options;
  const state: State = new Map();
  const problems: string[] = [];
  const used = new Set<string>();
  for (const [name, { shape }] of parameters) {
    const source = rename(name);
    used.add(source);
    const value = tensors.get(source);
    if (value === undefined) problems.push(`"${source}" is missing`);
    else if (value.dtype !== "float32" || value.shape.join() !== shape.join()) {
      problems.push(
        `"${source}": expected float32${showShape(shape)}, got ${value.dtype}${showShape(value.shape)}`,
      );
    } else state.set(name, value);
  }
  for (const name of tensors.keys()) {
    if (!partial && !used.has(name) && !IGNORED.test(name)) problems.push(`"${name}" is not in the model`);
  }
  if (problems.length > 0) {
    const more = problems.length > 4 ? `; and ${problems.length - 4} more` : "";
    throw new StriateError(`weights do not fit the model: ${problems.slice(0, 4).join("; ")}${more}`);
  }
  return state;
}
