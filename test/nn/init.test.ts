import { describe, expect, it } from "vitest";
import * as init from "../../src/nn/init.js";
import { Conv2d, ConvTranspose2d } from "../../src/nn/layers/convolution.js";
import { Embedding } from "../../src/nn/layers/embedding.js";
import { Linear } from "../../src/nn/layers/linear.js";
import { MultiHeadAttention } from "../../src/nn/layers/attention.js";
import { initialState, namedParameters } from "../../src/nn/module.js";
import { pytorchName, stateFromPytorch } from "../../src/nn/pytorch-names.js";
import { tensorData } from "../../src/graph/dtype.js";
import { BatchNorm2d } from "../../src/nn/layers/normalisation.js";
import { Random } from "../../src/util/random.js";

function moments(values: ArrayLike<number>) {
  const all = Array.from(values);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length);
  return { mean, deviation, low: Math.min(...all), high: Math.max(...all) };
}

const sample = (initialiser: typeof init.zeros, shape: readonly number[] = [100, 40, 5, 5]) =>
  moments(initialiser(shape, new Random(1)));

describe("initialisers", () => {
  // 100,000 values: means within 5 standard errors, deviations within 2 %.
  const near = (initialiser: typeof init.zeros, deviation: number, mean = 0) => {
    const got = sample(initialiser);
    expect(Math.abs(got.mean - mean)).toBeLessThan((5 * deviation) / Math.sqrt(100_000));
    expect(got.deviation / deviation).toBeGreaterThan(0.98);
    expect(got.deviation / deviation).toBeLessThan(1.02);
    return got;
  };

  it("draw from the right distributions", () => {
    near(init.normal(2, 0.5), 0.5, 2);
    const flat = near(init.uniform(-1, 3), 4 / Math.sqrt(12), 1);
    expect([flat.low >= -1, flat.high < 3]).toEqual([true, true]);
    // Deviation of a standard normal cut at two deviations: 0.8796.
    const cut = near(init.truncatedNormal(), 0.87962566);
    expect([cut.low >= -2, cut.high <= 2]).toEqual([true, true]);
    // The tail beyond 3: mean 3.2831, deviation 0.2655 (inverse Mills ratio).
    const tail = near(init.truncatedNormal(0, 1, 3, 8), 0.26552, 3.2831);
    expect(tail.low).toBeGreaterThanOrEqual(3);
  });

  it("scale with the fans", () => {
    near(init.kaimingNormal({ nonlinearity: "relu" }), Math.sqrt(2 / 1000));
    near(init.kaimingUniform({ mode: "fanOut", nonlinearity: "linear" }), Math.sqrt(1 / 2500));
    near(init.xavierNormal(2), 2 * Math.sqrt(2 / 3500));
    near(init.xavierUniform(), Math.sqrt(2 / 3500));
    const slope = init.kaimingUniform({ slope: Math.sqrt(5) })([8, 4, 3], new Random(3));
    const standard = init.torchDefault()([8, 4, 3], new Random(3));
    for (const [i, value] of slope.entries()) expect(standard[i]).toBeCloseTo(value, 6);
    expect(init.gain("tanh")).toBeCloseTo(1.6666667, 6);
    expect(() => init.fans([3])).toThrow(/at least 2 axes/);
  });

  it("fill and copy", () => {
    expect([...init.fill(7)([2], new Random(1))]).toEqual([7, 7]);
    expect([...init.fromData([1, 2])([2], new Random(1))]).toEqual([1, 2]);
    expect(() => init.fromData([1, 2])([3], new Random(1))).toThrow("expected 3 values, got 2");
  });
});

describe("layers start as PyTorch's do", () => {
  it.each([
    ["Linear", new Linear(50, 400), 1 / Math.sqrt(50)],
    ["Conv2d", new Conv2d(8, 400, 5, { groups: 2 }), 1 / Math.sqrt(4 * 25)],
    ["ConvTranspose2d", new ConvTranspose2d(8, 400, 5, { groups: 2 }), 1 / Math.sqrt(200 * 25)],
  ] as const)("%s: weight and bias uniform in ±1 / sqrt(fanIn)", (_name, layer, bound) => {
    const state = initialState(namedParameters(layer), (name) => Random.derive(1, name));
    for (const name of ["weight", "bias"]) {
      const { low, high } = moments(state.get(name)!.data as Float32Array);
      expect(high).toBeLessThanOrEqual(bound);
      expect(high).toBeGreaterThan(0.97 * bound);
      expect(low).toBeGreaterThanOrEqual(-bound);
      expect(low).toBeLessThan(-0.97 * bound);
    }
  });

  it("Embedding normal; attention Xavier with bias 0", () => {
    const table = initialState(namedParameters(new Embedding(100, 100)), (name) => Random.derive(1, name));
    expect(moments(table.get("weight")!.data as Float32Array).deviation).toBeCloseTo(1, 1);
    const attention = new MultiHeadAttention(64, 4);
    const state = initialState(namedParameters(attention), (name) => Random.derive(1, name));
    const { high } = moments(state.get("inProjWeight")!.data as Float32Array);
    expect(high).toBeLessThanOrEqual(Math.sqrt(6 / 256));
    expect(high).toBeGreaterThan(0.98 * Math.sqrt(6 / 256));
    for (const name of ["inProjBias", "outProj.bias"]) {
      expect(moments(state.get(name)!.data as Float32Array)).toMatchObject({ low: 0, high: 0 });
    }
  });
});

describe("PyTorch's names", () => {
  it("map segment by segment", () => {
    expect(pytorchName("layer.0.norm.runningVar")).toBe("layer.0.norm.running_var");
    expect(pytorchName("attention.outProj.weight")).toBe("attention.out_proj.weight");
  });

  it("load a state_dict, or say what does not fit", () => {
    const parameters = namedParameters({ norm: new BatchNorm2d(2) });
    const vector = tensorData([1, 2]);
    const source = new Map([
      ["norm.weight", vector],
      ["norm.bias", vector],
      ["norm.running_mean", vector],
      ["norm.running_var", vector],
      ["norm.num_batches_tracked", tensorData(BigInt64Array.of(3n), [], "int64")],
    ]);
    expect([...stateFromPytorch(parameters, source).keys()]).toEqual([...parameters.keys()]);
    const wrong = new Map(source).set("norm.bias", tensorData([1])).set("head.bias", vector);
    wrong.delete("norm.weight");
    expect(() => stateFromPytorch(parameters, wrong)).toThrow(
      /"norm.weight" is missing; "norm.bias": expected float32\[2\], got float32\[1\]; "head.bias" is not in/,
    );
  });
});
