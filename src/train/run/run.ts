import type { TensorData } from "../../graph/dtype.js";
import type { WrittenOnnx } from "../../graph/index.js";
import type { State } from "../../nn/module.js";
import type { PlateauOptions } from "../../nn/plateau.js";
import { PlateauRate } from "../../nn/plateau.js";
import type { StateSpec } from "../../nn/training-state.js";
import type { Runtime, SessionOptions } from "../../runtime/runtime.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { sayIfSlow } from "../../runtime/slow-opening.js";
import { checkWhole, nonFiniteTensor } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import type { StoredTensor } from "../../util/safetensors.js";
import type { BestCheckpoint } from "./best-checkpoint.js";
import { betterCheckpoint } from "./best-checkpoint.js";
import type { Checkpoint } from "./checkpoint-format.js";
import { exportOnnx } from "../export.js";
import type { ModelDescription } from "../model-description.js";
import type { PauseController } from "../pause.js";
import type { ProgressListener } from "../progress.js";
import { createRateEstimator } from "../progress.js";
import { RunLog } from "./run-log.js";
import type { LogRow, RunStore } from "./run-store.js";
import type { Task, TrainingData } from "../task.js";
import type { Recipe, StepMetrics } from "../trainer.js";
import { Trainer } from "../trainer.js";

/** Options of training that do not depend on where it runs. */
export interface TrainSettings extends Recipe {
  /** Total number of optimizer steps; alternatively, give `epochs`. */
  readonly steps?: number;
  readonly epochs?: number;
  /** Plain data kept as `config.json` and compared on resume, besides steps, batch size, accumulated batches and seed. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Steps between checkpoints (default 500); one is always written at the end. */
  readonly checkpointEvery?: number;
  /** Steps between lines of the log (default 10); each holds means over them. */
  readonly logEvery?: number;
  /** Steps between calls of `evaluate` (default: once at the end). */
  readonly evaluateEvery?: number;
  /** Measures the model so far; what it returns is logged as `evaluation.NAME`. */
  readonly evaluate?: (values: State, step: number) => Promise<Readonly<Record<string, number>>>;
  /**
   * A learning rate that falls when the evaluation named `measure` stops improving, in place of `learningRate`. It gets
   * every evaluation; the first one is before the first step.
   */
  readonly plateau?: PlateauOptions & { readonly measure: string };
  /** Name of the evaluation whose highest value selects the final parameters (default: the last ones). */
  readonly selectBest?: string;
  /** Ends the run if the evaluation named `measure` has not risen for `patience` evaluations. Default: never. */
  readonly stopEarly?: { readonly measure: string; readonly patience: number };
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Pauses the run between two steps, with a checkpoint, until it is resumed. */
  readonly pause?: PauseController;
  readonly onProgress?: ProgressListener;
  readonly onWarning?: (message: string) => void;
}

/** The result of a run. */
export interface RunEnd {
  /** Steps done; fewer than requested if the run was stopped. */
  readonly step: number;
  readonly finished: boolean;
  /** Parameters and buffers; parameters with a moving average have its value. */
  readonly values: State;
  readonly imagesPerSecond: number;
  /** All results of `evaluate` with their steps, over the whole run. */
  readonly evaluations: readonly LogRow[];
  /** Everything that is needed to continue the run. */
  readonly checkpoint: Omit<Checkpoint, "config">;
  /** The model as ONNX. Its metadata describe how images are preprocessed, which inputs are noise, and what `about` adds. */
  readonly toOnnx: (about?: ModelDescription, metadata?: Readonly<Record<string, string>>) => WrittenOnnx;
}

/** The runtime and storage of a run. */
export interface RunPlace extends SessionOptions {
  readonly runtime: Runtime;
  /** Storage for checkpoints and metrics. Without it, nothing is stored. */
  readonly store: RunStore | undefined;
  /** The checkpoint to continue from if the store has none. */
  readonly from?: Checkpoint;
  /** Version, device, threads and processor, on which the last bits of the weights depend. */
  readonly description?: string;
}

/**
 * The total number of optimizer steps.
 *
 * @throws StriateError for settings with which a run cannot begin
 */
export function stepsOf({ count }: TrainingData, settings: TrainSettings): number {
  const { steps, epochs, batchSize, accumulate = 1 } = settings;
  checkSettings(settings);
  const all = steps ?? (epochs ?? 0) * Math.floor(count / (batchSize * accumulate));
  if (all < 1) throw new StriateError(`training: expected steps or epochs, got ${all} steps in all`);
  return all;
}

const POSITIVE = [
  "batchSize",
  "accumulate",
  "steps",
  "epochs",
  "checkpointEvery",
  "logEvery",
  "evaluateEvery",
] as const;

/** Throws at the start what would otherwise end a run after hours, or train nothing. */
function checkSettings(settings: TrainSettings): void {
  checkWhole("training: seed", settings.seed, { from: 0, to: Number.MAX_SAFE_INTEGER });
  for (const name of POSITIVE) {
    const value = settings[name];
    if (value !== undefined) checkWhole(`training: ${name}`, value);
  }
}

/** The settings that determine a run and are compared when it is resumed. */
export function configOf(
  steps: number,
  { batchSize, accumulate = 1, seed, config }: TrainSettings,
): Record<string, unknown> {
  return { steps, batchSize, ...(accumulate > 1 && { accumulate }), seed, ...config };
}

/**
 * The training loop. Same seed, same machine, same weights, also across a stop, a kill and a resume.
 *
 * @param steps in all
 * @throws StriateError for a loss, a gradient or a parameter that is not finite (naming the step and the last good
 * checkpoint).
 */
export async function runTraining(
  task: Task,
  data: TrainingData,
  steps: number,
  settings: TrainSettings,
  place: RunPlace,
): Promise<RunEnd> {
  const { runtime, store, from: given } = place;
  const {
    signal,
    pause,
    onProgress,
    checkpointEvery = 500,
    logEvery = 10,
    evaluateEvery,
    evaluate,
    selectBest,
    stopEarly,
  } = settings;
  const plateau = settings.plateau && new PlateauRate(settings.plateau);
  const recipe = { ...settings, ...(plateau && { learningRate: () => plateau.rate }) };
  const start = store?.checkpoint ?? given;
  const from = start && { step: start.step, tensors: dataOf(start) };
  warnOfOtherPlace(start?.place, place.description, settings.onWarning);
  const trainer = await sayIfSlow(
    Trainer.open(task, data, recipe, runtime, {
      ...sessionOptionsOf(place),
      ...(from && { from }),
      ...(settings.onWarning && { onWarning: settings.onWarning }),
    }),
    settings.onWarning,
  );
  const log = await RunLog.open(store, start?.unlogged);
  const listen = (scores: Readonly<Record<string, number>>) => {
    if (!plateau) return;
    const { measure } = settings.plateau;
    const value = scores[measure];
    if (value === undefined) throw new StriateError(`plateau: the evaluation gives no "${measure}"`);
    plateau.observe(value);
  };
  log.evaluations.forEach(listen);
  let saved = store?.checkpoint?.step ?? -1;
  const lastCheckpoint = () => (saved < 0 ? undefined : store?.checkpointName(saved));
  const readState = async () => {
    const state = await trainer.state();
    checkFiniteState(state, trainer.step, lastCheckpoint());
    return state;
  };
  const checkpointOf = (state: State, score?: number) => {
    const { unlogged } = log;
    return {
      step: trainer.step,
      epoch: epochOf(trainer),
      seed: settings.seed,
      tensors: storedOf(trainer.training.state, state),
      ...(score !== undefined && { score }),
      ...(unlogged && { unlogged }),
      ...(place.description !== undefined && { place: place.description }),
    };
  };
  const save = async (score?: number, state?: State) => {
    if (store === undefined || (saved === trainer.step && score === undefined)) return;
    await store.saveCheckpoint(checkpointOf(state ?? (await readState()), score));
    saved = trainer.step;
  };
  const best = new Best(selectBest, store);
  const evaluateNow = async (measure: NonNullable<TrainSettings["evaluate"]>) => {
    const state = await readState();
    const values = trainer.valuesIn(state, { averaged: true });
    const scores = await measure(values, trainer.step);
    log.evaluation(trainer.step, scores);
    listen(scores);
    const score = best.offer(trainer.step, scores, values);
    if (score !== undefined) await save(score, state);
  };
  try {
    check(!plateau || evaluate, () => "training: a learning rate that listens needs evaluations");
    const rate = createRateEstimator({ steps, firstStep: trainer.step });
    let speed = 0;
    if (plateau && evaluate && log.evaluations.length === 0) {
      rate.pause();
      await evaluateNow(evaluate);
      rate.resume();
    }
    const stalled = () =>
      stopEarly !== undefined && sinceBest(log.evaluations, stopEarly.measure) >= stopEarly.patience;
    while (trainer.step < steps && !stalled()) {
      if (pause?.paused === true && signal?.aborted !== true) {
        rate.pause();
        await save();
        await pause.ended(signal);
        rate.resume();
      }
      if (signal?.aborted === true) break;
      const metrics = await advance(trainer, lastCheckpoint());
      const { step } = trainer;
      const now = rate.update(step, trainer.batchSize);
      speed = now.imagesPerSecond;
      log.step(metrics);
      onProgress?.({ step, steps, epoch: epochOf(trainer) + 1, loss: metrics.loss, ...now });
      if (step % logEvery === 0 || step === steps) log.write(step, { images: step * trainer.batchSize });
      if (evaluate && (step === steps || (evaluateEvery !== undefined && step % evaluateEvery === 0))) {
        rate.pause();
        await evaluateNow(evaluate);
        rate.resume();
      }
      if (step % checkpointEvery === 0) await save();
    }
    const state = await readState();
    await save(undefined, state);
    const finished = trainer.step >= steps || stalled();
    const values =
      (finished ? await best.values(trainer) : undefined) ?? trainer.valuesIn(state, { averaged: true });
    return {
      step: trainer.step,
      finished,
      values,
      imagesPerSecond: speed,
      evaluations: log.evaluations,
      checkpoint: checkpointOf(state),
      toOnnx: (about, metadata) => {
        const { preprocessing } = data;
        return exportOnnx(task, values, { ...(preprocessing && { preprocessing }), ...about }, metadata);
      },
    };
  } finally {
    log.close();
    await trainer.close();
  }
}

/** The number of evaluations after the best one. */
function sinceBest(evaluations: readonly LogRow[], measure: string): number {
  let [best, at] = [-Infinity, -1];
  for (const [i, { [measure]: value }] of evaluations.entries()) {
    check(typeof value === "number", () => `stopEarly: the evaluation gives no "${measure}"`);
    if (value > best) [best, at] = [value, i];
  }
  return evaluations.length - 1 - at;
}

/** Says so if a run continues where its sums may round differently. */
function warnOfOtherPlace(
  before: string | undefined,
  now: string | undefined,
  onWarning: (message: string) => void = console.warn,
): void {
  if (before === undefined || now === undefined || before === now) return;
  onWarning(
    `The run was trained with ${before}, and continues with ${now}: its weights can differ from those of a run that ` +
      `uses one of the two throughout.`,
  );
}

/** The parameters that evaluated best, in memory or among the run's checkpoints. */
class Best {
  #best: BestCheckpoint | undefined;
  #values: State | undefined;

  constructor(
    private readonly name: string | undefined,
    private readonly store: RunStore | undefined,
  ) {
    this.#best = store?.bestCheckpoint();
  }

  /** Stores the values if they score higher than all earlier ones. Returns the score if there is one. */
  offer(step: number, scores: Readonly<Record<string, number>>, values: State): number | undefined {
    if (this.name === undefined) return undefined;
    const score = scores[this.name];
    if (score === undefined) throw new StriateError(`selectBest: the evaluation gives no "${this.name}"`);
    check(
      !Number.isNaN(score),
      () => `selectBest: expected a number as "${this.name}", got NaN at step ${step}`,
    );
    const best = betterCheckpoint(this.#best, { step, score });
    if (best.step === step) this.#values = values;
    this.#best = best;
    return score;
  }

  async values(trainer: Trainer): Promise<State | undefined> {
    if (this.name === undefined || this.#values !== undefined) return this.#values;
    const best = this.store?.bestCheckpoint();
    if (best === undefined || this.store === undefined) return undefined;
    return trainer.valuesIn(dataOf(await this.store.readCheckpoint(best.step)), { averaged: true });
  }
}

/** Makes sure that the state holds no NaN and no infinity. The loss and the gradients can be finite before that. */
function checkFiniteState(state: State, step: number, lastCheckpoint: string | undefined): void {
  const bad = nonFiniteTensor(state);
  check(
    bad === undefined,
    () =>
      `training: expected finite numbers in "${bad!.name}" after step ${step}, got ${bad!.value} (${hintAt(lastCheckpoint)})`,
  );
}

function hintAt(lastCheckpoint: string | undefined): string {
  return lastCheckpoint === undefined
    ? "no checkpoint had been written"
    : `last good checkpoint: ${lastCheckpoint}`;
}

/** Runs one step; an error names the last good checkpoint. */
async function advance(trainer: Trainer, lastCheckpoint: string | undefined): Promise<StepMetrics> {
  try {
    return await trainer.advance();
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    throw new StriateError(`${error.message} (${hintAt(lastCheckpoint)})`, { cause: error });
  }
}

function epochOf(trainer: Trainer): number {
  return Math.floor(Math.max(0, trainer.step - 1) / trainer.batches.batchesPerEpoch);
}

/** Name of a piece of state in a checkpoint: its kind first. */
function storedName({ name, kind }: StateSpec): string {
  return kind === "param" || kind === "buffer" ? `${kind}.${name}` : name;
}

function storedOf(specs: readonly StateSpec[], state: State): Map<string, StoredTensor> {
  return new Map(
    specs
      .filter(({ kind }) => kind !== "accumulated")
      .map((spec) => {
        const { shape, data } = state.get(spec.name)!;
        return [
          storedName(spec),
          { dtype: "F32", shape: [...shape], data: data as Float32Array<ArrayBuffer> },
        ];
      }),
  );
}

function dataOf(checkpoint: Checkpoint): Map<string, TensorData> {
  return new Map(
    Array.from(checkpoint.tensors, ([name, { shape, data }]) => [
      name.replace(/^(param|buffer)\./, ""),
      { dtype: "float32", shape, data: data as Float32Array },
    ]),
  );
}
