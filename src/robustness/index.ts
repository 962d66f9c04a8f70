/**
 * The parts of robustness measurements that run in a browser; `striate/node` adds files and worker threads.
 *
 * @module striate/robustness
 */
export * from "./attacks/index.js";
export * from "./corruptions/index.js";
export type { ImageBatch, LossAndGradient, NoiseSource } from "./classifier.js";
export { Classifier } from "./classifier.js";
export { fitPicture, toImageBatch, toPicture } from "./images.js";
export type { AttackLoss } from "./losses.js";
export type { Answers, ImageShape, Network, TracedNetworkOptions } from "./network.js";
export { tracedNetwork } from "./network.js";
export type { OnnxNetworkOptions, OverTimeOptions } from "./onnx-network.js";
export { onnxNetwork, onnxNetworkOverTime } from "./onnx-network.js";
export * from "../data/images/preprocessing.js";
export * from "../metrics/calibration.js";
export * from "../metrics/corruption-error.js";
