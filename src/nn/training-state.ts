import type { Shape, Target, Tensor, WriteOptions, WrittenOnnx } from "../graph/index.js";
import type { DType, TensorData } from "../graph/dtype.js";
import { lowerInParts } from "../graph/lower.js";
import { writeOnnxInParts } from "../graph/onnx/write/write.js";
import { checkTensor } from "../util/check.js";
import { StriateError } from "../util/errors.js";
import type { Parts } from "../util/slices.js";
import { atOnce } from "../util/slices.js";
import type { State } from "./module.js";

/**
 * The kind of a piece of state: a trained parameter ("param"), a running statistic ("buffer"), state of the
 * optimizer, a moving average ("ema"), or the sum of gradients so far ("accumulated"), which is 0 between two steps of
 * the optimizer.
 */
export type StateKind = "param" | "buffer" | "optimizer" | "ema" | "accumulated";

/**
 * One piece of state. The graph reads its current value from `input` and writes its next value to `output`.
 */
export interface StateSpec {
  readonly name: string;
  readonly kind: StateKind;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly input: string;
  readonly output: string;
  /**
   * The initial value: the model's value of the named parameter or buffer, or one number for all elements.
   */
  readonly initial: { readonly parameter: string } | { readonly value: number };
}

/**
 * A training step as one graph: forward and backward pass, clipping, optimizer, running statistics, moving
 * average.
 */
export interface TrainingStep {
  /** The outputs of the graph by name: metrics and next states. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /**
   * Those inputs from `TrainingStepOptions.inputs` that the graph uses. The host feeds them at every step, in
   * addition to the scalars.
   */
  readonly inputs: readonly { readonly name: string; readonly dtype: DType; readonly shape: Shape }[];
  /**
   * Scalar float32 inputs that the host feeds, if the graph depends on them: "learningRate"; "step", the number of
   * steps done before this one; and "last", 1 in the last run of a step and 0 in those before it.
   */
  readonly scalarInputs: readonly string[];
  readonly state: readonly StateSpec[];
  /**
   * Names of the outputs that are not state: "loss", "gradientNorm", "finite" (1 or 0), and the metrics of
   * the caller.
   */
  readonly metrics: readonly string[];
  /** Frozen parameters and buffers, which the step does not change. Their values become constants of the graph. */
  readonly frozen: readonly string[];
}

/** The inputs and outputs of a training step, without its graph. */
export type TrainingLayout = Omit<TrainingStep, "outputs">;

/** Name of the input of a training step for the number of steps done before it, a scalar float32. */
export const STEP_INPUT = "step";
/** Name of the input of a training step for the learning rate, a scalar float32. */
export const LEARNING_RATE_INPUT = "learningRate";
/** Name of the input of a training step that is 1 in the last run of a step and 0 in those before it, a scalar float32. */
export const LAST_INPUT = "last";

/** Name of the optimizer's slot `slot` for a parameter, in a state. */
export const slotName = (slot: string, parameter: string): string => `optimizer.${slot}.${parameter}`;
/** Name of the sum of a parameter's gradients in a state. */
export const accumulatedName = (parameter: string): string => `accumulated.${parameter}`;
/** Name of the moving average of a parameter in a state. */
export const emaName = (parameter: string): string => `ema.${parameter}`;

/**
 * Lowers a step and writes it as one ONNX model. Frozen parameters become constants with their values from
 * `values`, which may have further entries.
 *
 * @throws StriateError for a frozen parameter without a value.
 */
export function writeTrainingStep(
  step: TrainingStep,
  values: State,
  target: Target,
  options: Omit<WriteOptions, "values"> = {},
): WrittenOnnx {
  return atOnce(writeTrainingStepInParts(step, values, target, options));
}

/** The same as `writeTrainingStep`, in parts; the arguments are the same. */
export function* writeTrainingStepInParts(
  step: TrainingStep,
  values: State,
  target: Target,
  options: Omit<WriteOptions, "values"> = {},
): Parts<WrittenOnnx> {
  const frozen = { values: asConstants(frozenValues(step, values)) };
  const lowered = yield* lowerInParts(step.outputs, target, frozen);
  return yield* writeOnnxInParts(lowered, { ...options, ...frozen });
}

/**
 * Makes the option `values` of `writeOnnx`. Parameters that have an entry in `values` become constants of the
 * file; the others remain inputs.
 */
export function asConstants(
  values: ReadonlyMap<string, TensorData>,
): (parameter: Tensor) => TensorData | undefined {
  return ({ node: { leaf } }) =>
    leaf?.kind === "parameter" && leaf.name !== undefined ? values.get(leaf.name) : undefined;
}

/**
 * Makes the state before the first step: parameters, buffers and moving averages start at the model's values,
 * and the optimizer's state at constants.
 *
 * @throws StriateError for a parameter without a value.
 */
export function initialTrainingState(step: TrainingStep, values: State): State {
  const state: State = new Map();
  for (const { name, dtype, shape, initial } of step.state) {
    if ("parameter" in initial) {
      const value = values.get(initial.parameter);
      if (value === undefined)
        throw new StriateError(`training: parameter "${initial.parameter}" has no value`);
      checkTensor(`training: "${initial.parameter}"`, value, dtype, shape);
      state.set(name, { dtype, shape, data: value.data.slice() });
    } else {
      const size = shape.reduce((a, b) => a * b, 1);
      state.set(name, { dtype, shape, data: new Float32Array(size).fill(initial.value) });
    }
  }
  return state;
}

/**
 * Takes the model's values from a training state and adds the frozen ones. If `averaged` is true, the moving
 * average of a parameter or buffer replaces its value if there is one.
 */
export function modelValues(
  step: TrainingLayout,
  state: ReadonlyMap<string, TensorData>,
  frozen: ReadonlyMap<string, TensorData>,
  options: { readonly averaged?: boolean } = {},
): State {
  const values = frozenValues(step, frozen);
  for (const { name, kind } of step.state) {
    if (kind !== "param" && kind !== "buffer") continue;
    const source = options.averaged === true && state.has(emaName(name)) ? emaName(name) : name;
    const value = state.get(source);
    if (value === undefined) throw new StriateError(`training state: "${source}" is missing`);
    values.set(name, value);
  }
  return values;
}

/** The values of the parameters and buffers that the step does not change. */
export function frozenValues(step: TrainingLayout, values: ReadonlyMap<string, TensorData>): State {
  return new Map(
    step.frozen.map((name) => {
      const value = values.get(name);
      if (value === undefined) throw new StriateError(`training: frozen parameter "${name}" has no value`);
      return [name, value];
    }),
  );
}
