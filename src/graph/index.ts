/**
 * The engine: symbolic tensors, operators, gradients, and reading and writing ONNX. It contains nothing
 * specific to vision.
 *
 * @module striate/graph
 */
export type { Dim, Shape } from "./dims.js";
export { showShape } from "./dims.js";
export type { DType, TensorData, TypedArray } from "./dtype.js";
export { tensorData } from "./dtype.js";
export type { Attribute, Attributes, Initialiser, RandomSource } from "./tensor.js";
export {
  GraphNode,
  Tensor,
  constant,
  constantData,
  input,
  integers,
  isParameter,
  parameter,
  recomputable,
  scope,
  timestep,
} from "./tensor.js";
export type { Target } from "./operator.js";
export { operatorTypes } from "./operator.js";
export * from "./all-operators.js";
export type { GradientOptions } from "./gradient.js";
export { gradients } from "./gradient.js";
export { lower } from "./lower.js";
export { topologicalOrder } from "./topological-order.js";
export type { Port, WriteOptions, WrittenOnnx } from "./onnx/write/write.js";
export { writeOnnx } from "./onnx/write/write.js";
