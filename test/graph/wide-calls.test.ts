import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import {
  concat,
  gradients,
  input,
  lower,
  mul,
  parameter,
  split,
  sum,
  topologicalOrder,
} from "../../src/graph/index.js";
import { zeros } from "../../src/nn/init.js";
import { numbers, runGraph } from "../support/run.js";

/* A shader on WebGPU binds eight storage buffers: seven tensors beside the one that is written or read. */

const widest = (outputs: Record<string, Tensor>) =>
  Math.max(
    ...topologicalOrder(Object.values(outputs)).map(({ inputs, outputs: made }) =>
      Math.max(inputs.length, made.length),
    ),
  );

function joined(parts: number) {
  const x = input("x", [2, parts * 3]);
  const pieces = split(x, Array<number>(parts).fill(3), 1);
  return { x, y: concat(pieces.map((piece, i) => mul(piece, i + 1)).reverse(), 1) };
}

describe("calls that join or cut into many", () => {
  it.each([7, 8, 16, 49, 50, 120])("read and write at most seven tensors: %i parts", async (parts) => {
    const { y } = joined(parts);
    const data = Float32Array.from({ length: 2 * parts * 3 }, (_, i) => i);
    const feeds = { x: { dtype: "float32" as const, shape: [2, parts * 3], data } };
    const expected = await runGraph(lower({ y }, "cpu"), feeds);
    for (const target of ["webgpu", "portable"] as const) {
      const graph = lower({ y }, target);
      expect(widest(graph)).toBeLessThanOrEqual(7);
      expect(numbers((await runGraph(graph, feeds)).y)).toEqual(numbers(expected.y));
    }
    if (parts > 7) expect(widest(lower({ y }, "cpu"))).toBe(parts);
  });

  it("do so in gradients, too", () => {
    const x = parameter([2, 60], zeros, { name: "x" });
    const parts = split(x, Array<number>(20).fill(3), 1);
    const loss = sum(mul(concat(parts, 1), concat([...parts].reverse(), 1)));
    const [dx] = gradients(loss, [x]);
    expect(widest(lower({ dx: dx! }, "webgpu"))).toBeLessThanOrEqual(7);
  });
});
