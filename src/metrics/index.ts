export * from "./calibration.js";
export * from "./corruption-error.js";
export * from "./multi-label.js";
export * from "./statistics.js";
export * from "./synchrony.js";
