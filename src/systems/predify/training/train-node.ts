import { sgd } from "../../../nn/optimizers.js";
import type { State } from "../../../nn/module.js";
import { nodeRuntime } from "../../../runtime/node.js";
import type { OpeningOptions } from "../../../runtime/slow-opening.js";
import { sayIfSlow } from "../../../runtime/slow-opening.js";
import { workerRuntime } from "../../../runtime/worker-node.js";
import type { TrainOptions, TrainedRun } from "../../../train/run/run-node.js";
import { train } from "../../../train/run/run-node.js";
import type { TrainingData } from "../../../train/task.js";
import { saveOnnx } from "../../../graph/onnx/write/save-node.js";
import type { UnrolledOptions } from "../files/export.js";
import { writeUnrolled } from "../files/export.js";
import { hyperparametersOf } from "../core/hyperparameters.js";
import type { Hyperparameters } from "../core/hyperparameters.js";
import type { PredictiveNetwork } from "../core/network.js";
import type { TuningOptions } from "./tasks.js";
import type { FeedbackOptions, ReplacedOptions } from "./feedback-options.js";
import { FeedbackTask, HyperparameterTask } from "./tasks.js";
import { errorsOf, openErrors } from "./errors.js";
import { finishedValues, startValues } from "./units.js";

/** Options of `trainFeedback`. */
export interface TrainFeedbackOptions extends FeedbackOptions, Omit<TrainOptions, ReplacedOptions> {}

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
  const { validation, batchSize, learningRate = 0.001, optimizer = sgd({ weightDecay: 5e-4 }) } = options;
  const start = await startValues(network, data, { ...options, runtime: nodeRuntime });
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
  const values = await finishedValues(network, run.values, data, { ...options, runtime: nodeRuntime });
  return {
    ...run,
    values,
    export: async (path, unrolled) => {
      const { preprocessing = network.backbone.preprocessing } = data;
      await saveOnnx(path, writeUnrolled(network, values, { preprocessing, ...unrolled }));
    },
  };
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
  const opening = openErrors(network, Math.min(options.batchSize, data.count), workerRuntime);
  const evaluator = await sayIfSlow(opening, options.onWarning);
  try {
    return await errorsOf(evaluator, values, data, options.batchSize);
  } finally {
    await evaluator.close();
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
