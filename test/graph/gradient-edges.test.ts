import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { applySingle } from "../../src/graph/operator.js";
import { CONFIGURATIONS } from "./operators/gradient-check.js";
import { runGraph } from "./operators/run-graph.js";
import type { Values } from "./operators/values.js";

/* Slopes where a factor of the chain rule is infinite or not a number, but the slope itself is not. */

const { gradients } = g;
const INFINITE = -Infinity;

function vector(...data: number[]): Values {
  return { shape: [data.length], dtype: "float32", data };
}

/** The gradient of sum(build(x)) with respect to each of x, in every configuration. */
async function slopes(
  inputs: readonly Values[],
  build: (...x: Tensor[]) => Tensor,
): Promise<readonly (readonly number[])[]> {
  const found = await Promise.all(
    CONFIGURATIONS.map((configuration) =>
      runGraph(
        inputs,
        (...x) =>
          Object.fromEntries(gradients(build(...x), x).map((slope, i) => [`slope ${i}`, slope] as const)),
        configuration,
      ),
    ),
  );
  const all = found.map((results) => inputs.map((_, i) => results[`slope ${i}`]!.data));
  for (const other of all) {
    other.forEach((slope, i) => {
      slope.forEach((value, j) => {
        expect(value).toBeCloseTo(all[0]![i]![j]!, 4);
      });
    });
  }
  return all[0]!;
}

/** The gradient of a function of one vector. */
async function slope(x: readonly number[], build: (x: Tensor) => Tensor): Promise<readonly number[]> {
  return (await slopes([vector(...x)], build))[0]!;
}

const close = (values: readonly number[], digits = 4) =>
  values.map((value) => expect.closeTo(value, digits) as number);

describe("powers", () => {
  it.each([
    [0, [0, 0, 0]],
    [1, [1, 1, 1]],
    [2, [-4, 0, 6]],
    [3, [12, 0, 27]],
  ])("of %d as a constant and as an operand", async (exponent, expected) => {
    const x = [-2, 0, 3];
    expect(await slope(x, (t) => g.pow(t, exponent))).toEqual(close(expected));
    const fed = await slopes([vector(...x), vector(exponent)], (t, n) => g.pow(t, g.stopGradient(n)));
    expect(fed[0]).toEqual(close(expected));
  });

  it("have a slope for the exponent of 0", async () => {
    const found = await slopes([vector(0, 2, 0), vector(2, 3, 1.5)], (x, n) => g.pow(x, n));
    expect(found[1]).toEqual(close([0, 8 * Math.log(2), 0]));
  });

  it("below 1 are 0 where nothing comes back", async () => {
    expect(await slope([0, 4], (x) => g.mul(g.pow(x, 0.5), x))).toEqual(close([0, 3]));
    expect(await slope([0, 4], (x) => g.mul(g.pow(x, -1), g.stopGradient(g.mul(x, 0))))).toEqual(
      close([0, 0]),
    );
  });
});

describe("roots and lengths", () => {
  it("of 0 send back 0 where nothing comes", async () => {
    expect(await slope([0, 4], (x) => g.mul(g.sqrt(x), x))).toEqual(close([0, 3]));
    expect(await slope([0, 0], (x) => g.sqrt(g.sum(g.mul(x, x))))).toEqual([0, 0]);
    expect(await slope([0, 0], (x) => g.l2Norm(x))).toEqual([0, 0]);
    expect(await slope([0, 3], (x) => g.abs(x))).toEqual([0, 1]);
    expect(await slope([0, 0], (x) => g.hypot(x, x))).toEqual([0, 0]);
    expect((await slope([0, 0], (x) => g.unitVectors(x))).every(Number.isFinite)).toBe(true);
  });

  it("stay right next to 0, down to denormal numbers", async () => {
    const [tiny] = await slope([1e-36, 1e-30], g.sqrt);
    expect(tiny! / (0.5 / Math.sqrt(1e-36))).toBeCloseTo(1, 4);
  });

  it("of what is constant: a deviation of 0 sends back 0, weighed or not", async () => {
    expect(await slope([5, 5, 5], (x) => g.mul(g.standardDeviation(x), 1000))).toEqual([0, 0, 0]);
  });
});

describe("products", () => {
  it("with one factor 0, with two, with none", async () => {
    const x: Values = { shape: [3, 3], dtype: "float32", data: [2, 0, 5, 0, 3, 0, 2, 3, 4] };
    const [found] = await slopes([x], (t) => g.product(t, 1));
    expect(found).toEqual(close([0, 10, 0, 0, 0, 0, 12, 8, 6]));
  });

  it("bend where a factor is 0", async () => {
    // d2 (a b c) / da db = c.
    const found = await slope([0, 2, 5], (t) => {
      const [first] = gradients(g.product(t), [t]);
      return g.slice(first!, [{ axis: 0, start: 0, end: 1 }]);
    });
    expect(found).toEqual(close([0, 5, 2]));
  });
});

describe("choices", () => {
  const safe = (x: Tensor, body: (x: Tensor) => Tensor) => g.where(g.greater(x, 0), body(x), 0);

  it("against a division by 0, a logarithm of 0, an overflow", async () => {
    expect(await slope([0, 2], (x) => safe(x, (t) => g.div(3, t)))).toEqual(close([0, -0.75]));
    expect(await slope([0, 2], (x) => safe(x, g.log))).toEqual(close([0, 0.5]));
    expect(await slope([0, 2], (x) => safe(x, (t) => g.mul(t, g.log(t))))).toEqual(
      close([0, 1 + Math.log(2)]),
    );
    expect(await slope([0, 2], (x) => safe(x, (t) => g.neg(g.mul(g.reciprocal(t), 2))))).toEqual(
      close([0, 0.5]),
    );
    const limited = (x: Tensor) => g.where(g.less(x, 50), g.exp(x), 1);
    expect(await slope([200, 1], limited)).toEqual(close([0, Math.E]));
    const both = await slopes([vector(1, 1), vector(0, 4)], (a, b) => g.where(g.equal(b, 0), 0, g.div(a, b)));
    expect(both).toEqual([close([0, 0.25]), close([0, -0.0625])]);
  });

  it("of a quadrant: the angle of (x, y) as exporters write it", async () => {
    const angle = (y: Tensor, x: Tensor) => {
      const plain = g.atan(g.div(y, x));
      const turned = g.where(g.greater(y, 0), g.add(plain, Math.PI), g.sub(plain, Math.PI));
      return g.where(g.less(x, 0), turned, plain);
    };
    const [y, x] = [
      [2, -2, 1, 1, 3],
      [0, 0, 2, -2, 1e-3],
    ];
    const found = await slopes([vector(...y), vector(...x)], angle);
    const square = y.map((value, i) => value ** 2 + x[i]! ** 2);
    expect(found[0]).toEqual(close(x.map((value, i) => value / square[i]!)));
    expect(found[1]).toEqual(close(y.map((value, i) => -value / square[i]!)));
  });
});

describe("rows of -Infinity", () => {
  const rows: Values = { shape: [2, 2], dtype: "float32", data: [INFINITE, INFINITE, 1, INFINITE] };

  it("have no share in a masked softmax, in values or gradients", async () => {
    for (const configuration of CONFIGURATIONS) {
      const build = (x: Tensor) => g.maskedSoftmax(x);
      const weigh = (y: Tensor) => g.mul(y, g.constant([1, 2, 3, 4], [2, 2]));
      const results = await runGraph(
        [rows],
        (x) => ({ y: build(x), dx: gradients(weigh(build(x)), [x])[0]! }),
        configuration,
      );
      expect(results.y!.data).toEqual([0, 0, 1, 0]);
      expect(results.dx!.data).toEqual([0, 0, 0, 0]);
    }
  });

  it("that a graph replaces get no gradient", async () => {
    const replaced = (x: Tensor) => {
      const weights = g.softmax(x);
      return g.mul(g.where(g.isNaN(weights), 0, weights), g.constant([1, 2, 3, 4], [2, 2]));
    };
    expect((await slopes([rows], replaced))[0]).toEqual([0, 0, 0, 0]);
    expect((await slopes([rows], (x) => g.logSumExp(x, 1)))[0]).toEqual(close([0, 0, 1, 0]));
  });
});

describe("bounds", () => {
  it("send what they cut off to the bound that cut it", async () => {
    const x = vector(-3, -1, 0, 1, 4);
    const low: Values = { shape: [], dtype: "float32", data: [-1.5] };
    const high: Values = { shape: [], dtype: "float32", data: [2] };
    const weights = g.constant([1, 10, 100, 1000, 10000]);
    const weighed = (t: Tensor, a: Tensor, b: Tensor) => g.mul(g.clip(t, a, b), weights);
    expect(await slopes([x, low, high], weighed)).toEqual([[0, 10, 100, 1000, 0], [1], [10000]]);
    // High wins where low is above it: everything is high.
    expect(await slopes([x, high, low], weighed)).toEqual([[0, 0, 0, 0, 0], [0], [11111]]);
  });

  it("may be one-sided", async () => {
    const one: Values = { shape: [], dtype: "float32", data: [1] };
    expect(await slopes([vector(0, 2), one], (x, low) => g.clip(x, low))).toEqual([[0, 1], [1]]);
    expect(await slopes([vector(0, 2), one], (x, high) => applySingle("Clip", [x, undefined, high]))).toEqual(
      [[1, 0], [1]],
    );
  });
});

describe("far from 0 and near it", () => {
  it("logarithms of sigmoids", async () => {
    const x = [-200, -20, 0, 20, 200];
    expect(await slope(x, g.logSigmoid)).toEqual(close([1, 1, 0.5, 0, 0]));
    for (const configuration of CONFIGURATIONS) {
      const { y } = await runGraph([vector(...x)], (t) => ({ y: g.logSigmoid(t) }), configuration);
      expect(y!.data).toEqual(
        [-200, -20, -Math.LN2, -2.0611536e-9, 0].map((v) => expect.closeTo(v, 5) as number),
      );
      expect(y!.data[3]! / -2.0611536e-9).toBeCloseTo(1, 3);
    }
  });

  it("inverse hyperbolic functions, in values and slopes", async () => {
    const near = (got: readonly number[], expected: readonly number[], what: string) => {
      got.forEach((value, i) => {
        expect([what, i, value / expected[i]!]).toEqual([what, i, expect.closeTo(1, 5)]);
      });
    };
    const cases = [
      [
        "asinh",
        g.asinh,
        Math.asinh,
        (x: number) => 1 / Math.hypot(1, x),
        [-5000, 1e-5, -1e-3, 0.3, 2, 1e8, -1e20, 3e38],
      ],
      [
        "acosh",
        g.acosh,
        Math.acosh,
        (x: number) => 1 / Math.sqrt(x - 1) / Math.sqrt(x + 1),
        [1.0625, 1.5, 5000, 1e20, 3e38],
      ],
      ["atanh", g.atanh, Math.atanh, (x: number) => 1 / (1 - x) / (1 + x), [1e-5, -1e-3, 0.25, -0.75]],
    ] as const;
    for (const [what, traced, exact, derivative, x] of cases) {
      const rounded = x.map(Math.fround);
      for (const configuration of CONFIGURATIONS) {
        const { y } = await runGraph([vector(...x)], (t) => ({ y: traced(t) }), configuration);
        near(y!.data, rounded.map(exact), `${what} ${configuration.target}`);
      }
      near(await slope(x, traced), rounded.map(derivative), `slope of ${what}`);
    }
  });

  it("in double precision", async () => {
    for (const [traced, exact, x] of [
      [g.asinh, Math.asinh, [-5000, 1e-9, 0.4, 1e160]],
      [g.acosh, Math.acosh, [1.0625, 1.5, 5000, 1e160]],
      [g.atanh, Math.atanh, [1e-9, 0.19, -0.75]],
    ] as const) {
      const values: Values = { shape: [x.length], dtype: "float64", data: [...x] };
      const { y } = await runGraph([values], (t) => ({ y: traced(t) }), CONFIGURATIONS[0]!);
      y!.data.forEach((value, i) => {
        expect(value / exact(x[i]!)).toBeCloseTo(1, 13);
      });
    }
  });
});
