import type { TensorData } from "../graph/dtype.js";
import { saveOnnx } from "../graph/onnx/save-node.js";
import type { StoredTensor } from "../util/safetensors.js";
import { StriateError, check } from "../util/errors.js";
import type { State } from "../nn/module.js";
import type { PlateauOptions } from "../nn/plateau.js";
import { PlateauRate } from "../nn/plateau.js";
import type { StateSpec } from "../nn/training-state.js";
import { workerRuntime } from "../runtime/worker-node.js";
import type { SessionOptions } from "../runtime/runtime.js";
import { checkpointPath, readCheckpoint } from "./checkpoint-node.js";
import type { Checkpoint } from "./checkpoint.js";
import { exportOnnx } from "./export.js";
import type { ModelDescription } from "./model-description.js";
import type { ProgressListener } from "./progress.js";
import { createRateEstimator } from "./progress.js";
import type { RunFolder } from "./run-folder-node.js";
import { openRunFolder } from "./run-folder-node.js";
import type { LogRow } from "./run-log-node.js";
import { RunLog } from "./run-log-node.js";
import type { Task, TrainingData } from "./task.js";
import type { Recipe, StepMetrics } from "./trainer.js";
import { Trainer } from "./trainer.js";

export interface TrainOptions extends Recipe, SessionOptions {
  /** Optimizer steps in all; or give `epochs`. */
  readonly steps?: number;
  readonly epochs?: number;
  /** Folder for config, metrics, checkpoints and the exported model. Without one nothing is written. */
  readonly folder?: string;
  /** Go on with the run that the folder holds (default false: such a folder is refused). */
  readonly resume?: boolean;
  /** Plain data kept as `config.json` and compared on resume, besides steps, batch size and seed. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Steps between checkpoints (default 500); one is always written at the end. */
  readonly checkpointEvery?: number;
  /** Steps between lines of `metrics.jsonl` (default 10); each holds means over them. */
  readonly logEvery?: number;
  /** Steps between calls of `evaluate` (default: once at the end). */
  readonly evaluateEvery?: number;
  /** Measures the model so far; what it returns is logged as `evaluation.NAME`. */
  readonly evaluate?: (values: State, step: number) => Promise<Readonly<Record<string, number>>>;
  /**
   * A learning rate that falls when the evaluation named `measure` stops getting better, instead of `learningRate`. It hears
   * every evaluation; the first is made before the first step.
   */
  readonly plateau?: PlateauOptions & { readonly measure: string };
  /** Name of the evaluation whose highest value picks the parameters that the run ends with (default: the last ones). */
  readonly selectBest?: string;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  readonly onWarning?: (message: string) => void;
}

export interface TrainedRun {
  /** Steps done; fewer than asked for when the run was stopped. */
  readonly step: number;
  readonly finished: boolean;
  /** Parameters and buffers, averaged ones where an average is kept. */
  readonly values: State;
  readonly imagesPerSecond: number;
  /** What `evaluate` returned and when, from the whole run. */
  readonly evaluations: readonly LogRow[];
  /**
   * Writes the model as ONNX. The file says how pixels reach it, which inputs are noise, and what `about` adds;
   * `metadata` are further entries.
   */
  export(path: string, about?: ModelDescription, metadata?: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * Trains a task in a worker thread, so that this thread stays free. Same seed, same machine, same weights, also across
 * a stop, a kill and a resume.
 *
 * @throws StriateError for a loss that is not finite (naming the step and the last good checkpoint), a folder in use,
 * a config that differs, a device that is absent.
 */
export async function train(task: Task, data: TrainingData, options: TrainOptions): Promise<TrainedRun> {
  const { batchSize, seed, epochs } = options;
  const steps = options.steps ?? (epochs ?? 0) * Math.floor(data.count / batchSize);
  if (steps < 1) throw new StriateError(`training: expected steps or epochs, got ${steps} steps in all`);
  const folder =
    options.folder === undefined
      ? undefined
      : await openRunFolder(options.folder, {
          config: { steps, batchSize, seed, ...options.config },
          resume: options.resume ?? false,
          better: "higher",
          ...(options.onWarning && { onWarning: options.onWarning }),
        });
  try {
    return await runIn(folder, task, data, steps, options);
  } finally {
    await folder?.close();
  }
}

async function runIn(
  folder: RunFolder | undefined,
  task: Task,
  data: TrainingData,
  steps: number,
  options: TrainOptions,
): Promise<TrainedRun> {
  const {
    signal,
    onProgress,
    checkpointEvery = 500,
    logEvery = 10,
    evaluateEvery,
    evaluate,
    selectBest,
  } = options;
  const plateau = options.plateau && new PlateauRate(options.plateau);
  const recipe = { ...options, ...(plateau && { learningRate: () => plateau.rate }) };
  const from = folder?.checkpoint && { step: folder.checkpoint.step, tensors: dataOf(folder.checkpoint) };
  const trainer = await Trainer.open(task, data, recipe, workerRuntime, {
    ...options,
    ...(from && { from }),
  });
  const log = await RunLog.open(folder, from?.step);
  const listen = (scores: Readonly<Record<string, number>>) => {
    if (!plateau) return;
    const { measure } = options.plateau;
    const value = scores[measure];
    if (value === undefined) throw new StriateError(`plateau: the evaluation gives no "${measure}"`);
    plateau.observe(value);
  };
  log.evaluations.forEach(listen);
  let saved = from?.step ?? -1;
  const save = async (score?: number) => {
    if (folder === undefined || (saved === trainer.step && score === undefined)) return;
    const tensors = storedOf(trainer.training.state, await trainer.state());
    await folder.saveCheckpoint(
      { step: trainer.step, epoch: epochOf(trainer), seed: options.seed, tensors },
      score,
    );
    saved = trainer.step;
  };
  const best = new Best(selectBest, folder);
  const evaluateNow = async (measure: NonNullable<TrainOptions["evaluate"]>) => {
    const values = await trainer.values({ averaged: true });
    const scores = await measure(values, trainer.step);
    log.evaluation(trainer.step, scores);
    listen(scores);
    const score = best.offer(scores, values);
    if (score !== undefined) await save(score);
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
    while (trainer.step < steps && signal?.aborted !== true) {
      const last = saved < 0 ? undefined : folder?.file(checkpointPath("checkpoints", saved));
      const metrics = await advance(trainer, last);
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
    await save();
    const finished = trainer.step >= steps;
    const values =
      (finished ? await best.values(trainer) : undefined) ?? (await trainer.values({ averaged: true }));
    return {
      step: trainer.step,
      finished,
      values,
      imagesPerSecond: speed,
      evaluations: log.evaluations,
      export: async (path, about, metadata) => {
        const { preprocessing } = data;
        const model = exportOnnx(
          task,
          values,
          { ...(preprocessing && { preprocessing }), ...about },
          metadata,
        );
        await saveOnnx(path, model);
      },
    };
  } finally {
    log.close();
    await trainer.close();
  }
}

/** The parameters that evaluated best, in memory or in the run's checkpoints. */
class Best {
  #score = -Infinity;
  #values: State | undefined;

  constructor(
    private readonly name: string | undefined,
    private readonly folder: RunFolder | undefined,
  ) {
    this.#score = folder?.bestCheckpoint()?.score ?? -Infinity;
  }

  /** Takes the values if they score higher than all before; gives the score where one is kept. */
  offer(scores: Readonly<Record<string, number>>, values: State): number | undefined {
    if (this.name === undefined) return undefined;
    const score = scores[this.name];
    if (score === undefined) throw new StriateError(`selectBest: the evaluation gives no "${this.name}"`);
    if (score > this.#score) {
      this.#score = score;
      this.#values = values;
    }
    return score;
  }

  async values(trainer: Trainer): Promise<State | undefined> {
    if (this.name === undefined || this.#values !== undefined) return this.#values;
    const best = this.folder?.bestCheckpoint();
    if (best === undefined || this.folder === undefined) return undefined;
    const path = this.folder.file(checkpointPath("checkpoints", best.step));
    return trainer.valuesIn(dataOf(await readCheckpoint(path)), { averaged: true });
  }
}

/** One step; a failure names the checkpoint to go back to. */
async function advance(trainer: Trainer, lastCheckpoint: string | undefined): Promise<StepMetrics> {
  try {
    return await trainer.advance();
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    const hint =
      lastCheckpoint === undefined
        ? "no checkpoint had been written"
        : `last good checkpoint: ${lastCheckpoint}`;
    throw new StriateError(`${error.message} (${hint})`, { cause: error });
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
    specs.map((spec) => {
      const { shape, data } = state.get(spec.name)!;
      return [storedName(spec), { dtype: "F32", shape: [...shape], data: data as Float32Array<ArrayBuffer> }];
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
