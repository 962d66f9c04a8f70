/**
 * Striate: train, probe and ship brain-inspired vision networks. All of this runs in a browser as well. Operators to
 * write models with are in `striate/graph`; what needs Node (files, worker threads, onnxruntime-node) is in
 * `striate/node`.
 */
export type { Device, Program, Runtime, Session, SessionOptions } from "./runtime/runtime.js";
export { webRuntime } from "./runtime/web.js";
export * from "./data/index.js";
export * from "./metrics/index.js";
export { StriateError } from "./util/errors.js";
