import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/index.js";
import { input, lower, tensorData, writeOnnx } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { imageData, prepareImages } from "../../../src/data/images/prepared-images.js";
import { initialState, namedParameters } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { openImages } from "../../../src/systems/predify/training/image-sources-node.js";
import { ResNet } from "../../../src/systems/baselines/resnet.js";
import type { SubcorticalOptions, VOneBlockOptions } from "../../../src/systems/vonenet/index.js";
import {
  BOTTLENECK,
  EVNET_VARIANTS,
  EVNet,
  EVNetTask,
  SubcorticalBlock,
  VOneBlock,
  authorsFilters,
  authorsName,
  backEnd,
  bankFromWeights,
  colourWeight,
  evnetFrontEnd,
  fixedRetinaNoise,
  fixedV1Noise,
  resNetBackEnd,
  sampleReceptiveFields,
  stateFromAuthors,
  subcorticalWeights,
  withV1,
  writeV1Network,
} from "../../../src/systems/vonenet/index.js";
import { describeModel } from "../../../src/train/model-description.js";
import { openStepper } from "../../../src/train/stepper.js";
import { Trainer, initialValues } from "../../../src/train/trainer.js";
import { Random } from "../../../src/util/random.js";

const small = { imageSize: 48, visualDegrees: 3, simple: 6, complex: 6, kernelSize: 15 } as const;

const sizeOf = (shape: readonly unknown[]): number => (shape as number[]).reduce((a, b) => a * b, 1);

describe("EVNet", () => {
  it("has the published numbers of parameters: EVResNet-50", () => {
    const network = new EVNet(evnetFrontEnd(), backEnd("resnet50"));
    const trained = [...namedParameters(network).values()]
      .filter(({ node: { leaf } }) => leaf?.kind === "parameter" && leaf.trainable)
      .reduce((total, { shape }) => total + sizeOf(shape), 0);
    expect(trained).toBe(25_580_264);
    const { retina, block } = network.frontEnd;
    const fixed = Object.values(retina.weights).flatMap((tensors) => Object.values(tensors) as TensorData[]);
    const ofRetina = fixed.reduce((total, { data }) => total + data.length, 0);
    expect(ofRetina).toBe(16_836);
    expect(trained + ofRetina + 2 * block!.cells * 4 * 31 * 31).toBe(29_533_356);
    const { images, noise } = network.inputs("batch");
    expect(images.shape).toEqual(["batch", 3, 224, 224]);
    expect(Object.keys(noise)).toEqual(["retina:noise", "v1:noise"]);
    expect(network.forward({ images, noise }).shape).toEqual(["batch", 1000]);
  });

  it.each(EVNET_VARIANTS)("has the variant %s, which answers with finite numbers", async (variant) => {
    const frontEnd = evnetFrontEnd(variant, small);
    const { retina, block } = frontEnd;
    const inputs = block ? 16 : retina.channels;
    const model = block
      ? resNetBackEnd(18, { classes: 3, channels: [inputs, 4, 4, 4] })
      : new ResNet({ depth: 18, classes: 3, width: 1 / 16, inChannels: inputs, stem: "imagenet" });
    const task = new EVNetTask(new EVNet(frontEnd, model));
    const state = initialValues(task, { seed: 1 });
    const weight = state.get("bottleneck.weight");
    if (block) {
      expect(weight!.shape).toEqual([frontEnd.lgnToV2 ? 16 - retina.channels : 16, 12, 1, 1]);
      const largest = (weight!.data as Float32Array).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      // Uniform values within 1 / sqrt(12).
      expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(12));
      expect(largest).toBeGreaterThan(0.9 / Math.sqrt(12));
    } else expect(weight).toBeUndefined();
    const { inputs: traced, outputs, noise } = task.inference(2);
    expect(noise).toEqual({
      ...(variant !== "no-noise" && { "retina:noise": "normal" }),
      ...(block && { "v1:noise": "normal" }),
    });
    const session = await nodeRuntime.createSession(
      writeOnnx(lower(outputs, "cpu"), { values: asConstants(state) }).bytes,
      { threads: 1 },
    );
    const random = new Random(1);
    const feeds = traced.map((tensor) => {
      const { leaf } = tensor.node;
      const name = leaf?.kind === "input" ? leaf.name : "";
      const shape = tensor.shape as number[];
      const data = new Float32Array(sizeOf(shape));
      if (name === "images") random.fillUniform(data, retina.imageRange[0], 1);
      else random.fillNormal(data);
      return [name, tensorData(data, shape)] as const;
    });
    const { logits } = await session.run(Object.fromEntries(feeds));
    await session.close();
    expect(logits!.shape).toEqual([2, 3]);
    expect((logits!.data as Float32Array).every(Number.isFinite)).toBe(true);
  });

  it("takes the authors' checkpoints, with and without the bypass", () => {
    for (const variant of ["standard", "lgn-v2-connection"] as const) {
      const frontEnd = evnetFrontEnd(variant, small);
      const { retina, block } = frontEnd;
      const network = new EVNet(frontEnd, resNetBackEnd(18, { classes: 3, channels: [16, 4, 4, 4] }));
      const values = initialValues(new EVNetTask(network), { seed: 3 });
      const bypass = variant === "lgn-v2-connection";
      const theirs = (name: string) =>
        authorsName(name).replace(/^bottleneck/, bypass ? "evblock.bottleneck" : "voneblock_bottleneck");
      const prefix = bypass ? "evblock." : "";
      const { bank } = block!;
      const cells = bank.simple + bank.complex;
      const all = new Float32Array(cells * bank.size ** 2);
      all.set(bank.quadrature, bank.simple * bank.size ** 2);
      const partners = [...bank.colour.slice(0, bank.simple), ...bank.quadratureColour];
      const { P, M } = retina.weights;
      const gains = Float32Array.of(...(P!.kExc.data as Float32Array), ...(M!.kExc.data as Float32Array));
      const tensors = new Map<string, TensorData>([
        ...[...values].map(([name, value]) => [theirs(name), value] as const),
        [`${prefix}subcorticalblock.k_exc`, tensorData(gains, [1, 4, 1, 1])],
        [`${prefix}subcorticalblock.dog.multi_conv.convs.0.weight`, P!.dog],
        [`${prefix}subcorticalblock.dog.multi_conv.convs.1.weight`, M!.dog],
        [`${prefix}voneblock.simple_conv_q0.weight`, colourWeight(bank.kernels, bank.colour, bank.size, 4)],
        [`${prefix}voneblock.simple_conv_q1.weight`, colourWeight(all, partners, bank.size, 4)],
      ]);
      expect(stateFromAuthors(namedParameters(network), tensors)).toEqual(values);
      const { q0, q1 } = authorsFilters(tensors);
      expect(bankFromWeights(q0, q1, bank.simple)).toEqual(bank);
      expect(subcorticalWeights(tensors, { p: 3, m: 1 }).P!.dog).toEqual(P!.dog);
    }
  });

  it("learns MNIST a little through retina, V1 and their noise", async () => {
    const images = await prepareImages(await openImages("mnist"), [3, 32, 32], { most: 640, seed: 2 });
    const frontEnd = evnetFrontEnd("standard", {
      imageSize: 32,
      visualDegrees: 2,
      simple: 16,
      complex: 16,
      kernelSize: 15,
      colourListLength: 32,
    });
    const model = resNetBackEnd(18, { classes: 10, width: 1 / 8 });
    const task = new EVNetTask(new EVNet(frontEnd, model));
    expect([...task.parameters.keys()].every((name) => /^(bottleneck|model)\./.test(name))).toBe(true);
    const recipe = { batchSize: 32, seed: 2, learningRate: 0.01 };
    const trainer = await Trainer.open(
      task,
      imageData(images, { mean: [0], std: [1] }),
      recipe,
      nodeRuntime,
      {
        threads: 2,
      },
    );
    const losses: number[] = [];
    try {
      for (let i = 0; i < 45; i++) losses.push((await trainer.advance()).loss);
    } finally {
      await trainer.close();
    }
    const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    // Chance is ln 10 = 2.3.
    expect(mean(losses.slice(0, 3))).toBeGreaterThan(2);
    expect(mean(losses.slice(-10))).toBeLessThan(1.3);
  });

  it("answers frame by frame, and refuses frames that are not in [0, 1]", async () => {
    const frontEnd = evnetFrontEnd("standard", small);
    const network = new EVNet(frontEnd, resNetBackEnd(18, { classes: 3, width: 1 / 16 }));
    const task = new EVNetTask(network);
    const stepper = await openStepper(nodeRuntime, {
      model: task,
      values: initialValues(task, { seed: 1 }),
    });
    const size = 3 * 48 * 48;
    const frame = new Random(2).fillUniform(new Float32Array(size));
    expect((await stepper.step({ images: frame })).logits!.shape).toEqual([1, 3]);
    await expect(stepper.step({ images: frame.map((value) => 255 * value) })).rejects.toThrow(
      /retina: expected image values in \[0, 1\], got .* \(if they are bytes, divide by 255\)/,
    );
    await stepper.close();
  });
});

describe("colours of V1 behind a retina", () => {
  it("can be drawn so that their counts suit the number of cells", () => {
    const colours = { channels: 4, probabilities: [0.25, 0.25, 0.25, 0.25] };
    const counts = (options: object) => {
      const { colour } = sampleReceptiveFields({
        simple: 128,
        complex: 128,
        colours: { ...colours, ...options },
      });
      return [0, 1, 2, 3].map((channel) => colour.filter((value) => value === channel).length);
    };
    expect(counts({ listLength: 256 })).toEqual([64, 64, 64, 64]);
    // The authors' list has 512 entries, 320 of them the third colour.
    expect(counts({})[2]).toBeGreaterThan(130);
  });

  it("are refused if they do not add up", () => {
    const draw =
      (colours: object, simple = 256) =>
      () =>
        sampleReceptiveFields({ simple, complex: 256, colours: colours as { channels: number } });
    expect(draw({ channels: 4, probabilities: [0.5, 0.5] })).toThrow(
      "receptive fields: colours: probabilities: expected 4 values, got 2",
    );
    expect(draw({ channels: 2, probabilities: [0.3, 0.3] })).toThrow(
      /counts of channels that add up to 512, got 154 \+ 154 for 512 cells and the probabilities 0.3, 0.3/,
    );
    expect(draw({ channels: 4, probabilities: [0.9, 0.9, 0, 0] })).toThrow(
      /add up to 512, got 461 \+ 461 \+ -410/,
    );
    expect(draw({ channels: 4, probabilities: [0.25, 0.25, 0.25, 0.25] }, 512)).toThrow(
      "receptive fields: colours: list length: expected a whole number of at least 768, got 512",
    );
    expect(draw({ channels: 4, probabilities: [-1, 1, 0, 1] })).toThrow(
      /probability: expected a number of at least 0/,
    );
    expect(() => sampleReceptiveFields({ variant: "orig-biol", colours: { channels: 4 } })).toThrow(
      "receptive fields: colours: expected none for the variant orig-biol, got 4",
    );
  });
});

describe("withV1 with a retina", () => {
  const classifier = () => {
    const model = new ResNet({ depth: 18, classes: 5, width: 1 / 8 });
    const state = initialState(namedParameters(model), (name) => Random.derive(1, name));
    const logits = model.forward(input("pixels", ["batch", 3, 48, 48]));
    return readOnnx(writeOnnx(lower({ logits }, "portable"), { values: asConstants(state) }).bytes);
  };
  const stages = (of: Partial<SubcorticalOptions & VOneBlockOptions> = {}) => {
    const geometry = { imageSize: 48, visualDegrees: 3 };
    const { channels = 4, stride = 4 } = of;
    const fields = sampleReceptiveFields({ simple: 6, complex: 6, maxFrequency: 8, colours: { channels } });
    return {
      retina: new SubcorticalBlock({ ...geometry, noise: {} }),
      block: new VOneBlock({
        fields,
        ...geometry,
        channels,
        stride,
        kernelSize: 15,
        noise: { kind: "signed-neuronal" },
      }),
    };
  };

  it("stands before any network, and the file says what it takes", async () => {
    const model = classifier();
    const replaces = [...model.values].find(([name]) => name.includes("maxpool"))![0];
    for (const lgnToV2 of [false, true]) {
      const made = withV1(model, { ...stages(), replaces, lgnToV2 });
      expect(made.parameters.get(BOTTLENECK)!.shape).toEqual([lgnToV2 ? 4 : 8, 12, 1, 1]);
      const { bytes } = writeV1Network(made);
      const again = readOnnx(bytes);
      expect(Object.keys(again.inputs)).toEqual(["pixels", "retina:noise", "v1:noise"]);
      const description = describeModel(again.metadata, "file");
      expect(description).toMatchObject({
        system: "EVNet",
        noise: { "retina:noise": { distribution: "normal" }, "v1:noise": { distribution: "normal" } },
      });
      // Pixels from 0 to 1, without a mean.
      expect(description.preprocessing).toEqual({});
      expect(JSON.parse(again.metadata["retina.geometry"]!)).toEqual({
        imageSize: 48,
        pixelsPerDegree: 16,
        imageRange: [0, 1],
      });
      expect(JSON.parse(again.metadata["retina.cells"]!)).toMatchObject({
        p: 3,
        m: 1,
        kernels: { P: { centreSurround: 11, pool: 17 }, M: { centreSurround: 23, pool: 35 } },
      });
      expect(JSON.parse(again.metadata["v1.geometry"]!)).toMatchObject({ channels: 4 });
      const session = await nodeRuntime.createSession(bytes, { threads: 1 });
      const pixels = new Random(3).fillUniform(new Float32Array(2 * 3 * 48 * 48));
      const { logits } = await session.run({
        pixels: tensorData(pixels, [2, 3, 48, 48]),
        "retina:noise": fixedRetinaNoise(made.retina!, { seed: 1 })(2),
        "v1:noise": fixedV1Noise(made.block, { seed: 1 })(2),
      });
      await session.close();
      expect(logits!.shape).toEqual([2, 5]);
      expect((logits!.data as Float32Array).every(Number.isFinite)).toBe(true);
    }
  });

  it("refuses stages that do not fit each other", () => {
    const model = classifier();
    const put = (options: Partial<Parameters<typeof withV1>[1]>) => () =>
      withV1(model, {
        ...stages(),
        replaces: [...model.values].find(([name]) => name.includes("maxpool"))![0],
        ...options,
      });
    expect(put({ block: stages({ channels: 3 }).block })).toThrow(
      "V1 behind a retina: expected V1 with 4 channels (3 P and 1 M cells), got 3: pass `channels: 4` to V1",
    );
    expect(put({ retina: new SubcorticalBlock({ imageSize: 48, visualDegrees: 2 }) })).toThrow(
      "V1 behind a retina: expected 48 pixels at 24 pixels per degree, as the retina has, got 48 pixels at 16 pixels per degree",
    );
    expect(() => withV1(model, { block: stages().block })).toThrow(
      "V1: expected a retina with 4 channels before V1, got none",
    );
    expect(() => withV1(model, { block: stages({ channels: 3 }).block, lgnToV2: true })).toThrow(
      /expected a retina .* for lgnToV2, got none/,
    );
    expect(put({ block: stages({ stride: 3 }).block, lgnToV2: true })).toThrow(
      "lgnToV2: expected an even stride of V1, so that pooling gives its 16 positions, got 3, which gives 17",
    );
    expect(() => new VOneBlock({ fields: stages().block.fields, imageSize: 48, visualDegrees: 3 })).toThrow(
      "V1: expected cells that see channels 0 to 2 of 3, got one that sees 3",
    );
    const frontEnd = evnetFrontEnd("retina", small);
    expect(() => new EVNet(frontEnd, resNetBackEnd(18))).toThrow(
      "EVNet without V1: expected a network for the 4 channels of the retina, got one for 64",
    );
    const bypass = evnetFrontEnd("lgn-v2-connection", small);
    expect(() => new EVNet(bypass, resNetBackEnd(18, { channels: [4, 4, 4, 4] }))).toThrow(
      /lgnToV2: expected a network with more than 4 input channels, .* got 4/,
    );
    expect(() => evnetFrontEnd("no-m" as "standard")).toThrow(
      /EVNet: variant: expected one of standard, .*"no-m"/,
    );
  });
});
