export * from "./idx-node.js";
export * from "./mnist-node.js";
