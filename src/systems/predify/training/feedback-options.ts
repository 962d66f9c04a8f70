import type { Optimizer } from "../../../nn/optimizer.js";
import type { Schedule } from "../../../nn/schedules.js";
import type { TrainingData } from "../../../train/task.js";

/** The options of `trainFeedback` that Node and browsers share, besides those of `train`. */
export interface FeedbackOptions {
  /**
   * Default: SGD without momentum and with weight decay 5e-4, as in the paper for VGG16. For EfficientNet,
   * the paper uses RMSprop.
   */
  readonly optimizer?: Optimizer;
  /** Default 0.001. */
  readonly learningRate?: number | Schedule;
  /** Held-out images, on which the prediction errors are measured every `evaluateEvery` steps and at the end. */
  readonly validation?: TrainingData;
}

/** The options of `train` that `trainFeedback` decides or replaces. */
export type ReplacedOptions = "optimizer" | "learningRate" | "evaluate" | "trainable";
