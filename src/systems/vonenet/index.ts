/** VOneNet: a model of primary visual cortex in front of a network, its receptive fields drawn as in the papers. */
export * from "./bank-weights.js";
export * from "./gabor.js";
export * from "./histograms.js";
export { interpolate, inverseCdf } from "./inverse-cdf.js";
export * from "./receptive-fields.js";
export { sampleReceptiveFields } from "./sampling.js";
export * from "./sampling-options.js";
export * from "./v1-noise.js";
export * from "./vone-block.js";
