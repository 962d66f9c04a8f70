import { chooseWeightGradient, weightGradientAs } from "../src/graph/convolution/lowering.js";
import type { WeightGradientForm } from "../src/graph/convolution/lowering.js";
import {
  constant,
  conv,
  gradients,
  input,
  lower,
  matmul,
  slice,
  tensorData,
  writeOnnx,
} from "../src/graph/index.js";
import type { Tensor, TensorData } from "../src/graph/index.js";
import { nodeRuntime } from "../src/runtime/node.js";
import type { BenchCase } from "./measure.js";

/**
 * Batch, channels in, channels out, height = width, and kernel, for typical stages of residual networks and
 * for a wide kernel.
 */
const SHAPES = [
  [64, 64, 64, 32, 3],
  [64, 128, 128, 16, 3],
  [64, 256, 256, 8, 3],
  [64, 512, 512, 4, 3],
  [32, 64, 64, 56, 3],
  [64, 3, 64, 32, 3],
  [64, 8, 8, 32, 13],
] as const;

export function noise(shape: readonly number[], scale = 1): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  let state = 12345;
  const data = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state / 0x40000000 - 1) * scale;
  });
  return tensorData(data, shape);
}

/**
 * One sample of a result: the whole result is computed, but only this sample comes back. In a training step
 * such tensors stay inside the runtime, and copying them out would take longer than some of the products.
 */
function glimpse(x: Tensor): Tensor {
  return slice(x, [{ axis: 0, start: 0, end: 1 }]);
}

/** Opens a graph for timing, with noise in every input. */
export async function openGraph(outputs: Record<string, Tensor>): ReturnType<BenchCase["open"]> {
  const model = writeOnnx(lower(outputs, "cpu"));
  const session = await nodeRuntime.createSession(model.bytes, { threads: 2 });
  const feeds = Object.fromEntries(
    model.inputs.map(({ name, shape }) => [name, noise(shape as number[], 0.5)]),
  );
  return { run: () => session.run(feeds), close: () => session.close() };
}

export function ceilingCase(): BenchCase {
  const size = 2048;
  return {
    name: "matrix product 2048",
    amount: 2 * size ** 3,
    unit: "GFLOP/s",
    peer: { name: "matmul", options: { size } },
    open: () => openGraph({ y: glimpse(matmul(input("a", [size, size]), input("b", [size, size]))) }),
  };
}

export function convolutionCases(): BenchCase[] {
  return SHAPES.flatMap(([n, cin, cout, hw, k]): BenchCase[] => {
    const flops = 2 * n * cin * cout * hw * hw * k * k;
    const label = `${n},${cin},${cout},${hw},${k}`;
    const peer = (train: boolean) => ({ name: "conv", options: { n, cin, cout, hw, k, train } });
    const x = input("x", [n, cin, hw, hw]);
    const w = input("w", [cout, cin, k, k]);
    const options = { padding: k >> 1 };
    return [
      {
        name: `convolution ${label} training`,
        amount: 3 * flops,
        unit: "GFLOP/s",
        bar: 0.9,
        peer: peer(true),
        open: () => {
          const y = conv(x, w, undefined, options);
          const [dx, dw] = gradients(y, [x, w], { seeds: [input("g", [n, cout, hw, hw])] });
          return openGraph({ y: glimpse(y), dx: glimpse(dx!), dw: dw! });
        },
      },
      {
        name: `convolution ${label} inference, constant weights`,
        amount: flops,
        unit: "GFLOP/s",
        ...(k === 3 && { bar: 1.3 }),
        peer: peer(false),
        open: () =>
          openGraph({ y: glimpse(conv(x, constant(noise([cout, cin, k, k])), undefined, options)) }),
      },
    ];
  });
}

/** Every form of the weight gradient on every shape; the chosen one is marked. */
export function weightGradientForms(): BenchCase[] {
  const forms: WeightGradientForm[] = [
    "per-offset",
    "folded",
    "im2col",
    "swapped",
    "blocked",
    "winograd",
    "fourier",
  ];
  return SHAPES.flatMap(([n, cin, cout, hw, k]) => {
    const p = [k >> 1, k >> 1];
    const window = { kernel: [k, k], strides: [1, 1], dilations: [1, 1], before: p, after: p, groups: 1 };
    const pair = [input("x", [n, cin, hw, hw]), input("g", [n, cout, hw, hw])] as const;
    const chosen = chooseWeightGradient(pair, window, "cpu");
    return forms
      .filter((form) => form !== "fourier" || chosen === "fourier")
      .filter((form) => form !== "per-offset" || k < 13)
      .filter((form) => form !== "winograd" || k === 3)
      .filter((form) => form !== "blocked" || cout % 16 === 0)
      .map((form): BenchCase => ({
        name: `weight gradient ${n},${cin},${cout},${hw},${k} ${form}${form === chosen ? " (chosen)" : ""}`,
        amount: 2 * n * cin * cout * hw * hw * k * k,
        unit: "GFLOP/s",
        open: () => openGraph({ dw: weightGradientAs(form, [pair], window, "cpu") }),
      }));
  });
}
