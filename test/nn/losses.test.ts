import { describe, expect, it } from "vitest";
import type { TensorData } from "../../src/graph/dtype.js";
import { tensorData } from "../../src/graph/dtype.js";
import type { Dim, Tensor } from "../../src/graph/index.js";
import { constant, gradients, input } from "../../src/graph/index.js";
import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  l1Loss,
  meanSquaredError,
  softCrossEntropy,
} from "../../src/nn/losses.js";
import { numbers, runGraph } from "../support/run.js";
import { distance, wave } from "./support.js";

type Loss = (prediction: Tensor, target: Tensor) => Tensor;
const x = wave([2, 3], 0.3, 1.7, 3);
const t = wave([2, 3], 1, 1.7, 0.5, 0.5);
const y = wave([2, 3], 2);
const classes = tensorData(BigInt64Array.of(2n, 0n), [2], "int64");

/** Softmax of 2 t along the rows, in double precision. */
const soft = (() => {
  const e = Array.from(t.data as Float32Array, (value) => Math.exp(2 * value));
  const total = (row: number) => e[3 * row]! + e[3 * row + 1]! + e[3 * row + 2]!;
  return tensorData(
    e.map((value, i) => value / total(Math.floor(i / 3))),
    [2, 3],
  );
})();

function symbolic(name: string, data: TensorData): Tensor {
  const shape: Dim[] = ["batch", ...data.shape.slice(1)];
  return input(name, shape, data.dtype);
}

async function value(loss: Loss, prediction: TensorData, target: TensorData): Promise<number[]> {
  const result = loss(symbolic("x", prediction), symbolic("t", target));
  return numbers((await runGraph({ result }, { x: prediction, t: target })).result);
}

describe("losses against PyTorch 1.13 (torch.nn.functional), symbolic batch", () => {
  const bce = binaryCrossEntropyWithLogits;
  const cases: [string, Loss, TensorData, TensorData, number[]][] = [
    ["binary cross-entropy", bce, x, t, [0.6227513]],
    [
      "binary cross-entropy, each",
      (a, b) => bce(a, b, { reduction: "none" }),
      x,
      t,
      [0.4153299, 0.8443329, 0.2241352, 1.0418859, 0.10799, 1.1028337],
    ],
    [
      "binary cross-entropy, positive weight",
      (a, b) => bce(a, b, { positiveWeight: constant([2, 0.5, 3]) }),
      x,
      t,
      [0.8663833],
    ],
    [
      "binary cross-entropy, large logits",
      (a, b) => bce(a, b, { reduction: "none" }),
      tensorData([100, -100, 50], [1, 3]),
      tensorData([0, 1, 1], [1, 3]),
      [100, 100, 0],
    ],
    ["cross-entropy", crossEntropy, x, classes, [4.7440882]],
    [
      "cross-entropy, each",
      (a, b) => crossEntropy(a, b, { reduction: "none" }),
      x,
      classes,
      [4.4760613, 5.0121145],
    ],
    [
      "cross-entropy, smoothed sum",
      (a, b) => crossEntropy(a, b, { reduction: "sum", labelSmoothing: 0.1 }),
      x,
      classes,
      [8.9757853],
    ],
    [
      "cross-entropy, maps",
      crossEntropy,
      wave([2, 3, 1, 2], 0.3, 1.7, 3),
      tensorData(BigInt64Array.of(2n, 0n, 1n, 1n), [2, 1, 2], "int64"),
      [0.3645982],
    ],
    ["soft cross-entropy", softCrossEntropy, x, soft, [1.4975222]],
    [
      "soft cross-entropy, smoothed",
      (a, b) => softCrossEntropy(a, b, { labelSmoothing: 0.2 }),
      x,
      soft,
      [1.634445],
    ],
    ["mean squared error", meanSquaredError, x, y, [5.012146]],
    ["squared error, sum", (a, b) => meanSquaredError(a, b, { reduction: "sum" }), x, y, [30.072876]],
    ["L1", l1Loss, x, y, [1.8968182]],
  ];
  it.each(cases)("%s", async (_name, loss, prediction, target, expected) => {
    expect(distance(await value(loss, prediction, target), expected)).toBeLessThan(1e-6);
  });

  it.each(cases.filter(([, , p, , expected]) => expected.length === 1 && p.shape.length === 2))(
    "gradient of %s",
    async (_name, loss, prediction, target) => {
      const [at, goal] = [symbolic("x", prediction), symbolic("t", target)];
      const [gradient] = gradients(loss(at, goal), [at]);
      const got = numbers((await runGraph({ gradient: gradient! }, { x: prediction, t: target })).gradient);
      for (const [i, slope] of got.entries()) {
        const moved = async (by: number) => {
          const data = Float32Array.from(prediction.data as Float32Array);
          data[i]! += by;
          return (await value(loss, tensorData(data, prediction.shape), target))[0]!;
        };
        const step = 2 ** -6;
        expect(slope).toBeCloseTo(((await moved(step)) - (await moved(-step))) / (2 * step), 3);
      }
    },
  );

  it("lets other classes be ruled out by -Infinity, in values and gradients", async () => {
    const ruled = tensorData(Float32Array.of(1, -Infinity, 2, 0.5, 0.25, -Infinity), [2, 3]);
    const [at, goal] = [symbolic("x", ruled), symbolic("t", classes)];
    const loss = crossEntropy(at, goal, { reduction: "none" });
    const [slope] = gradients(loss, [at]);
    const results = await runGraph({ loss, slope: slope! }, { x: ruled, t: classes });
    const share = (difference: number) => 1 / (1 + Math.exp(difference));
    expect(distance(numbers(results.loss), [-Math.log(share(-1)), -Math.log(share(-0.25))])).toBeLessThan(
      1e-6,
    );
    const expected = [share(1), 0, -share(1), -share(0.25), share(0.25), 0];
    expect(distance(numbers(results.slope), expected)).toBeLessThan(1e-6);
  });

  it("makes the loss of a class that does not exist NaN", async () => {
    const wrong = tensorData(BigInt64Array.of(3n, -1n), [2], "int64");
    const each: Loss = (a, b) => crossEntropy(a, b, { reduction: "none" });
    expect(await value(each, x, wrong)).toEqual([NaN, NaN]);
  });

  it("refuses shapes that do not fit", () => {
    const logits = input("x", ["batch", 3]);
    expect(() => meanSquaredError(logits, input("t", ["batch", 1]))).toThrow(
      "mean squared error: expected targets of the prediction's shape [batch, 3], got [batch, 1]",
    );
    expect(() => crossEntropy(logits, input("t", ["batch", 3], "int64"))).toThrow(
      "expected target classes [batch] for logits [batch, 3], got [batch, 3]",
    );
    expect(() => crossEntropy(logits, input("t", ["batch"]))).toThrow(
      /target classes of type int64 or int32/,
    );
  });
});
