/** VOneNet: a model of primary visual cortex in front of a network, its receptive fields drawn as in the papers. */
export * from "./alexnet.js";
export * from "./authors-names.js";
export * from "./bank-weights.js";
export * from "./cornet.js";
export * from "./gabor.js";
export * from "./histograms.js";
export { interpolate, inverseCdf } from "./inverse-cdf.js";
export * from "./matched-cells.js";
export * from "./networks.js";
export * from "./receptive-fields.js";
export * from "./recipe.js";
export * from "./response-statistics.js";
export * from "./sampling-options.js";
export { sampleReceptiveFields } from "./sampling.js";
export * from "./sub-populations.js";
export * from "./task.js";
export * from "./v1-noise.js";
export * from "./vone-block.js";
