import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ImportedModel } from "../../../src/graph/onnx/read/read.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { Tensor, TensorData } from "../../../src/graph/index.js";
import {
  conv,
  flatten,
  gemm,
  globalAveragePool,
  input,
  lower,
  maxPool,
  parameter,
  relu,
  tensorData,
  writeOnnx,
} from "../../../src/graph/index.js";
import { initialState } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { normal } from "../../../src/nn/init.js";
import { Random } from "../../../src/util/random.js";

const shared = fileURLToPath(new URL("../../../../shared/", import.meta.url));

/** A path in the shared folder, or undefined with the reason printed. */
export function sharedPath(path: string): string | undefined {
  const found = shared + path;
  if (existsSync(found)) return found;
  console.log(`predify: skipped, there is no ${found}`);
  return undefined;
}

export function randomImages(shape: readonly number[], seed = 1): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorData(Random.derive(seed, "images").fillNormal(new Float32Array(size)), shape);
}

/** Writes a traced model with drawn weights and reads it back, as if it came from elsewhere. */
export function asFile(
  outputs: Record<string, Tensor>,
  parameters: ReadonlyMap<string, Tensor>,
): ImportedModel {
  const state = initialState(parameters, (name) => Random.derive(7, name));
  return readOnnx(writeOnnx(lower(outputs, "portable"), { values: asConstants(state) }).bytes, {
    what: "net.onnx",
  });
}

/** conv-relu-pool-conv-relu-pool-conv-relu-mean-linear over any number of spatial axes. */
export function smallBackbone(
  axes: 2 | 3 = 2,
  space: readonly (number | string)[] = Array<number>(axes).fill(8),
): ImportedModel {
  const parameters = new Map<string, Tensor>();
  const weight = (name: string, shape: readonly number[]): Tensor => {
    const made = parameter(shape, normal(0, 1.4 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1))), {
      name,
    });
    parameters.set(name, made);
    return made;
  };
  const kernel = Array<number>(axes).fill(3);
  const image = input("image", ["batch", 2, ...space]);
  const layer = (x: Tensor, name: string, into: number, out: number) =>
    relu(conv(x, weight(name, [out, into, ...kernel]), undefined, { padding: 1 }));
  const a = layer(image, "a.weight", 2, 4);
  const b = layer(maxPool(a, 2, { stride: 2 }), "b.weight", 4, 6);
  const c = layer(maxPool(b, 2, { stride: 2 }), "c.weight", 6, 5);
  const logits = gemm(flatten(globalAveragePool(c)), weight("read.weight", [3, 5]), undefined, { transB: 1 });
  return asFile({ logits }, parameters);
}
