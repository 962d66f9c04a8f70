import { describe, expect, it } from "vitest";
import { conv, gradients, input, lower, mul, sum, topologicalOrder } from "../../src/graph/index.js";
import {
  planOf,
  spectralConvolution,
  spectralInputGradient,
  spectralWeightGradient,
} from "../../src/graph/convolution/spectral.js";
import type { Geometry } from "../support/convolutions.js";
import { convolutionsIn, expectConvolution, normalData, worst } from "../support/convolutions.js";
import { numbers, runGraph } from "../support/run.js";

const GEOMETRIES: readonly Geometry[] = [
  { batch: 2, channels: [3, 4], space: [9, 7], kernel: [5, 5], padding: [2, 2, 2, 2] },
  { batch: 1, channels: [2, 2], space: [6, 8], kernel: [3, 6], padding: [1, 3, 1, 2] },
  { batch: 3, channels: [1, 3], space: [5, 5], kernel: [5, 4], padding: [0, 0, 0, 0] },
  { batch: 1, channels: [2, 1], space: [4, 3], kernel: [2, 1], padding: [2, 0, 1, 3] },
  { batch: 2, channels: [2, 3], space: [1, 9], kernel: [1, 9], padding: [0, 4, 0, 4] },
];

describe("a convolution in the frequencies of both axes", () => {
  it.each(GEOMETRIES)("is the convolution and its gradients: %j", async (geometry) => {
    await expectConvolution(geometry, (shape, window) => {
      const plan = planOf(shape, window);
      return {
        forward: (x, w) => spectralConvolution(x, w, plan),
        inputGradient: (dy, w) => spectralInputGradient(dy, w, plan),
        weightGradient: (pairs) => spectralWeightGradient(pairs, plan),
      };
    });
  });

  it("is chosen for large kernels on many channels and batches, and agrees with the plain form", async () => {
    const [shape, weight] = [
      [8, 32, 12, 12],
      [32, 32, 7, 7],
    ];
    const [x, w, cot] = [input("x", shape), input("w", weight), input("cot", shape)];
    const y = conv(conv(x, w, undefined, { padding: 3 }), w, undefined, { padding: 3 });
    const [dx, dw] = gradients(sum(mul(y, cot)), [x, w]);
    const outputs = { y, dx: dx!, dw: dw! };
    const types = topologicalOrder(Object.values(lower(outputs, "cpu"))).map(({ type }) => type);
    expect(convolutionsIn(outputs)).toBe(0);
    expect(convolutionsIn(outputs, "portable")).toBeGreaterThan(0);
    // x, the first result, both gradients that meet the kernel, and what leads back: no transform is made twice.
    expect(types.filter((type) => type === "Transpose").length).toBeLessThan(22);
    const feeds = { x: normalData(shape, "x"), w: normalData(weight, "w"), cot: normalData(shape, "cot") };
    const [spectral, plain] = [
      await runGraph(outputs, feeds, { target: "cpu" }),
      await runGraph(outputs, feeds, { target: "portable" }),
    ];
    for (const name of ["y", "dx", "dw"])
      expect(worst(numbers(spectral[name]), numbers(plain[name]))).toBeLessThan(3e-6);
  });

  it("is left alone where it would not pay", () => {
    const count = (shape: readonly (number | string)[], weight: readonly number[], padding: number) =>
      convolutionsIn({ y: conv(input("x", shape), input("w", weight), undefined, { padding }) });
    expect(count([8, 64, 32, 32], [64, 64, 3, 3], 1)).toBe(1);
    expect(count([1, 64, 32, 32], [64, 64, 9, 9], 4)).toBe(1);
    expect(count(["batch", 64, 32, 32], [64, 64, 9, 9], 4)).toBe(1);
    expect(count([8, 64, 32, 32], [64, 64, 9, 9], 4)).toBe(0);
  });
});
