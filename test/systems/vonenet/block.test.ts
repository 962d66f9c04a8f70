import { describe, expect, it } from "vitest";
import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { conv, gradients, input, lower, mul, sum, writeOnnx } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { initialState, namedParameters } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { ResNet } from "../../../src/systems/baselines/resnet.js";
import type { ReceptiveFields, VOneBlockOptions } from "../../../src/systems/vonenet/index.js";
import {
  BOTTLENECK,
  VOneBlock,
  bankFromWeights,
  checkV1Images,
  colourWeight,
  driftResponse,
  fixedV1Noise,
  v1GaborBank,
  inPixels,
  preferredGrating,
  sampleReceptiveFields,
  tuningCurve,
  v1Pixels,
  withV1,
  writeV1Network,
} from "../../../src/systems/vonenet/index.js";
import { FineTuningTask } from "../../../src/train/fine-tuning-task.js";
import type { TrainingData } from "../../../src/train/task.js";
import { Trainer } from "../../../src/train/trainer.js";
import { Random } from "../../../src/util/random.js";

const geometry = { imageSize: 32, visualDegrees: 1 };
const small = (options: Partial<VOneBlockOptions> = {}): VOneBlock =>
  new VOneBlock({
    fields: sampleReceptiveFields({ simple: 6, complex: 5, seed: 2 }),
    ...geometry,
    kernelSize: 15,
    ...options,
  });

function noise(shape: readonly number[], seed: number): TensorData {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return { dtype: "float32", shape, data: new Random(seed).fillNormal(data) };
}

function images(batch: number, size: number, seed = 1): TensorData {
  const data = new Random(seed).fillUniform(new Float32Array(batch * 3 * size * size), -1, 1);
  return { dtype: "float32", shape: [batch, 3, size, size], data };
}

async function run(outputs: Record<string, Tensor>, feeds: Record<string, TensorData>) {
  const session = await nodeRuntime.createSession(writeOnnx(lower(outputs, "cpu")).bytes, { threads: 1 });
  const results = await session.run(feeds);
  await session.close();
  return results;
}

/** The block's equations in float64, written out. */
function reference(block: VOneBlock, x: TensorData): Float64Array {
  const { bank, stride, gain, outputSize: n, imageSize: size } = block;
  const out = new Float64Array(x.shape[0]! * block.cells * n * n);
  const at = (b: number, c: number, i: number, j: number) =>
    i < 0 || j < 0 || i >= size || j >= size ? 0 : Number(x.data[((b * 3 + c) * size + i) * size + j]);
  const filter = (kernels: Float32Array, k: number, b: number, c: number, row: number, column: number) => {
    let total = 0;
    for (let i = 0; i < bank.size; i++)
      for (let j = 0; j < bank.size; j++)
        total +=
          kernels[(k * bank.size + i) * bank.size + j]! *
          at(b, c, stride * row + i - (bank.size >> 1), stride * column + j - (bank.size >> 1));
    return total;
  };
  let place = 0;
  for (let b = 0; b < x.shape[0]!; b++)
    for (let cell = 0; cell < block.cells; cell++)
      for (let row = 0; row < n; row++)
        for (let column = 0; column < n; column++) {
          const q0 = filter(bank.kernels, cell, b, bank.colour[cell]!, row, column);
          const k = cell - bank.simple;
          const q1 = k < 0 ? 0 : filter(bank.quadrature, k, b, bank.quadratureColour[k]!, row, column);
          out[place++] = gain * (k < 0 ? Math.max(q0, 0) : Math.hypot(q0, q1) / Math.SQRT2);
        }
  return out;
}

describe("receptive fields", () => {
  it("share phases and colours between variants, and what the draws have in common", () => {
    const of = (variant: "biol" | "unif1" | "unif2" | "unif3") => sampleReceptiveFields({ variant, seed: 7 });
    const [biol, unif1, unif2, unif3] = [of("biol"), of("unif1"), of("unif2"), of("unif3")];
    for (const other of [unif1, unif2, unif3]) {
      expect(other.phase).toEqual(biol.phase);
      expect(other.colour).toEqual(biol.colour);
    }
    expect(unif2.nx).toEqual(unif1.nx);
    expect(unif2.spatialFrequency).toEqual(unif1.spatialFrequency);
    const correlation = ({ nx, spatialFrequency }: ReceptiveFields) => {
      const [a, b] = [nx.map(Math.log10), spatialFrequency.map(Math.log2)];
      const mean = (v: Float64Array) => v.reduce((p, q) => p + q, 0) / v.length;
      const [ma, mb] = [mean(a), mean(b)];
      const product = (u: Float64Array, mu: number, v: Float64Array, mv: number) =>
        u.reduce((total, value, i) => total + (value - mu) * (v[i]! - mv), 0);
      return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb));
    };
    expect(correlation(biol)).toBeGreaterThan(0.65);
    expect(correlation(unif3)).toBeGreaterThan(0.65);
    expect(Math.abs(correlation(unif1))).toBeLessThan(0.15);
  });

  it("take any numbers of simple and complex cells, and cut frequencies", () => {
    const fields = sampleReceptiveFields({ simple: 0, complex: 40, maxFrequency: 6, minFrequency: 1.2 });
    expect(fields.nx).toHaveLength(40);
    expect(Math.min(...fields.spatialFrequency)).toBeGreaterThanOrEqual(1.4);
    expect(Math.max(...fields.spatialFrequency)).toBeLessThanOrEqual(5.6);
  });

  it.each([
    [{ maxFrequency: 0.4 }, /at least two of the edges .*, got 0 to 0.4/],
    [{ minFrequency: 20 }, /at least two of the edges/],
    [{ complex: 0, simple: 0 }, "V1: expected at least one cell, got none"],
    [{ simple: 2.5 }, "V1: simple: expected a whole number of at least 0, got 2.5"],
    [{ seed: -1 }, /seed: expected a whole number from 0 to 4294967295, got -1/],
    [{ correlation: 1.5 }, /correlation: expected a number from -1 to 1, got 1.5/],
    [
      { variant: "uniform" as "biol" },
      /receptive fields: variant: expected one of biol, unif1, .*got "uniform"/,
    ],
    [{ variant: "orig-rand" as const, maxFrequency: 0.5 }, /at least two of the edges/],
  ])("refuse %o", (options, message) => {
    expect(() => sampleReceptiveFields(options)).toThrow(message);
  });
});

describe("V1 filters", () => {
  it("survive the authors' form of the weights", () => {
    const bank = v1GaborBank(
      inPixels(sampleReceptiveFields({ variant: "orig-biol", simple: 4, complex: 5 }), geometry),
      15,
    );
    const q0 = colourWeight(bank.kernels, bank.colour, 15);
    const padded = new Float32Array(9 * 225);
    padded.set(bank.quadrature, 4 * 225);
    const q1 = colourWeight(padded, [0, 0, 0, 0, ...bank.quadratureColour], 15);
    expect(bankFromWeights(q0, q1, 4)).toEqual(bank);
    q0.data[2 * 675] = 1;
    q0.data[2 * 675 + 225] = 1;
    expect(() => bankFromWeights(q0, q1, 4)).toThrow(/filter 2 of q0: expected one colour channel, got [23]/);
  });

  it("refuse even kernels and a missing visual angle", () => {
    expect(() => small({ kernelSize: 16 })).toThrow(
      /kernel size: expected an odd whole number of at least 1, got 16/,
    );
    expect(() => small({ visualDegrees: undefined as unknown as number })).toThrow(
      /expected the degrees of visual angle that the 32 pixels of an image span/,
    );
    expect(() => small({ stride: 0 })).toThrow(/stride/);
    expect(() => small({ gain: -1 })).toThrow(/gain: expected a number above 0, got -1/);
  });
});

describe("VOneBlock", () => {
  it.each([
    ["biol", 2, 15],
    ["orig-biol", 3, 9],
    // Large enough for the form with frequencies.
    ["unif1", 2, 31],
  ] as const)("is its equations: %s, stride %i, kernel %i", async (variant, stride, kernelSize) => {
    const cells = kernelSize > 15 ? 60 : 8;
    const fields = sampleReceptiveFields({ variant, simple: cells, complex: 4, seed: 3 });
    const block = small({ fields, stride, kernelSize });
    const x = images(2, 32);
    const { y } = await run({ y: block.forward(input("x", x.shape)) }, { x });
    const expected = reference(block, x);
    expect(y!.shape).toEqual([2, cells + 4, block.outputSize, block.outputSize]);
    const worst = expected.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - Number(y!.data[i]))),
      0,
    );
    const largest = expected.reduce((most, value) => Math.max(most, value), 0);
    expect(worst / largest).toBeLessThan(1e-5);
  });

  it("is the same in pieces, and through a bottleneck", async () => {
    const block = new VOneBlock({
      fields: sampleReceptiveFields(),
      imageSize: 64,
      visualDegrees: 2,
      kernelSize: 9,
    });
    const x = images(9, 64);
    const weight = noise([3, 512, 1, 1], 2);
    const [fixed, free] = [input("x", x.shape), input("x", ["batch", 3, 64, 64])];
    const w = input("w", weight.shape);
    const outcome = (given: Tensor) => {
      const projected = block.project(given, w);
      return {
        y: block.forward(given),
        p: projected,
        dw: gradients(sum(mul(projected, projected)), [w])[0]!,
      };
    };
    const plain = conv(block.forward(free), w);
    const expected = { p: plain, dw: gradients(sum(mul(plain, plain)), [w])[0]! };
    const feeds = { x, w: weight };
    const [pieces, whole, wanted] = [
      await run(outcome(fixed), feeds),
      await run(outcome(free), feeds),
      await run({ ...expected, y: block.forward(free) }, feeds),
    ];
    for (const name of ["y", "p", "dw"]) {
      const right = wanted[name]!.data as Float32Array;
      const scale = right.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const got of [pieces, whole]) {
        expect(got[name]!.shape).toEqual(wanted[name]!.shape);
        const data = got[name]!.data as Float32Array;
        const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - right[i]!)), 0);
        expect(worst / scale).toBeLessThan(1e-5);
      }
    }
    expect(() => block.project(free, input("w", [3, 256, 1, 1]))).toThrow(
      /1 x 1 convolution: expected \[outputs, 512, 1, 1\], got/,
    );
  });

  it("sends a gradient back to the image, and none where a grey image leaves complex cells at 0", async () => {
    const block = small();
    const x = images(1, 32, 5);
    const shape = [1, block.cells, block.outputSize, block.outputSize];
    const traced = input("x", x.shape);
    const dy = input("dy", shape);
    const loss = sum(mul(block.forward(traced), dy));
    const outputs = { loss, dx: gradients(loss, [traced])[0]! };
    const feeds = { x, dy: noise(shape, 3) };
    const { dx } = await run(outputs, feeds);
    const direction = noise(x.shape, 4);
    const lossAt = (step: number) => {
      const moved = {
        ...x,
        data: (x.data as Float32Array).map((v, i) => v + step * Number(direction.data[i])),
      };
      const y = reference(block, moved);
      return y.reduce((total, value, i) => total + value * Number(feeds.dy.data[i]), 0);
    };
    const slope = (lossAt(1e-4) - lossAt(-1e-4)) / 2e-4;
    const predicted = (dx!.data as Float32Array).reduce((s, v, i) => s + v * Number(direction.data[i]), 0);
    expect(Math.abs(predicted - slope)).toBeLessThan(2e-3 * Math.abs(slope));

    const grey = { ...x, data: new Float32Array(x.data.length) };
    const still = await run(outputs, { ...feeds, x: grey });
    expect([...(still.dx!.data as Float32Array)].every((value) => value === 0)).toBe(true);
  });

  it("adds noise of known statistics, the same for the same draw", async () => {
    const kind = "neuronal";
    const block = small({ gain: 5000, noise: { kind, scale: 0.35, level: 0.07 } });
    const quiet = small({ gain: 5000 });
    const x = images(1, 32);
    const z = fixedV1Noise(block, { seed: 0, batch: 1 });
    const traced = input("x", ["batch", 3, 32, 32]);
    const outputs = { y: block.forward(traced, block.noiseInput("batch")), r: quiet.forward(traced) };
    const many = 200;
    const repeated = {
      dtype: "float32" as const,
      shape: [many, 3, 32, 32],
      data: new Float32Array(many * 3072),
    };
    for (let i = 0; i < many; i++) repeated.data.set(x.data as Float32Array, i * 3072);
    const draws = fixedV1Noise(block, { seed: 0, batch: many })(many);
    const { y, r } = await run(outputs, { x: repeated, "v1:noise": draws });
    const units = block.cells * block.outputSize ** 2;
    let checked = 0;
    for (let unit = 0; unit < units; unit += 37) {
      const response = Number(r!.data[unit]);
      // Far from the rectifier the variance of the response is (scale r + level) / scale^2.
      if (response < 60) continue;
      const values = Array.from({ length: many }, (_, i) => Number(y!.data[i * units + unit]));
      const mean = values.reduce((a, b) => a + b, 0) / many;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (many - 1);
      const expected = (0.35 * response + 0.07) / 0.35 ** 2;
      expect(Math.abs(mean - response)).toBeLessThan(5 * Math.sqrt(expected / many));
      expect(variance / expected).toBeGreaterThan(0.6);
      expect(variance / expected).toBeLessThan(1.5);
      checked++;
    }
    expect(checked).toBeGreaterThan(5);
    expect(z(3).shape[0]).toBe(3);
    const [first, second] = [z(3).data.slice(0, units), z(3).data.slice(units, 2 * units)];
    expect(first).toEqual(second);
    expect(draws.data.slice(0, units)).toEqual(first);
  });

  it("refuses images and noise that do not fit", () => {
    const block = small();
    const wrong = input("x", ["batch", 3, 64, 64]);
    expect(() => block.forward(wrong)).toThrow(
      /expected images \[batch, 3, 32, 32\] at 32 pixels per degree, got \[batch, 3, 64, 64\]/,
    );
    const right = input("x", ["batch", 3, 32, 32]);
    expect(() => block.forward(right, input("z", ["batch", 11, 16, 16]))).toThrow(/a block without noise/);
    const noisy = small({ noise: { kind: "gaussian" } });
    expect(() => noisy.forward(right)).toThrow(/gaussian noise: expected standard-normal numbers/);
    expect(() => noisy.forward(right, input("z", ["batch", 11, 8, 8]))).toThrow(/got \[batch, 11, 8, 8\]/);
    expect(() => small({ noise: { kind: "gaussian", scale: 0 } })).toThrow(
      /scale: expected a number above 0/,
    );
    expect(() => {
      checkV1Images(block, { ...images(1, 32), data: new Float32Array(3072).fill(200) });
    }).toThrow(/expected image values in \[-1, 1\], got 200 to 200 \(if they are bytes/);
    expect(() => {
      checkV1Images(block, images(1, 64));
    }).toThrow(/got \[1, 3, 64, 64\]/);
    const bad = images(1, 32);
    bad.data[5] = NaN;
    expect(() => {
      checkV1Images(block, bad);
    }).toThrow(/expected image values in \[-1, 1\], got NaN/);
    expect([...v1Pixels(Uint8Array.of(0, 255))]).toEqual([-1, 1]);
  });
});

describe("tuning", () => {
  const fields = sampleReceptiveFields({ simple: 30, complex: 30, seed: 1 });
  const block = new VOneBlock({ fields, imageSize: 64, visualDegrees: 2 });
  // Filters that fit their window well and are narrow enough in frequency to have a clear peak.
  const cells = [...fields.nx.keys()].filter(
    (i) => fields.nx[i]! > 0.4 && fields.ny[i]! > 0.3 && fields.spatialFrequency[i]! > 3,
  );

  it("peaks at the cell's own orientation and frequency", () => {
    expect(cells.length).toBeGreaterThan(10);
    for (const cell of cells.slice(0, 12)) {
      const { orientation, spatialFrequency } = preferredGrating(block, cell);
      const turns = [-60, -30, -10, 0, 10, 30, 60];
      const byOrientation = tuningCurve(
        block,
        cell,
        "orientation",
        turns.map((d) => orientation + d),
      );
      expect(byOrientation.indexOf(Math.max(...byOrientation))).toBe(3);
      const factors = [0.4, 0.6, 1, 1.6, 2.4];
      const byFrequency = tuningCurve(
        block,
        cell,
        "spatialFrequency",
        factors.map((f) => spatialFrequency * f),
      );
      expect(byFrequency.indexOf(Math.max(...byFrequency))).toBe(2);
    }
  });

  it("tells simple cells from complex ones by their modulation, and grows with the aperture at first", () => {
    for (const cell of cells) {
      const { mean, modulation } = driftResponse(block, cell, preferredGrating(block, cell));
      if (cell < block.simple) expect(modulation / mean).toBeGreaterThan(1);
      else expect(modulation / mean).toBeLessThan(0.3);
      const [none, some] = tuningCurve(block, cell, "radius", [-1, 0.2]);
      expect(none).toBe(0);
      expect(some).toBeGreaterThan(0);
    }
    expect(() => tuningCurve(block, 60, "phase", [0])).toThrow(
      /V1: cell: expected a whole number from 0 to \d+, got 60/,
    );
  });
});

describe("withV1", () => {
  const network = (batch: string | number = "batch") => {
    const model = new ResNet({ depth: 18, classes: 5, width: 1 / 16 });
    const state = initialState(namedParameters(model), (name) => Random.derive(1, name));
    const logits = model.forward(input("pixels", [batch, 3, 64, 64]));
    return readOnnx(writeOnnx(lower({ logits }, "portable"), { values: asConstants(state) }).bytes);
  };
  const block = (imageSize: number, stride: number) =>
    new VOneBlock({
      fields: sampleReceptiveFields({ simple: 6, complex: 6 }),
      imageSize,
      visualDegrees: imageSize / 32,
      kernelSize: 15,
      stride,
      noise: { kind: "neuronal" },
    });

  it("takes the place of the first stage, and the file describes its cells", async () => {
    const model = network();
    const first = [...model.values].find(([name]) => name.includes("maxpool"))![0];
    const made = withV1(model, { block: block(64, 4), replaces: first });
    expect(made.parameters.has(BOTTLENECK)).toBe(true);
    expect(made.parameters.get(BOTTLENECK)!.shape).toEqual([4, 12, 1, 1]);
    const weights = (network: typeof made) => [...(network.values.get(BOTTLENECK)!.data as Float32Array)];
    const half = withV1(model, { block: block(64, 4), replaces: first, gain: 0.5 });
    weights(half).forEach((weight, i) => {
      expect(weight).toBeCloseTo(weights(made)[i]! / 2, 6);
    });
    expect(Math.hypot(...weights(made)) / Math.sqrt(48)).toBeCloseTo(Math.sqrt(2 / 4), 0);
    expect(() => withV1(model, { block: block(64, 4), replaces: first, gain: 0 })).toThrow(
      "withV1: gain: expected a number above 0, got 0",
    );
    const sizeOf = (all: Iterable<{ shape: readonly unknown[] }>) => [...all].length;
    expect(sizeOf(made.parameters.values())).toBeLessThan(model.parameters.size);
    const { bytes } = writeV1Network(made);
    const again = readOnnx(bytes);
    const cells = JSON.parse(again.metadata["v1.cells"]!) as { orientation: number[]; simple: number };
    expect(cells.simple).toBe(6);
    expect(cells.orientation).toEqual([...made.block.fields.orientation]);
    expect(JSON.parse(again.metadata["v1.geometry"]!)).toMatchObject({ imageSize: 64, pixelsPerDegree: 32 });
    expect(Object.keys(again.inputs)).toEqual(["pixels", "v1:noise"]);
    const session = await nodeRuntime.createSession(bytes, { threads: 1 });
    const feeds = { pixels: images(2, 64), "v1:noise": fixedV1Noise(made.block, { seed: 1 })(2) };
    const { logits } = await session.run(feeds);
    await session.close();
    expect(logits!.shape).toEqual([2, 5]);
    expect([...(logits!.data as Float32Array)].every(Number.isFinite)).toBe(true);
  });

  it("stands before the whole network, and can be trained through", async () => {
    const made = withV1(network(), { block: block(128, 2) });
    expect(made.images.shape).toEqual(["batch", 3, 128, 128]);
    const weight = made.parameters.get(BOTTLENECK)!;
    expect(weight.shape).toEqual([3, 12, 1, 1]);
    const gradient = gradients(sum(made.outputs.logits!), [weight])[0]!;
    const { bytes } = writeOnnx(lower({ gradient }, "cpu"), { values: asConstants(made.values) });
    const session = await nodeRuntime.createSession(bytes, { threads: 1 });
    const feeds = { pixels: images(1, 128), "v1:noise": fixedV1Noise(made.block, { seed: 1 })(1) };
    const result = await session.run(feeds);
    await session.close();
    expect([...(result.gradient!.data as Float32Array)].some((value) => value !== 0)).toBe(true);
  });

  it("learns when it is fine-tuned, and only what may be trained moves", async () => {
    const made = withV1(network(), { block: block(128, 2) });
    const { images: pixels, outputs, parameters, noise, values } = made;
    const task = new FineTuningTask({ images: pixels, logits: outputs.logits!, parameters, noise });
    // Two classes that differ in the direction of their stripes.
    const data: TrainingData = {
      count: 16,
      fill: (indices, fields) => {
        for (let n = 0; n < indices.length; n++) {
          const label = indices[n]! % 2;
          if (fields.labels) fields.labels[n] = label;
          for (let i = 0; i < 3 * 128 * 128; i++) {
            const along = label === 0 ? i % 128 : Math.floor(i / 128) % 128;
            fields.images![n * 3 * 128 * 128 + i] = Math.sin(along + indices[n]!);
          }
        }
      },
    };
    const recipe = {
      batchSize: 8,
      seed: 1,
      learningRate: 0.01,
      values,
      trainable: (name: string) => name !== "fc.bias",
    };
    const trainer = await Trainer.open(task, data, recipe, nodeRuntime, { threads: 2 });
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push((await trainer.advance()).loss);
    const after = await trainer.values();
    await trainer.close();
    expect(losses.slice(-3).reduce((a, b) => a + b) / 3).toBeLessThan(0.5 * losses[0]!);
    const moved = (name: string) =>
      (after.get(name)!.data as Float32Array).some((value, i) => value !== values.get(name)!.data[i]);
    expect([...parameters.keys()]).toContain("fc.bias");
    expect([moved(BOTTLENECK), moved("fc.weight"), moved("fc.bias")]).toEqual([true, true, false]);
    expect(() => new FineTuningTask({ images: pixels, logits: outputs.logits!, parameters })).toThrow(
      'the network reads "v1:noise", which is neither its images nor noise',
    );
  });

  it("says what does not fit", () => {
    const model = network();
    expect(() => withV1(model, { block: block(64, 2) })).toThrow(
      /"pixels": expected a height and width of 32 x 32, .* 64 pixels and stride 2, got \[batch, 3, 64, 64\]/,
    );
    expect(() => withV1(model, { block: block(64, 2), replaces: "nothing" })).toThrow(/no value "nothing"/);
    expect(() => withV1(model, { block: block(64, 2), images: "x" })).toThrow(/named "x", got "pixels"/);
    const inner = [...model.values].find(
      ([name, { shape }]) => name.includes("layer2") && shape[2] === 8,
    )![0];
    expect(() => withV1(model, { block: block(64, 8), replaces: inner })).toThrow(
      /some paths from the images to the model.s outputs bypass/,
    );
  });
});
