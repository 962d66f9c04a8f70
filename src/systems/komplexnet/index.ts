/** KomplexNet: complex-valued networks whose phases synchronise (Muzellec, Alamia, Serre, VanRullen, TMLR 2025). */
export * from "./authors-names.js";
export * from "./complex-layers.js";
export * from "./complex-max-pool.js";
export * from "./config.js";
export * from "./coupling.js";
export * from "./coupling-task.js";
export * from "./feedback.js";
export * from "./gabor.js";
export * from "./kuramoto.js";
export * from "./losses.js";
export * from "./model.js";
export * from "./phases.js";
export * from "./real-baseline.js";
export * from "./stages.js";
export * from "./synchrony-loss.js";
export * from "./tasks.js";
export * from "./transformer-baseline.js";
