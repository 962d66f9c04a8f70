import type { TensorData } from "../graph/dtype.js";
import type { RandomSource } from "../graph/tensor.js";
import { Tensor } from "../graph/tensor.js";
import { StriateError } from "../util/errors.js";
import type { Parts } from "../util/slices.js";
import { atOnce } from "../util/slices.js";

/** Parameters (or buffers) of a model by name, in the order in which the model declares them. */
export type NamedParameters = ReadonlyMap<string, Tensor>;

/** Values of a model's parameters and buffers, by name. One model may have many states. */
export type State = Map<string, TensorData>;

/**
 * Names every parameter and buffer of a model after the path of properties that leads to it, such as
 * "convA.weight", as PyTorch does. Returns them by name. Any object can be a model: the function visits all
 * of the object's own properties, and those of nested objects and arrays. A parameter that it reaches by two
 * paths (tied weights) keeps its first name.
 */
export function namedParameters(model: object): NamedParameters {
  const found = new Map<string, Tensor>();
  const seen = new Set<object>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Tensor) {
      const leaf = value.node.leaf;
      if (leaf?.kind !== "parameter") return;
      if (leaf.name !== undefined && leaf.name !== path) {
        throw new StriateError(`parameter "${path}" already belongs to a model that calls it "${leaf.name}"`);
      }
      leaf.name = path;
      found.set(path, value);
      return;
    }
    if (ArrayBuffer.isView(value)) return;
    for (const [key, child] of Object.entries(value)) visit(child, path === "" ? key : `${path}.${key}`);
  };
  visit(model, "");
  return found;
}

/** Whether a tensor is a parameter that training may change. False for buffers, such as a running mean. */
export function isTrainable(tensor: Tensor): boolean {
  return tensor.node.leaf?.kind === "parameter" && tensor.node.leaf.trainable;
}

/**
 * Draws initial values of all parameters. `random(name)` returns the stream of random numbers for the
 * parameter with that name. With a separate stream for each, adding a layer does not change the initial
 * values of the others.
 *
 * @example
 * ```ts
 * import { Linear, Random, initialState, namedParameters } from "striate";
 *
 * const parameters = namedParameters(new Linear(3, 2));
 * const state = initialState(parameters, (name) => Random.derive(1, name));
 * console.log(state.get("weight")!.shape.join(", ")); // 2, 3
 * ```
 */
export function initialState(parameters: NamedParameters, random: (name: string) => RandomSource): State {
  return atOnce(initialStateInParts(parameters, random));
}

/** The same as `initialState`, in parts; the arguments are the same. */
export function* initialStateInParts(
  parameters: NamedParameters,
  random: (name: string) => RandomSource,
): Parts<State> {
  const state: State = new Map();
  for (const [name, tensor] of parameters) {
    yield;
    const leaf = tensor.node.leaf;
    if (leaf?.kind !== "parameter") throw new StriateError(`initial state: "${name}" is not a parameter`);
    const shape = tensor.shape as readonly number[];
    const data = leaf.initialiser(shape, random(name));
    const size = shape.reduce((a, b) => a * b, 1);
    if (data.length !== size) {
      throw new StriateError(`initialiser of "${name}": expected ${size} values, got ${data.length}`);
    }
    state.set(name, { dtype: "float32", shape, data });
  }
  return state;
}
