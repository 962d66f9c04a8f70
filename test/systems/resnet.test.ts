import { describe, expect, it } from "vitest";
import { input } from "../../src/graph/index.js";
import { namedParameters } from "../../src/nn/module.js";
import { ResNet } from "../../src/systems/baselines/resnet.js";

describe("ResNet", () => {
  it.each([
    [18, 11_689_512],
    [34, 21_797_672],
    [50, 25_557_032],
  ] as const)("of depth %i has torchvision's number of parameters", (depth, expected) => {
    const sizes = [...namedParameters(new ResNet({ depth })).values()]
      .filter(({ node: { leaf } }) => leaf?.kind === "parameter" && leaf.trainable)
      .map(({ shape }) => (shape as number[]).reduce((a, b) => a * b, 1));
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(expected);
  });

  it("has torchvision's names", () => {
    const names = [...namedParameters(new ResNet({ depth: 18 })).keys()];
    expect(names).toEqual(
      expect.arrayContaining([
        "conv1.weight",
        "bn1.runningMean",
        "layer1.1.conv2.weight",
        "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.runningVar",
        "layer4.1.bn2.bias",
        "fc.weight",
      ]),
    );
    expect(names).not.toContain("layer1.0.downsample.0.weight");
  });

  it("takes small images with a small stem, at any width", () => {
    const model = new ResNet({ depth: 18, width: 0.25, stem: "small", classes: 10 });
    expect(model.forward(input("x", ["batch", 3, 32, 32])).shape).toEqual(["batch", 10]);
    expect(model.conv1!.weight.shape).toEqual([16, 3, 3, 3]);
  });

  it("refuses images that are too small, and depths that there are not", () => {
    expect(() => new ResNet({ depth: 18 }).forward(input("x", [1, 3, 16, 16]))).toThrow("at least 32 x 32");
    expect(() => new ResNet({ depth: 20 as 18 })).toThrow(
      "ResNet: depth: expected one of 18, 34, 50, got 20",
    );
  });
});
