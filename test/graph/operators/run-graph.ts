import * as ort from "onnxruntime-node";
import type { Tensor } from "../../../src/graph/index.js";
import { input, lower, writeOnnx } from "../../../src/graph/index.js";
import type { Configuration } from "./gradient-check.js";
import type { Values } from "./values.js";

export interface Result {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export function feedOf({ shape, dtype, data }: Values): ort.Tensor {
  if (dtype === "int64") {
    return new ort.Tensor(
      "int64",
      BigInt64Array.from(data, (v) => BigInt(v)),
      shape,
    );
  }
  if (dtype === "bool") return new ort.Tensor("bool", Uint8Array.from(data), shape);
  if (dtype === "float64") return new ort.Tensor("float64", Float64Array.from(data), shape);
  return new ort.Tensor("float32", Float32Array.from(data), shape);
}

export async function openSession(
  outputs: Readonly<Record<string, Tensor>>,
  { target, optimisation }: Configuration,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(writeOnnx(lower(outputs, target)).bytes, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: optimisation,
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
}

/** Builds a graph over inputs x0, x1, ... with these values, and runs it once. */
export async function runGraph(
  values: readonly Values[],
  build: (...inputs: Tensor[]) => Readonly<Record<string, Tensor>>,
  configuration: Configuration,
): Promise<Record<string, Result>> {
  const leaves = values.map((v, i) => input(`x${i}`, v.shape, v.dtype));
  const session = await openSession(build(...leaves), configuration);
  const fed = session.inputNames.map((name) => [name, feedOf(values[Number(name.slice(1))]!)]);
  const results = await session.run(Object.fromEntries(fed) as Record<string, ort.Tensor>);
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [
      name,
      { shape: tensor.dims, data: Array.from(tensor.data as ArrayLike<number | bigint>, Number) },
    ]),
  );
}
