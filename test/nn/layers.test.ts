import { describe, expect, it } from "vitest";
import { tensorData } from "../../src/graph/dtype.js";
import type { TensorData } from "../../src/graph/dtype.js";
import type { Dim, Tensor } from "../../src/graph/index.js";
import { constant, gradients, input, lower, mul, relu, sin, sum, writeOnnx } from "../../src/graph/index.js";
import { MultiHeadAttention } from "../../src/nn/layers/attention.js";
import { Conv2d, ConvTranspose2d } from "../../src/nn/layers/convolution.js";
import { Dropout } from "../../src/nn/layers/dropout.js";
import { Embedding } from "../../src/nn/layers/embedding.js";
import { TrainingPass } from "../../src/nn/layers/layer.js";
import { Linear } from "../../src/nn/layers/linear.js";
import { BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm } from "../../src/nn/layers/normalisation.js";
import { Sequential } from "../../src/nn/layers/sequential.js";
import { isTrainable, namedParameters } from "../../src/nn/module.js";
import { numbers, openOnnx, runGraph } from "../support/run.js";
import { distance, wave, waveState, waveValues } from "./support.js";

/** Expected values: PyTorch 1.13 with the same inputs (`wave`) and parameters (`waveValues`). */
const symbolic = (name: string, { shape, dtype }: TensorData): Tensor =>
  input(name, ["batch", ...shape.slice(1)] as Dim[], dtype);

async function forward(
  layer: { forward(x: Tensor): Tensor },
  x: TensorData,
): Promise<{ values: number[]; shape: readonly number[] }> {
  const y = layer.forward(symbolic("x", x));
  const result = (await runGraph({ y }, { x }, { values: waveValues(layer) })).y!;
  expect(y.shape[0]).toBe("batch");
  expect(y.shape.slice(1)).toEqual(result.shape.slice(1));
  return { values: numbers(result), shape: result.shape };
}

describe("layers against PyTorch", () => {
  it("Linear, over the last of three axes", async () => {
    const { values, shape } = await forward(new Linear(3, 2), wave([2, 2, 3], 0.5));
    expect(shape).toEqual([2, 2, 2]);
    const expected = [0.9685631, 1.3249557, 1.9337913, -0.1622799, 1.6019986, -0.3164256, 0.38595, 1.0542827];
    expect(distance(values, expected)).toBeLessThan(1e-6);
    expect(() => new Linear(3, 2).forward(input("x", ["batch", 4]))).toThrow(/expected \[\.\.\., 3\]/);
  });

  it("Conv2d with stride, padding and groups", async () => {
    const layer = new Conv2d(4, 2, [3, 2], { stride: 2, padding: 1, groups: 2 });
    const { values, shape } = await forward(layer, wave([1, 4, 5, 4], 0.5));
    expect(shape).toEqual([1, 2, 3, 3]);
    const expected = [
      0.5019919, 0.8744023, 1.3974466, 0.7714956, 1.4027243, 0.4058241, 0.8519689, 0.5106033, 1.4866612,
      1.0883241, 1.3278425, 0.2381368, 0.6407086, 1.132733, 0.968966, 1.4551553, 0.6060475, 0.5926334,
    ];
    expect(distance(values, expected)).toBeLessThan(1e-6);
  });

  it('Conv2d with padding "same", even kernel and dilation', async () => {
    const layer = new Conv2d(1, 1, [4, 3], { padding: "same", dilation: [1, 2] });
    const { values, shape } = await forward(layer, wave([1, 1, 3, 4], 0.5));
    expect(shape).toEqual([1, 1, 3, 4]);
    const expected = [
      1.455817, 0.7812191, 1.3334605, 1.2095362, 0.4305651, 1.2016258, 0.3333193, 0.7713847, 1.141562,
      0.7888285, 1.0228074, 0.5803111,
    ];
    expect(distance(values, expected)).toBeLessThan(1e-6);
    expect(() => new Conv2d(1, 1, 3, { padding: "same", stride: 2 })).toThrow(
      'expected stride 1 with padding "same", got 2',
    );
    expect(() => new Conv2d(3, 2, 3, { groups: 2 })).toThrow(
      "input channels: expected a multiple of 2, got 3",
    );
  });

  it("ConvTranspose2d with output padding and groups", async () => {
    const layer = new ConvTranspose2d(2, 4, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 });
    const { values, shape } = await forward(layer, wave([1, 2, 2, 2], 0.5));
    expect(shape).toEqual([1, 4, 4, 4]);
    const [first, last] = [values.slice(0, 4), values.slice(-4)];
    expect(distance(first, [0.6371903, 0.6856432, 0.4628367, 0.0878117])).toBeLessThan(1e-6);
    expect(distance(last, [0.0159977, -0.6215207, -0.5031691, -0.6421694])).toBeLessThan(1e-6);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean).toBeCloseTo(0.32751925, 6);
  });

  it("Embedding", async () => {
    const { values, shape } = await forward(
      new Embedding(4, 3),
      tensorData(BigInt64Array.of(0n, 3n, 2n, 3n), [2, 2], "int64"),
    );
    expect(shape).toEqual([2, 2, 3]);
    const expected = [
      0.0998334, 0.841471, 0.9463001, 0.9407306, 0.3190984, -0.5440211, -0.7055403, 0.1165492, 0.8504366,
      0.9407306, 0.3190984, -0.5440211,
    ];
    expect(distance(values, expected)).toBeLessThan(1e-6);
  });

  it("Sequential names by position and passes functions through", async () => {
    const layer = new Sequential(new Linear(3, 2), relu, new Linear(2, 1, { bias: false }));
    expect([...namedParameters(layer).keys()]).toEqual(["0.weight", "0.bias", "2.weight"]);
    const { values } = await forward(layer, wave([2, 3], 0.5));
    const by = (start: number, n: number) => [...(wave([n], start, 0.9).data as Float32Array)];
    const [w, b, v] = [by(0.1, 6), by(1.1, 2), by(2.1, 2)];
    const x = [...(wave([2, 3], 0.5).data as Float32Array)];
    const expected = [0, 1].map((row) =>
      [0, 1].reduce((total, unit) => {
        const z = [0, 1, 2].reduce((a, i) => a + w[3 * unit + i]! * x[3 * row + i]!, b[unit]!);
        return total + v[unit]! * Math.max(z, 0);
      }, 0),
    );
    expect(distance(values, expected)).toBeLessThan(1e-6);
  });
});

describe("normalisation against PyTorch", () => {
  const x = wave([3, 2, 2, 2], 0.5, 1.7, 2, 1);

  it("BatchNorm2d: training values, gradients and running statistics", async () => {
    const layer = new BatchNorm2d(2);
    const [at, pass] = [symbolic("x", x), new TrainingPass()];
    const y = layer.forward(at, pass);
    const [mean, variance] = [pass.current(layer.runningMean), pass.current(layer.runningVar)];
    const w = wave([3, 2, 2, 2], 0.9);
    const loss = sum(mul(y, constant(w)));
    const [dx, dw, db] = gradients(loss, [at, layer.weight!, layer.bias!]) as [Tensor, Tensor, Tensor];
    const result = await runGraph({ y, mean, variance, dx, dw, db }, { x }, { values: waveValues(layer) });
    const near = (name: string, expected: number[], tolerance = 2e-6) => {
      expect(distance(numbers(result[name]), expected), name).toBeLessThan(tolerance);
    };
    near(
      "y",
      [
        0.9524596, 0.9990058, 0.7873637, 0.7953554, 1.8556759, 1.3328717, -0.29971, 0.6437926, 1.0259957,
        0.8716463, 0.7466468, 0.9332072, 1.8994747, 0.1591523, -0.0410544, 1.7508591, 0.961491, 0.7569825,
        0.840699, 1.0236348, 0.9098853, -0.3483704, 1.0793182, 1.9696741,
      ],
    );
    near("mean", [0.109277, 0.1113989]);
    near("variance", [1.1173751, 1.1171827]);
    near(
      "dx",
      [
        0.0232557, -0.0171102, -0.0209477, 0.0204071, 0.1207446, -0.2130631, -0.0692091, 0.2275289, 0.0001278,
        -0.0283584, 0.0050787, 0.0249485, -0.1085995, -0.1920402, 0.1547176, 0.1488026, -0.0240338,
        -0.0128208, 0.0252365, 0.0042166, -0.2333434, 0.0150706, 0.2260913, -0.0767003,
      ],
    );
    near("dw", [7.7968154, 7.7965546]);
    near("db", [0.6703137, 0.6598866]);
  });

  it("BatchNorm2d: two calls in one pass update twice; evaluation uses the running statistics", async () => {
    const layer = new BatchNorm2d(2);
    const pass = new TrainingPass();
    const other = wave([3, 2, 2, 2], 0.5, 1.7, 1, 2.5);
    layer.forward(symbolic("x", x), pass);
    layer.forward(symbolic("other", other), pass);
    expect(pass.updates.length).toBe(2);
    const [mean, variance] = [pass.current(layer.runningMean), pass.current(layer.runningVar)];
    const values = waveValues(layer);
    const result = await runGraph({ mean, variance }, { x, other }, { values });
    expect(distance(numbers(result.mean), [0.3529879, 0.3559585])).toBeLessThan(2e-6);
    expect(distance(numbers(result.variance), [1.0599815, 1.0597601])).toBeLessThan(2e-6);

    const running = new Map([
      ["runningMean", result.mean!],
      ["runningVar", result.variance!],
    ]);
    const y = layer.forward(symbolic("x", x));
    const evaluated = await runGraph(
      { y },
      { x },
      { values: (p) => running.get((p.node.leaf as { name: string }).name) ?? values(p) },
    );
    const expected = [
      1.0469234, 1.1107415, 0.8205648, 0.831522, 2.8260248, 2.1094644, -0.1281668, 1.1650064, 1.1477467,
      0.9361224, 0.7647389, 1.0205269, 2.8860557, 0.5007541, 0.226349, 2.6823621, 1.0593061, 0.77891,
      0.8936914, 1.1445097, 1.5297155, -0.1948611, 1.7619418, 2.9822717,
    ];
    expect(distance(numbers(evaluated.y), expected)).toBeLessThan(2e-6);
  });

  it("InstanceNorm2d without and with scale", async () => {
    const plain = [
      0.7355733, 1.2324004, -1.0266379, -0.9413357, 1.2052134, 0.5573174, -1.4658928, -0.296638, 1.2973424,
      -0.2240176, -1.4560878, 0.3827631, 1.0787835, -0.882253, -1.1078507, 0.91132, 0.6347961, -1.3384945,
      -0.5307187, 1.234417, 0.0087783, -1.5129268, 0.2136865, 1.2904621,
    ];
    expect(distance((await forward(new InstanceNorm2d(2), x)).values, plain)).toBeLessThan(2e-6);
    const affine = [
      0.9646421, 1.0142421, 0.7887145, 0.7972305, 1.9234494, 1.3782638, -0.3242088, 0.6596852, 1.0207255,
      0.8688429, 0.7458411, 0.9294199, 1.8170624, 0.1669072, -0.0229267, 1.6761467, 0.9545812, 0.7575809,
      0.8382239, 1.0144434, 0.916684, -0.3637865, 1.0891083, 1.9951838,
    ];
    const layer = new InstanceNorm2d(2, { affine: true });
    expect(distance((await forward(layer, x)).values, affine)).toBeLessThan(2e-6);
  });

  it("GroupNorm and LayerNorm", async () => {
    const wide = wave([2, 4, 1, 3], 0.5, 1.7, 2, 1);
    const grouped = [
      0.9345291, 0.9865231, 0.7501102, -0.204731, 1.7685447, 1.1848093, -0.870737, 0.2060184, 1.7917049,
      -0.5881095, -1.0139416, -0.3783919, 1.0101651, 0.8152972, 0.7928796, 1.7717009, 1.5248538, -0.1027199,
      -0.3863352, 1.3842618, 0.1177236, -1.1661298, -0.5860341, -0.2242663,
    ];
    expect(distance((await forward(new GroupNorm(2, 4), wide)).values, grouped)).toBeLessThan(2e-6);
    const layered = [
      0.9346511, 1.7067902, -1.0693885, 0.7560009, 1.7758406, 0.5463476, 0.7774187, 0.7787577, 1.4646301,
      0.9184062, -0.216607, 1.2476048, 1.0317703, 0.413574, -0.5356386, 0.9760975, 1.3750256, -1.0891544,
      0.7895825, 2.0529959, -0.0836486, 0.7606535, 1.0671527, 1.299221,
    ];
    expect(distance((await forward(new LayerNorm(3), wide)).values, layered)).toBeLessThan(2e-6);
    expect(distance((await forward(new LayerNorm([1, 3]), wide)).values, layered)).toBeLessThan(2e-6);
    expect(() => new GroupNorm(3, 4)).toThrow(
      "group normalisation: channels: expected a multiple of 3, got 4",
    );
    expect(() => new LayerNorm(4).forward(symbolic("x", wide))).toThrow(/expected \[\.\.\., 4\]/);
    expect(() => new BatchNorm2d(3).forward(symbolic("x", wide))).toThrow(/expected \[batch, 3/);
  });
});

describe("MultiHeadAttention against PyTorch", () => {
  const q = wave([2, 3, 4], 0.2);
  const layer = new MultiHeadAttention(4, 2);
  const values = waveValues(layer);

  it("has PyTorch's parameters in its order", () => {
    expect([...namedParameters(layer).keys()]).toEqual([
      "inProjWeight",
      "inProjBias",
      "outProj.weight",
      "outProj.bias",
    ]);
  });

  it("gives a token that sees nothing the bias alone, and no gradient that is not a number", async () => {
    const x = symbolic("q", q);
    const blind = constant([0, -Infinity, 0, -Infinity, -Infinity, -Infinity, 0, 0, 0], [3, 3]);
    const y = layer.forward(x, x, x, blind);
    const [slope] = gradients(y, [x]);
    const { y: seen, slope: dx } = await runGraph({ y, slope: slope! }, { q }, { values });
    const bias = Array.from(values(layer.outProj.bias!)!.data as Float32Array);
    for (const image of [0, 1]) {
      const at = (image * 3 + 1) * 4;
      expect(distance(numbers(seen).slice(at, at + 4), bias)).toBeLessThan(1e-6);
    }
    expect(numbers(dx).every(Number.isFinite)).toBe(true);
    expect(numbers(seen).every(Number.isFinite)).toBe(true);
  });

  it("attends to itself, to others and under a mask", async () => {
    const [k, v] = [wave([2, 2, 4], 0.4), wave([2, 2, 4], 0.6)];
    const x = symbolic("q", q);
    const triangle = constant([0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0], [3, 3]);
    const outputs = {
      self: layer.forward(x),
      cross: layer.forward(x, symbolic("k", k), symbolic("v", v)),
      masked: layer.forward(x, x, x, triangle),
    };
    expect(outputs.self.shape).toEqual(["batch", 3, 4]);
    const result = await runGraph(outputs, { q, k, v }, { values });
    const near = (name: string, expected: number[]) => {
      expect(distance(numbers(result[name]), expected), name).toBeLessThan(2e-6);
    };
    near(
      "self",
      [
        1.3852844, -1.9470356, -0.1914532, -0.6930397, 1.3839347, -1.9479654, -0.1884365, -0.6975209,
        1.3879987, -1.9601753, -0.1706016, -0.7172981, 2.6551178, -3.0648372, 0.5435094, -0.8934061,
        2.7176199, -3.0850816, 0.517316, -0.8261833, 2.75142, -3.0667481, 0.4506347, -0.7249227,
      ],
    );
    near(
      "cross",
      [
        1.4477286, -2.0249383, -0.1141777, -0.753732, 1.4445491, -2.0222051, -0.1159002, -0.7533759,
        1.4433478, -2.0255022, -0.1087853, -0.7628391, 2.3234739, -2.7405753, 0.2935842, -0.7694228,
        2.3316805, -2.7524576, 0.3066884, -0.7810433, 2.3263841, -2.7436793, 0.296241, -0.7710841,
      ],
    );
    near(
      "masked",
      [
        1.3050127, -1.9179392, -0.1633667, -0.7725099, 1.2910848, -1.9161565, -0.1526356, -0.7935388,
        1.3879987, -1.9601753, -0.1706016, -0.7172981, 2.1466002, -2.5863202, 0.1937985, -0.7447108, 2.449595,
        -2.8441072, 0.3531494, -0.7727219, 2.75142, -3.0667481, 0.4506347, -0.7249227,
      ],
    );
  });
});

describe("Dropout", () => {
  it("keeps and scales where the noise is large enough, and does nothing in evaluation", async () => {
    const [x, noise] = [wave([2, 4], 0.5), tensorData([0, 0.24, 0.25, 0.9, 0.1, 0.3, 0.7, 0.2], [2, 4])];
    const [at, pass, layer] = [symbolic("x", x), new TrainingPass(), new Dropout(0.25)];
    const evaluated = layer.forward(at);
    expect((await runGraph({ y: evaluated }, { x })).y).toEqual(x);
    expect(new Dropout(0).forward(at)).toBe(at);
    const y = layer.forward(at, pass);
    expect(pass.noise.map(({ shape }) => shape)).toEqual([["batch", 4]]);
    const result = await runGraph({ y }, { x, "noise:0": noise });
    const kept = [0, 0, 1, 1, 0, 1, 1, 0];
    const expected = [...(x.data as Float32Array)].map((value, i) => (value * kept[i]!) / 0.75);
    expect(distance(numbers(result.y), expected)).toBeLessThan(1e-6);
    expect(() => new Dropout(1)).toThrow(/\[0, 1\), got 1/);
  });
});

describe("gradients of layers with respect to their parameters", () => {
  const image = wave([2, 2, 4, 4], 0.5);
  const tokens = wave([2, 3, 4], 0.2);
  const training = (layer: { forward(x: Tensor, pass: TrainingPass): Tensor }) => ({
    layer,
    forward: (x: Tensor) => layer.forward(x, new TrainingPass()),
  });
  const layers: [string, { forward(x: Tensor): Tensor }, TensorData][] = [
    ["Linear", new Linear(4, 3), tokens],
    ["Conv2d", new Conv2d(2, 2, 3, { stride: 2, padding: 1 }), image],
    ["ConvTranspose2d", new ConvTranspose2d(2, 2, 3, { stride: 2 }), image],
    ["BatchNorm2d in training", training(new BatchNorm2d(2)), image],
    ["BatchNorm2d in evaluation", new BatchNorm2d(2), image],
    ["InstanceNorm2d", new InstanceNorm2d(2, { affine: true }), image],
    ["GroupNorm", new GroupNorm(1, 2), image],
    ["LayerNorm", new LayerNorm(4), tokens],
    ["MultiHeadAttention", new MultiHeadAttention(4, 2), tokens],
    ["Embedding", new Embedding(4, 3), tensorData(BigInt64Array.of(0n, 3n, 2n, 3n), [2, 2], "int64")],
  ];
  it.each(layers)("%s", async (_name, layer, x) => {
    const parameters = [...namedParameters(layer)].filter(([, tensor]) => isTrainable(tensor));
    const y = layer.forward(symbolic("x", x));
    const loss = sum(mul(y, sin(mul(y, 1.3))));
    const slopes = gradients(
      loss,
      parameters.map(([, tensor]) => tensor),
    );
    const outputs = Object.fromEntries(parameters.map(([name], i) => [`d:${name}`, slopes[i]!]));
    const { bytes } = writeOnnx(lower({ loss, ...outputs }, "cpu"));
    const run = await openOnnx(bytes);
    const state = Object.fromEntries(waveState(namedParameters(layer)));
    const result = await run({ x, ...state });
    const step = 2 ** -5;
    for (const [name] of parameters) {
      // Along the gradient itself the slope is the gradient's norm.
      const slope = numbers(result[`d:${name}`]);
      const norm = Math.hypot(...slope);
      const at = async (by: number) => {
        const { shape, data } = state[name]!;
        const moved = numbers({ dtype: "float32", shape, data }).map((p, i) => p + (by * slope[i]!) / norm);
        return numbers((await run({ x, ...state, [name]: tensorData(moved, shape) })).loss)[0]!;
      };
      const [far, near] = [
        ((await at(step)) - (await at(-step))) / (2 * step),
        ((await at(step / 2)) - (await at(-step / 2))) / step,
      ];
      // Richardson's extrapolation of central differences.
      const measured = (4 * near - far) / 3;
      expect(Math.abs(measured - norm) / (norm + 0.01), `${name}: ${measured} ${norm}`).toBeLessThan(2e-3);
    }
    await run.close();
  });
});
