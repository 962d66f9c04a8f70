import { describe, expect, it } from "vitest";
import { loadMnist } from "../../../src/data/sets/mnist-node.js";
import { MultiMnist } from "../../../src/data/scenes/multi-mnist.js";
import type { Tensor, TensorData } from "../../../src/graph/index.js";
import {
  gradients,
  input,
  lower,
  tensorData,
  topologicalOrder,
  writeOnnx,
} from "../../../src/graph/index.js";
import type { State } from "../../../src/nn/module.js";
import { initialState, isTrainable, namedParameters } from "../../../src/nn/module.js";
import type { KomplexNetOptions } from "../../../src/systems/komplexnet/index.js";
import {
  ComplexConv,
  KomplexNet,
  RealBaseline,
  TransformerBaseline,
  endToEndLoss,
  fromAuthors,
  lastStepLoss,
  lastSynchronyLoss,
  rectangular,
  synchronyLoss,
  toAuthors,
} from "../../../src/systems/komplexnet/index.js";
import { overTime } from "../../../src/train/stack-timesteps.js";
import { StriateError } from "../../../src/util/errors.js";
import { Random } from "../../../src/util/random.js";
import { graphSnapshot, operatorCount } from "../../support/graph-snapshot.js";
import { numbers, openOnnx, runGraph, runOnnx } from "../../support/run.js";

const freshState = (model: object): State =>
  initialState(namedParameters(model), (name) => Random.derive(1, name));

const uniform = (label: string, shape: readonly number[]): TensorData => {
  const random = Random.derive("komplexnet test", label);
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorData(
    Float32Array.from({ length: size }, () => random.uniform()),
    shape,
  );
};

/** Draws for all noise inputs of a model. */
function draws(model: KomplexNet, batch: number): Record<string, TensorData> {
  const inputs = Object.entries(model.noiseInputs(batch));
  return Object.fromEntries(inputs.map(([name, { shape }]) => [name, uniform(name, shape as number[])]));
}

/** A model traced on named inputs, with what its losses need. */
function traced(options: KomplexNetOptions, batch: number | "batch" = "batch", maskChannels = 3) {
  const model = new KomplexNet(options);
  const parameters = namedParameters(model);
  const { imageSize, inChannels, classes } = model.config;
  const images = input("images", [batch, inChannels, imageSize, imageSize]);
  const targets = input("targets", [batch, classes]);
  const masks = input("masks", [batch, maskChannels, 1, imageSize, imageSize]);
  const output = model.forward({ images, masks, noise: model.noiseInputs(batch) });
  return { model, parameters, images, targets, masks, output };
}

const tiny: KomplexNetOptions = {
  classes: 3,
  timesteps: 2,
  imageSize: 8,
  channels: 2,
  hidden: 5,
  coupling: { size: 3 },
  // Strong enough that the coupling matters within two steps.
  rate: 0.05,
};

function tinyFeeds(model: KomplexNet, batch: number): Record<string, TensorData> {
  const { imageSize, inChannels, classes } = model.config;
  const masks = new Float32Array(batch * 3 * imageSize ** 2);
  for (let i = 0; i < batch * imageSize ** 2; i++) {
    const [sample, pixel] = [Math.floor(i / imageSize ** 2), i % imageSize ** 2];
    masks[(sample * 3 + (pixel % 3)) * imageSize ** 2 + pixel] = 1;
  }
  const hot = Float32Array.from({ length: batch * classes }, (_, i) => (i % 2 === 0 ? 1 : 0));
  return {
    images: uniform("images", [batch, inChannels, imageSize, imageSize]),
    masks: tensorData(masks, [batch, 3, 1, imageSize, imageSize]),
    targets: tensorData(hot, [batch, classes]),
    ...draws(model, batch),
  };
}

describe("gradients agree with finite differences", () => {
  const learnt = uniform("coupling", [1, 1, 3, 3]);
  it.each<[string, KomplexNetOptions]>([
    ["end to end", tiny],
    ["without biases", { ...tiny, biases: false }],
    ["with feedback", { ...tiny, feedback: { size: 3, rates: [0.05, 0.05, 0.05] } }],
    ["on the pixels", { ...tiny, kuramotoMode: "input", coupling: { kernel: "learnt", values: learnt } }],
    ["of colour images and a 3x3 front end", { ...tiny, inChannels: 3, frontEnd: "conv" }],
  ])("%s", async (_name, options) => {
    const { model, parameters, targets, masks, output } = traced(options, 2);
    const { total: loss, crossEntropy } = endToEndLoss(output, targets, masks, model.config);
    const trainable = [...parameters].filter(([, tensor]) => isTrainable(tensor));
    const names = trainable.map(([name]) => name);
    // The synchrony loss jumps where a unit falls silent, so the front end is tested without it.
    const lossFor = (name: string) => (name.startsWith("frontEnd.") ? crossEntropy : loss);
    const results = trainable.map(([name, tensor]) => gradients(lossFor(name), [tensor])[0]!);
    const feeds = { ...tinyFeeds(model, 2), ...Object.fromEntries(freshState(model)) };
    const outputs = Object.fromEntries(results.map((tensor, i) => [`d ${names[i]!}`, tensor]));
    const exact = await runGraph(outputs, feeds);

    const session = await openOnnx(writeOnnx(lower({ loss, crossEntropy }, "cpu")).bytes);
    for (const name of names) {
      const value = feeds[name]!;
      const slope = numbers(exact[`d ${name}`]);
      const random = Random.derive("direction", name);
      const direction = slope.map(() => random.normal() / Math.sqrt(slope.length));
      // Feedback starts at 1e-6, where its own gradient is of the usual size.
      const step = 2e-3 * Math.max(0.1, Math.hypot(...numbers(value)));
      const at = async (sign: number): Promise<number> => {
        const moved = Float32Array.from(
          value.data as Float32Array,
          (v, i) => v + sign * step * direction[i]!,
        );
        const losses = await session({ ...feeds, [name]: { ...value, data: moved } });
        return numbers(losses[lossFor(name) === loss ? "loss" : "crossEntropy"])[0]!;
      };
      const measured = ((await at(1)) - (await at(-1))) / (2 * step);
      const expected = slope.reduce((total, s, i) => total + s * direction[i]!, 0);
      // float32 rounding of the loss over the step, and the rectifiers' kinks.
      const tolerance = 3e-7 / step + (0.02 * Math.hypot(...slope)) / Math.sqrt(slope.length);
      expect(Math.abs(measured - expected), `${name}: ${measured} and ${expected}`).toBeLessThan(tolerance);
    }
    await session.close();
  });

  it("stays finite without biases where a layer sees nothing, unless the authors' gradients are asked for", async () => {
    const largest = async (singularGradients: boolean) => {
      const layer = new ComplexConv({ inChannels: 1, outChannels: 2, biases: false, singularGradients });
      namedParameters(layer);
      const [real, imaginary] = [input("real", [1, 1, 6, 6]), input("imaginary", [1, 1, 6, 6])];
      const z = layer.forward(rectangular(real, imaginary));
      const values = uniform("half", [1, 1, 6, 6]);
      const half = { ...values, data: (values.data as Float32Array).map((v, i) => (i < 18 ? 0 : v)) };
      const [slope] = gradients([z.real], [real]);
      // Where nothing is seen the magnitude is the smallest: a shift lifts it above the rectifier.
      const state = freshState(layer).set("norm.bias", tensorData([3, 3]));
      const feeds = { real: half, imaginary: half, ...Object.fromEntries(state) };
      return Math.max(...numbers((await runGraph({ slope: slope! }, feeds)).slope).map(Math.abs));
    };
    expect(await largest(false)).toBeLessThan(100);
    expect(await largest(true)).toBeGreaterThan(1e5);
  });
});

describe("untrained dynamics on real scenes (values measured with the authors' code)", async () => {
  const digits = await loadMnist("test");

  /** Synchrony loss of 64 scenes after each timestep. */
  async function synchronyOverTime(options: KomplexNetOptions): Promise<number[]> {
    const { model, masks, output } = traced(options, 64, 1 + (options.objects ?? 2));
    const { objects } = model.config;
    const scenes = new MultiMnist(digits, { count: 64, seed: 3, stream: "test", digits: objects as 2 | 3 });
    const { x, masks: maskBytes } = scenes.toArrays().fields;
    const losses = output.phases.map(
      (phases) => synchronyLoss({ phases, amplitude: output.amplitude, masks }).loss,
    );
    const results = await runGraph(Object.fromEntries(losses.map((loss, t) => [`t${t}`, loss])), {
      images: tensorData(x.data, [64, 1, 32, 32]),
      masks: tensorData(Float32Array.from(maskBytes.data), [64, 1 + objects, 1, 32, 32]),
      ...draws(model, 64),
      ...Object.fromEntries(freshState(model)),
    });
    return losses.map((_, t) => numbers(results[`t${t}`])[0]!);
  }

  it.each<[string, KomplexNetOptions, Record<number, number>]>([
    ["two digits", {}, { 1: 0.816, 5: 0.492, 10: 0.156, 15: 0.088 }],
    ["three digits", { objects: 3 }, { 1: 0.719, 5: 0.343, 10: 0.134, 15: 0.1 }],
    ["random phases", { phaseMode: "random", timesteps: 1 }, { 1: 0.874 }],
    ["ideal phases", { phaseMode: "ideal", timesteps: 1 }, { 1: 0.042 }],
    ["ideal phases of three digits", { phaseMode: "ideal", timesteps: 1, objects: 3 }, { 1: 0.033 }],
  ])("%s", async (_name, options, expected) => {
    const measured = await synchronyOverTime(options);
    for (const [step, value] of Object.entries(expected)) {
      // Other scenes and other phases than theirs.
      expect(
        Math.abs(measured[Number(step) - 1]! - value),
        `step ${step}: ${measured.join(" ")}`,
      ).toBeLessThan(0.05);
    }
  });
});

describe("the graph", () => {
  it("has the published numbers of parameters", () => {
    const count = (model: object) =>
      [...namedParameters(model).values()]
        .filter(isTrainable)
        .reduce((total, { shape }) => total + (shape as number[]).reduce((a, b) => a * b, 1), 0);
    // 20 less than theirs: the read-out norm that they create and never use.
    expect(count(new KomplexNet())).toBe(114_676);
    expect(count(new KomplexNet({ feedback: {} }))).toBe(122_900);
    expect(count(new KomplexNet({ kuramotoMode: "channels" }))).toBe(114_676 - 200 - 10_816);
    expect(count(new RealBaseline())).toBe(107_467);
    expect(count(new TransformerBaseline())).toBe(106_250);
  });

  it.each<[string, KomplexNetOptions]>([
    ["default", {}],
    ["channels", { kuramotoMode: "channels", timesteps: 3 }],
    [
      "input",
      {
        kuramotoMode: "input",
        timesteps: 3,
        coupling: { kernel: "learnt", values: uniform("c", [1, 1, 11, 11]) },
      },
    ],
    ["random", { phaseMode: "random" }],
    ["ideal", { phaseMode: "ideal", timesteps: 2 }],
    ["feedback", { feedback: {}, timesteps: 3 }],
  ])("%s stays as it is", async (name, options) => {
    const { output } = traced(options);
    const snapshot = graphSnapshot({ logits: overTime(output.logits), phases: output.phases.at(-1)! });
    await expect(snapshot).toMatchFileSnapshot(`../../snapshots/komplexnet-${name}.json`);
  });

  it("of the baselines stays as it is", async () => {
    const images = input("images", ["batch", 1, 32, 32]);
    const models = { real: new RealBaseline(), transformer: new TransformerBaseline() };
    for (const [name, model] of Object.entries(models)) {
      namedParameters(model);
      const snapshot = graphSnapshot({ logits: model.forward(images) });
      await expect(snapshot).toMatchFileSnapshot(`../../snapshots/komplexnet-baseline-${name}.json`);
    }
  });

  it("classifies once where the loss looks at the last timestep, and differentiates no dynamics", () => {
    const { parameters, targets, output } = traced({ kuramotoMode: "channels", timesteps: 6 });
    const loss = lastStepLoss(output, targets);
    // Front end, six steps, the complex convolution for |z| and for (Re z, Im z).
    expect(operatorCount({ loss }, "Conv")).toBe(1 + 6 + 2);
    expect(operatorCount({ loss }, "Gemm")).toBe(2);
    const wrt = [...parameters.values()].filter(isTrainable);
    const all = Object.fromEntries(gradients(loss, wrt).map((tensor, i) => [String(i), tensor]));
    const weightGradients = topologicalOrder(Object.values(all)).filter(
      ({ type }) => type === "ConvWeightGradient",
    );
    for (const node of weightGradients) expect(node.outputs[0]!.shape).toEqual([8, 8, 3, 3]);
    expect(operatorCount({ loss, ...all }, "Conv")).toBe(1 + 6 + 2);
    expect(operatorCount({ loss, ...all }, "ConvTranspose")).toBe(0);
  });

  it("has one set of stages where phases never change", () => {
    const { output } = traced({ phaseMode: "random" });
    expect(new Set(output.logits).size).toBe(1);
    expect(output.logits).toHaveLength(15);
  });

  it("exports with any batch size, sample by sample the same", async () => {
    const { model, output } = traced({ timesteps: 3 });
    const state = freshState(model);
    const { bytes, inputs } = writeOnnx(lower({ logits: overTime(output.logits) }, "portable"), {
      values: ({ node: { leaf } }) => (leaf?.kind === "parameter" ? state.get(leaf.name!) : undefined),
    });
    expect(inputs.map(({ name }) => name).sort()).toEqual(["images", "noise.phases"]);
    const batch = 64;
    const feeds = { images: uniform("images", [batch, 1, 32, 32]), ...draws(model, batch) };
    const all = numbers((await runOnnx(bytes, feeds)).logits);
    expect(all).toHaveLength(3 * batch * 10);
    const one = (value: TensorData): TensorData => ({
      ...value,
      shape: [1, ...value.shape.slice(1)],
      data: value.data.slice(0, value.data.length / batch),
    });
    const alone = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, one(value)]));
    const first = numbers((await runOnnx(bytes, alone)).logits);
    expect(first).toHaveLength(3 * 10);
    first.forEach((value, i) => {
      expect(value).toBeCloseTo(all[Math.floor(i / 10) * batch * 10 + (i % 10)]!, 4);
    });
  });

  it("starts undecided: cross-entropy ln 2", async () => {
    const { model, targets, output } = traced({ timesteps: 1 }, 4);
    const loss = lastStepLoss(output, targets);
    const feeds = {
      images: uniform("images", [4, 1, 32, 32]),
      targets: tensorData(new Float32Array(40), [4, 10]),
      ...draws(model, 4),
      ...Object.fromEntries(freshState(model)),
    };
    expect(numbers((await runGraph({ loss }, feeds)).loss)[0]).toBeCloseTo(Math.LN2, 1);
  });
});

describe("the authors' state dictionaries", () => {
  it.each<[string, KomplexNetOptions]>([
    ["end to end", {}],
    ["feedback", { feedback: {} }],
    [
      "input",
      { kuramotoMode: "input", coupling: { kernel: "learnt", values: uniform("c", [1, 1, 11, 11]) } },
    ],
  ])("come back as they were (%s)", (_name, options) => {
    const model = new KomplexNet(options);
    const state = freshState(model);
    const dictionary = toAuthors("komplexnet", state);
    expect(dictionary.get("classif2.norm.weight")?.data).toEqual(new Float32Array(10).fill(1));
    expect(fromAuthors("komplexnet", namedParameters(model), dictionary)).toEqual(state);
    dictionary.delete("convA.kernel_conv.bias");
    expect(() => fromAuthors("komplexnet", namedParameters(model), dictionary)).toThrow(
      '"convA.kernel_conv.bias" (our "stages.convolution.map.bias") is missing',
    );
  });

  it("are refused where shapes differ", () => {
    const dictionary = toAuthors("komplexnet", freshState(new KomplexNet()));
    const wider = namedParameters(new KomplexNet({ hidden: 60 }));
    expect(() => fromAuthors("komplexnet", wider, dictionary)).toThrow(
      '"classif1.1.weights.weight": expected',
    );
  });
});

describe("bad input", () => {
  const refused = (options: unknown, message: string | RegExp) => {
    const build = () => new KomplexNet(options as KomplexNetOptions);
    expect(build).toThrow(message);
    expect(build).toThrow(StriateError);
  };

  it("is named with what was expected and what came", () => {
    refused({ timestep: 3 }, 'unknown option "timestep"');
    refused({ timesteps: 0 }, "timesteps: expected a whole number of at least 1, got 0");
    refused({ rate: NaN }, "rate: expected a finite number, got NaN");
    refused({ coupling: { size: 12 } }, "coupling.size: expected an odd number");
    refused({ coupling: { std: 3 } }, 'coupling: unknown option "std"');
    refused({ coupling: { deviation: 0 } }, "coupling.deviation: expected a number above 0");
    refused(
      { kuramotoMode: "channel" },
      'kuramotoMode: expected one of endtoend, channels, input, got "channel"',
    );
    refused({ phaseMode: "idle" }, "phaseMode: expected one of kuramoto, random, ideal");
    refused(
      { coupling: { kernel: "learnt", values: uniform("c", [8, 8, 3, 3]) } },
      'kuramotoMode "endtoend" trains the kernel',
    );
    refused({ kuramotoMode: "channels", coupling: { kernel: "learnt" } }, "without values");
    refused({ kuramotoMode: "input" }, 'kuramotoMode "input" needs coupling.kernel "learnt", got "gaussian"');
    refused(
      { kuramotoMode: "channels", coupling: { kernel: "learnt", values: uniform("c", [1, 1, 3, 3]) } },
      "coupling.values: expected float32[8, 8, 3, 3], got float32[1, 1, 3, 3]",
    );
    refused({ feedback: { size: 10 } }, "feedback.size: expected an odd whole number of at least 1, got 10");
    refused(
      { feedback: {}, phaseMode: "random" },
      'phaseMode: expected "kuramoto" with feedback, got "random"',
    );
    expect(() => new TransformerBaseline({ imageSize: 30 })).toThrow(
      "transformer: imageSize: expected a multiple of 4, got 30",
    );
  });

  it("of the wrong shape is refused while tracing", () => {
    expect(() =>
      traced({ imageSize: 28 }).model.forward({ images: input("x", [1, 1, 32, 32]), noise: {} }),
    ).toThrow("images: expected [batch, 1, 28, 28], got [1, 1, 32, 32]");
    expect(() => new KomplexNet().forward({ images: input("x", [1, 1, 32, 32]), noise: {} })).toThrow(
      'the random draw "noise.phases" is missing',
    );
    expect(() => traced({ phaseMode: "ideal", objects: 3 })).toThrow(
      "masks: expected 4 channels for 3 objects",
    );
    const { model, output } = traced(tiny);
    const masks = (shape: readonly (number | string)[]): Tensor => input("m", shape);
    const loss = (m: Tensor) => () => lastSynchronyLoss(output, m, model.config);
    expect(loss(masks(["batch", 3, 8, 8]))).toThrow("masks: expected [batch, 1 + objects, 1, height, width]");
    expect(loss(masks(["batch", 3, 1, 9, 9]))).toThrow("masks: expected masks that fit phases");
    expect(loss(masks(["batch", 1, 1, 8, 8]))).toThrow("masks: expected");
  });
});
