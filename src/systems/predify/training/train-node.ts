import { IMAGES } from "../../../data/images/prepared-images.js";
import type { Dim, TensorData } from "../../../graph/index.js";
import { tensorData } from "../../../graph/index.js";
import type { Optimizer } from "../../../nn/optimizer.js";
import { sgd } from "../../../nn/optimizers.js";
import type { State } from "../../../nn/module.js";
import type { Schedule } from "../../../nn/schedules.js";
import { nodeRuntime } from "../../../runtime/node.js";
import type { OpeningOptions } from "../../../runtime/slow-opening.js";
import { sayIfSlow } from "../../../runtime/slow-opening.js";
import { workerRuntime } from "../../../runtime/worker-node.js";
import { Evaluator } from "../../../train/evaluator.js";
import type { TrainOptions, TrainedRun } from "../../../train/run/run-node.js";
import { train } from "../../../train/run/run-node.js";
import type { InferenceGraph, TrainingData } from "../../../train/task.js";
import { saveOnnx } from "../../../graph/onnx/write/save-node.js";
import { Random } from "../../../util/random.js";
import type { UnrolledOptions } from "../files/export.js";
import { writeUnrolled } from "../files/export.js";
import { hyperparametersOf } from "../core/hyperparameters.js";
import type { Hyperparameters } from "../core/hyperparameters.js";
import { measureDeviations, measureWindows } from "../core/run.js";
import type { PredictiveNetwork } from "../core/network.js";
import type { TuningOptions } from "./tasks.js";
import { FeedbackTask, HyperparameterTask } from "./tasks.js";
import { freshValues } from "../core/values.js";

/** Options of `trainFeedback`. */
export interface TrainFeedbackOptions extends Omit<
  TrainOptions,
  "optimizer" | "learningRate" | "evaluate" | "trainable"
> {
  /**
   * Default: SGD without momentum and with weight decay 5e-4, as in the paper for VGG16. For EfficientNet,
   * the paper uses RMSprop.
   */
  readonly optimizer?: Optimizer;
  /** Default 0.001. */
  readonly learningRate?: number | Schedule;
  /**
   * Held-out images, on which the prediction errors are measured every `evaluateEvery` steps and at the end.
   */
  readonly validation?: TrainingData;
}

/** The result of `trainFeedback`. */
export interface TrainedFeedback extends Omit<TrainedRun, "export"> {
  /** The decoders' weights and sqrt(C) of each PCoderN, for `openPredictive` and `writeUnrolled`. */
  readonly values: State;
  /** Writes the unrolled network to an ONNX file. */
  export(path: string, options: UnrolledOptions): Promise<void>;
}

/**
 * Trains the decoders, without labels, to predict the values below them ({@link FeedbackTask}). The backbone
 * is frozen and in evaluation mode. Training runs in a worker thread, writes checkpoints and can be resumed
 * from them, as with `train`. Afterwards, if the rule for C of a PCoderN is "measured", C is measured on the
 * first images of the data.
 *
 * @param data samples with the field "images", prepared as the backbone expects them
 */
export async function trainFeedback(
  network: PredictiveNetwork,
  data: TrainingData,
  options: TrainFeedbackOptions,
): Promise<TrainedFeedback> {
  const task = new FeedbackTask(network);
  const {
    validation,
    seed,
    batchSize,
    learningRate = 0.001,
    optimizer = sgd({ weightDecay: 5e-4 }),
  } = options;
  const start = await withUnits(network, options.values ?? freshValues(network, seed), data, options);
  const run = await train(task, data, {
    ...options,
    learningRate,
    optimizer,
    values: start,
    ...(validation && {
      evaluate: (values) =>
        reconstructionErrors(network, values, validation, {
          batchSize,
          ...(options.onWarning && { onWarning: options.onWarning }),
        }),
    }),
  });
  const first = await firstBatch(network, data, Math.min(batchSize, 8));
  const values = await measureWindows(
    network,
    run.values,
    first,
    Random.derive(seed, "windows"),
    nodeRuntime,
  );
  return {
    ...run,
    values,
    export: async (path, unrolled) => {
      const { preprocessing = network.backbone.preprocessing } = data;
      await saveOnnx(path, writeUnrolled(network, values, { preprocessing, ...unrolled }));
    },
  };
}

/** Number of images on which units are measured. */
const UNIT_IMAGES = 64;

/** A ratio of standard deviations from which on the authors' values no longer suit a network without measured units. */
const FAR_FROM_ONE = 8;

/**
 * Measures the units of a network whose decoders start to be trained. A network without measured units gets a caution if
 * its images or feature maps are far from those for which the authors' hyper-parameters are meant.
 */
async function withUnits(
  network: PredictiveNetwork,
  values: ReadonlyMap<string, TensorData>,
  data: TrainingData,
  { seed, values: given, onWarning }: Pick<TrainFeedbackOptions, "seed" | "values" | "onWarning">,
): Promise<State> {
  const hasUnits = network.pcoders.some(({ units }) => units !== undefined);
  // Decoders that were trained before keep the units in which they were trained.
  if (hasUnits && given !== undefined) return new Map(values);
  const images = await firstBatch(network, data, UNIT_IMAGES);
  const deviations = await measureDeviations(network, images, Random.derive(seed, "units"), nodeRuntime);
  const result = new Map(values);
  network.pcoders.forEach(({ number, units, after }, i) => {
    const [target, source] = [deviations[i]!, deviations[i + 1]!];
    const places = {
      target: i === 0 ? "the images" : `"${network.pcoders[i - 1]!.after}"`,
      source: `"${after}"`,
    };
    if (units === undefined) {
      const ratio = target / source;
      if (ratio > FAR_FROM_ONE)
        onWarning?.(
          `PCoder ${number}: its error step is ${Math.round(ratio ** 2)} times as large as for values of equal spread, because ` +
            `the standard deviation of ${places.target} is ${target.toPrecision(3)} and that of ${places.source} ${source.toPrecision(3)}; ` +
            'the hyper-parameters may be far too large: units: "measured" makes them independent of this',
        );
      return;
    }
    for (const [name, deviation] of Object.entries({ target, source }) as ["target" | "source", number][]) {
      const isSpread = Number.isFinite(deviation) && deviation > 0;
      if (!isSpread)
        onWarning?.(
          `PCoder ${number}: the standard deviation of ${places[name]} is ${deviation} on the first ${images.shape[0]!} images, so it is taken as 1`,
        );
      result.set(`pcoder${number}.${name}_std`, tensorData([isSpread ? deviation : 1], []));
    }
  });
  return result;
}

/**
 * Measures the prediction error of each PCoder at t = 0, averaged over batches. Returns the errors as
 * "error.pcoderI" and their sum as "loss".
 */
export async function reconstructionErrors(
  network: PredictiveNetwork,
  values: State,
  data: TrainingData,
  options: OpeningOptions & { readonly batchSize: number },
): Promise<Record<string, number>> {
  const batch = Math.min(options.batchSize, data.count);
  const task = new ErrorTask(network);
  const opening = Evaluator.open(task, batch, new Map(), workerRuntime);
  const evaluator = await sayIfSlow(opening, options.onWarning);
  const sums: Record<string, number> = {};
  const batches = Math.floor(data.count / batch);
  try {
    for (let i = 0; i < batches; i++) {
      const indices = Array.from({ length: batch }, (_, n) => i * batch + n);
      const found = await evaluator.run(values, data, indices, [0]);
      for (const [name, value] of Object.entries(found))
        sums[name] = (sums[name] ?? 0) + Number(value.data[0]) / batches;
    }
  } finally {
    await evaluator.close();
  }
  return { ...sums, loss: Object.values(sums).reduce((a, b) => a + b, 0) };
}

/** The feedback task, with the training errors as its outputs in inference. */
class ErrorTask extends FeedbackTask {
  override inference(batch: Dim): InferenceGraph {
    const { inputs, metrics = {} } = this.loss(batch as number);
    return { inputs, outputs: metrics };
  }
}

/** The result of `tuneHyperparameters`: the hyper-parameters of each PCoder, lowest first, and the training run. */
export interface TunedHyperparameters {
  readonly hyperparameters: readonly Hyperparameters[];
  readonly run: TrainedRun;
}

/**
 * Tunes beta, lambda and alpha (and the decoders if `decoders` is true) on labelled images, as described for
 * {@link HyperparameterTask}. The data has the fields "images" and "labels". `values` are the decoders'
 * weights from `trainFeedback`.
 */
export async function tuneHyperparameters(
  network: PredictiveNetwork,
  data: TrainingData,
  options: TrainOptions & TuningOptions & { readonly values: State },
): Promise<TunedHyperparameters> {
  const task = new HyperparameterTask(network, options);
  const run = await train(task, data, { ...options, trainable: (name) => task.trainable(name) });
  return { run, hyperparameters: hyperparametersOf(run.values, network.pcoders.length) };
}

async function firstBatch(
  network: PredictiveNetwork,
  data: TrainingData,
  batch: number,
): Promise<TensorData> {
  const shape = [Math.min(batch, data.count), ...network.backbone.imageShape];
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  await data.fill(
    Array.from({ length: shape[0]! }, (_, i) => i),
    { [IMAGES]: values },
  );
  return { dtype: "float32", shape, data: values };
}
