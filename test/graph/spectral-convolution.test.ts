import { describe, expect, it } from "vitest";
import { weightGradientAs } from "../../src/graph/convolution-lowering.js";
import {
  conv,
  convTranspose,
  gradients,
  input,
  lower,
  mul,
  sum,
  topologicalOrder,
} from "../../src/graph/index.js";
import {
  planOf,
  spectralConvolution,
  spectralInputGradient,
  spectralWeightGradient,
} from "../../src/graph/spectral-convolution.js";
import type { Window } from "../../src/graph/window.js";
import { Random } from "../../src/util/random.js";
import { numbers, runGraph } from "../support/run.js";

interface Geometry {
  readonly batch: number;
  readonly channels: readonly [into: number, out: number];
  readonly space: readonly [number, number];
  readonly kernel: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
}

const GEOMETRIES: readonly Geometry[] = [
  { batch: 2, channels: [3, 4], space: [9, 7], kernel: [5, 5], padding: [2, 2, 2, 2] },
  { batch: 1, channels: [2, 2], space: [6, 8], kernel: [3, 6], padding: [1, 3, 1, 2] },
  { batch: 3, channels: [1, 3], space: [5, 5], kernel: [5, 4], padding: [0, 0, 0, 0] },
  { batch: 1, channels: [2, 1], space: [4, 3], kernel: [2, 1], padding: [2, 0, 1, 3] },
  { batch: 2, channels: [2, 3], space: [1, 9], kernel: [1, 9], padding: [0, 4, 0, 4] },
];

function random(shape: readonly number[], label: string) {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Random.derive("spectral", label).fillNormal(new Float32Array(size));
  return { dtype: "float32" as const, shape, data };
}

function worst(got: readonly number[], expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(got[i]! - value))) / largest;
}

describe("a convolution in the frequencies of both axes", () => {
  it.each(GEOMETRIES)("is the convolution and its gradients: %j", async (geometry) => {
    const { batch, channels, space, kernel, padding } = geometry;
    const window: Window = {
      kernel,
      strides: [1, 1],
      dilations: [1, 1],
      before: padding.slice(0, 2),
      after: padding.slice(2),
      groups: 1,
    };
    const [into, out] = channels;
    const length = (axis: 0 | 1) => space[axis] + padding[axis] + padding[axis + 2]! - kernel[axis] + 1;
    const shapes = {
      x: [batch, into, ...space],
      w: [out, into, ...kernel],
      dy: [batch, out, length(0), length(1)],
    };
    const [x, w, dy] = [input("x", shapes.x), input("w", shapes.w), input("dy", shapes.dy)];
    const plan = planOf({ x: [into, ...space], y: [out, length(0), length(1)] }, window);
    const results = await runGraph(
      {
        y: conv(x, w, undefined, { padding }),
        ownY: spectralConvolution(x, w, plan),
        dx: convTranspose(dy, w, undefined, { padding }),
        ownDx: spectralInputGradient(dy, w, plan),
        dw: weightGradientAs(
          "per-offset",
          [
            [x, dy],
            [x, dy],
          ],
          window,
          "portable",
        ),
        ownDw: spectralWeightGradient(
          [
            [x, dy],
            [x, dy],
          ],
          plan,
        ),
      },
      { x: random(shapes.x, "x"), w: random(shapes.w, "w"), dy: random(shapes.dy, "dy") },
      { target: "portable" },
    );
    for (const [own, plain] of [
      ["ownY", "y"],
      ["ownDx", "dx"],
      ["ownDw", "dw"],
    ] as const) {
      expect(results[own]!.shape).toEqual(results[plain]!.shape);
      expect(worst(numbers(results[own]), numbers(results[plain]))).toBeLessThan(3e-6);
    }
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
    const types = (target: "cpu" | "portable") =>
      topologicalOrder(Object.values(lower(outputs, target))).map(({ type }) => type);
    const convolutions = (names: readonly string[]) => names.filter((type) => type.includes("Conv")).length;
    expect(convolutions(types("cpu"))).toBe(0);
    expect(convolutions(types("portable"))).toBeGreaterThan(0);
    // x, the first result, both gradients that meet the kernel, and what leads back: no transform is made twice.
    expect(types("cpu").filter((type) => type === "Transpose").length).toBeLessThan(22);
    const feeds = { x: random(shape, "x"), w: random(weight, "w"), cot: random(shape, "cot") };
    const [spectral, plain] = [
      await runGraph(outputs, feeds, { target: "cpu" }),
      await runGraph(outputs, feeds, { target: "portable" }),
    ];
    for (const name of ["y", "dx", "dw"])
      expect(worst(numbers(spectral[name]), numbers(plain[name]))).toBeLessThan(3e-6);
  });

  it("is left alone where it would not pay", () => {
    const count = (shape: readonly (number | string)[], weight: readonly number[], padding: number) =>
      topologicalOrder(
        Object.values(
          lower({ y: conv(input("x", shape), input("w", weight), undefined, { padding }) }, "cpu"),
        ),
      ).filter(({ type }) => type.includes("Conv")).length;
    expect(count([8, 64, 32, 32], [64, 64, 3, 3], 1)).toBe(1);
    expect(count([1, 64, 32, 32], [64, 64, 9, 9], 4)).toBe(1);
    expect(count(["batch", 64, 32, 32], [64, 64, 9, 9], 4)).toBe(1);
    expect(count([8, 64, 32, 32], [64, 64, 9, 9], 4)).toBe(0);
  });
});
