import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import { input } from "../../src/graph/index.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import { namedParameters } from "../../src/nn/module.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { ClassifierModel } from "../../src/systems/baselines/index.js";
import { ClassificationTask, EfficientNet, Vgg } from "../../src/systems/baselines/index.js";
import { candidates, pEfficientNetB0, predify, pvgg16 } from "../../src/systems/predify/index.js";
import { Backbone } from "../../src/systems/predify/index.js";
import { Trainer } from "../../src/train/trainer.js";
import { asFile, sharedPath } from "./predify/support.js";

const trainable = (parameters: ReadonlyMap<string, Tensor>): number =>
  [...parameters.values()]
    .filter(({ node }) => node.leaf?.kind === "parameter" && node.leaf.trainable)
    .reduce((sum, { shape }) => sum + (shape as number[]).reduce((a, b) => a * b, 1), 0);

describe("reference networks", () => {
  it.each<[ClassifierModel & object, number]>([
    [new Vgg({ depth: 11 }), 132_863_336],
    [new Vgg({ depth: 13 }), 133_047_848],
    [new Vgg({ depth: 16 }), 138_357_544],
    [new Vgg({ depth: 11, batchNorm: true }), 132_868_840],
    [new Vgg({ depth: 16, batchNorm: true }), 138_365_992],
    [new EfficientNet(), 5_288_548],
  ])("have torchvision's number of parameters (%#)", (model, count) => {
    expect(trainable(namedParameters(model))).toBe(count);
  });

  it("have torchvision's names", () => {
    const vgg = namedParameters(new Vgg({ depth: 11, batchNorm: true }));
    for (const name of [
      "features.0.weight",
      "features.1.runningMean",
      "features.25.bias",
      "classifier.6.weight",
    ]) {
      expect([...vgg.keys()]).toContain(name);
    }
    const efficient = namedParameters(new EfficientNet());
    for (const name of [
      "features.0.0.weight",
      "features.1.0.block.1.fc1.bias",
      "features.7.0.block.3.1.runningVar",
      "classifier.1.bias",
    ]) {
      expect([...efficient.keys()]).toContain(name);
    }
  });

  const golden = sharedPath("goldens/predify/effnet_tiny.onnx");
  it.skipIf(golden === undefined)("scale in width and depth as torchvision's does", () => {
    const file = readOnnx(readFileSync(golden!));
    const convolutions = (shapes: Iterable<readonly (number | string)[]>) =>
      [...shapes]
        .filter((shape) => shape.length === 4)
        .map((shape) => shape.join())
        .sort();
    const ours = namedParameters(new EfficientNet({ width: 0.25, depth: 0.2 }));
    expect(convolutions(Array.from(ours.values(), ({ shape }) => shape))).toEqual(
      convolutions(Array.from(file.parameters.values(), ({ data }) => data.shape)),
    );
  });

  it("learn", async () => {
    const model = new Vgg({
      depth: 11,
      batchNorm: true,
      width: 0.07,
      hidden: 16,
      grid: 1,
      classes: 2,
      dropout: 0.1,
    });
    const task = new ClassificationTask(model, [3, 32, 32]);
    const data = {
      count: 64,
      fill: (indices: ArrayLike<number>, { images, labels }: Readonly<Record<string, Float32Array>>) => {
        Array.from(indices).forEach((index, n) => {
          if (labels) labels[n] = index % 2;
          images?.fill(index % 2 === 0 ? 1 : -1, n * 3072 + 500, n * 3072 + 1500);
        });
      },
    };
    const trainer = await Trainer.open(
      task,
      data,
      { batchSize: 8, seed: 1, learningRate: 0.006 },
      nodeRuntime,
    );
    const losses: number[] = [];
    for (let step = 0; step < 60; step++) losses.push((await trainer.advance()).loss);
    await trainer.close();
    expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]!);
  });
});

describe("presets", () => {
  it("PVGG16 sits where the paper puts it", () => {
    const model = new Vgg({ depth: 16, width: 1 / 16, hidden: 8, classes: 5 });
    const logits = model.forward(input("input", ["batch", 3, 224, 224]));
    const network = predify(asFile({ logits }, namedParameters(model)), pvgg16({ width: 1 / 16 }));
    expect(network.pcoders.map(({ shape }) => shape)).toEqual([
      [4, 224, 224],
      [8, 112, 112],
      [16, 56, 56],
      [32, 28, 28],
      [32, 14, 14],
    ]);
    expect(network.pcoders.map(({ decoder }) => decoder.window())).toEqual([75, 400, 1568, 3136, 6272]);
    expect(network.pcoders.map(({ hyperparameters }) => hyperparameters.feedback)).toEqual([
      0.05, 0.1, 0.1, 0.1, 0,
    ]);
  });

  it("PVGG16 finds its places with batch normalisation too, as the automatic rule does", () => {
    const model = new Vgg({ depth: 16, width: 1 / 16, hidden: 8, classes: 5, grid: 1, batchNorm: true });
    const logits = model.forward(input("input", ["batch", 3, 32, 32]));
    const file = asFile({ logits }, namedParameters(model));
    const options = pvgg16({ width: 1 / 16, batchNorm: true, inputSize: [3, 32, 32], values: "evaluation" });
    const places = predify(file, options).pcoders.map(({ cut }) => cut.name);
    const marked = candidates(new Backbone(file)).filter(({ beforeChange }) => beforeChange);
    expect(marked.map(({ name }) => name)).toEqual(places);
  });

  it("PEfficientNetB0 has the paper's shapes and windows", () => {
    const model = new EfficientNet({ classes: 4, depth: 0.2 });
    const logits = model.forward(input("input", ["batch", 3, 224, 224]));
    const network = predify(asFile({ logits }, namedParameters(model)), pEfficientNetB0());
    expect(network.pcoders.map(({ shape }) => shape)).toEqual([
      [32, 112, 112],
      [16, 112, 112],
      [24, 56, 56],
      [40, 28, 28],
      [80, 14, 14],
      [112, 14, 14],
      [192, 7, 7],
      [320, 7, 7],
    ]);
    expect(network.pcoders.map(({ decoder }) => decoder.window())).toEqual([
      108, 288, 576, 864, 1440, 720, 4032, 1728,
    ]);
  });
});
