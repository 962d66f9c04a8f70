import type { Tensor, TensorData } from "../../src/graph/index.js";
import { lower, writeOnnx } from "../../src/graph/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { SessionOptions } from "../../src/runtime/runtime.js";

export type Feeds = Readonly<Record<string, TensorData>>;

/** Computes tensors of a graph. Feeds that nothing needs are left out. */
export type Evaluate = (
  outputs: Readonly<Record<string, Tensor>>,
  feeds: Feeds,
) => Promise<Record<string, TensorData>>;

/** Lowers for the CPU, writes ONNX and runs it in ONNX Runtime; parameters are fed by name. */
export function evaluator(options: SessionOptions = {}): Evaluate {
  return async (outputs, feeds) => {
    const { bytes } = writeOnnx(lower(outputs, "cpu"));
    const session = await nodeRuntime.createSession(bytes, { threads: 2, ...options });
    try {
      const needed = new Set(session.inputNames);
      const given = Object.fromEntries(Object.entries(feeds).filter(([name]) => needed.has(name)));
      return await session.run(given);
    } finally {
      await session.close();
    }
  };
}
