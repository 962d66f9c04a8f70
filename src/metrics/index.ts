export * from "./calibration.js";
export * from "./clustering.js";
export * from "./corruption-error.js";
export * from "./multi-label.js";
export * from "./phase-clusters.js";
export * from "./statistics.js";
export * from "./synchrony.js";
