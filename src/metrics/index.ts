export * from "./multi-label.js";
export * from "./statistics.js";
export * from "./synchrony.js";
