import { isStatic } from "../graph/dims.js";
import { lower, writeOnnx } from "../graph/index.js";
import type { WrittenOnnx } from "../graph/index.js";
import type { State } from "../nn/module.js";
import { asConstants } from "../nn/training-state.js";
import type { ModelDescription } from "./model-description.js";
import { modelMetadata, noiseInputs } from "./model-description.js";
import type { SteppedModel } from "./step-graph.js";
import { describeStep, stepOutputs } from "./step-graph.js";
import type { InferenceGraph, Task } from "./task.js";

/**
 * Exports a trained model as a standard ONNX file: it takes any batch size, has only standard operators and
 * contains the weights. Its metadata say which inputs are noise and which output has a value for every
 * timestep, so that every command of Striate can run it.
 *
 * @param about further facts about the model, for the metadata
 * @param metadata further entries of the file's metadata, which are stored unchanged
 */
export function exportOnnx(
  task: Task,
  values: State,
  about: ModelDescription = {},
  metadata: Readonly<Record<string, string>> = {},
): WrittenOnnx {
  const graph = task.inference("batch");
  const constants = { values: asConstants(values) };
  return writeOnnx(lower(graph.outputs, "portable", constants), {
    ...constants,
    metadata: { ...modelMetadata({ ...described(graph), ...about }), ...metadata },
  });
}

/**
 * Exports one timestep of a trained model as a standard ONNX file, for streams and browsers. The file takes
 * any batch size; its inputs include the state, and its outputs are the next state and the readouts. Its
 * metadata say which outputs feed which inputs, and what the initial state is, so that `openStepper` needs
 * nothing else.
 *
 * @param about further facts about the model, for the metadata
 * @param metadata further entries of the file's metadata, which are stored unchanged
 * @example
 * ```ts
 * import { KomplexNet, KomplexNetTask, Random, exportStep, initialState } from "striate";
 *
 * const model = new KomplexNetTask(new KomplexNet());
 * const values = initialState(model.parameters, (name) => Random.derive(1, name));
 * const { inputs } = exportStep(model, values, { system: "KomplexNet" });
 * console.log(inputs.some(({ name }) => name === "images")); // true
 * ```
 */
export function exportStep(
  model: SteppedModel,
  values: State,
  about: ModelDescription = {},
  metadata: Readonly<Record<string, string>> = {},
): WrittenOnnx {
  const graph = model.step("batch");
  const constants = { values: asConstants(values) };
  return writeOnnx(lower(stepOutputs(graph), "portable", constants), {
    ...constants,
    metadata: { ...modelMetadata({ ...describeStep(graph, values), ...about }), ...metadata },
  });
}

function described({ outputs, noise = {}, overTime, labels }: InferenceGraph): ModelDescription {
  const count = overTime === undefined ? undefined : outputs[overTime]?.shape[0];
  return {
    noise: noiseInputs(outputs, noise),
    ...(overTime !== undefined &&
      count !== undefined &&
      isStatic(count) && { timesteps: { output: overTime, count } }),
    ...(labels && { labels }),
  };
}
