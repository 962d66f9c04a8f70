import type { TensorData } from "../graph/dtype.js";
import { showShape } from "../graph/dims.js";
import { StriateError } from "../util/errors.js";
import type { NamedParameters, State } from "./module.js";

/** Parts of our names that PyTorch's layers spell differently; all other parts are the same. */
const SEGMENTS: Readonly<Record<string, string>> = {
  runningMean: "running_mean",
  runningVar: "running_var",
  inProjWeight: "in_proj_weight",
  inProjBias: "in_proj_bias",
  outProj: "out_proj",
};

/** Counters of BatchNorm, which our layers do not have. */
const IGNORED = /(^|\.)num_batches_tracked$/;

/** Our name of a parameter ("norm.runningMean") as in PyTorch's `state_dict` ("norm.running_mean"). */
export function pytorchName(name: string): string {
  return name
    .split(".")
    .map((segment) => SEGMENTS[segment] ?? segment)
    .join(".");
}

/**
 * A model's state from tensors under PyTorch's names. `rename` maps our names to those of the source (default
 * {@link pytorchName}); further tensors are an error unless `partial`.
 *
 * @throws StriateError if tensors are missing, left over or of another shape; the error names them
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
        `"${source}" is ${value.dtype}${showShape(value.shape)}, expected float32${showShape(shape)}`,
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
