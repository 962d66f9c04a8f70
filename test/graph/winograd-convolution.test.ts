import { describe, expect, it } from "vitest";
import { weightGradientAs } from "../../src/graph/convolution/lowering.js";
import { conv, gradients, input, mul, relu, sum } from "../../src/graph/index.js";
import {
  winogradConvolution,
  winogradInputGradient,
  winogradPlans,
  winogradWeightGradient,
} from "../../src/graph/convolution/winograd.js";
import type { Geometry } from "../support/convolutions.js";
import { convolutionsIn, expectConvolution, normalData, windowOf, worst } from "../support/convolutions.js";
import { numbers, runGraph } from "../support/run.js";

const GEOMETRIES: readonly Omit<Geometry, "kernel">[] = [
  { batch: 2, channels: [3, 4], space: [4, 4], padding: [1, 1, 1, 1] },
  { batch: 1, channels: [2, 3], space: [9, 7], padding: [1, 1, 1, 1] },
  { batch: 3, channels: [1, 2], space: [5, 6], padding: [0, 0, 0, 0] },
  { batch: 1, channels: [4, 1], space: [3, 3], padding: [0, 0, 0, 0] },
  { batch: 2, channels: [2, 2], space: [1, 5], padding: [2, 0, 1, 2] },
  { batch: 1, channels: [3, 2], space: [14, 6], padding: [1, 0, 0, 2] },
  { batch: 2, channels: [3, 4], space: [8, 8], padding: [1, 1, 1, 1], stride: 2 },
  { batch: 1, channels: [2, 3], space: [12, 9], padding: [0, 0, 0, 0], stride: 2 },
  { batch: 3, channels: [2, 1], space: [5, 10], padding: [2, 1, 1, 0], stride: 2 },
  { batch: 1, channels: [1, 2], space: [3, 4], padding: [0, 0, 0, 0], stride: 2 },
];

describe("a 3 x 3 convolution by minimal filtering", () => {
  it.each(GEOMETRIES)("is the convolution and its gradients, by every plan: %j", async (geometry) => {
    for (let i = 0, count = 1; i < count; i++) {
      await expectConvolution({ ...geometry, kernel: [3, 3] }, (shape, window, images) => {
        const plans = winogradPlans(shape, window, images);
        count = plans.length;
        const plan = plans[i]!;
        return {
          forward: (x, w) => winogradConvolution(x, w, plan),
          inputGradient: (dy, w) => winogradInputGradient(dy, w, plan),
          weightGradient: (pairs) => winogradWeightGradient(pairs, plan),
        };
      });
    }
  });

  it("sums gradients over batches of different sizes", async () => {
    const window = windowOf({ kernel: [3, 3], padding: [1, 1, 1, 1] });
    const shapes = [
      [1, 3, 6, 6],
      [4, 3, 6, 6],
    ] as const;
    const pairs = shapes.map((shape, i) => [input(`x${i}`, shape), input(`dy${i}`, shape)] as const);
    const results = await runGraph(
      {
        own: weightGradientAs("winograd", pairs, window, "cpu"),
        plain: weightGradientAs("per-offset", pairs, window, "portable"),
      },
      Object.fromEntries(
        shapes.flatMap((shape, i) => [`x${i}`, `dy${i}`].map((name) => [name, normalData(shape, name)])),
      ),
      { target: "portable" },
    );
    expect(worst(numbers(results.own), numbers(results.plain))).toBeLessThan(3e-6);
  });

  it.each([
    { shape: [16, 64, 4, 4], tiles: "of 2 x 2" },
    { shape: [16, 64, 8, 8], tiles: "of 4 x 4" },
    { shape: [16, 128, 16, 12], tiles: "of 4 x 4, in strips" },
    { shape: [64, 256, 8, 8], tiles: "of 2 x 2, stride 2", stride: 2 },
  ])(
    "is chosen for many channels on few tiles $tiles, and agrees with the plain form",
    async ({ shape, stride = 1 }) => {
      const weight = [shape[1]!, shape[1]!, 3, 3];
      const [x, w] = [input("x", shape), input("w", weight)];
      const y = conv(relu(conv(x, w, undefined, { padding: 1, stride })), w, undefined, { padding: 1 });
      const cot = input("cot", y.shape);
      const [dx, dw] = gradients(sum(mul(y, cot)), [x, w]);
      const outputs = { y, dx: dx!, dw: dw! };
      expect(convolutionsIn(outputs)).toBe(0);
      expect(convolutionsIn(outputs, "portable")).toBeGreaterThan(0);
      const feeds = {
        x: normalData(shape, "x"),
        w: normalData(weight, "w"),
        cot: normalData(y.shape as number[], "cot"),
      };
      const [fast, plain] = [
        await runGraph(outputs, feeds, { target: "cpu" }),
        await runGraph(outputs, feeds, { target: "portable" }),
      ];
      for (const name of ["y", "dx", "dw"]) {
        expect(worst(numbers(fast[name]), numbers(plain[name]))).toBeLessThan(1e-5);
      }
    },
  );

  it("is left alone where it would not pay", () => {
    const count = (shape: readonly (number | string)[], weight: readonly number[], options = {}) =>
      convolutionsIn({
        y: conv(input("x", shape), input("w", weight), undefined, { padding: 1, ...options }),
      });
    expect(count([32, 64, 8, 8], [64, 64, 3, 3])).toBe(0);
    expect(count([32, 16, 8, 8], [16, 16, 3, 3])).toBe(1);
    expect(count([32, 128, 16, 16], [128, 128, 3, 3])).toBe(0);
    expect(count([32, 64, 32, 32], [64, 64, 3, 3])).toBe(1);
    expect(count([1, 512, 28, 28], [512, 512, 3, 3])).toBe(1);
    expect(count([1, 512, 4, 4], [512, 512, 3, 3])).toBe(1);
    expect(count(["batch", 512, 4, 4], [512, 512, 3, 3])).toBe(1);
    expect(count([32, 256, 8, 8], [512, 256, 3, 3], { stride: 2 })).toBe(0);
    expect(count([32, 128, 16, 16], [256, 128, 3, 3], { stride: 2 })).toBe(1);
    expect(count([32, 256, 8, 8], [256, 256, 3, 3], { stride: 4 })).toBe(1);
    expect(count([32, 256, 8, 8], [256, 128, 3, 3], { groups: 2 })).toBe(1);
  });
});
