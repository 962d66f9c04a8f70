import { describe, expect, it } from "vitest";
import type { ImageSource } from "../../../src/data/images/image-source.js";
import { imageBatch, prepareImages } from "../../../src/data/images/prepared-images.js";
import type { Preprocessing, PreprocessingName } from "../../../src/data/images/preprocessing.js";
import {
  PREPROCESSINGS,
  PREPROCESSING_NAMES,
  completePreprocessing,
  describePreprocessing,
  knownPreprocessing,
  preprocessingFromMetadata,
  preprocessingMetadata,
  preprocessingPreset,
} from "../../../src/data/images/preprocessing.js";
import { input, lower, writeOnnx } from "../../../src/graph/index.js";
import { fitPicture, toImageBatch } from "../../../src/robustness/images.js";
import { applyPreprocessing } from "../../../src/robustness/preprocess-graph.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { Random } from "../../../src/util/random.js";

const random = new Random(1);
const picture = {
  width: 45,
  height: 37,
  data: Uint8Array.from({ length: 45 * 37 * 3 }, () => random.integer(0, 256)),
};
const source: ImageSource = {
  name: "one image",
  count: 1,
  classes: ["a"],
  labels: new Int32Array(1),
  nameOf: () => "picture",
  read: () => Promise.resolve(picture),
};

/** The numbers that training gets. */
async function fed(
  shape: readonly [number, number, number],
  preprocessing: Preprocessing,
): Promise<number[]> {
  const images = await prepareImages(source, shape, { preprocessing });
  return Array.from(imageBatch(images, preprocessing, [0]).data as Float32Array);
}

/** The numbers that a network gets when it is measured and attacked. */
async function measured(
  shape: readonly [number, number, number],
  preprocessing: Preprocessing,
): Promise<number[]> {
  const { data } = toImageBatch([fitPicture(picture, shape, preprocessing)], shape);
  const x = input("images", [1, ...shape]);
  const model = writeOnnx(lower({ y: applyPreprocessing(x, preprocessing) }, "cpu"));
  const session = await nodeRuntime.createSession(model.bytes, { threads: 1 });
  const { y } = await session.run({ images: { dtype: "float32", shape: [1, ...shape], data } });
  await session.close();
  return Array.from(y!.data as Float32Array);
}

const CASES: readonly (readonly [string, Preprocessing, readonly [number, number, number]])[] = [
  ...PREPROCESSING_NAMES.filter((name) => name !== "unit").map(
    (name: PreprocessingName) => [name, PREPROCESSINGS[name], [name === "mnist" ? 1 : 3, 28, 28]] as const,
  ),
  ["blue first", { ...PREPROCESSINGS.imagenet, colours: "BGR" }, [3, 24, 24]],
  ["resized, and not square", { resize: 40, mean: [0.1, 0.2, 0.3] }, [3, 20, 30]],
  ["grey", PREPROCESSINGS.symmetric, [1, 32, 32]],
];

describe("how pixels reach a network", () => {
  it.each(CASES)("is the same for training and for measuring: %s", async (_name, preprocessing, shape) => {
    const [a, b] = [await fed(shape, preprocessing), await measured(shape, preprocessing)];
    expect(a).toHaveLength(b.length);
    const largest = Math.max(...b.map(Math.abs));
    a.forEach((value, i) => {
      expect(Math.abs(value - b[i]!)).toBeLessThan(1e-6 * largest);
    });
  });

  it("has one table, with both conventions for CIFAR-10", () => {
    expect(preprocessingPreset("cifar10").std).toEqual([0.247, 0.2435, 0.2616]);
    expect(preprocessingPreset("cifar10-per-image").std).toEqual([0.2023, 0.1994, 0.201]);
    expect(() => preprocessingPreset("cifar")).toThrow('unknown preprocessing "cifar"');
    expect(() => preprocessingPreset("toString")).toThrow("unknown preprocessing");
  });

  it.each([
    [
      { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
      /expected means within the images' range of 0 to 1, got 123.675: .*scale 255/,
    ],
    [
      { mean: [-0.5] },
      /expected means within the images' range of 0 to 1, got -0.5: give the mean for this range/,
    ],
    [{ mean: [0.5], std: [58] }, /expected standard deviations for images in 0 to 1, got 58/],
    [
      { scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
      /standard deviations for images in 0 to 255, got 0.229/,
    ],
    [{ scale: 0 }, "preprocessing: scale: expected a number above 0, got 0"],
    [{ scale: NaN }, "preprocessing: scale: expected a number above 0, got NaN"],
    [{ std: [1, 0, 1] }, "preprocessing: standard deviation: expected a number above 0, got 0"],
    [{ mean: [0, 0] }, /one mean or 3/],
    [{ resize: 1.5 }, "preprocessing: resize: expected a whole number of at least 1, got 1.5"],
    [{ resize: 256, cropFraction: 0.875 }, /got both/],
    [{ cropFraction: 1.2 }, /crop fraction above 0 and up to 1/],
  ] as const)("refuses numbers that cannot be meant: %j", (preprocessing, message) => {
    expect(() => completePreprocessing(preprocessing, 3)).toThrow(message);
  });

  it.each([
    { scale: 255, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
    { scale: 255, mean: [103.939, 116.779, 123.68], colours: "BGR" },
    { scale: 255, mean: [127.5], std: [128] },
    { scale: 2, mean: [1] },
  ] as const)("takes what published networks use: %j", (preprocessing) => {
    expect(completePreprocessing(preprocessing, 3).std).toHaveLength(3);
  });

  it("travels in a file's metadata", () => {
    const { imagenet } = PREPROCESSINGS;
    const metadata = preprocessingMetadata(imagenet);
    expect(preprocessingFromMetadata(metadata, "f")).toEqual(imagenet);
    expect(preprocessingFromMetadata({ other: "x" }, "f")).toBeUndefined();
    const [key] = Object.keys(metadata);
    for (const text of ["{", "[]", '{"mean":"x"}', '{"means":[0]}', '{"layout":"CHW"}', '{"scale":null}'])
      expect(() => preprocessingFromMetadata({ [key!]: text }, "f.onnx")).toThrow(/f.onnx: its metadata/);
  });

  it("is an error where file and user contradict each other, with both", () => {
    const shape = [3, 224, 224] as const;
    const known = (stated: Preprocessing) =>
      knownPreprocessing(stated, PREPROCESSINGS.imagenet, shape, "f.onnx");
    expect(known({ resize: 256 })).toMatchObject({
      from: "the file",
      preprocessing: { cropFraction: 0.875 },
    });
    expect(known({})?.from).toBe("the file");
    expect(() => known({ resize: 232 })).toThrow(
      /f.onnx: .* contradicts the file in resize: the file has centre crop of 0.875 .*; given was short side to 232/,
    );
    expect(() => known({ colours: "BGR" })).toThrow(/in colours/);
    expect(knownPreprocessing(undefined, undefined, shape, "f")).toBeUndefined();
    expect(knownPreprocessing({}, undefined, shape, "f")).toMatchObject({ from: "stated" });
  });

  it("is described in a line", () => {
    expect(describePreprocessing(PREPROCESSINGS.imagenet)).toBe(
      "centre crop of 0.875 · scale 1 · mean [0.485, 0.456, 0.406] · std [0.229, 0.224, 0.225] · NCHW · RGB",
    );
  });
});
