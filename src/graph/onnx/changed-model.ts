import { substitute } from "../substitute.js";
import type { Tensor } from "../tensor.js";
import { topologicalOrder } from "../topological-order.js";
import type { NoiseKind } from "./convert/conversion.js";
import type { ImportedModel } from "./read/read.js";
import type { ImportedParameter } from "./read/read-graph.js";

/** A change of an imported model. */
export interface ModelChange {
  /** The tensors that are replaced, each with its replacement. */
  readonly replacements: ReadonlyMap<Tensor, Tensor>;
  /** The outputs before the replacement. Default: those of the model. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** Further inputs, by name; an input of the same name is replaced. */
  readonly inputs?: Readonly<Record<string, Tensor>>;
  /** New parameters with their values. */
  readonly parameters: ReadonlyMap<string, ImportedParameter>;
  /** The kinds of noise of the new inputs that take noise. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** The metadata of the new model. Default: those of the model. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A copy of an imported model in which some tensors are replaced by others, such as a new last layer. The copy is again
 * an imported model, so several changes can follow one another. Its inputs and parameters are those that its outputs
 * still read. Its named values are those of the model, computed from the replacements.
 *
 * @throws StriateError if a replacement does not fit the operators that read it
 */
export function changedModel(model: ImportedModel, change: ModelChange): ImportedModel {
  const { replacements, outputs: kept = model.outputs, inputs = {}, noise = {}, metadata } = change;
  const all = substitute(
    {
      ...keyed("output", Object.entries(kept)),
      ...keyed("value", model.values),
      ...keyed("node", model.nodes),
    },
    replacements,
  );
  const outputs = Object.fromEntries(Object.keys(kept).map((name) => [name, all[`output:${name}`]!]));
  const leaves = new Set(
    topologicalOrder(Object.values(outputs)).flatMap((node) => (node.leaf ? node.outputs : [])),
  );
  const read = ([, tensor]: readonly [string, Tensor]) => leaves.has(tensor);
  const ports = Object.fromEntries(Object.entries({ ...model.inputs, ...inputs }).filter(read));
  return {
    ...model,
    inputs: ports,
    outputs,
    values: renamed("value", model.values, all),
    nodes: renamed("node", model.nodes, all),
    parameters: new Map(
      [...model.parameters, ...change.parameters].filter(([, { tensor }]) => leaves.has(tensor)),
    ),
    noise: Object.fromEntries(
      Object.entries({ ...model.noise, ...noise }).filter(([name]) => ports[name] !== undefined),
    ),
    metadata: metadata ?? model.metadata,
  };
}

function keyed(kind: string, tensors: Iterable<readonly [string, Tensor]>): Record<string, Tensor> {
  return Object.fromEntries(Array.from(tensors, ([name, tensor]) => [`${kind}:${name}`, tensor]));
}

function renamed(
  kind: string,
  before: ReadonlyMap<string, Tensor>,
  all: Readonly<Record<string, Tensor>>,
): ReadonlyMap<string, Tensor> {
  return new Map(Array.from(before.keys(), (name) => [name, all[`${kind}:${name}`]!]));
}
