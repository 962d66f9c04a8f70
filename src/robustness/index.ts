/** The robustness bench, as far as it runs in a browser; `striate/node` adds files and worker threads. */
export * from "./corruptions/index.js";
