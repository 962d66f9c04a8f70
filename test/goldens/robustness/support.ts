import type { Tensor, TensorData } from "../../../src/graph/index.js";
import {
  add,
  constant,
  conv,
  flatten,
  gemm,
  input,
  mul,
  tanh,
  tensorData,
} from "../../../src/graph/index.js";
import { Classifier } from "../../../src/robustness/classifier.js";
import type { ImageBatch } from "../../../src/robustness/classifier.js";
import type { Network } from "../../../src/robustness/network.js";
import { tracedNetwork } from "../../../src/robustness/network.js";
import type { Preprocessing } from "../../../src/data/images/preprocessing.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject } from "../../../src/util/json.js";
import type { Comparison } from "../compare.js";
import type { Evaluate } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";

export interface SmallNetworkOptions {
  readonly preprocessing?: Preprocessing;
  /** Standard deviation of normal noise that is added to the images. */
  readonly noiseStd?: number;
  /** Side of the square images; default that of `input.image`. */
  readonly side?: number;
}

/** The network of all attack cases: two convolutions with tanh and a linear layer. */
export function smallNetwork(golden: GoldenCase, options: SmallNetworkOptions = {}): Network {
  const { preprocessing = {}, noiseStd } = options;
  const weight = (name: string) => constant(tensorOf(golden, `param.${name}`));
  const [, channels, height, width] = tensorOf(golden, "input.image").shape as [
    number,
    number,
    number,
    number,
  ];
  const layers = (x: Tensor): Tensor => {
    const first = tanh(conv(x, weight("conv1.weight"), weight("conv1.bias"), { padding: 1 }));
    const second = tanh(conv(first, weight("conv2.weight"), weight("conv2.bias"), { padding: 1, stride: 2 }));
    return gemm(flatten(second), weight("fc.weight"), weight("fc.bias"), { transB: 1 });
  };
  return tracedNetwork({
    name: "small network",
    imageShape: [channels, height, width],
    preprocessing,
    state: new Map(),
    forward: (x) => {
      if (noiseStd === undefined) return layers(x);
      const noise = input("noise", x.shape);
      return { logits: layers(add(x, mul(noise, noiseStd))), noise: { noise: "normal" } };
    },
  });
}

export async function withClassifier<T>(
  network: Network,
  evaluate: Evaluate,
  body: (classifier: Classifier) => Promise<T>,
): Promise<T> {
  const classifier = new Classifier(network, nodeRuntime, evaluate.options);
  try {
    return await body(classifier);
  } finally {
    await classifier.close();
  }
}

export function imagesOf(golden: GoldenCase, name = "input.image", count?: number): ImageBatch {
  const { data, shape } = tensorOf(golden, name);
  const rows = count ?? shape[0]!;
  return {
    count: rows,
    data: Float32Array.from(data as Float32Array).slice(0, (data.length / shape[0]!) * rows),
  };
}

export function wholeOf(golden: GoldenCase, name = "input.label", count?: number): Int32Array {
  return Int32Array.from(tensorOf(golden, name).data as ArrayLike<number | bigint>, Number).slice(0, count);
}

export function floatsOf(golden: GoldenCase, name: string): Float32Array {
  return Float32Array.from(tensorOf(golden, name).data as Float32Array);
}

/** A number in the case's configuration; `path` may lead into an object. */
export function setting(golden: GoldenCase, path: string, fallback?: number): number {
  const value = path
    .split(".")
    .reduce<unknown>((at, key) => (isJsonObject(at) ? at[key] : undefined), golden.config);
  const result = value ?? fallback;
  check(typeof result === "number", () => `${golden.file}: config ${path} is ${JSON.stringify(value)}`);
  return result;
}

export function images(batch: ImageBatch, golden: GoldenCase): TensorData {
  return tensorData(batch.data, [batch.count, ...tensorOf(golden, "input.image").shape.slice(1)]);
}

/** Rows of equal length as one matrix. */
export function rows(list: readonly ArrayLike<number>[]): TensorData {
  const data = Float32Array.from(list.flatMap((row) => Array.from(row)));
  return tensorData(data, [list.length, data.length / list.length]);
}

export function flags(values: ArrayLike<number>): TensorData {
  return { dtype: "uint8", shape: [values.length], data: Uint8Array.from(values) };
}

/** A rule that counts what is out of line. */
export function atMost(name: string, count: number, allowed: number, what: string): Comparison {
  const result = { name, difference: count, allowed };
  return count <= allowed ? result : { ...result, failure: `${name}: ${count} ${what}, allowed ${allowed}` };
}

/** A share of values within a tolerance. */
export function shareWithin(
  name: string,
  expected: TensorData,
  actual: TensorData | undefined,
  tolerance: number,
  share: number,
): Comparison {
  if (actual?.data.length !== expected.data.length) return atMost(name, Infinity, 0, "values missing");
  let far = 0;
  for (let i = 0; i < expected.data.length; i++)
    if (!(Math.abs(Number(actual.data[i]) - Number(expected.data[i])) <= tolerance)) far++;
  return atMost(
    name,
    far,
    Math.floor((1 - share) * expected.data.length + 1e-9),
    `values beyond ${tolerance}`,
  );
}
