import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WeightGradientForm } from "../../src/graph/convolution/lowering.js";
import { weightGradientAs } from "../../src/graph/convolution/lowering.js";
import type { Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import type { Window } from "../../src/graph/window.js";
import { outputLength } from "../../src/graph/window.js";
import type { Configuration } from "./operators/gradient-check.js";
import type { Dense } from "./operators/reference.js";
import { dense, element } from "./operators/reference.js";
import { runGraph } from "./operators/run-graph.js";
import type { Geometry } from "./operators/table-linear.js";
import { geometries } from "./operators/table-linear.js";
import type { Values } from "./operators/values.js";
import { uniform } from "./operators/values.js";

const SEED = Number(process.env.STRIATE_TEST_SEED ?? 20240607);
const CPU: Configuration = { target: "cpu", optimisation: "all" };

const float = (shape: readonly number[], seed: number) => uniform(shape, seed, -1, 1, "float32");

function windowOf({ kernel, stride, dilation, padding, groups }: Geometry): Window {
  const rank = kernel.length;
  return {
    kernel,
    strides: stride,
    dilations: dilation,
    before: padding.slice(0, rank),
    after: padding.slice(rank),
    groups,
  };
}

/** dW from its definition: every weight meets every pair of elements that it connects. */
function weightGradient(x: Dense, dy: Dense, w: Window): Dense {
  const [batch, into, ...space] = x.shape as [number, number, ...number[]];
  const [, out, rows, columns] = dy.shape as [number, number, number, number];
  const shape = [out, into / w.groups, ...w.kernel];
  return dense(shape, (o, k, a, b) => {
    const channel = Math.floor(o / (out / w.groups)) * (into / w.groups) + k;
    let sum = 0;
    for (let n = 0; n < batch; n++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const y = row * w.strides[0]! + a * w.dilations[0]! - w.before[0]!;
          const z = column * w.strides[1]! + b * w.dilations[1]! - w.before[1]!;
          if (y < 0 || z < 0 || y >= space[0]! || z >= space[1]!) continue;
          sum += element(x, n, channel, y, z) * element(dy, n, o, row, column);
        }
      }
    }
    return sum;
  });
}

function worst(got: readonly number[], expected: readonly number[]): number {
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(got[i]! - value))) / scale;
}

const lengthAfter = ({ space, kernel, stride, dilation, padding }: Geometry, axis: number) =>
  Math.floor(
    (space[axis]! + padding[axis]! + padding[axis + 2]! - (kernel[axis]! - 1) * dilation[axis]! - 1) /
      stride[axis]!,
  ) + 1;

/** Forms that can do a geometry, whatever the shape makes the fastest. */
function formsOf({ groups, into, out }: Geometry): WeightGradientForm[] {
  if (groups === 1) return ["per-offset", "folded", "im2col", "swapped"];
  return into === groups && out === groups ? ["depthwise", "per-offset"] : ["per-offset"];
}

describe("forms of a convolution", () => {
  it("every form of the weight gradient is the definition", async () => {
    const drawn = fc.sample(
      geometries.filter(({ kernel }) => kernel.length === 2),
      { numRuns: 60, seed: SEED },
    );
    const values: Values[] = [];
    const outputs: { name: string; expected: Dense; label: string }[] = [];
    const builders: ((leaves: readonly Tensor[]) => readonly [string, Tensor][])[] = [];
    for (const [i, geometry] of drawn.entries()) {
      const window = windowOf(geometry);
      const x = float([geometry.batch, geometry.into, ...geometry.space], geometry.seed);
      const shape = [geometry.batch, geometry.out, lengthAfter(geometry, 0), lengthAfter(geometry, 1)];
      const dy = float(shape, geometry.seed + 1);
      const expected = weightGradient(x, dy, window);
      const [at, forms] = [values.length, formsOf(geometry)];
      values.push(x, dy);
      for (const form of forms)
        outputs.push({ name: `${form}${i}`, expected, label: JSON.stringify(geometry) });
      builders.push((leaves) =>
        forms.map((form) => [
          `${form}${i}`,
          weightGradientAs(form, [[leaves[at]!, leaves[at + 1]!]], window, "cpu"),
        ]),
      );
    }
    expect(new Set(outputs.map(({ name }) => name.replace(/\d+$/, ""))).size).toBe(5);
    const results = await runGraph(
      values,
      (...leaves) => Object.fromEntries(builders.flatMap((build) => build(leaves))),
      CPU,
    );
    const wrong = outputs.filter(({ name, expected }) => !(worst(results[name]!.data, expected.data) < 1e-5));
    expect(wrong.map(({ name, label }) => `${name} ${label}`)).toEqual([]);
  });

  it.each([
    { into: 4, out: 6, kernel: [9, 9], padding: [4, 4, 4, 4], space: [16, 16] },
    { into: 8, out: 4, kernel: [9, 13], padding: [3, 6, 5, 6], space: [16, 17] },
    { into: 5, out: 4, kernel: [11, 9], padding: [0, 0, 0, 0], space: [26, 24] },
    { into: 4, out: 4, kernel: [13, 13], padding: [12, 12, 12, 12], space: [19, 16] },
  ])(
    "large kernels on few channels, in the frequency domain: %o",
    async ({ into, out, kernel, padding, space }) => {
      const values = [float([2, into, ...space], 1), float([out, into, ...kernel], 2), float([out], 3)];
      // The weight is used twice, as in unrolled dynamics.
      const build = (x: Tensor, w: Tensor, b: Tensor) => {
        const y = g.conv(x, w, b, { padding });
        const again = g.conv(g.sin(x), w, undefined, { padding });
        const [dx, dw, db] = g.gradients(g.add(g.sum(g.square(y)), g.sum(g.square(again))), [x, w, b]);
        return { y, dx: dx!, dw: dw!, db: db! };
      };
      const plain = await runGraph(values, (x, w, b) => build(x, w, b), { ...CPU, target: "portable" });
      const chosen = await runGraph(values, (x, w, b) => build(x, w, b), CPU);
      const graph = g.lower(
        build(...(values.map((v, i) => g.input(`x${i}`, v.shape)) as [Tensor, Tensor, Tensor])),
        "cpu",
      );
      const types = g.topologicalOrder(Object.values(graph)).map((node) => node.type);
      expect(types).not.toContain("Conv");
      for (const name of ["y", "dx", "dw", "db"]) {
        expect(chosen[name]!.shape).toEqual(plain[name]!.shape);
        expect([name, worst(chosen[name]!.data, plain[name]!.data)]).toEqual([name, expect.closeTo(0, 4)]);
      }
    },
  );

  const blockedOnly = it.skipIf(process.arch !== "x64");

  blockedOnly("the weight gradient in blocks of images, whatever the window", async () => {
    const whole = fc.record({
      batch: fc.constantFrom(16, 32),
      into: fc.integer({ min: 1, max: 5 }),
      out: fc.constantFrom(16, 48),
      kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })),
      strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
      before: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
      after: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
      space: fc.tuple(fc.integer({ min: 9, max: 12 }), fc.integer({ min: 9, max: 12 })),
    });
    for (const [i, { batch, into, out, space, ...rest }] of fc
      .sample(whole, { numRuns: 20, seed: SEED })
      .entries()) {
      const window: Window = { ...rest, groups: 1 };
      const lengths = space.map((n, axis) => outputLength(n, window, axis) as number);
      const values = [float([batch, into, ...space], i), float([batch, out, ...lengths], i + 100)];
      const results = await runGraph(
        values,
        (x, dy) => ({
          plain: weightGradientAs("per-offset", [[x, dy]], window, "cpu"),
          blocked: weightGradientAs("blocked", [[x, dy]], window, "cpu"),
        }),
        { target: "cpu", optimisation: i % 2 === 0 ? "all" : "disabled" },
      );
      expect(results.blocked!.shape).toEqual(results.plain!.shape);
      const label = JSON.stringify({ batch, into, out, space, ...rest });
      expect([label, worst(results.blocked!.data, results.plain!.data)]).toEqual([
        label,
        expect.closeTo(0, 5),
      ]);
    }
  });

  blockedOnly.each([
    { into: 32, out: 48, groups: 1, kernel: 3, stride: 1 },
    { into: 16, out: 32, groups: 1, kernel: 5, stride: 2 },
    { into: 32, out: 16, groups: 1, kernel: 1, stride: 2 },
    { into: 64, out: 32, groups: 2, kernel: 3, stride: 1 },
    { into: 32, out: 32, groups: 32, kernel: 3, stride: 1 },
  ])("fed weights in the blocked layout: %o", async ({ into, out, groups, kernel, stride }) => {
    const w = float([out, into / groups, kernel, kernel], 2);
    const values = [float([16, into, 9, 8], 1), w, float([out], 3)];
    const build = (x: Tensor, weight: Tensor, b: Tensor) => {
      const y = g.conv(x, weight, b, { padding: kernel >> 1, stride, groups });
      const [dx, dw, db] = g.gradients(g.sum(g.square(y)), [x, weight, b]);
      return { y, dx: dx!, dw: dw!, db: db! };
    };
    const plain = await runGraph(values, (x, v, b) => build(x, v, b), { ...CPU, target: "portable" });
    const chosen = await runGraph(values, (x, v, b) => build(x, v, b), CPU);
    for (const name of ["y", "dx", "dw", "db"]) {
      expect(chosen[name]!.shape).toEqual(plain[name]!.shape);
      expect([name, worst(chosen[name]!.data, plain[name]!.data)]).toEqual([name, expect.closeTo(0, 5)]);
    }
  });

  it("the blocked layout is only for weights that are fed, and only on the cpu", () => {
    const x = g.input("x", ["batch", 16, 8, 8]);
    const w = g.parameter([16, 16, 3, 3], (shape) => new Float32Array(shape.length), { name: "w" });
    const values = () => g.tensorData(new Float32Array(16 * 16 * 9), [16, 16, 3, 3]);
    // A value that follows from constants is one too.
    const y = g.conv(x, g.mul(w, 2), undefined, { padding: 1 });
    const types = (lowered: Readonly<Record<string, Tensor>>) =>
      g.topologicalOrder(Object.values(lowered)).map((node) => node.type);
    const fed = process.arch === "x64" ? "com.microsoft.nchwc::Conv" : "Conv";
    expect(types(g.lower({ y }, "cpu"))).toContain(fed);
    expect(types(g.lower({ y }, "cpu", { values }))).toContain("Conv");
    for (const target of ["portable", "wasm", "webgpu", "cuda"] as const) {
      expect(types(g.lower({ y }, target)).filter((type) => type.includes("::"))).toEqual([]);
    }
  });
});
