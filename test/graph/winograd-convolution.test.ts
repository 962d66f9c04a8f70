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
  winogradConvolution,
  winogradInputGradient,
  winogradPlans,
  winogradWeightGradient,
} from "../../src/graph/winograd-convolution.js";
import type { Window } from "../../src/graph/window.js";
import { Random } from "../../src/util/random.js";
import { numbers, runGraph } from "../support/run.js";

interface Geometry {
  readonly batch: number;
  readonly channels: readonly [into: number, out: number];
  readonly space: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
}

const GEOMETRIES: readonly Geometry[] = [
  { batch: 2, channels: [3, 4], space: [4, 4], padding: [1, 1, 1, 1] },
  { batch: 1, channels: [2, 3], space: [9, 7], padding: [1, 1, 1, 1] },
  { batch: 3, channels: [1, 2], space: [5, 6], padding: [0, 0, 0, 0] },
  { batch: 1, channels: [4, 1], space: [3, 3], padding: [0, 0, 0, 0] },
  { batch: 2, channels: [2, 2], space: [1, 5], padding: [2, 0, 1, 2] },
];

function random(shape: readonly number[], label: string) {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Random.derive("winograd", label).fillNormal(new Float32Array(size));
  return { dtype: "float32" as const, shape, data };
}

/** Largest difference over the largest number. */
function worst(got: readonly number[], expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(got[i]! - value))) / largest;
}

function windowOf(padding: Geometry["padding"]): Window {
  const [before, after] = [padding.slice(0, 2), padding.slice(2)];
  return { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], before, after, groups: 1 };
}

describe("a 3 x 3 convolution by minimal filtering", () => {
  const cases = GEOMETRIES.flatMap((geometry) => [0, 1].map((filter) => ({ ...geometry, filter })));
  it.each(cases)("is the convolution and its gradients: %j", async ({ filter, ...geometry }) => {
    const { batch, channels, space, padding } = geometry;
    const window = windowOf(padding);
    const [into, out] = channels;
    const length = (axis: 0 | 1) => space[axis] + padding[axis] + padding[axis + 2]! - 2;
    const shapes = {
      x: [batch, into, ...space],
      w: [out, into, 3, 3],
      dy: [batch, out, length(0), length(1)],
    };
    const [x, w, dy] = [input("x", shapes.x), input("w", shapes.w), input("dy", shapes.dy)];
    const shape = { x: [into, ...space], y: [out, length(0), length(1)] } as const;
    const plan = winogradPlans(shape, window, x)[filter]!;
    const pairs = [
      [x, dy],
      [x, dy],
    ] as const;
    const results = await runGraph(
      {
        y: conv(x, w, undefined, { padding }),
        ownY: winogradConvolution(x, w, plan),
        dx: convTranspose(dy, w, undefined, { padding }),
        ownDx: winogradInputGradient(dy, w, plan),
        dw: weightGradientAs("per-offset", pairs, window, "portable"),
        ownDw: winogradWeightGradient(pairs, plan),
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

  it("sums gradients over batches of different sizes", async () => {
    const window = windowOf([1, 1, 1, 1]);
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
        shapes.flatMap((shape, i) => [`x${i}`, `dy${i}`].map((name) => [name, random(shape, name)])),
      ),
      { target: "portable" },
    );
    expect(worst(numbers(results.own), numbers(results.plain))).toBeLessThan(3e-6);
  });

  const convolutions = (outputs: Parameters<typeof lower>[0], target: "cpu" | "portable" = "cpu") =>
    topologicalOrder(Object.values(lower(outputs, target))).filter(({ type }) => type.includes("Conv"))
      .length;

  it.each([
    { shape: [16, 64, 4, 4], tiles: "of 2 x 2" },
    { shape: [16, 64, 8, 8], tiles: "of 4 x 4" },
  ])("is chosen for many channels on few tiles $tiles, and agrees with the plain form", async ({ shape }) => {
    const weight = [shape[1]!, shape[1]!, 3, 3];
    const [x, w, cot] = [input("x", shape), input("w", weight), input("cot", shape)];
    const y = conv(conv(x, w, undefined, { padding: 1 }), w, undefined, { padding: 1 });
    const [dx, dw] = gradients(sum(mul(y, cot)), [x, w]);
    const outputs = { y, dx: dx!, dw: dw! };
    expect(convolutions(outputs)).toBe(0);
    expect(convolutions(outputs, "portable")).toBeGreaterThan(0);
    const feeds = { x: random(shape, "x"), w: random(weight, "w"), cot: random(shape, "cot") };
    const [fast, plain] = [
      await runGraph(outputs, feeds, { target: "cpu" }),
      await runGraph(outputs, feeds, { target: "portable" }),
    ];
    for (const name of ["y", "dx", "dw"]) {
      expect(worst(numbers(fast[name]), numbers(plain[name]))).toBeLessThan(1e-5);
    }
  });

  it("is left alone where it would not pay", () => {
    const count = (shape: readonly (number | string)[], weight: readonly number[], options = {}) =>
      convolutions({ y: conv(input("x", shape), input("w", weight), undefined, { padding: 1, ...options }) });
    expect(count([32, 64, 8, 8], [64, 64, 3, 3])).toBe(0);
    expect(count([32, 16, 8, 8], [16, 16, 3, 3])).toBe(1);
    expect(count([32, 128, 16, 16], [128, 128, 3, 3])).toBe(1);
    expect(count([1, 512, 4, 4], [512, 512, 3, 3])).toBe(1);
    expect(count(["batch", 512, 4, 4], [512, 512, 3, 3])).toBe(1);
    expect(count([32, 256, 8, 8], [256, 256, 3, 3], { stride: 2 })).toBe(1);
    expect(count([32, 256, 8, 8], [256, 128, 3, 3], { groups: 2 })).toBe(1);
  });
});
