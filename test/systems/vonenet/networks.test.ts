import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { input, tensorData } from "../../../src/graph/index.js";
import { namedParameters } from "../../../src/nn/module.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { readAuthorsWeights } from "../../../src/systems/vonenet/authors-weights-node.js";
import type { BackEndName } from "../../../src/systems/vonenet/index.js";
import {
  BACK_ENDS,
  STUDY_RECIPE,
  VOneBlock,
  VOneNetTask,
  authorsName,
  colourWeight,
  epochStepRate,
  plainResNet18,
  recipeOptimizer,
  sampleReceptiveFields,
  stateFromAuthors,
  voneNet,
  voneResNet18,
} from "../../../src/systems/vonenet/index.js";
import { Trainer, initialValues } from "../../../src/train/trainer.js";
import type { TrainingData } from "../../../src/train/task.js";
import { Random } from "../../../src/util/random.js";
import { temporaryFolder } from "../../support/folders.js";

const block = (imageSize: number, cells = 256, noise = false) =>
  new VOneBlock({
    fields: sampleReceptiveFields({ simple: cells, complex: cells }),
    imageSize,
    visualDegrees: imageSize === 64 ? 2 : 8,
    kernelSize: imageSize === 64 ? 31 : 25,
    stride: imageSize === 64 ? 2 : 4,
    ...(noise && { noise: { kind: "neuronal" } as const }),
  });

function count(model: object): number {
  const tensors = [...namedParameters(model).values()].filter(
    ({ node: { leaf } }) => leaf?.kind === "parameter" && leaf.trainable,
  );
  return tensors.reduce((sum, { shape }) => sum + (shape as number[]).reduce((a, b) => a * b, 1), 0);
}

/** Numbers of the specification: back end, and the bottleneck of 512 x 64. */
const PUBLISHED: Readonly<Record<BackEndName, number>> = {
  resnet18: 11_269_576,
  resnet50: 25_547_496,
  "cornet-s": 53_370_088,
  alexnet: 74_709_032,
};

/**
 * PyTorch 1.13, compressed: {epoch, arch, state_dict: a convolution and a batch normalisation under "module.", optimizer:
 * SGD's, best: None, flags}
 */
const CHECKPOINT =
  "eNrFlV2P1FQYxzsvO9stMLvypsKKAqJdhNl5FRR0lnGZRYvLMkDSmJBypj07LXTaedrTEUwm4cbEiV9AvTDh1hjv/Q5yYcKFd5h4yyfgivMys2mLiwgmns6c0zk9/9//OS9PZ0PL5SVJlqWnyoK0W0KBaTtDvGwhgkqDW267VZS+SJS72RFIqj5DBXjgmzZktJxOiVwKWX0nvR36Hg5w6GFSOQ05XaFdIUEEG5ZjEsiPYEbV52ln37ciF5fKpS+x07MJFEziU0rJiIjjhooR4G7kuJZBsBf6gTGsKjCrqvos5/kB6mGQhURpuz4iV0SnAnN6ho4pg6LnaGsOItih5QnsvKxJqpahV1bLEtilanl6ZbUMgeLYNH3XxSZxfC9ULgUWnYG1SuNVYH6pAwsEXunA7njYlWnYe2walS3bwrUCe+0dDLmPummZr2E/q14d2wzzGoHXO3BA3xXHdB0UwsEEpAqLAvLGBHKIVW8KyFsEDnfgiL4vDgkiz3O8ntHHyIOjCVgN3hawYxPYO6x6V8BUArQ+ru/9O9gQBfBeglWHE4J1csIqsWpZsMoEKh2o6otxlhf1jS4ipo1DgwTIvIUtqAnmZO8u+l5va+vq3KYBDWHzPrVZWhL4UwROd+CDSJ+jI/wBcfrOVziAD0dwRhxIfsjg7Ag+4sdwgALUN3qBHw1C+Pg6NEewoupZ+sQN4Nxa89fvWflBl3m4feyRqA+tteaj31i5z20s1B9gthbwiSZxqth0w8ImugOrtJPJPRwSHPhDOD8WOHSbRwftMT+um36AEc2PtXW9yKjO5iY9Xx5xUNfFcGGsF6bxhvDpdfhMZYurZXGEIp5cXcoHbZ3PctNFvRAujuBzla/VbVj/ht/cgUtrzT9FMkdRaUOblaPvGr/8RHOAfTe2zfyidCCR+cvldmt/Ku+nRSjuNmm1Qj8rzOXbgzeOLfA3yLNd6kmXSrtV3sZl+8K8mefNm/d+ZiuT/wfPlaRntd06+6890/Nn/osPVw+/gH/tf/avv7z/S61/47+Y/3QNnIdHMDOVnxnDvHRmK4YhDkL6gm+3Tr1oEDWFOf/+Y+8ae5FkuXOGNVve8ZxbeCqa9D9sWh3PpWJC+TgnpbI0rY3vSVJ7I5/SVtLa+HlKah+ktdXn116dSWlrzx/zg7S2ntbG9z/lW0hpG2ltfAfnE9o/YtrJednQCoUTk8eHcie3hsqp9q+MaDuz00Na4HeNOfE7w/tmCkIj8/Fi7BMb/C68";

describe("VOneNets", () => {
  it.each(BACK_ENDS)("with the back end %s have the published number of parameters and shapes", (name) => {
    const size = name === "resnet18" ? 64 : 224;
    const network = voneNet(block(size), name);
    expect(count(network)).toBe(PUBLISHED[name] + 512 * 64);
    expect(network.forward(input("x", ["batch", 3, size, size])).shape).toEqual([
      "batch",
      name === "resnet18" ? 200 : 1000,
    ]);
  });

  it("stand beside a baseline whose stages see as many positions", () => {
    const plain = plainResNet18();
    expect(count(plain)).toBe(11_279_112);
    expect(plain.model.stages(input("x", [1, 3, 64, 64])).map(({ shape }) => shape[2])).toEqual([
      32, 16, 8, 4,
    ]);
  });

  it("are named as the authors name them, and take their weights with or without the prefix", () => {
    const network = voneResNet18(block(64, 4), { width: 1 / 16, classes: 3 });
    const parameters = namedParameters(network);
    const values = initialValues(new VOneNetTask(network), { seed: 3 });
    const theirs = new Map(
      [...values].map(([name, value]) => [`module.${authorsName(name)}`, value] as const),
    );
    const { bank } = network.block;
    theirs.set("module.vone_block.simple_conv_q0.weight", colourWeight(bank.kernels, bank.colour, bank.size));
    theirs.set("module.vone_block.simple_conv_q1.weight", colourWeight(bank.kernels, bank.colour, bank.size));
    expect([...theirs.keys()]).toEqual(
      expect.arrayContaining(["module.bottleneck.weight", "module.model.layer2.0.downsample.1.running_mean"]),
    );
    expect(stateFromAuthors(parameters, theirs)).toEqual(values);
    expect(authorsName("model.V2.norm1.0.runningVar")).toBe("model.V2.norm1_0.running_var");
    expect(authorsName("model.V4.convInput.weight")).toBe("model.V4.conv_input.weight");
    expect(authorsName("model.IT.normSkip.bias")).toBe("model.IT.norm_skip.bias");
    theirs.delete("module.bottleneck.weight");
    expect(() => stateFromAuthors(parameters, theirs)).toThrow(/"bottleneck.weight" is missing/);
  });

  it("come out of a checkpoint of the authors' training script", async () => {
    const path = join(await temporaryFolder(), "checkpoint.pth.tar");
    await writeFile(path, inflateSync(Buffer.from(CHECKPOINT, "base64")));
    const tensors = await readAuthorsWeights(path);
    expect([...tensors.keys()]).toEqual([
      "module.0.weight",
      "module.1.weight",
      "module.1.bias",
      "module.1.running_mean",
      "module.1.running_var",
    ]);
    expect(tensors.get("module.0.weight")).toEqual(tensorData([0, 1, 2, 3], [1, 1, 2, 2]));
    await writeFile(path, "no checkpoint");
    await expect(readAuthorsWeights(path)).rejects.toThrow(/checkpoint\.pth\.tar/);
  });

  it("refuse other back ends and sizes", () => {
    expect(() => voneNet(block(64, 4), "vgg" as BackEndName)).toThrow(
      /VOneNet: back end: expected one of resnet18, .*got "vgg"/,
    );
    expect(() => voneResNet18(block(64, 4), { channels: [4, 0, 4, 4] })).toThrow(
      /ResNet: channels: expected whole numbers of at least 1, got/,
    );
  });
});

describe("the study's recipe", () => {
  it("changes the rate one step before an epoch is full", () => {
    const rate = epochStepRate({ rate: 0.1, every: 2, stepsPerEpoch: 5 });
    expect([0, 8, 9, 18, 19].map(rate)).toEqual([0.1, 0.1, 0.1 * 0.1, 0.1 * 0.1, 0.1 * 0.1 ** 2]);
    expect(() => epochStepRate({ rate: 0.1, every: 0, stepsPerEpoch: 5 })).toThrow(
      "every: expected a number above 0, got 0",
    );
  });

  it("teaches a small VOneResNet-18 with noise to tell orientations, V1 staying as it is", async () => {
    const size = 32;
    const small = new VOneBlock({
      fields: sampleReceptiveFields({ simple: 8, complex: 8, seed: 1 }),
      imageSize: size,
      visualDegrees: 1,
      kernelSize: 15,
      stride: 2,
      noise: { kind: "neuronal", scale: 0.35, level: 0.07 },
    });
    const task = new VOneNetTask(voneResNet18(small, { classes: 2, width: 1 / 16 }));
    expect([...task.parameters.keys()].some((name) => name.startsWith("block"))).toBe(false);
    const trainer = await Trainer.open(
      task,
      stripes(size),
      { batchSize: 16, seed: 2, optimizer: recipeOptimizer(STUDY_RECIPE), learningRate: 0.05 },
      nodeRuntime,
      { threads: 1 },
    );
    try {
      const losses: number[] = [];
      for (let i = 0; i < 30; i++) losses.push((await trainer.advance()).loss);
      const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
      expect(mean(losses.slice(0, 3))).toBeGreaterThan(0.5);
      expect(mean(losses.slice(-5))).toBeLessThan(0.2);
    } finally {
      await trainer.close();
    }
  });
});

/** Stripes down or across, of any phase and contrast, in grey noise. */
function stripes(size: number): TrainingData {
  return {
    count: 256,
    fill: (indices, { images, labels }) => {
      for (let n = 0; n < indices.length; n++) {
        const random = Random.derive(5, indices[n]!);
        const [label, phase] = [random.integer(0, 2), random.uniform() * 6.28];
        if (labels) labels[n] = label;
        if (!images) continue;
        for (let c = 0; c < 3; c++)
          for (let y = 0; y < size; y++)
            for (let x = 0; x < size; x++)
              images[((n * 3 + c) * size + y) * size + x] =
                0.7 * Math.sin((label === 0 ? x : y) * 0.8 + phase) + 0.2 * random.normal();
      }
    },
  };
}

describe("noise", () => {
  it("is an input of training and of use", () => {
    const task = new VOneNetTask(voneResNet18(block(64, 4, true), { width: 1 / 16, classes: 3 }));
    expect(task.loss(2).noise).toEqual({ "v1:noise": "normal" });
    expect(task.inference("batch").noise).toEqual({ "v1:noise": "normal" });
    expect(task.inference(2).inputs).toHaveLength(2);
  });
});
