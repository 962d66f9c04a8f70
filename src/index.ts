/**
 * Striate trains, probes and exports brain-inspired vision networks. Everything in this entry also runs in a
 * browser. The operators for writing models are in `striate/graph`. Each system has its own entry with all of
 * its parts, such as `striate/komplexnet`. Whatever needs Node (files, worker threads, onnxruntime-node) is
 * in `striate/node`.
 *
 * @module striate
 */
export { StriateError } from "./util/errors.js";
export { Random } from "./util/random.js";
export type { RandomLabel } from "./util/random.js";

export type { ExternalData, ExternalReader } from "./graph/onnx/read/external-data.js";
export type { ForeignTensor, ImportWeightsOptions, ImportedWeights } from "./graph/onnx/import-weights.js";
export { importWeights } from "./graph/onnx/import-weights.js";
export { OnnxFile, readOnnx } from "./graph/onnx/read/read.js";
export type { ImportedModel, ReadOptions } from "./graph/onnx/read/read.js";
export type { ImportedParameter } from "./graph/onnx/read/read-graph.js";
export { summariseModel } from "./graph/summary.js";
export type { LayerCost, LayerSummary, ModelSummary, PortSummary } from "./graph/summary.js";

export type {
  Device,
  Program,
  ProgramSpec,
  Runtime,
  Session,
  SessionOptions,
  Values,
} from "./runtime/runtime.js";
export { DEVICES } from "./runtime/runtime.js";
export type { OrtWeb, WasmPaths, WebDevice } from "./runtime/ort-web.js";
export type { WebRuntime, WebRuntimeOptions } from "./runtime/web.js";
export { createWebRuntime, webRuntime } from "./runtime/web.js";
export type { WorkerRuntime, WorkerRuntimeOptions } from "./runtime/worker-web.js";
export { createWorkerRuntime } from "./runtime/worker-web.js";

export * from "./nn/index.js";
/** Measures of accuracy, synchrony, segmentation and calibration, and statistics over random seeds. */
export * as metrics from "./metrics/index.js";
export * from "./data/index.js";

export { decodeCheckpoint, encodeCheckpoint } from "./train/run/checkpoint-format.js";
export type { Checkpoint } from "./train/run/checkpoint-format.js";
export { Evaluator } from "./train/evaluator.js";
export { exportOnnx, exportStep } from "./train/export.js";
export { mixedData } from "./train/mixed-data.js";
export type { MixedDataOptions } from "./train/mixed-data.js";
export { FineTuningTask } from "./train/fine-tuning-task.js";
export type { FineTuningOptions } from "./train/fine-tuning-task.js";
export { withHead } from "./train/with-head.js";
export type { HeadOptions } from "./train/with-head.js";
export type {
  ModelDescription,
  NoiseInput,
  StateInput,
  StateStart,
  Timesteps,
} from "./train/model-description.js";
export { describeModel, modelMetadata } from "./train/model-description.js";
export { overTime } from "./train/stack-timesteps.js";
export type { ProgressEvent, ProgressListener } from "./train/progress.js";
export { createRateEstimator, describeProgress } from "./train/progress.js";
export { PauseController } from "./train/pause.js";
export { deleteRun } from "./train/run/run-folder-web.js";
export type { LogRow } from "./train/run/run-store.js";
export { train } from "./train/run/run-web.js";
export type { TrainOptions, TrainedRun } from "./train/run/run-web.js";
export type { StepGraph, StepState, SteppedModel } from "./train/step-graph.js";
export { openModelStepper, openStepper } from "./train/stepper.js";
export type {
  ResetOptions,
  StepInput,
  StepSource,
  StepValue,
  Stepper,
  StepperOptions,
} from "./train/stepper.js";
export type { InferenceGraph, LossGraph, MemoryData, NoiseKind, Task, TrainingData } from "./train/task.js";
export { Trainer, initialValues } from "./train/trainer.js";
export type { Recipe, StepMetrics, TrainerState } from "./train/trainer.js";

export { KuramotoLayer } from "./systems/akorn/layer/kuramoto-layer.js";
export { ObjectNetwork } from "./systems/akorn/objects/network.js";
export { RecognitionNetwork } from "./systems/akorn/recognition/network.js";
export { SudokuNetwork } from "./systems/akorn/sudoku/network.js";
export { ObjectTask } from "./systems/akorn/objects/task.js";
export { RecognitionTask } from "./systems/akorn/recognition/task.js";
export { SudokuTask } from "./systems/akorn/sudoku/task.js";
export { withKuramoto, writeKuramotoModel } from "./systems/akorn/layer/with-kuramoto.js";
export { KomplexNet } from "./systems/komplexnet/model.js";
export { CouplingTask } from "./systems/komplexnet/training/coupling-task.js";
export { RealBaseline } from "./systems/komplexnet/baselines/real-baseline.js";
export {
  KomplexNetTask,
  RealBaselineTask,
  TransformerBaselineTask,
  sceneData,
} from "./systems/komplexnet/training/tasks.js";
export { TransformerBaseline } from "./systems/komplexnet/baselines/transformer-baseline.js";
export { PredictiveNetwork } from "./systems/predify/core/network.js";
export { predify } from "./systems/predify/core/predify.js";
