import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../src/graph/index.js";
import { convTranspose, input, lower, tensorData, topologicalOrder } from "../../src/graph/index.js";
import { Random } from "../../src/util/random.js";
import { numbers, runGraph } from "../support/run.js";

const drawn = (shape: readonly number[], seed: number): TensorData =>
  tensorData(new Random(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1))), shape);

/** Geometries that PyTorch takes: what is cut away leaves something. */
const geometries = fc
  .record({
    into: fc.integer({ min: 1, max: 3 }),
    out: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 2, max: 4 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    space: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    padding: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 4, maxLength: 4 }),
    extra: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    seed: fc.nat(1000),
  })
  .filter(({ stride, kernel, space, padding, extra }) =>
    space.every(
      (n, i) =>
        extra[i]! < stride && (n - 1) * stride + kernel[i]! + extra[i]! > padding[i]! + padding[i + 2]!,
    ),
  );

describe("transposed convolutions in phases", () => {
  it("are the transposed convolutions", async () => {
    let phased = 0;
    for (const { into, out, stride, kernel, space, padding, extra, seed } of fc.sample(geometries, {
      numRuns: 150,
      seed: 5,
    })) {
      const [x, w, b] = [
        drawn([2, into, ...space], seed),
        drawn([into, out, ...kernel], seed + 1),
        drawn([out], seed + 2),
      ];
      const y = convTranspose(
        input("x", ["batch", into, ...space]),
        input("w", w.shape),
        input("b", b.shape),
        {
          stride,
          padding,
          outputPadding: extra,
        },
      );
      const types = topologicalOrder(Object.values(lower({ y }, "cpu"))).map(({ type }) => type);
      if (!types.includes("DepthToSpace")) continue;
      phased++;
      const kept = numbers((await runGraph({ y }, { x, w, b }, { target: "cuda" })).y);
      const found = numbers((await runGraph({ y }, { x, w, b })).y);
      expect(found).toHaveLength(kept.length);
      kept.forEach((value, i) => {
        expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4);
      });
    }
    expect(phased).toBeGreaterThan(30);
  });

  it("are left alone where most of the kernel would be zeros, in groups, and on GPUs", () => {
    const typesOf = (kernel: number, stride: number, groups: number, target: "cpu" | "webgpu") => {
      const y = convTranspose(
        input("x", [1, 4, 8, 8]),
        input("w", [4, 4 / groups, kernel, kernel]),
        undefined,
        { stride, groups },
      );
      return topologicalOrder(Object.values(lower({ y }, target))).map(({ type }) => type);
    };
    expect(typesOf(4, 2, 1, "cpu")).toContain("DepthToSpace");
    expect(typesOf(3, 2, 1, "cpu")).toContain("ConvTranspose");
    expect(typesOf(4, 2, 2, "cpu")).toContain("ConvTranspose");
    expect(typesOf(4, 2, 1, "webgpu")).toContain("ConvTranspose");
  });
});
