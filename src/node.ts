/** What needs Node: ONNX Runtime's native build, worker threads, files. */
export * from "./data/node.js";
export { nodeDevices, nodeRuntime } from "./runtime/node.js";
export { workerRuntime } from "./runtime/worker-node.js";
