export * from "./idx-node.js";
export * from "./image-folder-node.js";
export { decodeImage, readImage, writePng } from "./images-node.js";
export * from "./mnist-node.js";
export { readNpy } from "./npy-node.js";
export type { ReadNpyOptions } from "./npy-node.js";
