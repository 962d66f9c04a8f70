import type { Tensor } from "../graph/index.js";
import {
  abs,
  add,
  cast,
  input,
  greater,
  lessOrEqual,
  scaledAdd,
  showShape,
  sub,
  topologicalOrder,
  where,
} from "../graph/index.js";
import { isStaticShape } from "../graph/dims.js";
import { gradientsInParts } from "../graph/gradient.js";
import { operatorOf } from "../graph/operator.js";
import { scopeOfParts } from "../graph/tensor.js";
import { nextName } from "../runtime/runtime.js";
import { checkTensor, checkWhole } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";
import type { Parts } from "../util/slices.js";
import { atOnce } from "../util/slices.js";
import { clipByGlobalNorm, clipByValue, globalNorm } from "./clip.js";
import type { MovingAverage } from "./ema.js";
import { averaged } from "./ema.js";
import type { NamedParameters } from "./module.js";
import { isTrainable } from "./module.js";
import type { Named, Optimizer } from "./optimizer.js";
import type { StateKind, StateSpec, TrainingStep } from "./training-state.js";
import {
  LAST_INPUT,
  LEARNING_RATE_INPUT,
  STEP_INPUT,
  accumulatedName,
  emaName,
  slotName,
} from "./training-state.js";

/** Options of `trainingStep`. */
export interface TrainingStepOptions {
  /**
   * Inputs that the host feeds at every step, including noise. The inputs for step counter and learning rate
   * are added to them.
   */
  readonly inputs: readonly Tensor[];
  /** The loss, a float32 scalar. */
  readonly loss: Tensor;
  /** Further values to return from every step, by name. */
  readonly metrics?: Readonly<Record<string, Tensor>>;
  /** All parameters and buffers of the model (`namedParameters`). */
  readonly parameters: NamedParameters;
  /**
   * Returns whether to train the trainable parameter with a given name (default: all); the others are frozen.
   */
  readonly trainable?: (name: string) => boolean;
  /** Buffers with their next values (`TrainingPass.updates`). */
  readonly updates?: readonly (readonly [buffer: Tensor, next: Tensor])[];
  readonly optimizer: Optimizer;
  /**
   * Whether to compute the results inside a timestep once more in the backward pass instead of keeping them
   * (default false; see `recomputable`). This needs less memory and more time.
   */
  readonly recompute?: boolean;
  /** Largest global norm of the gradients (default: no clipping). */
  readonly clipNorm?: number;
  /** Largest magnitude of one gradient element, applied after `clipNorm` (default: no clipping). */
  readonly clipValue?: number;
  /**
   * Number of runs of the graph for one step of the optimizer (default 1). The gradients of these runs are averaged in
   * further state, and all but the last run leave parameters, optimizer and moving averages unchanged; the host says
   * which run is the last (`LAST_INPUT`). Buffers, such as running statistics, change in every run.
   */
  readonly accumulate?: number;
  /** A moving average to keep of all parameters and buffers that the step changes (default: none). */
  readonly ema?: MovingAverage;
  /**
   * Whether to leave all state unchanged if the loss or a gradient is not finite (default false). This costs
   * one more pass over the state.
   */
  readonly skipNonFinite?: boolean;
}

/**
 * Builds the training step. Buffers without an update are frozen. So are parameters that `trainable` excludes
 * and those that no gradient of the loss reaches, which PyTorch's optimizers do not change either. The
 * average of a frozen value is the value itself, so there is no "ema." state for it.
 *
 * @throws StriateError if the loss is not a float32 scalar, something other than a buffer of the model is
 * updated, the loss or a metric needs an input that is not listed, names collide, there is nothing to train,
 * or `accumulate` is given together with `skipNonFinite`.
 */
export function trainingStep(options: TrainingStepOptions): TrainingStep {
  return atOnce(trainingStepInParts(options));
}

/** The same as `trainingStep`, in parts; the arguments are the same. */
export function* trainingStepInParts(options: TrainingStepOptions): Parts<TrainingStep> {
  const { loss, optimizer, recompute = false } = options;
  check(
    loss.rank === 0 && loss.dtype === "float32",
    () => `training step: expected a float32 scalar as loss, got ${loss.dtype}${showShape(loss.shape)}`,
  );
  const trained = trainedParameters(options);
  const step = input(STEP_INPUT, []);
  const learningRate = input(LEARNING_RATE_INPUT, []);
  const { accumulate = 1 } = options;
  checkWhole("training step: accumulate", accumulate);
  check(
    accumulate === 1 || options.skipNonFinite !== true,
    () => "training step: expected accumulate or skipNonFinite, got both",
  );
  const builder = new StateBuilder();
  const returned: Record<string, Tensor> = {};

  const changes = function* (): Parts<void> {
    const names = [...trained.keys()];
    const own: Named = zip(names, yield* gradientsInParts(loss, [...trained.values()], { recompute }));
    const raw = accumulate === 1 ? own : addAccumulated(builder, own, accumulate);
    const norm = globalNorm(raw);
    const finite = isFinite(add(loss, norm));
    if (options.skipNonFinite === true) builder.onlyIf = () => finite;
    Object.assign(returned, { loss, gradientNorm: norm, finite: cast(finite, "float32") });

    const clipped =
      options.clipNorm === undefined ? raw : clipByGlobalNorm(raw, options.clipNorm, norm).gradients;
    const final = options.clipValue === undefined ? clipped : clipByValue(clipped, options.clipValue);
    const slots = Object.fromEntries(
      optimizer.slots.map((slot) => [
        slot,
        mapNamed(trained, (parameter, name) => input(slotName(slot, name), parameter.shape)),
      ]),
    );
    const result = optimizer.update({ parameters: trained, gradients: final, slots, step, learningRate });
    for (const [name, parameter] of trained)
      builder.add("param", name, parameter, result.parameters.get(name)!);
    addBuffers(builder, options);
    const changed = builder.state.flatMap(({ name, kind }) => (kind === "accumulated" ? [] : [name]));
    for (const slot of optimizer.slots) {
      for (const [name, old] of slots[slot]!) {
        builder.add("optimizer", slotName(slot, name), old, result.slots[slot]!.get(name)!, { value: 0 });
      }
    }
    if (options.ema !== undefined) addAverages(builder, options.ema, changed, step);
    yield;
  };
  yield* scopeOfParts("trainingStep", changes());

  for (const [name, metric] of Object.entries(options.metrics ?? {})) {
    check(returned[name] === undefined, () => `training step: the metric name "${name}" is already in use`);
    returned[name] = metric;
  }
  // ONNX Runtime computes the last outputs first. With the norm of the gradients at the end, it is computed
  // before the updates, which may then overwrite the gradients.
  const outputs = { ...builder.outputs, ...returned };
  const owned = new Set(builder.state.map(({ name }) => name));
  const scalars = [LEARNING_RATE_INPUT, STEP_INPUT, LAST_INPUT];
  const used = checkInputs(outputs, options, new Set([...owned, ...scalars]));
  return {
    outputs,
    inputs: options.inputs
      .map((x) => ({ name: inputName(x), dtype: x.dtype, shape: x.shape }))
      .filter(({ name }) => used.has(name)),
    scalarInputs: scalars.filter((name) => used.has(name)),
    state: builder.state,
    metrics: Object.keys(returned),
    frozen: [...options.parameters.keys()].filter((name) => !owned.has(name)),
  };
}

/** Collects state and its next values. */
class StateBuilder {
  readonly state: StateSpec[] = [];
  readonly outputs: Record<string, Tensor> = {};
  /** Current and next value of each piece of state. */
  readonly values = new Map<string, { readonly old: Tensor; readonly next: Tensor }>();
  /** The condition under which state of a kind changes; undefined if it always does. */
  onlyIf: (kind: StateKind) => Tensor | undefined = () => undefined;

  add(
    kind: StateKind,
    name: string,
    old: Tensor,
    next: Tensor,
    initial: StateSpec["initial"] = { parameter: name },
  ): void {
    if (!isStaticShape(old.shape))
      throw new StriateError(`training step: "${name}": expected a fixed shape, got ${showShape(old.shape)}`);
    checkTensor(`training step: next value of "${name}"`, next, old.dtype, old.shape);
    check(!this.values.has(name), () => `training step: two pieces of state are named "${name}"`);
    const output = nextName(name);
    this.values.set(name, { old, next });
    this.state.push({ name, kind, dtype: old.dtype, shape: old.shape, input: name, output, initial });
    const condition = this.onlyIf(kind);
    this.outputs[output] = condition === undefined ? next : where(condition, next, old);
  }
}

/** Adds the gradients of one run, divided by the number of runs, to those of the runs before it. Returns the sums. */
function addAccumulated(builder: StateBuilder, gradients: Named, runs: number): Named {
  const last = greater(input(LAST_INPUT, []), 0.5);
  builder.onlyIf = (kind) => (kind === "buffer" || kind === "accumulated" ? undefined : last);
  return mapNamed(gradients, (gradient, name) => {
    const before = input(accumulatedName(name), gradient.shape);
    const sum = scaledAdd(gradient, 1 / runs, before);
    builder.add("accumulated", accumulatedName(name), before, where(last, 0, sum), { value: 0 });
    return sum;
  });
}

function addBuffers(builder: StateBuilder, { parameters, updates = [] }: TrainingStepOptions): void {
  const names = new Map(Array.from(parameters, ([name, tensor]) => [tensor, name]));
  for (const [buffer, next] of updates) {
    const name = names.get(buffer);
    if (name === undefined || isTrainable(buffer)) {
      throw new StriateError(`training step: updates: expected a buffer of the model, got ${String(buffer)}`);
    }
    builder.add("buffer", name, buffer, next);
  }
}

function addAverages(
  builder: StateBuilder,
  ema: MovingAverage,
  changed: readonly string[],
  step: Tensor,
): void {
  const rate = ema.rate(step);
  const kept = typeof rate === "number" ? 1 - rate : sub(1, rate);
  for (const name of changed) {
    const { old, next } = builder.values.get(name)!;
    const average = input(emaName(name), old.shape);
    builder.add("ema", emaName(name), average, averaged(average, next, rate, kept), { parameter: name });
  }
}

function trainedParameters({ loss, parameters, trainable = () => true }: TrainingStepOptions): Named {
  const reached = differentiable(loss);
  const trained = new Map(
    [...parameters].filter(([name, tensor]) => isTrainable(tensor) && reached.has(tensor) && trainable(name)),
  );
  check(trained.size > 0, () => "training step: there is no trainable parameter that the loss depends on");
  return trained;
}

/** Finds the tensors that receive a gradient from the loss. */
function differentiable(loss: Tensor): Set<Tensor> {
  const reached = new Set<Tensor>([loss]);
  for (const node of topologicalOrder([loss]).reverse()) {
    if (!node.outputs.some((output) => reached.has(output))) continue;
    if (operatorOf(node.type)?.gradient === "zero") continue;
    for (const operand of node.inputs) if (operand !== undefined) reached.add(operand);
  }
  return reached;
}

/** Returns the names of all inputs on which the outputs depend. Throws `StriateError` if one is not known. */
function checkInputs(
  outputs: Readonly<Record<string, Tensor>>,
  { inputs, parameters }: TrainingStepOptions,
  known: ReadonlySet<string>,
): ReadonlySet<string> {
  const used = new Set<string>();
  const listed = new Set(inputs.map(inputName));
  for (const { leaf } of topologicalOrder(Object.values(outputs))) {
    if (leaf?.kind === "input") used.add(leaf.name);
    if (leaf?.kind === "input" && !listed.has(leaf.name) && !known.has(leaf.name)) {
      throw new StriateError(`training step: the input "${leaf.name}" is used but not listed`);
    }
    if (leaf?.kind === "parameter" && (leaf.name === undefined || !parameters.has(leaf.name))) {
      throw new StriateError(
        `training step: the loss or a metric uses the parameter "${leaf.name ?? "unnamed"}", which is not one of the model's`,
      );
    }
  }
  for (const name of listed) {
    check(!known.has(name), () => `training step: the input "${name}" has the same name as a piece of state`);
  }
  return used;
}

function isFinite(value: Tensor): Tensor {
  // The comparison is false for NaN, too. IsNaN and IsInf are not available on every device.
  return lessOrEqual(abs(value), 3.4028234663852886e38);
}

function inputName(tensor: Tensor): string {
  const leaf = tensor.node.leaf;
  if (leaf?.kind !== "input")
    throw new StriateError(`training step: inputs: expected graph inputs, got ${String(tensor)}`);
  return leaf.name;
}

function zip(names: readonly string[], tensors: readonly Tensor[]): Map<string, Tensor> {
  return new Map(names.map((name, i) => [name, tensors[i]!]));
}

function mapNamed(tensors: Named, map: (tensor: Tensor, name: string) => Tensor): Map<string, Tensor> {
  return new Map(Array.from(tensors, ([name, tensor]) => [name, map(tensor, name)]));
}
