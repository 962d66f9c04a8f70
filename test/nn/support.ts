import type { TensorData } from "../../src/graph/dtype.js";
import { tensorData } from "../../src/graph/dtype.js";
import type { NamedParameters } from "../../src/nn/module.js";
import { namedParameters } from "../../src/nn/module.js";
import type { Tensor } from "../../src/graph/index.js";
import { asConstants } from "../../src/nn/training-state.js";

/**
 * sin(start + step i) as float32: the tests' inputs, made the same way in PyTorch 1.13 when the expected values were
 * computed (torch.tensor([math.sin(start + step * i) ...], dtype=torch.float64).float()).
 */
export function wave(shape: readonly number[], start = 0, step = 1.7, scale = 1, shift = 0): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from(
    { length: size },
    (_, i) => Math.fround(Math.sin(start + step * i)) * scale + shift,
  );
  return tensorData(data, shape);
}

/** Parameter number i of a layer as wave(shape, 0.1 + i, 0.9); buffers keep what their initialiser gives. */
export function waveValues(model: object): (parameter: Tensor) => TensorData | undefined {
  return asConstants(waveState(namedParameters(model)));
}

export function waveState(parameters: NamedParameters): Map<string, TensorData> {
  let position = 0;
  const state = new Map<string, TensorData>();
  for (const [name, { shape, node }] of parameters) {
    const dims = shape as readonly number[];
    const leaf = node.leaf;
    if (leaf?.kind !== "parameter") continue;
    if (leaf.trainable) state.set(name, wave(dims, 0.1 + position++, 0.9));
    else state.set(name, tensorData(leaf.initialiser(dims, { uniform: () => 0, normal: () => 0 }), dims));
  }
  return state;
}

/** Largest difference of two lists relative to 1 + |expected|; infinite where their lengths differ. */
export function distance(got: readonly number[], expected: readonly number[]): number {
  if (got.length !== expected.length) return Infinity;
  return got.reduce((worst, value, i) => {
    const difference = Math.abs(value - expected[i]!) / (1 + Math.abs(expected[i]!));
    return Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }, 0);
}
