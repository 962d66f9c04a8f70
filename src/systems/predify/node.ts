/** What of Predify needs Node: files and training in a worker thread. */
export * from "./image-sources-node.js";
export * from "./train-node.js";
export * from "./weights-node.js";
