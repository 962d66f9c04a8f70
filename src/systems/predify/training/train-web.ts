import { sgd } from "../../../nn/optimizers.js";
import type { State } from "../../../nn/module.js";
import { createWorkerRuntime } from "../../../runtime/worker-web.js";
import type { TrainOptions, TrainedRun } from "../../../train/run/run-web.js";
import { train } from "../../../train/run/run-web.js";
import type { TrainingData } from "../../../train/task.js";
import type { PredictiveNetwork } from "../core/network.js";
import type { UnrolledOptions } from "../files/export.js";
import { writeUnrolled } from "../files/export.js";
import { errorsOf, openErrors } from "./errors.js";
import type { FeedbackOptions, ReplacedOptions } from "./feedback-options.js";
import { FeedbackTask } from "./tasks.js";
import { finishedValues, startValues } from "./units.js";

/** Options of `trainFeedback` in a browser. */
export interface TrainFeedbackOptions extends FeedbackOptions, Omit<TrainOptions, ReplacedOptions> {}

/** The result of `trainFeedback` in a browser. */
export interface TrainedFeedback extends Omit<TrainedRun, "export"> {
  /** The decoders' weights, sqrt(C) of each PCoderN and the measured units, for `openPredictive` and `writeUnrolled`. */
  readonly values: State;
  /** The unrolled network as the bytes of an ONNX file. */
  export(options: UnrolledOptions): Uint8Array<ArrayBuffer>;
}

/**
 * Trains the decoders in a page, without labels, to predict the values below them ({@link FeedbackTask}). The backbone
 * is frozen and in evaluation mode. It does what `trainFeedback` of `striate/node` does, with the options of `train` in a browser.
 *
 * @param data samples with the field "images", prepared as the backbone expects them
 * @throws StriateError as `train` does
 * @example
 * ```ts
 * import { readOnnx } from "striate";
 * import { PREPROCESSINGS, imageData, predify, trainFeedback } from "striate/predify";
 * import type { PreparedImages } from "striate/predify";
 *
 * export async function withFeedback(file: Uint8Array, images: PreparedImages): Promise<Uint8Array> {
 *   const network = predify(readOnnx(file), { pcoders: 3 });
 *   const data = imageData(images, PREPROCESSINGS.unit);
 *   const run = await trainFeedback(network, data, { steps: 100, batchSize: 8, seed: 1 });
 *   return run.export({ timesteps: 4 });
 * }
 * ```
 */
export async function trainFeedback(
  network: PredictiveNetwork,
  data: TrainingData,
  options: TrainFeedbackOptions,
): Promise<TrainedFeedback> {
  const { validation, batchSize, learningRate = 0.001, optimizer = sgd({ weightDecay: 5e-4 }) } = options;
  const own = options.runtime === undefined ? await createWorkerRuntime(options) : undefined;
  try {
    const runtime = options.runtime ?? own!;
    const evaluator =
      validation && (await openErrors(network, Math.min(batchSize, validation.count), runtime));
    try {
      const run = await train(new FeedbackTask(network), data, {
        ...options,
        runtime,
        learningRate,
        optimizer,
        values: await startValues(network, data, { ...options, runtime }),
        ...(evaluator && {
          evaluate: (values: State) => errorsOf(evaluator, values, validation, batchSize),
        }),
      });
      const values = await finishedValues(network, run.values, data, { ...options, runtime });
      const { preprocessing = network.backbone.preprocessing } = data;
      return {
        ...run,
        values,
        export: (unrolled) => writeUnrolled(network, values, { preprocessing, ...unrolled }).bytes,
      };
    } finally {
      await evaluator?.close();
    }
  } finally {
    await own?.close();
  }
}
