import type { DType, TensorData } from "../graph/dtype.js";
import { allocate } from "../graph/dtype.js";
import { isStatic, isStaticShape } from "../graph/dims.js";
import type { Port, Shape, Tensor, WrittenOnnx } from "../graph/index.js";
import { showShape, tensorData } from "../graph/index.js";
import { lowerInParts } from "../graph/lower.js";
import { OnnxFile } from "../graph/onnx/read/read.js";
import { writeOnnxInParts } from "../graph/onnx/write/write.js";
import type { State } from "../nn/module.js";
import { asConstants } from "../nn/training-state.js";
import type { Device, Runtime, SessionOptions, Values } from "../runtime/runtime.js";
import { nextName, sessionOptionsOf, targetOf } from "../runtime/runtime.js";
import type { OpeningOptions } from "../runtime/slow-opening.js";
import { sayIfSlow } from "../runtime/slow-opening.js";
import { StriateError, check } from "../util/errors.js";
import { inSlices } from "../util/slices.js";
import type { RandomLabel } from "../util/random.js";
import { Random } from "../util/random.js";
import { unknownName } from "../util/suggest.js";
import type { ModelDescription, StateStart } from "./model-description.js";
import { describeModel } from "./model-description.js";
import type { StepGraph, SteppedModel } from "./step-graph.js";
import { describeStep, stepOutputs } from "./step-graph.js";
import type { NoiseKind } from "./task.js";

/** A model and the values of its parameters. */
export interface StepSource {
  readonly model: SteppedModel;
  readonly values: State;
}

/** Options that say how a stepper runs. */
export interface StepperOptions extends SessionOptions, OpeningOptions {
  /** Batch size. Default: 1, or the batch size of the file if that is fixed. */
  readonly batch?: number;
  /** Random seed of the initial state and of the noise. Default 0. */
  readonly seed?: RandomLabel;
}

/** Options that say from which state a stepper starts again. */
export interface ResetOptions {
  /**
   * Random seed of the initial state, and of the noise of the following steps. Default: the seed that was
   * used before.
   */
  readonly seed?: RandomLabel;
  /**
   * Values of states by name, such as those from {@link Stepper.readState}. States that are left out get
   * their initial values.
   */
  readonly state?: Values;
}

/** The value of an input: its elements in row-major order, one number for all elements, or a tensor. */
export type StepValue = TensorData | Float32Array | readonly number[] | number;

/** An input that a step takes. */
export interface StepInput extends Port {
  readonly shape: readonly number[];
  /** The default values. */
  readonly default?: readonly number[];
  /**
   * The distribution of the noise, if the input takes noise. The noise is drawn for every step unless the
   * caller gives a value.
   */
  readonly noise?: NoiseKind;
}

/**
 * A system that runs timestep by timestep. The runtime keeps its state; on WebGPU the state never leaves the
 * device.
 */
export interface Stepper {
  readonly device: Device;
  /** The inputs of a step: images, hyper-parameters, noise. All of them may change from step to step. */
  readonly inputs: readonly StepInput[];
  /** The readouts of a step. */
  readonly readouts: readonly Port[];
  /** The states. */
  readonly state: readonly Port[];
  /**
   * Resets the stepper to its initial state, or to the given one. Random draws depend only on the seed.
   *
   * @throws StriateError for a state that does not exist, or a value of another type or shape
   */
  reset(options?: ResetOptions): Promise<void>;
  /**
   * Runs one timestep. Inputs without default values must be given at every step.
   *
   * @returns the readouts by name
   * @throws StriateError for inputs that are missing, unknown or of another shape, and for readouts that are
   * not finite. The state changes only in the last case
   */
  step(inputs?: Readonly<Record<string, StepValue>>): Promise<Record<string, TensorData>>;
  /** Returns a copy of the state. */
  readState(): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

/**
 * Loads one timestep of a system, from a model or from a file that `exportStep` wrote. If a method is called
 * before an earlier call has ended, it waits for that call.
 *
 * @throws StriateError for a parameter without a value, for a file whose metadata name states that its graph
 * does not have, and for inputs or outputs whose shapes are not fixed
 * @example
 * ```ts
 * import { KomplexNet, KomplexNetTask, Random, initialState, openStepper } from "striate";
 * import { nodeRuntime } from "striate/node";
 *
 * const model = new KomplexNetTask(new KomplexNet(), { phases: true });
 * const values = initialState(model.parameters, (name) => Random.derive(1, name));
 * const stepper = await openStepper(nodeRuntime, { model, values }, { seed: 1 });
 * const { phases } = await stepper.step({ images: new Float32Array(32 * 32) });
 * console.log(phases!.shape.join(", ")); // 1, 8, 32, 32
 * await stepper.close();
 * ```
 */
export function openStepper(
  runtime: Runtime,
  source: StepSource | Uint8Array,
  options: StepperOptions = {},
): Promise<Stepper> {
  if (!(source instanceof Uint8Array)) return openModelStepper(runtime, source, options);
  return sayIfSlow(
    openStep(runtime, () => readStep(source, options.batch), options),
    options.onWarning,
  );
}

/**
 * Like `openStepper`, but only for models. A page that calls this function alone does not load the code that reads ONNX
 * files (a third of a small page), if its bundler removes code that nothing uses.
 *
 * @throws StriateError for a parameter without a value, and for inputs or outputs whose shapes are not fixed
 */
export function openModelStepper(
  runtime: Runtime,
  source: StepSource,
  options: StepperOptions = {},
): Promise<Stepper> {
  return sayIfSlow(
    openStep(runtime, () => traceStep(source, options.batch), options),
    options.onWarning,
  );
}

async function openStep(
  runtime: Runtime,
  stepOf: () => OpenedStep,
  options: StepperOptions,
): Promise<Stepper> {
  const step = stepOf();
  const target = targetOf(runtime, options);
  const constants = { values: asConstants(step.values) };
  const lowered = await inSlices(lowerInParts(step.outputs, target, constants));
  const written = await inSlices(writeOnnxInParts(lowered, constants));
  const layout = layoutOf(step, written);
  const { seed = 0 } = options;
  const program = await runtime.createProgram(
    { model: written.bytes, state: startOf(layout, seed) },
    sessionOptionsOf(options),
  );

  let now = { seed, steps: 0 };
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  return {
    device: program.device,
    inputs: layout.inputs,
    readouts: layout.readouts,
    state: layout.state,
    reset: ({ seed = now.seed, state = {} } = {}) =>
      inTurn(async () => {
        const names = layout.state.map(({ name }) => name);
        for (const name of Object.keys(state))
          check(names.includes(name), () => `stepper: ${unknownName("state", name, names)}`);
        await program.writeState({ ...startOf(layout, seed), ...state });
        now = { seed, steps: 0 };
      }),
    step: (given = {}) =>
      inTurn(async () => {
        const feeds = feedsOf(layout.inputs, given, now);
        step.checkInputs?.(feeds);
        const readouts = await program.step(feeds);
        now = { ...now, steps: now.steps + 1 };
        for (const [name, value] of Object.entries(readouts)) checkFinite(name, value, now.steps);
        return readouts;
      }),
    readState: () => inTurn(() => program.readState()),
    close: () => inTurn(() => program.close()),
  };
}

/** One timestep, traced or read from a file. Its next states are the outputs named `next:NAME`. */
interface OpenedStep {
  readonly what: string;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly values: ReadonlyMap<string, TensorData>;
  readonly description: ModelDescription;
  readonly checkInputs?: StepGraph["checkInputs"];
}

function traceStep({ model, values }: StepSource, batch = 1): OpenedStep {
  for (const name of model.parameters.keys())
    check(values.has(name), () => `stepper: parameter "${name}" has no value`);
  const graph = model.step(batch);
  const { checkInputs } = graph;
  return {
    what: "stepper",
    outputs: stepOutputs(graph),
    values,
    description: describeStep(graph, values),
    checkInputs,
  };
}

function readStep(bytes: Uint8Array, batch: number | undefined): OpenedStep {
  const what = "step file";
  const file = new OnnxFile(bytes, what);
  const model = file.read({ inputShapes: withBatch(file.read().inputs, batch, what) });
  const description = describeModel(model.metadata, what);
  const next = Object.entries(description.state ?? {}).map(([name, { output }]) => {
    const tensor = model.outputs[output];
    check(
      tensor !== undefined && model.inputs[name] !== undefined,
      () =>
        `${what}: its metadata say that the output "${output}" feeds the input "${name}", but it has the outputs ` +
        `${Object.keys(model.outputs).join(", ")} and the inputs ${Object.keys(model.inputs).join(", ")}`,
    );
    return [name, output, tensor] as const;
  });
  const fed = new Set(next.map(([, output]) => output));
  return {
    what,
    outputs: {
      ...Object.fromEntries(Object.entries(model.outputs).filter(([name]) => !fed.has(name))),
      ...Object.fromEntries(next.map(([name, , tensor]) => [nextName(name), tensor])),
    },
    values: new Map(Array.from(model.parameters, ([name, { data }]) => [name, data])),
    description,
  };
}

/** The shapes of the inputs, in which the batch size replaces the name of the batch axis. */
function withBatch(
  inputs: Readonly<Record<string, Tensor>>,
  batch: number | undefined,
  what: string,
): Record<string, Shape> {
  const shapes = Object.entries(inputs).map(([name, { shape }]) => [name, shape] as const);
  const names = new Set(shapes.flatMap(([, [first]]) => (typeof first === "string" ? [first] : [])));
  check(
    batch === undefined || names.size > 0,
    () => `${what}: its batch size is fixed: leave out the option batch (${String(batch)})`,
  );
  return Object.fromEntries(
    shapes
      .filter(([, shape]) => shape.some((dim) => typeof dim === "string" && names.has(dim)))
      .map(([name, shape]) => [
        name,
        shape.map((dim) => (typeof dim === "string" && names.has(dim) ? (batch ?? 1) : dim)),
      ]),
  );
}

interface FixedPort extends Port {
  readonly shape: readonly number[];
}

interface Layout {
  readonly inputs: readonly StepInput[];
  readonly readouts: readonly FixedPort[];
  readonly state: readonly (FixedPort & { readonly start: StateStart })[];
}

function layoutOf({ what, description }: OpenedStep, written: WrittenOnnx): Layout {
  const { state = {}, noise = {}, inputs: defaults = {} } = description;
  const inputs = written.inputs.map((port) => fixed(port, what));
  for (const [name, { start }] of Object.entries(state)) {
    const before = inputs.find((port) => port.name === name);
    const after = written.outputs.find((port) => port.name === nextName(name));
    check(
      before && after?.dtype === before.dtype && after.shape.join() === before.shape.join(),
      () =>
        `${what}: the state "${name}": expected the output ${showPort(before)}, like the input, got ${showPort(after)}`,
    );
    check(
      "value" in start || before.dtype === "float32",
      () => `${what}: the state "${name}" is ${before.dtype}, but random initial values are float32`,
    );
  }
  const next = new Set(Object.keys(state).map(nextName));
  return {
    inputs: inputs
      .filter(({ name }) => state[name] === undefined)
      .map((port): StepInput => {
        const own = defaults[port.name];
        const size = sizeOf(port);
        check(
          own === undefined || own.length === size || own.length === 1,
          () => `${what}: "${port.name}": expected ${size} default values or one, got ${own!.length}`,
        );
        const kind = noise[port.name]?.distribution;
        return { ...port, ...(own && { default: own }), ...(kind && { noise: kind }) };
      }),
    readouts: written.outputs.filter(({ name }) => !next.has(name)).map((port) => fixed(port, what)),
    state: inputs.flatMap((port) => {
      const piece = state[port.name];
      return piece === undefined ? [] : [{ ...port, start: piece.start }];
    }),
  };
}

function fixed({ name, dtype, shape }: Port, what: string): FixedPort {
  check(isStaticShape(shape), () => {
    const open = shape.filter((dim) => !isStatic(dim)).join(", ");
    return `${what}: "${name}" is ${dtype}${showShape(shape)}: a step needs known lengths, but ${open} is open`;
  });
  return { name, dtype, shape };
}

function showPort(port: { readonly dtype: DType; readonly shape: Shape } | undefined): string {
  return port === undefined ? "nothing" : `${port.dtype}${showShape(port.shape)}`;
}

function sizeOf({ shape }: FixedPort): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Makes the initial state. */
function startOf({ state }: Layout, seed: RandomLabel): Record<string, TensorData> {
  return Object.fromEntries(
    state.map((port) => {
      const { start, dtype, shape, name } = port;
      const data = allocate(dtype, sizeOf(port));
      if ("value" in start) {
        if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(start.value));
        else data.fill(start.value);
      } else drawInto(data as Float32Array, start, Random.derive(seed, "start", name));
      return [name, { dtype, shape, data }];
    }),
  );
}

function drawInto(data: Float32Array, start: Exclude<StateStart, { value: number }>, random: Random): void {
  if (start.distribution === "normal") random.fillNormal(data);
  else random.fillUniform(data, ...start.range);
}

function feedsOf(
  inputs: readonly StepInput[],
  given: Readonly<Record<string, StepValue>>,
  { seed, steps }: { readonly seed: RandomLabel; readonly steps: number },
): Record<string, TensorData> {
  const names = inputs.map(({ name }) => name);
  for (const name of Object.keys(given))
    check(names.includes(name), () => `stepper: ${unknownName("input", name, names)}`);
  return Object.fromEntries(
    inputs.map((port) => {
      const { name, shape, noise } = port;
      const value = given[name] ?? port.default;
      if (value !== undefined) return [name, valueOf(port, value)];
      check(noise, () => `stepper: the step needs the input "${name}", ${showPort(port)}`);
      const random = Random.derive(seed, "step", steps, name);
      const data = new Float32Array(sizeOf(port));
      return [
        name,
        tensorData(noise === "uniform" ? random.fillUniform(data) : random.fillNormal(data), shape),
      ];
    }),
  );
}

function valueOf(port: FixedPort, value: StepValue): TensorData {
  const { name, dtype, shape } = port;
  const size = sizeOf(port);
  const wrong = (came: string) =>
    new StriateError(`stepper: input "${name}": expected ${showPort(port)}, got ${came}`);
  if (isTensorData(value)) {
    if (value.dtype === dtype && value.shape.join() === shape.join()) return value;
    throw wrong(showPort(value));
  }
  const numbers = typeof value === "number" ? [value] : value;
  if (dtype !== "float32" || (numbers.length !== size && numbers.length !== 1))
    throw wrong(numbers.length === 1 ? "one number" : `${numbers.length} numbers`);
  if (numbers.length === size) return tensorData(Float32Array.from(numbers), shape);
  return tensorData(new Float32Array(size).fill(numbers[0]!), shape);
}

function isTensorData(value: StepValue): value is TensorData {
  return typeof value === "object" && "dtype" in value;
}

function checkFinite(name: string, { dtype, data }: TensorData, step: number): void {
  if (dtype !== "float32") return;
  const bad = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new StriateError(
    `stepper: "${name}" holds ${String(data[bad])} after step ${step}: an input was not finite, or the state has left ` +
      `the range of float32: reset the stepper`,
  );
}
