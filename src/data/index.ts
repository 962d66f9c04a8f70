export * from "./batches.js";
export * from "./dataset.js";
export * from "./digit-images.js";
export * from "./multi-mnist.js";
export * from "./noise.js";
export * from "./prefetch.js";
export { overlapRatio, type OverlapRule, type PlacedDigit } from "./scene-placement.js";
export * from "./shifts.js";
