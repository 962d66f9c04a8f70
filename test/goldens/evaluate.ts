import type { Tensor, TensorData } from "../../src/graph/index.js";
import { lower, writeOnnx } from "../../src/graph/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { SessionOptions } from "../../src/runtime/runtime.js";

export type Feeds = Readonly<Record<string, TensorData>>;

/** Computes tensors of a graph. Feeds that nothing needs are left out. */
export interface Evaluate {
  (outputs: Readonly<Record<string, Tensor>>, feeds: Feeds): Promise<Record<string, TensorData>>;
  /** How sessions are opened, for cases that keep one over many runs. */
  readonly options: SessionOptions;
}

/** Lowers for the CPU, writes ONNX and runs it in ONNX Runtime; parameters are fed by name. */
export function evaluator(options: SessionOptions = {}): Evaluate {
  const session = { threads: 2, ...options };
  const evaluate = async (outputs: Readonly<Record<string, Tensor>>, feeds: Feeds) => {
    const { bytes } = writeOnnx(lower(outputs, "cpu"));
    const opened = await nodeRuntime.createSession(bytes, session);
    try {
      const needed = new Set(opened.inputNames);
      const given = Object.fromEntries(Object.entries(feeds).filter(([name]) => needed.has(name)));
      return await opened.run(given);
    } finally {
      await opened.close();
    }
  };
  return Object.assign(evaluate, { options: session });
}
