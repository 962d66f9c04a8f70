import * as ort from "onnxruntime-node";
import type { DType, TensorData, TypedArray } from "../../src/graph/dtype.js";
import type { Target, Tensor } from "../../src/graph/index.js";
import { lower, writeOnnx } from "../../src/graph/index.js";

export type Feeds = Readonly<Record<string, TensorData>>;

export interface RunOptions {
  /** Default "cpu". */
  readonly target?: Target;
  readonly values?: (parameter: Tensor) => TensorData | undefined;
  /** ONNX Runtime's graph optimisation (default "all"). */
  readonly optimisation?: "all" | "disabled";
}

/** Runs an ONNX model in onnxruntime-node, one thread. */
export async function runOnnx(
  bytes: Uint8Array,
  feeds: Feeds,
  options: Pick<RunOptions, "optimisation"> = {},
): Promise<Record<string, TensorData>> {
  const session = await openOnnx(bytes, options);
  try {
    return await session(feeds);
  } finally {
    await session.close();
  }
}

/** A session as a function, for graphs that run many times. */
export async function openOnnx(
  bytes: Uint8Array,
  options: Pick<RunOptions, "optimisation"> = {},
): Promise<((feeds: Feeds) => Promise<Record<string, TensorData>>) & { close(): Promise<void> }> {
  const session = await ort.InferenceSession.create(bytes, {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
    graphOptimizationLevel: options.optimisation ?? "all",
  });
  const run = async (feeds: Feeds) => {
    const given = Object.entries(feeds)
      .filter(([name]) => session.inputNames.includes(name))
      .map(([name, { dtype, data, shape }]) => [
        name,
        new ort.Tensor(dtype as "float32", data as Float32Array, shape),
      ]);
    const results = await session.run(Object.fromEntries(given) as Record<string, ort.Tensor>);
    return Object.fromEntries(
      Object.entries(results).map(([name, value]) => [
        name,
        { dtype: value.type as DType, shape: value.dims, data: value.data as unknown as TypedArray },
      ]),
    );
  };
  return Object.assign(run, { close: () => session.release() });
}

/** Lowers, writes and runs a graph; parameters without `values` are fed like inputs. */
export function runGraph(
  outputs: Readonly<Record<string, Tensor>>,
  feeds: Feeds,
  options: RunOptions = {},
): Promise<Record<string, TensorData>> {
  const { target = "cpu", values } = options;
  const constants = values === undefined ? {} : { values };
  const { bytes } = writeOnnx(lower(outputs, target, constants), constants);
  return runOnnx(bytes, feeds, options);
}

/** The elements of a result as plain numbers. */
export function numbers(value: TensorData | undefined): number[] {
  return Array.from((value?.data ?? []) as ArrayLike<number | bigint>, Number);
}
