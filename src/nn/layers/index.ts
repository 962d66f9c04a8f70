export * from "./attention.js";
export * from "./convolution.js";
export * from "./dropout.js";
export * from "./embedding.js";
export * from "./layer.js";
export * from "./linear.js";
export * from "./normalisation.js";
export * from "./sequential.js";
