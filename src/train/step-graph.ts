import type { Dim } from "../graph/index.js";
import { Tensor } from "../graph/index.js";
import type { TensorData } from "../graph/dtype.js";
import type { NamedParameters, State } from "../nn/module.js";
import { nextName } from "../runtime/runtime.js";
import { check } from "../util/errors.js";
import type { ModelDescription, StateStart } from "./model-description.js";
import { inputNames, noiseInputs } from "./model-description.js";
import type { NoiseKind } from "./task.js";

/**
 * A state of a system, which is carried from step to step. The state has the same name as its graph input.
 */
export interface StepState {
  /** The value at the next step. It has the same shape as the input. */
  readonly next: Tensor;
  readonly start: StateStart;
}

/** The default values of an input, or the parameter that holds them. */
export type StepDefault = readonly number[] | Tensor;

/** One traced timestep. Its inputs include the state; its outputs are the next state and the readouts. */
export interface StepGraph {
  /** The states, by the names of their inputs. */
  readonly state: Readonly<Record<string, StepState>>;
  /** The readouts of the step by name. */
  readonly readouts: Readonly<Record<string, Tensor>>;
  /**
   * For each input that takes noise, the distribution of the noise, which is drawn for every step. Noise that
   * is to be drawn only once is a state that never changes.
   */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Default values of inputs, such as hyper-parameters. */
  readonly defaults?: Readonly<Record<string, StepDefault>>;
  /** "several" if an image may have more than one label. Default "one". */
  readonly labels?: "one" | "several";
  /** Throws `StriateError` if the values of inputs contradict each other. */
  readonly checkInputs?: (values: Readonly<Record<string, TensorData>>) => void;
}

/** A model that can run one timestep at a time. */
export interface SteppedModel {
  readonly parameters: NamedParameters;
  /** Traces one timestep. For export, `batch` may be a name ("batch") instead of a number. */
  step(batch: Dim): StepGraph;
}

/** A state that counts the previous steps, for systems whose first step differs from the others. */
export const TIMESTEP = "timestep";

/** All outputs of a step: the readouts, and the next states under the names `next:NAME`. */
export function stepOutputs({ readouts, state }: StepGraph): Record<string, Tensor> {
  const next = Object.entries(state).map(([name, piece]) => [nextName(name), piece.next] as const);
  return { ...readouts, ...Object.fromEntries(next) };
}

/**
 * Describes the inputs and states of a step, which are needed to run it.
 *
 * @param values the values of the parameters
 * @throws StriateError if a parameter that is the default of an input has no value
 */
export function describeStep(graph: StepGraph, values: State): ModelDescription {
  const { state, noise = {}, defaults = {}, labels } = graph;
  const outputs = stepOutputs(graph);
  const taken = inputNames(outputs);
  return {
    state: Object.fromEntries(
      Object.entries(state).map(([name, { start }]) => [name, { output: nextName(name), start }]),
    ),
    noise: noiseInputs(outputs, noise),
    inputs: Object.fromEntries(
      Object.entries(defaults)
        .filter(([name]) => taken.has(name))
        .map(([name, own]) => [name, own instanceof Tensor ? valuesOf(own, values) : own]),
    ),
    ...(labels && { labels }),
  };
}

function valuesOf({ node: { leaf } }: Tensor, values: State): number[] {
  const name = leaf?.kind === "parameter" ? leaf.name : undefined;
  const value = name === undefined ? undefined : values.get(name);
  check(value, () => `stepper: parameter "${name ?? "unnamed"}" has no value`);
  return Array.from(value.data, Number);
}
