import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { hasBlockedKernels } from "../../src/graph/convolution/blocked.js";
import { normalData, worst } from "../support/convolutions.js";
import { numbers, runGraph } from "../support/run.js";

/*
 * What the CPU's lowerings make of common calls: the same numbers as the portable graph, without the operators that ONNX
 * Runtime is slow at.
 */

type Outputs = Readonly<Record<string, Tensor>>;

async function expectSame(outputs: Outputs, shapes: Readonly<Record<string, readonly number[]>>) {
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, normalData(shape, name)]),
  );
  const [fast, plain] = [
    await runGraph(outputs, feeds, { target: "cpu" }),
    await runGraph(outputs, feeds, { target: "portable" }),
  ];
  for (const name of Object.keys(outputs)) {
    expect([name, fast[name]!.shape]).toEqual([name, plain[name]!.shape]);
    expect(worst(numbers(fast[name]), numbers(plain[name]))).toBeLessThan(2e-6);
  }
}

const lowered = (outputs: Outputs, target: g.Target = "cpu") =>
  g.topologicalOrder(Object.values(g.lower(outputs, target)));
const typesIn = (outputs: Outputs) => lowered(outputs).map(({ type }) => type);

describe("operands that both end in axes of length 1", () => {
  const x = g.input("x", [40, 10, 1, 1]);
  const vector = g.input("vector", [10, 1, 1]);
  const outputs = {
    scaled: g.mul(x, 3),
    difference: g.sub(1, x),
    quotient: g.div(x, g.add(g.abs(vector), 1)),
    chosen: g.where(g.greater(x, 0.5), x, 0),
  };

  it("are combined without those axes, as the portable graph combines them with", async () => {
    const operands = lowered(outputs).flatMap(({ type, inputs }) =>
      ["Mul", "Sub", "Div", "Greater"].includes(type) ? inputs.map((input) => input!.shape.at(-1) ?? 10) : [],
    );
    expect(operands).toHaveLength(8);
    expect(operands).not.toContain(1);
    await expectSame(outputs, { x: [40, 10, 1, 1], vector: [10, 1, 1] });
  });

  it("are left alone where there are few numbers, or nothing to broadcast", () => {
    const small = g.input("small", [4, 3, 1, 1]);
    expect(typesIn({ y: g.mul(small, 2), z: g.add(x, g.neg(x)) })).not.toContain("Squeeze");
  });
});

describe("sums of products along long axes", () => {
  const shape = [3, 20, 16, 40];
  const [a, b] = [g.input("a", shape), g.input("b", shape)];
  const outputs = {
    perChannel: g.sum(g.mul(a, b), [0, 2, 3]),
    average: g.mean(g.mul(a, b), [2, 3], { keepAxes: true }),
    squares: g.sumOfSquares(a, [2, 3]),
    norm: g.l2Norm(b, [-2, -1]),
    variance: g.variance(a, [2, 3]),
  };

  it("are inner products", async () => {
    const types = typesIn(outputs);
    expect(types).not.toContain("ReduceSumSquare");
    expect(types.filter((type) => type === "com.microsoft::FusedMatMul")).toHaveLength(4);
    await expectSame(outputs, { a: shape, b: shape });
  });

  it("stay sums where axes are short, or not the last", () => {
    const others = {
      first: g.sum(g.mul(a, b), [0, 1]),
      short: g.sum(g.mul(a, b), 3),
      broadcast: g.sum(g.mul(a, g.input("row", [40])), [2, 3]),
    };
    expect(typesIn(others)).not.toContain("com.microsoft::FusedMatMul");
  });
});

describe("a scaled sum", () => {
  const sum = (shape: readonly number[]) => {
    const [x, y] = [g.input("x", shape), g.input("y", shape)];
    return { fixed: g.scaledAdd(x, 0.3, y), fed: g.scaledAdd(y, g.input("scale", []), g.neg(x)) };
  };

  it("of many numbers takes one pass", async () => {
    const shape = [160, 160, 3, 3, 2];
    const types = typesIn(sum(shape));
    expect(types.filter((type) => type === "com.microsoft.nchwc::Conv")).toHaveLength(
      hasBlockedKernels() ? 2 : 0,
    );
    expect(types.includes("Add")).toBe(!hasBlockedKernels());
    await expectSame(sum(shape), { x: shape, y: shape, scale: [] });
  });

  it("of few numbers, or of a number that is no multiple of 1024, is a product and a sum", async () => {
    for (const shape of [[100], [311, 1000]]) {
      expect(typesIn(sum(shape))).toContain("Add");
      await expectSame(sum(shape), { x: shape, y: shape, scale: [] });
    }
  });

  it("refuses operands that do not fit", () => {
    const [x, y] = [g.input("x", [2, 3]), g.input("y", [3])];
    expect(() => g.scaledAdd(x, 2, y)).toThrow(/ScaledAdd.*expected x and y of the same shape/s);
    expect(() => g.scaledAdd(x, y, x)).toThrow(/ScaledAdd.*expected a scalar scale/s);
  });
});

describe("convolutions of single cells that skip places", () => {
  it.each([
    { stride: 2, groups: 1, space: [9, 8] },
    { stride: [3, 2], groups: 2, space: [7, 7] },
    { stride: 2, groups: 1, space: [8, 6] },
    { stride: [3, 2], groups: 2, space: [9, 7] },
  ])("are those of stride 1 on what is left: %j", async ({ stride, groups, space }) => {
    const [shape, weight] = [
      [2, 4, ...space],
      [6, 4 / groups, 1, 1],
    ];
    const [x, w, bias] = [g.input("x", shape), g.input("w", weight), g.input("bias", [6])];
    const y = g.conv(x, w, bias, { stride, groups });
    const cot = g.input("cot", y.shape);
    const [dx, dw] = g.gradients(g.sum(g.mul(y, cot)), [x, w]);
    const striding = (outputs: Outputs) =>
      lowered(outputs).filter(
        ({ type, attributes }) =>
          type.startsWith("Conv") && (attributes.strides as readonly number[]).some((s) => s > 1),
      );
    expect(striding({ y, dw: dw! })).toHaveLength(0);
    const [rows] = [stride].flat() as [number];
    const wholeStrides = space[0]! % rows === 0;
    expect(striding({ dx: dx! })).toHaveLength(wholeStrides ? 0 : 1);
    expect(typesIn({ y, dw: dw! }).filter((type) => type === "AveragePool")).toHaveLength(1);
    await expectSame(
      { y, dx: dx!, dw: dw! },
      { x: shape, w: weight, bias: [6], cot: y.shape as readonly number[] },
    );
  });
});

describe("gradients in the form that is fast", () => {
  it("of one matrix times many with few columns: one product", async () => {
    const [a, b] = [g.input("a", [12, 20]), g.input("b", [5, 3, 20, 4])];
    const cot = g.input("cot", [5, 3, 12, 4]);
    const [da, db] = g.gradients(g.sum(g.mul(g.matmul(a, b), cot)), [a, b]);
    const sums = lowered({ da: da! }).filter(({ type }) => type === "ReduceSum");
    expect(sums).toHaveLength(0);
    await expectSame({ da: da!, db: db! }, { a: [12, 20], b: [5, 3, 20, 4], cot: [5, 3, 12, 4] });
  });

  it("of a rectifier below a convolution: a product with its mask", async () => {
    const [x, w] = [g.input("x", [2, 3, 5, 5]), g.input("w", [4, 3, 3, 3])];
    const [dx] = g.gradients(g.sum(g.square(g.conv(g.relu(x), w))), [x]);
    expect(typesIn({ dx: dx! })).not.toContain("Where");
    await expectSame({ dx: dx! }, { x: [2, 3, 5, 5], w: [4, 3, 3, 3] });
  });

  it("of rectifiers on residual paths, forty deep: each sum is looked at once", () => {
    const [x, w] = [g.input("x", [2, 3]), g.input("w", [3, 3])];
    let h = x;
    for (let i = 0; i < 40; i++) h = g.add(h, g.relu(h));
    const [dx] = g.gradients(g.sum(g.square(g.matmul(h, w))), [x]);
    expect(typesIn({ dx: dx! })).not.toContain("Where");
  });

  it("of a rectifier below a square root: still a choice, 0 where it is shut", async () => {
    const x = g.input("x", [4]);
    const [dx] = g.gradients(g.sum(g.sqrt(g.relu(x))), [x]);
    const data = Float32Array.of(-1, 0, 4, 0.25);
    const results = await runGraph({ dx: dx! }, { x: { dtype: "float32", shape: [4], data } });
    expect(numbers(results.dx)).toEqual([0, 0, 0.25, 1]);
  });
});
