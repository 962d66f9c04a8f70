/**
 * The parts of Striate that need Node: ONNX Runtime's native build, worker threads and files.
 *
 * @module striate/node
 */
export { nodeDevices, nodeRuntime } from "./runtime/node.js";
export { workerRuntime } from "./runtime/worker-node.js";
export { loadOnnx, openOnnx } from "./graph/onnx/read/open-node.js";
export type { SaveOptions } from "./graph/onnx/write/save-node.js";
export { saveOnnx } from "./graph/onnx/write/save-node.js";
export * from "./data/node.js";
export { corruptAll } from "./robustness/corruptions/pool-node.js";
export type { CorruptAllOptions, CorruptionTask, WithCorrupted } from "./robustness/corruptions/pool-node.js";
export { openCifar10C, openImageNetC } from "./robustness/corruptions/published-node.js";
export type { ImageNetCOptions, PublishedSet } from "./robustness/corruptions/published-node.js";
export { PauseController } from "./train/pause.js";
export { readCheckpoint, writeCheckpoint } from "./train/run/checkpoint-node.js";
export { readMetrics } from "./train/run/metrics-file-node.js";
export type { MetricsRow } from "./train/metrics.js";
export { openRunFolder } from "./train/run/run-folder-node.js";
export type { RunFolder, RunFolderOptions } from "./train/run/run-folder-node.js";
export { train } from "./train/run/run-node.js";
export type { TrainOptions, TrainedRun } from "./train/run/run-node.js";
export type { LogRow } from "./train/run/run-store.js";
export { loadPretrained } from "./pretrained/load-node.js";
export { encodePng } from "./report/png.js";
export { readSafetensors, writeSafetensors } from "./util/safetensors-node.js";
export { writeFileAtomic } from "./util/files-node.js";
export { readCoupling } from "./systems/komplexnet/coupling-file-node.js";
export * from "./systems/predify/node.js";
export { readAuthorsWeights } from "./systems/vonenet/authors-weights-node.js";
