/** What needs Node: ONNX Runtime's native build, worker threads, files. */
export { nodeDevices, nodeRuntime } from "./runtime/node.js";
export { workerRuntime } from "./runtime/worker-node.js";
export * from "./data/node.js";
export { corruptAll } from "./robustness/corruptions/pool-node.js";
export type { CorruptAllOptions, CorruptionTask, WithCorrupted } from "./robustness/corruptions/pool-node.js";
export { openCifar10C, openImageNetC } from "./robustness/corruptions/published-node.js";
export type { ImageNetCOptions, PublishedSet } from "./robustness/corruptions/published-node.js";
export { readCheckpoint, writeCheckpoint } from "./train/checkpoint-node.js";
export { readMetrics } from "./train/metrics-file-node.js";
export type { MetricsRow } from "./train/metrics-file-node.js";
export { openRunFolder } from "./train/run-folder-node.js";
export type { RunFolder, RunFolderOptions } from "./train/run-folder-node.js";
export { train } from "./train/run-node.js";
export type { TrainOptions, TrainedRun } from "./train/run-node.js";
export type { LogRow } from "./train/run-log-node.js";
export { readSafetensors, writeSafetensors } from "./util/safetensors-node.js";
export { writeFileAtomic } from "./util/files-node.js";
export { readCoupling } from "./systems/komplexnet/coupling-file-node.js";
