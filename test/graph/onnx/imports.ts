import { gradients, input, lower, writeOnnx } from "../../../src/graph/index.js";
import type { TensorData } from "../../../src/graph/dtype.js";
import type { ImportedModel, ReadOptions } from "../../../src/graph/onnx/read/read.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { Feeds } from "./models.js";
import { difference, open, run, wave } from "./models.js";

/* Compares what a file became with the file itself: values as ONNX Runtime gives them, gradients with differences of those. */

export interface ImportCheck extends ReadOptions {
  /** Inputs whose gradients are compared, default all of float32. */
  readonly differentiate?: readonly string[];
  /** Largest difference of values, default 1e-5. */
  readonly tolerance?: number;
}

/** One line for each way in which the graph that was read is not the file's. */
export async function importProblems(
  bytes: Uint8Array,
  feeds: Feeds,
  { differentiate, tolerance = 1e-5, ...options }: ImportCheck = {},
): Promise<string[]> {
  const model = readOnnx(bytes, options);
  const expected = await run(bytes, feeds);
  const problems: string[] = [];
  for (const target of ["as read", "cpu", "portable"] as const) {
    const outputs = target === "as read" ? model.outputs : lower(model.outputs, target);
    const gap = difference(await run(written(model, outputs), feeds), expected);
    if (gap > tolerance) problems.push(`values, ${target}: off by ${gap}`);
  }
  const names = differentiate ?? Object.keys(model.inputs).filter((name) => isFloat32(feeds[name]!));
  return [...problems, ...(await gradientProblems(bytes, model, feeds, names, expected))];
}

function isFloat32({ dtype }: TensorData): boolean {
  return dtype === "float32";
}

function written(model: ImportedModel, outputs: ImportedModel["outputs"]): Uint8Array {
  const data = new Map([...model.parameters.values()].map((parameter) => [parameter.tensor, parameter.data]));
  return writeOnnx(outputs, { values: (tensor) => data.get(tensor) }).bytes;
}

/** Gradients of a weighted sum of all float32 outputs, by a stencil of four points of the file's own values. */
async function gradientProblems(
  bytes: Uint8Array,
  model: ImportedModel,
  feeds: Feeds,
  names: readonly string[],
  expected: Record<string, TensorData>,
): Promise<string[]> {
  const outputs = Object.entries(model.outputs).filter(([name]) => isFloat32(expected[name]!));
  if (names.length === 0 || outputs.length === 0) return [];
  const weights = Object.fromEntries(
    outputs.map(([name], i) => [`weight of ${name}`, wave(expected[name]!.shape, i + 0.3)]),
  );
  const seeds = outputs.map(([name, { shape }]) => {
    const plain = shape.map((dim, axis) => (String(dim).includes("?") ? expected[name]!.shape[axis]! : dim));
    return input(`weight of ${name}`, plain);
  });
  const slopes = gradients(
    outputs.map(([, tensor]) => tensor),
    names.map((name) => model.inputs[name]!),
    { seeds },
  );
  const named = Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, slopes[i]!]));
  const got = await run(written(model, lower(named, "cpu")), { ...feeds, ...weights });
  const original = await open(bytes);
  const total = async (changed: Feeds): Promise<number> => {
    const values = await original.run(changed);
    return outputs.reduce((sum, [name]) => {
      const weight = weights[`weight of ${name}`]!;
      return (values[name]!.data as Float32Array).reduce((a, v, i) => a + v * Number(weight.data[i]), sum);
    }, 0);
  };
  const problems: string[] = [];
  for (const name of names) {
    const feed = feeds[name]!;
    const numbers = await differences(feed, (data) => total({ ...feeds, [name]: { ...feed, data } }));
    const scale = Math.max(1, ...numbers.map(Math.abs));
    const ours = got[`gradient of ${name}`]!;
    if (ours.shape.join() !== feed.shape.join()) problems.push(`gradient of ${name}: [${ours.shape.join()}]`);
    for (const [i, number] of numbers.entries()) {
      if (Math.abs(Number(ours.data[i]) - number) <= 5e-3 * scale) continue;
      problems.push(`gradient of ${name}[${i}]: ${ours.data[i]}, by differences ${number}`);
    }
  }
  await original.release();
  return problems;
}

const STEP = 2e-2;

async function differences(
  { data }: TensorData,
  total: (data: Float32Array) => Promise<number>,
): Promise<number[]> {
  const slopes: number[] = [];
  for (const [i, value] of (data as Float32Array).entries()) {
    let slope = 0;
    for (const [factor, weight] of [
      [1, 2 / 3],
      [-1, -2 / 3],
      [2, -1 / 12],
      [-2, 1 / 12],
    ] as const) {
      slope += (weight / STEP) * (await total((data as Float32Array).with(i, value + factor * STEP)));
    }
    slopes.push(slope);
  }
  return slopes;
}
