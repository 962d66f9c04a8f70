export * from "./elementwise.js";
export * from "./reduce.js";
export * from "./shape.js";
export * from "./linear.js";
export * from "./conv.js";
import "./contrib.js";
