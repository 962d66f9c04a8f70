import type { Dim } from "../graph/index.js";
import { Tensor } from "../graph/index.js";
import type { TensorData } from "../graph/dtype.js";
import type { NamedParameters, State } from "../nn/module.js";
import { nextName } from "../runtime/runtime.js";
import { check } from "../util/errors.js";
import type { ModelDescription, StateStart } from "./model-description.js";
import { inputNames, noiseInputs } from "./model-description.js";
import type { NoiseKind } from "./task.js";

/** A state of a system, which is carried from step to step. Its name is that of its graph input. */
export interface StepState {
  /** The value at the next step, of the input's shape. */
  readonly next: Tensor;
  readonly start: StateStart;
}

/** The default values, or the parameter that holds them. */
export type StepDefault = readonly number[] | Tensor;

/** One traced timestep: state as inputs, next state and readouts as outputs. */
export interface StepGraph {
  /** State by the name of its input. */
  readonly state: Readonly<Record<string, StepState>>;
  /** The readouts of the step by name. */
  readonly readouts: Readonly<Record<string, Tensor>>;
  /** Noise inputs that are drawn for every step. Noise that is drawn once is a state that never changes. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Default values of inputs, such as hyper-parameters. */
  readonly defaults?: Readonly<Record<string, StepDefault>>;
  /** "several" if an image may have more than one label. Default "one". */
  readonly labels?: "one" | "several";
  /** Throws `StriateError` for values of inputs that contradict each other. */
  readonly checkInputs?: (values: Readonly<Record<string, TensorData>>) => void;
}

/** A model that can run one timestep at a time. */
export interface SteppedModel {
  readonly parameters: NamedParameters;
  /** Traces one timestep; the batch may be named ("batch") for export. */
  step(batch: Dim): StepGraph;
}

/** A state that counts the previous steps, for systems whose first step differs from the others. */
export const TIMESTEP = "timestep";

/** All outputs of a step: readouts, and the next state as `next:NAME`. */
export function stepOutputs({ readouts, state }: StepGraph): Record<string, Tensor> {
  const next = Object.entries(state).map(([name, piece]) => [nextName(name), piece.next] as const);
  return { ...readouts, ...Object.fromEntries(next) };
}

/**
 * Describes a step for those who run it.
 *
 * @param values of the parameters
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
