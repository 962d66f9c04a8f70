import type { TensorData } from "../../graph/dtype.js";
import { nodeRuntime } from "../../runtime/node.js";
import type { Runtime } from "../../runtime/runtime.js";
import { webRuntime } from "../../runtime/web.js";
import { IMAGES } from "../../systems/komplexnet/training/tasks.js";
import type { TrainingData } from "../../train/task.js";
import { fillInputs } from "../../train/task.js";
import { StriateError } from "../../util/errors.js";
import { readFileChecked } from "../../util/files-node.js";
import type { OnnxCheck } from "../digits/results.js";

const COMPARED = 8;

/**
 * Largest difference allowed in the logits. Phase dynamics amplify rounding: differences of 1e-6 are usual, 1e-3 would
 * mean a wrong graph.
 */
const TOLERANCE = 1e-3;

/** What a run says instead of the comparison if the second runtime is absent. */
export const NOT_COMPARED =
  "The exported network was run by ONNX Runtime for Node alone. To compare it with that for pages: npm install onnxruntime-web.";

const LARGEST_MODEL = 2 ** 31;

/**
 * Runs an exported network on a few scenes in onnxruntime-node and in onnxruntime-web (WebAssembly) and compares the
 * logits.
 *
 * @throws StriateError if the logits differ by more than the tolerance
 */
export async function checkExport(path: string, data: TrainingData): Promise<OnnxCheck> {
  const model = await readFileChecked(path, { what: "exported model", maxBytes: LARGEST_MODEL });
  const node = await logits(nodeRuntime, model, data);
  const web = await logits(webRuntime, model, data);
  const maximumDifference = node.reduce((most, value, i) => Math.max(most, Math.abs(value - web[i]!)), 0);
  if (!(maximumDifference <= TOLERANCE)) {
    throw new StriateError(
      `${path}: expected logits of onnxruntime-node and onnxruntime-web within ${TOLERANCE}, got a difference of ${maximumDifference}`,
    );
  }
  return {
    maximumDifference,
    tolerance: TOLERANCE,
    images: COMPARED,
    file: path,
    runtimes: ["onnxruntime-node (CPU)", "onnxruntime-web (WebAssembly)"],
  };
}

async function logits(runtime: Runtime, model: Uint8Array, data: TrainingData): Promise<Float32Array> {
  const session = await runtime.createSession(model);
  try {
    const shapes = { [IMAGES]: [COMPARED, 1, 32, 32], "noise.phases": [COMPARED, 8, 32, 32] };
    const inputs = session.inputNames.map((name) => {
      const shape = shapes[name as keyof typeof shapes] as readonly number[] | undefined;
      if (shape === undefined)
        throw new StriateError(
          `exported model: expected the inputs of the task, got an unknown input "${name}"`,
        );
      return { name, shape };
    });
    const indices = Array.from({ length: COMPARED }, (_, i) => i);
    const feeds: Record<string, TensorData> = await fillInputs(
      inputs,
      { "noise.phases": "uniform" },
      data,
      indices,
      ["onnx check"],
    );
    const { logits: values } = await session.run(feeds);
    return values!.data as Float32Array;
  } finally {
    await session.close();
  }
}
