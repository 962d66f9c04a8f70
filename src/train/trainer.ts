import { Batches } from "../data/batches.js";
import type { MovingAverage } from "../nn/ema.js";
import type { State } from "../nn/module.js";
import { initialStateInParts } from "../nn/module.js";
import type { Optimizer } from "../nn/optimizer.js";
import { adam } from "../nn/optimizers.js";
import type { Schedule } from "../nn/schedules.js";
import { constantRate } from "../nn/schedules.js";
import type { TrainingLayout, TrainingStep } from "../nn/training-state.js";
import {
  LAST_INPUT,
  LEARNING_RATE_INPUT,
  STEP_INPUT,
  frozenValues,
  initialTrainingState,
  modelValues,
} from "../nn/training-state.js";
import { trainingStepInParts } from "../nn/training-step.js";
import { showShape } from "../graph/index.js";
import type { TensorData } from "../graph/dtype.js";
import { scalarData } from "../graph/dtype.js";
import { average } from "../metrics/statistics.js";
import type { Program, Runtime, SessionOptions } from "../runtime/runtime.js";
import type { OpeningOptions } from "../runtime/slow-opening.js";
import { sessionOptionsOf, targetOf } from "../runtime/runtime.js";
import { checkShape, checkWhole, nonFiniteTensor } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";
import type { Parts } from "../util/slices.js";
import { atOnce, inSlices } from "../util/slices.js";
import { Random } from "../util/random.js";
import type { LossGraph, Task, TrainingData } from "./task.js";
import { stepModel } from "./step-model.js";
import { fillInputs } from "./task.js";

/** All settings of a training run except the task and its data. */
export interface Recipe {
  readonly batchSize: number;
  /**
   * Number of batches whose gradients are averaged for one step of the optimizer. Default 1. The result is that of one
   * batch of `batchSize` x `accumulate` samples up to rounding, with the memory of one batch, if the loss is a mean over
   * samples. Losses and layers that join the samples of a batch see `batchSize` samples: batch normalisation in training
   * takes its statistics from them, and updates the running ones once for each batch.
   */
  readonly accumulate?: number;
  /** Random seed of the initial parameters, the order of the samples, and the noise. */
  readonly seed: number;
  /** The optimizer. Default: Adam with PyTorch's defaults. */
  readonly optimizer?: Optimizer;
  /** The learning rate. Default: constant 0.001. */
  readonly learningRate?: number | Schedule;
  /** Largest global norm of the gradients; larger gradients are scaled down to it. Default: no such limit. */
  readonly clipNorm?: number;
  readonly clipValue?: number;
  /** Moving average of the parameters. Default: none. */
  readonly ema?: MovingAverage;
  /**
   * Whether the backward pass computes the results inside a timestep once more instead of keeping them, for networks
   * that unroll timesteps. This needs less memory and more time (docs/engine.md), and changes results at most by
   * rounding. Default: only if memory is short, which `onWarning` is then told.
   */
  readonly recompute?: boolean;
  /** Whether to train the parameter of this name. Default: all trainable parameters are trained. */
  readonly trainable?: (name: string) => boolean;
  /** Initial values of some or all parameters, which replace the random ones. */
  readonly values?: ReadonlyMap<string, TensorData>;
}

/** Scalars of one step, by name: "loss", "gradientNorm", "learningRate" and the task's own. */
export type StepMetrics = Readonly<Record<string, number>> & { readonly loss: number };

/** The state from which a training run continues. */
export interface TrainerState {
  readonly step: number;
  readonly tensors: ReadonlyMap<string, TensorData>;
}

/**
 * Advances a task step by step. One step is one run of one graph, which includes the forward and backward
 * passes, clipping, the optimizer, running statistics and the moving average. The next batch is prepared
 * while the runtime computes.
 */
export class Trainer {
  #step: number;
  readonly #learningRate: Schedule;
  #next: { readonly step: number; readonly feeds: Promise<Record<string, TensorData>> } | undefined;

  private constructor(
    readonly training: TrainingLayout,
    readonly batches: Batches,
    private readonly program: Program,
    private readonly loss: { readonly [K in "noise" | "classes"]: LossGraph[K] | undefined },
    private readonly data: TrainingData,
    private readonly recipe: Recipe,
    private readonly frozen: State,
    step: number,
  ) {
    this.#step = step;
    const { learningRate = 0.001 } = recipe;
    this.#learningRate = typeof learningRate === "number" ? constantRate(learningRate) : learningRate;
  }

  /**
   * Traces the training step, lowers it for the device and loads it.
   *
   * @throws StriateError if data, task and device do not fit together, or if the state in `from` belongs to
   * another model.
   */
  static async open(
    task: Task,
    data: TrainingData,
    recipe: Recipe,
    runtime: Runtime,
    options: SessionOptions & OpeningOptions & { readonly from?: TrainerState } = {},
  ): Promise<Trainer> {
    const { batchSize, accumulate = 1, seed, optimizer = adam() } = recipe;
    const { clipNorm, clipValue, ema, recompute, trainable } = recipe;
    checkWhole("training: accumulate", accumulate);
    const batches = new Batches({ count: data.count, batchSize: batchSize * accumulate, seed });
    const loss = task.loss(batchSize);
    const trace = function* (recompute: boolean): Parts<TrainingStep> {
      const training = yield* trainingStepInParts({
        inputs: loss.inputs,
        loss: loss.loss,
        parameters: task.parameters,
        optimizer,
        accumulate,
        recompute,
        ...(loss.metrics && { metrics: loss.metrics }),
        ...(loss.updates && { updates: loss.updates }),
        ...(clipNorm !== undefined && { clipNorm }),
        ...(clipValue !== undefined && { clipValue }),
        ...(ema && { ema }),
        ...(trainable && { trainable }),
      });
      if (accumulate > 1) checkBatchAxis(training, batchSize);
      return training;
    };
    const initial = await inSlices(initialValuesInParts(task, recipe));
    const { from, onWarning = console.warn } = options;
    const target = targetOf(runtime, options);
    const available = target === "cpu" ? runtime.availableBytes?.() : undefined;
    const { training, model } = await stepModel({ trace, recompute, initial, target, available, onWarning });
    const state = from ? restored(training, from.tensors) : initialTrainingState(training, initial);
    const program = await runtime.createProgram(
      { model, state: Object.fromEntries(state) },
      sessionOptionsOf(options),
    );
    // The trainer keeps no reference to the graph, which is as large as the rest of the heap and would slow
    // down every garbage collection.
    const { noise, classes } = loss;
    const { outputs: _graph, ...layout } = training;
    const frozen = frozenValues(training, initial);
    return new Trainer(layout, batches, program, { noise, classes }, data, recipe, frozen, from?.step ?? 0);
  }

  /** Number of steps done. */
  get step(): number {
    return this.#step;
  }

  /** Number of samples in a step, over all batches whose gradients it averages. */
  get batchSize(): number {
    return this.recipe.batchSize * this.accumulate;
  }

  private get accumulate(): number {
    return this.recipe.accumulate ?? 1;
  }

  /**
   * Runs one step and returns its scalars.
   *
   * @throws StriateError if the loss or a gradient is not finite; the state is then invalid.
   */
  async advance(): Promise<StepMetrics> {
    const step = this.#step;
    const feeds = await (this.#next?.step === step ? this.#next.feeds : this.#feeds(step));
    const rate = this.#learningRate(step);
    const runs = this.#runsOf(feeds, { learningRate: rate, step });
    let running = this.program.step(runs[0]!);
    this.#next = { step: step + 1, feeds: this.#feeds(step + 1) };
    // An error of the next batch is thrown only when the batch is due.
    this.#next.feeds.catch(() => undefined);
    const each = [scalarsOf(await running)];
    for (const run of runs.slice(1)) {
      // Numbers that are not finite stay so in the sums, and are found below.
      running = this.program.step(run);
      each.push(scalarsOf(await running));
    }
    const metrics = joined(each);
    const { finite, loss, ...rest } = metrics;
    if (finite !== 1 || loss === undefined) {
      throw new StriateError(
        `training stopped at step ${step}: the loss is ${loss}, the gradient norm ${metrics.gradientNorm}; ${causeIn(feeds)}`,
      );
    }
    this.#step = step + 1;
    return { loss, ...rest, learningRate: rate };
  }

  /** Reads a copy of everything that training changes. */
  async state(): Promise<State> {
    return new Map(Object.entries(await this.program.readState()));
  }

  /**
   * Returns the current parameters and buffers, including frozen ones. With `averaged`, a parameter that has
   * a moving average is returned with the averaged value.
   */
  async values(options: { readonly averaged?: boolean } = {}): Promise<State> {
    return this.valuesIn(await this.state(), options);
  }

  /** Returns the same as `values`, but for a state that was read before. */
  valuesIn(state: ReadonlyMap<string, TensorData>, options: { readonly averaged?: boolean } = {}): State {
    return modelValues(this.training, state, this.frozen, options);
  }

  close(): Promise<void> {
    return this.program.close();
  }

  /** The inputs of the runs of one step: for each batch, its samples and the scalars. */
  #runsOf(
    feeds: Readonly<Record<string, TensorData>>,
    scalars: Readonly<Record<typeof LEARNING_RATE_INPUT | typeof STEP_INPUT, number>>,
  ): Record<string, TensorData>[] {
    const { accumulate, training } = this;
    return Array.from({ length: accumulate }, (_, run) => {
      const all = { ...scalars, [LAST_INPUT]: run === accumulate - 1 ? 1 : 0 };
      const used = Object.entries(all).filter(([name]) => training.scalarInputs.includes(name));
      return {
        ...(accumulate === 1 ? feeds : partOf(feeds, run, accumulate)),
        ...Object.fromEntries(used.map(([name, value]) => [name, scalarData(value)])),
      };
    });
  }

  #feeds(step: number): Promise<Record<string, TensorData>> {
    const { indices } = this.batches.at(step);
    const labels = [this.recipe.seed, "training noise", step];
    const { noise = {}, classes } = this.loss;
    // All samples of a step are filled together, so that noise, augmentation and mixing are those of one large batch.
    const inputs = this.training.inputs.map(({ name, shape: [first, ...rest] }) => ({
      name,
      shape: this.accumulate === 1 ? [first!, ...rest] : [this.batchSize, ...rest],
    }));
    return fillInputs(inputs, noise, this.data, indices, labels, classes);
  }
}

/** Makes sure that the inputs can be cut into batches. */
function checkBatchAxis({ inputs }: TrainingLayout, batchSize: number): void {
  for (const { name, shape } of inputs)
    check(
      shape[0] === batchSize,
      () =>
        `training: accumulate: expected the batch of ${batchSize} as the first axis of every input, got "${name}" ${showShape(shape)}`,
    );
}

/** One of `count` equal parts of every input, along the first axis. */
function partOf(
  feeds: Readonly<Record<string, TensorData>>,
  at: number,
  count: number,
): Record<string, TensorData> {
  const part = ({ dtype, shape: [first, ...rest], data }: TensorData): TensorData => {
    const size = data.length / count;
    return { dtype, shape: [first! / count, ...rest], data: data.slice(at * size, (at + 1) * size) };
  };
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, part(tensor)]));
}

function scalarsOf(returned: Readonly<Record<string, TensorData>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(returned).flatMap(([name, { data }]) =>
      data.length === 1 ? [[name, Number(data[0])]] : [],
    ),
  );
}

/**
 * The scalars of a step from those of its runs: means over its batches. The norm of the averaged gradients is known in
 * the last run.
 */
function joined(runs: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const last = runs.at(-1)!;
  if (runs.length === 1) return last;
  return Object.fromEntries(
    Object.entries(last).map(([name, value]) => [
      name,
      name === "gradientNorm" ? value : average(runs.map((run) => run[name]!)),
    ]),
  );
}

/** What in a batch may have made the loss infinite or NaN. */
function causeIn(feeds: Readonly<Record<string, TensorData>>): string {
  const bad = nonFiniteTensor(new Map(Object.entries(feeds)));
  if (bad !== undefined) return `its batch has ${bad.value} in "${bad.name}"`;
  return `its batch has finite numbers only: expected labels of the network's classes, and a learning rate that is not too large`;
}

/** Returns the initial parameters: those in `values`, and for all others random ones drawn from the seed. */
export function initialValues(task: Task, start: Pick<Recipe, "seed" | "values">): State {
  return atOnce(initialValuesInParts(task, start));
}

function* initialValuesInParts(task: Task, { seed, values }: Pick<Recipe, "seed" | "values">): Parts<State> {
  const drawn = yield* initialStateInParts(task.parameters, (name) => Random.derive(seed, "initial", name));
  for (const [name, value] of values ?? []) {
    const expected = drawn.get(name);
    check(expected, () => `starting values: the model has no parameter "${name}"`);
    checkShape(`starting values: "${name}"`, value.shape, expected.shape);
    drawn.set(name, value);
  }
  return drawn;
}

function restored(training: TrainingLayout, tensors: ReadonlyMap<string, TensorData>): State {
  return new Map(
    training.state.map(({ name, kind, shape }): [string, TensorData] => {
      if (kind === "accumulated")
        return [name, { dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }];
      const value = tensors.get(name);
      check(value, () => `checkpoint: "${name}" is missing`);
      checkShape(`checkpoint: "${name}"`, value.shape, shape);
      return [name, value];
    }),
  );
}
