import { lower, writeOnnx } from "../graph/index.js";
import type { WrittenOnnx } from "../graph/index.js";
import type { State } from "../nn/module.js";
import { baked } from "../nn/training-state.js";
import type { Task } from "./task.js";

/** A trained model as a standard ONNX file: any batch size, standard operators only, weights inside. */
export function exportOnnx(
  task: Task,
  values: State,
  metadata: Readonly<Record<string, string>> = {},
): WrittenOnnx {
  const { outputs } = task.inference("batch");
  const constants = { values: baked(values) };
  return writeOnnx(lower(outputs, "portable", constants), { ...constants, metadata });
}
