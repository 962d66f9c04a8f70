/** Layers, losses, optimizers, initialisers, and the training step as one graph. */
export type { NamedParameters, State } from "./module.js";
export { initialState, isTrainable, namedParameters } from "./module.js";
/** Initialisers of parameters. Fan-in and fan-out are counted as in PyTorch. */
export * as init from "./init.js";
export * from "./layers/index.js";
export * from "./losses.js";
export * from "./contrastive-loss.js";
export type { Named, Optimizer, OptimizerResult, OptimizerStep, PerParameter } from "./optimizer.js";
export * from "./optimizers.js";
export * from "./clip.js";
export type { MovingAverage, WarmAverageOptions } from "./ema.js";
export { constantAverage, warmAverage } from "./ema.js";
export * from "./plateau.js";
export * from "./schedules.js";
export type { StateKind, StateSpec, TrainingLayout, TrainingStep } from "./training-state.js";
export {
  LEARNING_RATE_INPUT,
  STEP_INPUT,
  asConstants,
  emaName,
  frozenValues,
  initialTrainingState,
  modelValues,
  slotName,
  writeTrainingStep,
} from "./training-state.js";
export type { TrainingStepOptions } from "./training-step.js";
export { trainingStep } from "./training-step.js";
export * from "./pytorch-names.js";
export * from "./quantize.js";
export type { CalibrationMethod } from "./value-ranges.js";
export { CALIBRATIONS } from "./value-ranges.js";
