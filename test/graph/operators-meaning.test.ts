import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { applySingle } from "../../src/graph/operator.js";
import { StriateError } from "../../src/util/errors.js";
import { CONFIGURATIONS } from "./operators/gradient-check.js";
import { feedOf, openSession, runGraph } from "./operators/run-graph.js";
import type { Values } from "./operators/values.js";
import { uniform } from "./operators/values.js";

const float = (shape: readonly number[], data: readonly number[]): Values => ({
  shape,
  dtype: "float32",
  data,
});

/** What every configuration has to give for the outputs of a graph. */
async function expectEverywhere(
  values: readonly Values[],
  build: (...inputs: Tensor[]) => Readonly<Record<string, Tensor>>,
  expected: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  for (const configuration of CONFIGURATIONS) {
    const results = await runGraph(values, build, configuration);
    for (const [name, data] of Object.entries(expected)) {
      const got = results[name]!.data.map((value) => Math.round(value * 1e6) / 1e6 + 0);
      expect([configuration, name, got]).toEqual([configuration, name, data]);
    }
  }
}

describe("ties and borders", () => {
  it("the first of equal elements wins a max pooling, overlapping windows add up", async () => {
    const x = float([1, 1, 4, 4], [0, 0, 5, 5, 0, 0, 5, 5, 2, 1, 0, 0, 1, 2, 0, 0]);
    await expectEverywhere(
      [x],
      (t) => ({
        apart: g.gradients(g.maxPool(t, 2), [t])[0]!,
        overlapping: g.gradients(g.maxPool(t, 3, { stride: 1 }), [t])[0]!,
        global: g.gradients(g.globalMaxPool(t), [t])[0]!,
      }),
      {
        apart: [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0],
        overlapping: [0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        global: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      },
    );
  });

  it("max pooling selects another tensor's element by the first of equal ones", async () => {
    const x = float([1, 1, 2, 3], [1, 1, 4, 1, 1, 4]);
    const values = float([1, 1, 2, 3], [10, 20, 30, 40, 50, 60]);
    await expectEverywhere([x, values], (key, v) => ({ y: g.maxPoolSelect(key, v, 2, { ceilMode: true }) }), {
      y: [10, 30],
    });
  });

  it("derivatives at kinks", async () => {
    await expectEverywhere(
      [float([3], [-1, 0, 1]), float([3], [-1, 0, 0])],
      (a, b) => ({
        relu: g.gradients(g.relu(a), [a])[0]!,
        abs: g.gradients(g.abs(a), [a])[0]!,
        clip: g.gradients(g.clip(a, -1, 1), [a])[0]!,
        norm: g.gradients(g.l2Norm(g.mul(a, 0), 0), [a])[0]!,
        maximum: g.gradients(g.maximum(a, b), [a])[0]!,
        minimum: g.gradients(g.minimum(a, b), [a])[0]!,
        max: g.gradients(g.max(g.mul(a, a)), [a])[0]!,
      }),
      {
        relu: [0, 0, 1],
        abs: [-1, 0, 1],
        clip: [1, 1, 1],
        norm: [0, 0, 0],
        maximum: [0.5, 0.5, 1],
        minimum: [0.5, 0.5, 0],
        max: [-1, 0, 1],
      },
    );
  });

  it("places, one-hot vectors and the k best, ties in order", async () => {
    const x = float([2, 4], [3, 1, 3, 1, -1, -5, -5, -1]);
    const labels: Values = { shape: [2], dtype: "int64", data: [2, -1] };
    await expectEverywhere(
      [x, labels],
      (t, i) => ({
        argmax: g.argmax(t, 1),
        argmin: g.argmin(t, -1, { keepAxes: true }),
        down: g.argmax(t, 0),
        best: g.topK(t, 2).indices,
        least: g.topK(t, 1, 0, { largest: false }).values,
        oneHot: g.oneHot(i, 3),
        front: g.oneHot(i, 3, 0),
        sign: g.sign(t),
      }),
      {
        argmax: [0, 0],
        argmin: [1, 1],
        down: [0, 0, 0, 0],
        best: [0, 2, 0, 3],
        least: [-1, -5, -5, -1],
        oneHot: [0, 0, 1, 0, 0, 1],
        front: [0, 0, 0, 0, 1, 1],
        sign: [1, 1, 1, 1, -1, -1, -1, -1],
      },
    );
  });

  it("rows of an embedding that occur twice get both gradients", async () => {
    const table = float([3, 2], [1, 2, 3, 4, 5, 6]);
    const indices: Values = { shape: [2, 2], dtype: "int64", data: [2, 0, 2, -1] };
    await expectEverywhere(
      [table, indices],
      (t, i) => ({
        y: g.embedding(i, t),
        dTable: g.gradients(g.embedding(i, t), [t])[0]!,
        dConstant: g.gradients(g.embedding(g.constant([2, 0, 2], [3], "int64"), t), [t])[0]!,
      }),
      { y: [5, 6, 1, 2, 5, 6, 5, 6], dTable: [1, 1, 0, 0, 3, 3], dConstant: [1, 1, 0, 0, 2, 2] },
    );
  });
});

describe("gradients as a whole", () => {
  it("add up over every use, stop where asked, and are zero for what does not matter", async () => {
    await expectEverywhere(
      [float([2], [2, 3]), float([2], [5, 7])],
      (a, b) => {
        const y = g.add(g.mul(a, a), g.mul(g.stopGradient(a), a));
        const [da, db] = g.gradients(y, [a, b]);
        return { da: da!, db: db! };
      },
      { da: [6, 9], db: [0, 0] },
    );
  });

  it("go to what lies between, and to higher orders", async () => {
    await expectEverywhere(
      [float([2], [0.5, -1])],
      (x) => {
        const middle = g.mul(x, 3);
        const y = g.mul(middle, g.mul(middle, middle));
        const [first] = g.gradients(y, [x]);
        const [second] = g.gradients(first!, [x]);
        return {
          middle: g.gradients(y, [middle])[0]!,
          first: first!,
          second: second!,
          third: g.gradients(second!, [x])[0]!,
        };
      },
      { middle: [6.75, 27], first: [20.25, 81], second: [81, -162], third: [162, 162] },
    );
  });

  it("one graph takes any batch", async () => {
    const scale = g.constant([1, 1, 1, 1]);
    const model = (x: Tensor, weight: Tensor) => {
      const feature = g.maxPool(g.conv(x, weight, undefined, { padding: 1 }), 3, {
        stride: 2,
        ceilMode: true,
      });
      const normal = g.batchNormTraining(feature, scale, scale).y;
      const pooled = g.adaptiveAveragePool(g.resizeBilinear(normal, [5, 7]), 3);
      const loss = g.add(g.mean(g.groupNorm(pooled, 2)), g.mean(g.square(pooled)));
      const [dx, dw] = g.gradients(loss, [x, weight]);
      return { dx: dx!, dw: dw! };
    };
    const weight = uniform([4, 4, 3, 3], 9, -1, 1, "float32");
    const anyBatch = model(g.input("x", ["batch", 4, 6, 6]), g.input("weight", weight.shape));
    for (const configuration of CONFIGURATIONS) {
      const session = await openSession(anyBatch, configuration);
      for (const batch of [1, 3]) {
        const x = uniform([batch, 4, 6, 6], batch, -1, 1, "float32");
        const results = await session.run({ x: feedOf(x), weight: feedOf(weight) });
        const alone = await runGraph([x, weight], (a, b) => model(a, b), configuration);
        for (const name of ["dx", "dw"]) {
          const got = Array.from(results[name]!.data as Float32Array);
          expect(results[name]!.dims).toEqual(alone[name]!.shape);
          expect(Math.max(...got.map((v, i) => Math.abs(v - alone[name]!.data[i]!)))).toBeLessThan(1e-5);
          expect(Math.max(...got)).toBeGreaterThan(0);
        }
      }
      await session.release();
    }
  });
});

describe("bad input is refused where it is made", () => {
  const x = g.input("x", ["batch", 3, 8, 8]);
  const ints = g.constant([0, 1], [2], "int64");
  const message = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      if (error instanceof StriateError) return error.message;
      throw error;
    }
    return "nothing was thrown";
  };

  it.each<[string, () => unknown, RegExp]>([
    ["an empty batch", () => g.input("x", [0, 3]), /input "x".*at least 1, got 0/],
    [
      "a slice that leaves nothing",
      () => g.slice(g.input("a", [4]), [{ axis: 0, start: 3, end: 1 }]),
      /Slice\(float32\[4\].*length 0/,
    ],
    [
      "shapes that do not broadcast",
      () => g.add(g.input("a", [2, 3]), g.input("b", [2, 4])),
      /Add\(float32\[2, 3\], float32\[2, 4\]\).*broadcast/,
    ],
    [
      "element types that differ",
      () => g.mul(g.input("a", [2]), g.input("b", [2], "float64")),
      /Mul\(float32\[2\], float64\[2\]\).*element type/,
    ],
    [
      "inner lengths that differ",
      () => g.matmul(g.input("a", [2, 3]), g.input("b", [4, 2])),
      /MatMul.*\[2, 3\].*\[4, 2\].*3 and 4/,
    ],
    [
      "channels that differ",
      () => g.conv(x, g.input("w", [4, 2, 3, 3])),
      /Conv\(float32\[batch, 3, 8, 8\], float32\[4, 2, 3, 3\]\).*channels/,
    ],
    ["a kernel that does not fit", () => g.conv(x, g.input("w", [4, 3, 9, 3])), /Conv.*kernel is larger/],
    [
      "a window that does not fit",
      () => g.maxPool(x, 9),
      /MaxPool\(float32\[batch, 3, 8, 8\]\).*window is larger/,
    ],
    [
      "a window of another rank",
      () => g.averagePool(x, [2]),
      /AveragePool.*pads must fit|AveragePool.*kernel \[2\]/,
    ],
    [
      "a reshape of another size",
      () => g.reshape(g.input("a", [2, 3]), [4, 2]),
      /Reshape\(float32\[2, 3\].*6 elements/,
    ],
    [
      "an axis that is not there",
      () => g.softmax(g.input("a", [2, 3]), 2),
      /Softmax: axis 2 does not exist in a tensor of rank 2/,
    ],
    ["whole numbers in a root", () => g.sqrt(ints), /Sqrt\(int64\[2\]\).*floating-point/],
    [
      "a condition that is none",
      () => g.where(g.input("a", [2]), 1, g.input("b", [2])),
      /Where.*condition must be bool/,
    ],
    [
      "an index beyond the axis",
      () => g.gather(g.input("a", [2, 3]), g.constant([2], [1], "int64")),
      /Gather.*index 2 lies outside an axis of length 2/,
    ],
    [
      "indices that are no whole numbers",
      () => g.gather(g.input("a", [2, 3]), g.input("i", [1])),
      /Gather.*int64 or int32/,
    ],
    [
      "updates of another shape",
      () => g.scatterElements(g.input("a", [4]), ints, g.input("u", [3])),
      /ScatterElements.*updates must have the shape \[2\]/,
    ],
    [
      "more than there is",
      () => g.topK(g.input("a", [2, 3]), 4),
      /TopK.*expected at least 4 elements along axis 1/,
    ],
    [
      "a scale for other channels",
      () => g.instanceNorm(x, g.input("s", [4]), g.input("b", [3])),
      /InstanceNormalization.*3 channels/,
    ],
    ["groups that do not divide", () => g.groupNorm(x, 2), /groupNorm.*2 groups/],
    [
      "a layer scale of another length",
      () => g.layerNorm(x, g.input("s", [7])),
      /LayerNormalization.*last 1 axes/,
    ],
    [
      "a batch normalisation in training mode",
      () =>
        applySingle("BatchNormalization", [x, ...[1, 2, 3, 4].map((i) => g.input(`v${i}`, [3]))], {
          training_mode: 1,
        }),
      /BatchNormalization.*training mode/,
    ],
    [
      "an equation for another rank",
      () => g.einsum("ij,jk->ik", g.input("a", [2, 3]), g.input("b", [3])),
      /Einsum.*"jk" does not fit.*rank 1/,
    ],
    [
      "an equation with lengths that differ",
      () => g.einsum("ij,jk->ik", g.input("a", [2, 3]), g.input("b", [4, 2])),
      /Einsum.*"j" has the lengths 3 and 4/,
    ],
    ["a depth that no block divides", () => g.depthToSpace(x, 2), /DepthToSpace.*3 is not a multiple of 4/],
    ["sizes of another rank", () => g.resizeNearest(x, [4]), /Resize.*expected 2 sizes, got 1/],
    ["an unknown operator", () => applySingle("Imagine", [x]), /operator Imagine is not known/],
    [
      "no values to differentiate",
      () => g.gradients(g.argmax(x, 1), [x]),
      /cannot differentiate.*int64.*no floating-point/,
    ],
    [
      "a rule that is missing",
      () =>
        g.gradients(
          g.scope("block", () => applySingle("com.microsoft::FusedMatMul", [x, x])),
          [x],
        ),
      /FusedMatMul has no gradient rule \(used in block .*operators-meaning/,
    ],
    [
      "what is asked for but not reached",
      () => g.gradients(g.sum(x), [g.input("other", [2])], { unreachable: "error" }),
      /no gradient for other float32\[2\]/,
    ],
    [
      "averages along an unknown length",
      () => {
        const tall = g.input("tall", [1, 1, "height", 4]);
        return g.gradients(g.averagePool(tall, 2), [tall]);
      },
      /AveragePool\(float32\[1, 1, height, 4\]\).*known lengths/,
    ],
  ])("%s", (_what, make, expected) => {
    expect(message(make)).toMatch(expected);
  });
});
