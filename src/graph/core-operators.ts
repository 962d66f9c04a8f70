/*
 * Operators that gradient rules and lowering rules call by name, because importing the files that define them
 * would make an import cycle. All code that differentiates, lowers or writes a graph imports this file.
 * "sideEffects" in package.json lists this file and the files that it imports, so that no bundler drops them.
 * All other operators are loaded with the functions that call them, or with the reader of ONNX files.
 */
import "./operators/normalise/batch-norm.js";
import "./convolution/conv.js";
import "./operators/elementwise/elementwise.js";
import "./operators/shape/expand.js";
import "./operators/shape/join.js";
import "./operators/spatial/pool.js";
import "./operators/reduce/reduce.js";
import "./operators/spatial/resize.js";
import "./operators/reduce/running-sum.js";
import "./operators/select/select.js";
import "./operators/shape/shape-values.js";
import "./operators/shape/shape.js";
import "./operators/shape/slice-pad.js";
import "./operators/reduce/softmax.js";
