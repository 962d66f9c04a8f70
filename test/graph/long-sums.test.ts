import { describe, expect, it } from "vitest";
import type { DType, Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { applySingle } from "../../src/graph/operator.js";
import { numbers, runGraph } from "../support/run.js";

/* Single precision ends at 2^24 where ones are added up one by one; a million tenths are off by a hundredth. */

const TENTH = Math.fround(0.1);
const MANY = 2 ** 20;

function filled(shape: readonly number[], value: number) {
  const size = shape.reduce((a, b) => a * b, 1);
  return { dtype: "float32" as DType, shape, data: new Float32Array(size).fill(value) };
}

async function reduced(
  shape: readonly number[],
  build: (x: Tensor) => Tensor,
  { value = TENTH, named = false } = {},
): Promise<{ readonly shape: readonly number[]; readonly values: readonly number[] }> {
  const x = g.input("x", named ? ["n", ...shape.slice(1)] : shape);
  const { y } = await runGraph({ y: build(x) }, { x: filled(shape, value) });
  return { shape: y!.shape, values: numbers(y) };
}

const plain =
  (type: string, axes: readonly number[] | undefined, keepdims = 0) =>
  (x: Tensor) =>
    applySingle(type, [x, axes && g.integers(axes)], { keepdims });

describe("sums of many numbers on the cpu", () => {
  it("go on beyond 2^24", async () => {
    const count = 2 ** 24 + 4096;
    for (const named of [false, true]) {
      const { shape, values } = await reduced([count, 1], plain("ReduceSum", [0]), { value: 1, named });
      expect([named, shape, values]).toEqual([named, [1], [count]]);
    }
    expect((await reduced([count, 1], plain("ReduceMean", [0]), { value: 1 })).values).toEqual([1]);
  });

  it.each([
    [[MANY, 1], [0]],
    [[MANY, 3], [0]],
    [[MANY + 7, 3], [0]],
    [[4 * MANY + 3], undefined],
    [[2, MANY], [1]],
    [[2, MANY / 2, 7], [1]],
    [
      [MANY, 1, 1],
      [0, 2],
    ],
    [[1, MANY, 1], [1]],
    [
      [MANY / 4, 4, 4],
      [0, 2],
    ],
    [
      [2, MANY / 4, 2, 4],
      [1, 3],
    ],
    [
      [4, 2, MANY / 4, 2],
      [0, 2],
    ],
    [
      [2, 1024, 1024],
      [1, 2],
    ],
    [
      [1023, 2, 700],
      [0, 2],
    ],
  ] as const)("keep their digits: %j over %j", async (shape, axes) => {
    const count = (axes ?? shape.map((_, axis) => axis)).reduce((size, axis) => size * shape[axis]!, 1);
    for (const keepdims of [0, 1]) {
      const sum = await reduced(shape, plain("ReduceSum", axes, keepdims));
      const kept = shape.flatMap((dim, axis) => {
        if (axes !== undefined && !axes.includes(axis as never)) return [dim];
        return keepdims === 1 ? [1] : [];
      });
      expect(sum.shape).toEqual(kept);
      for (const value of sum.values) expect(Math.abs(value / (count * TENTH) - 1)).toBeLessThan(5e-5);
    }
    const { values } = await reduced(shape, plain("ReduceMean", axes));
    for (const value of values) expect(Math.abs(value / TENTH - 1)).toBeLessThan(5e-5);
  });

  it("keep their digits for a number of rows known only when it runs", async () => {
    const { shape, values } = await reduced([MANY, 5], plain("ReduceSum", [0]), { named: true });
    expect(shape).toEqual([5]);
    for (const value of values) expect(Math.abs(value / (MANY * TENTH) - 1)).toBeLessThan(5e-5);
  });

  it.each([
    ["ReduceSumSquare", MANY * TENTH ** 2],
    ["ReduceL1", MANY * TENTH],
    ["ReduceL2", Math.sqrt(MANY) * TENTH],
    ["ReduceLogSum", Math.log(MANY * TENTH)],
    ["ReduceLogSumExp", Math.log(MANY) + TENTH],
  ])("and so do %s", async (type, expected) => {
    for (const [shape, axes] of [
      [[MANY, 2], [0]],
      [[2, MANY], [1]],
    ] as const) {
      const { values } = await reduced(shape, plain(type, axes));
      for (const value of values) expect(Math.abs(value / expected - 1)).toBeLessThan(5e-5);
    }
  });

  it("of a bias's gradient and of inner products", async () => {
    const x = g.input("x", [MANY, 3]);
    const bias = g.input("bias", [3]);
    const [slope] = g.gradients(g.mul(g.add(x, bias), TENTH), [bias]);
    const { y } = await runGraph({ y: slope! }, { x: filled([MANY, 3], 1), bias: filled([3], 0) });
    for (const value of numbers(y)) expect(Math.abs(value / (MANY * TENTH) - 1)).toBeLessThan(5e-5);
    const { values } = await reduced([32, 2 ** 17], (t) => g.sum(g.mul(t, t), 1));
    for (const value of values) expect(Math.abs(value / (2 ** 17 * TENTH ** 2) - 1)).toBeLessThan(1e-4);
  });

  it("go on in half precision, whose sums would be infinite", async () => {
    const x = g.cast(g.input("x", [2 ** 18, 1]), "float16");
    const { y } = await runGraph({ y: g.cast(g.mean(x, 0), "float32") }, { x: filled([2 ** 18, 1], 2) });
    expect(numbers(y)).toEqual([2]);
    const [slope] = g.gradients(g.cast(g.mean(x, 0), "float32"), [x.node.inputs[0]!]);
    const { dx } = await runGraph({ dx: slope! }, { x: filled([2 ** 18, 1], 2) });
    expect(numbers(dx)[0]).toBeCloseTo(2 ** -18, 12);
  });

  it("and so do sums in Einstein's notation", async () => {
    const { shape, values } = await reduced([MANY, 3, 2], (x) => g.einsum("nij->ji", x));
    expect(shape).toEqual([2, 3]);
    for (const value of values) expect(Math.abs(value / (MANY * TENTH) - 1)).toBeLessThan(5e-5);
  });

  it("of few numbers stay as they are", () => {
    const x = g.input("x", [64, 10]);
    const { y } = g.lower({ y: g.sum(x, 0) }, "cpu");
    expect(y!.node.type).toBe("ReduceSum");
    expect(y!.node.inputs[0]).toBe(x);
  });

  it("need to know their axes", () => {
    expect(() => g.sum(g.input("x", [2]), [])).toThrow(/ReduceSum: expected at least one axis/);
  });
});

describe("normalisations of values far from 0", () => {
  const MEAN = 1e4;
  const shape = [4, 6, 32, 32] as const;
  const [channels, area] = [shape[1], shape[2] * shape[3]];

  /** Deviations of about 1 round the mean, from a fixed stream. */
  function values(): Float32Array {
    let state = 7;
    const uniform = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => MEAN + normal());
  }

  const vector = (value: number) => g.constant(Array<number>(channels).fill(value));
  const kinds: Readonly<Record<string, readonly [(x: Tensor) => Tensor, (at: number) => number]>> = {
    "batch normalisation": [
      (x) => g.batchNormTraining(x, vector(1), vector(0)).y,
      (at) => Math.floor(at / area) % channels,
    ],
    "instance normalisation": [(x) => g.instanceNorm(x, vector(1), vector(0)), (at) => Math.floor(at / area)],
    "group normalisation": [(x) => g.groupNorm(x, 3), (at) => Math.floor(at / (2 * area))],
    "ONNX's GroupNormalization": [
      (x) =>
        applySingle("GroupNormalization", [x, vector(1), vector(0)], {
          num_groups: 3,
          epsilon: { float: 1e-5 },
        }),
      (at) => Math.floor(at / (2 * area)),
    ],
    "layer normalisation": [
      (x) => g.layerNorm(x, g.constant(Array<number>(32 * 32).fill(1), [32, 32]), undefined, { axis: 2 }),
      (at) => Math.floor(at / area),
    ],
  };

  it.each(Object.entries(kinds))("%s keeps their variance", async (_what, [build, groupOf]) => {
    const data = values();
    const x = g.input("x", shape);
    const { y } = await runGraph({ y: build(x) }, { x: { dtype: "float32", shape, data } });
    const groups = new Map<number, number[]>();
    data.forEach((value, at) => groups.set(groupOf(at), [...(groups.get(groupOf(at)) ?? []), value]));
    const moments = new Map(
      [...groups].map(([group, members]) => {
        const mean = members.reduce((a, b) => a + b, 0) / members.length;
        const variance = members.reduce((a, b) => a + (b - mean) ** 2, 0) / members.length;
        return [group, { mean, variance }];
      }),
    );
    // Single precision has steps of 1e-3 there.
    const worst = numbers(y).reduce((most, value, at) => {
      const { mean, variance } = moments.get(groupOf(at))!;
      return Math.max(most, Math.abs(value - (data[at]! - mean) / Math.sqrt(variance + 1e-5)));
    }, 0);
    expect(worst).toBeLessThan(1e-2);
  });
});
