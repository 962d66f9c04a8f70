/** The parts of Predify that need Node: files, and training in a worker thread. */
export * from "./training/image-sources-node.js";
export * from "./training/train-node.js";
export * from "./files/weights-node.js";
