import { describe, expect, it } from "vitest";
import type { Dim, Tensor } from "../../src/graph/index.js";
import {
  flatten,
  gemm,
  constant,
  input,
  lower,
  mul,
  reshape,
  sigmoid,
  softmax,
  transpose,
  writeOnnx,
} from "../../src/graph/index.js";
import { checkAnswers } from "../../src/robustness/answer-checks.js";
import type { OnnxNetworkOptions } from "../../src/robustness/index.js";
import {
  PREPROCESSINGS,
  onnxNetwork,
  preprocessingMetadata,
  preprocessingPreset,
} from "../../src/robustness/index.js";
import { Random } from "../../src/util/random.js";
import { open, randomImages } from "./small-network.js";

const weights = constant(
  Array.from(new Random(3).fillNormal(new Float32Array(48 * 5)), (value) => value / 4),
  [48, 5],
);

/** A linear classifier of 4 x 4 images as a file, and variants of it. */
function file(
  options: {
    readonly batch?: Dim;
    readonly layout?: "NCHW" | "NHWC";
    readonly size?: Dim;
    readonly end?: (scores: Tensor) => Tensor;
    readonly more?: boolean;
  } = {},
): Uint8Array {
  const { batch = "N", layout = "NCHW", size = 4, end, more = false } = options;
  const shape = layout === "NCHW" ? [batch, 3, size, size] : [batch, size, size, 3];
  const x = input("pixels", shape);
  const planes = layout === "NCHW" ? x : transpose(x, [0, 3, 1, 2]);
  const scores = gemm(flatten(planes), weights);
  const outputs = {
    scores: end === undefined ? scores : end(scores),
    ...(more && { other: mul(scores, 2) }),
  };
  return writeOnnx(lower(outputs, "portable")).bytes;
}

const unit: OnnxNetworkOptions = { name: "model.onnx", preprocessing: {} };
const images = randomImages(5, 1, 48);
const labels = Int32Array.of(0, 1, 2, 3, 4);

async function answers(bytes: Uint8Array, options: OnnxNetworkOptions = unit): Promise<number[]> {
  return Array.from(await open(onnxNetwork(bytes, options)).logits(images));
}

function close(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 4);
  });
}

describe("a classifier in an ONNX file", () => {
  it("says the same with a fixed batch, which short batches are filled up to, also its gradients", async () => {
    const free = open(onnxNetwork(file(), unit));
    const fixed = open(onnxNetwork(file({ batch: 3 }), unit));
    expect(fixed.network.fixedBatch).toBe(3);
    close([...(await fixed.logits(images))], [...(await free.logits(images))]);
    const [a, b] = await Promise.all([free, fixed].map((one) => one.lossAndGradient("ce", images, labels)));
    close([...b!.gradient], [...a!.gradient]);
    close([...b!.loss], [...a!.loss]);
  });

  it("takes channels last, found out or stated", async () => {
    const expected = await answers(file());
    close(await answers(file({ layout: "NHWC" })), expected);
    const network = onnxNetwork(file({ layout: "NHWC" }), unit);
    expect(network).toMatchObject({ imageShape: [3, 4, 4], preprocessing: { layout: "NHWC" }, classes: 5 });
    expect(() => onnxNetwork(file(), { ...unit, preprocessing: { layout: "NHWC" } })).toThrow(
      'the given layout is NHWC, but its input "pixels" is [N, 3, 4, 4]',
    );
  });

  it("needs a size where the file leaves it open, and refuses another where it does not", async () => {
    const open = file({ size: "side" });
    expect(() => onnxNetwork(open, unit)).toThrow("give the image size");
    close(await answers(open, { ...unit, size: 4 }), await answers(file()));
    expect(() => onnxNetwork(file(), { ...unit, size: 5 })).toThrow(
      'its input "pixels" is [N, 3, 4, 4], which fixes the image size, but the given size is 5 x 5',
    );
    expect(onnxNetwork(file(), { ...unit, size: 4 }).imageShape).toEqual([3, 4, 4]);
  });

  it.each([1, 2])("runs %i at a time if an exporter wrote that batch into a Reshape", async (batch) => {
    const x = input("pixels", ["N", 3, 4, 4]);
    const baked = writeOnnx({ scores: gemm(reshape(x, [batch, -1]), weights) }).bytes;
    const classifier = open(onnxNetwork(baked, unit));
    expect(classifier.network.fixedBatch).toBe(batch);
    close([...(await classifier.logits(images))], await answers(file()));
    const plain = await open(onnxNetwork(file(), unit)).lossAndGradient("ce", images, labels);
    close([...(await classifier.lossAndGradient("ce", images, labels)).gradient], [...plain.gradient]);
  });

  it("refuses scores that have no row for each image", () => {
    const x = input("pixels", [4, 3, 4, 4]);
    const halved = writeOnnx({ scores: reshape(gemm(flatten(x), weights), [2, 10]) }).bytes;
    expect(() => onnxNetwork(halved, unit)).toThrow(
      "expected a row of scores for each of the 4 images of a batch, got [2, 10]",
    );
  });

  it("finds a softmax on a view of the scores", async () => {
    const plain = await answers(file());
    const views: ((scores: Tensor) => Tensor)[] = [
      (scores) => reshape(softmax(reshape(scores, [-1, 1, 1, 5]), 3), [-1, 5]),
      (scores) => reshape(softmax(reshape(scores, [-1, 1, 1, 5]), 3), [-1, 1, 1, 5]),
      (scores) => transpose(softmax(transpose(reshape(scores, [-1, 5, 1]), [0, 2, 1]), 2), [0, 2, 1]),
    ];
    for (const end of views) {
      const network = onnxNetwork(file({ end }), unit);
      expect(network).toMatchObject({ classes: 5, answers: "logits (before the model's softmax)" });
      close([...(await open(network).logits(images))], plain);
    }
    // Over the images of a batch it makes no probabilities of classes.
    const over = onnxNetwork(file({ end: (scores) => softmax(scores, 0) }), unit);
    expect(over.answers).toBe("logits");
  });

  it("takes the preprocessing from the file, and refuses one that contradicts it", () => {
    const x = input("pixels", ["N", 3, 4, 4]);
    const { imagenet, symmetric } = PREPROCESSINGS;
    const said = writeOnnx(
      { scores: gemm(flatten(x), weights) },
      { metadata: preprocessingMetadata(imagenet) },
    ).bytes;
    const name = { name: "model.onnx" };
    expect(onnxNetwork(said, name)).toMatchObject({
      preprocessing: { ...imagenet, scale: 1, layout: "NCHW", colours: "RGB" },
      preprocessingFrom: "the file",
    });
    expect(
      onnxNetwork(said, { ...name, preprocessing: { mean: [...imagenet.mean] } }).preprocessing.std,
    ).toEqual([...imagenet.std]);
    expect(() => onnxNetwork(said, { ...name, preprocessing: symmetric })).toThrow(
      /contradicts the file in mean, std: the file has .*0\.485.*; given was scale 1 · mean 0\.5/,
    );
    expect(() => onnxNetwork(file(), name)).toThrow("its file does not state the preprocessing");
  });

  it("gets preprocessed images, and gradients come back through the preprocessing", async () => {
    const plain = await answers(file());
    const raw = await answers(file(), { ...unit, preprocessing: preprocessingPreset("raw") });
    close(
      raw.map((value) => value / 255),
      plain,
    );
    const { mean, std } = preprocessingPreset("imagenet");
    const options = { ...unit, preprocessing: { mean: mean!, std: std! } };
    const byHand = {
      count: 5,
      data: images.data.map((value, i) => {
        const channel = Math.floor(i / 16) % 3;
        return (value - mean![channel]!) / std![channel]!;
      }),
    };
    close(await answers(file(), options), [...(await open(onnxNetwork(file(), unit)).logits(byHand))]);
    const [through, bare] = [
      await open(onnxNetwork(file(), options)).lossAndGradient("ce", images, labels),
      await open(onnxNetwork(file(), unit)).lossAndGradient("ce", byHand, labels),
    ];
    const expected = bare.gradient.map((value, i) => value / std![Math.floor(i / 16) % 3]!);
    close([...through.gradient], [...expected]);
  });

  it("swaps colours for models that want blue first", async () => {
    const swapped = {
      count: 5,
      data: images.data.map((_, i) => images.data[i + 16 * (2 - 2 * (Math.floor(i / 16) % 3))]!),
    };
    const bgr = await answers(file(), { ...unit, preprocessing: { colours: "BGR" } });
    close(bgr, [...(await open(onnxNetwork(file(), unit)).logits(swapped))]);
  });

  it("takes the scores before a softmax, and logarithms of probabilities where they are stated", async () => {
    const plain = await answers(file());
    const bytes = file({ end: (scores) => softmax(scores, 1) });
    close(await answers(bytes), plain);
    expect(onnxNetwork(bytes, unit).answers).toBe("logits (before the model's softmax)");
    // Temperature after the softmax hides it from the eye.
    const hidden = file({ end: (scores) => mul(softmax(scores, 1), 1) });
    const stated = await answers(hidden, { ...unit, answers: "probabilities" });
    const shift = stated[0]! - plain[0]!;
    close(
      stated.slice(0, 5).map((value) => value - shift),
      plain.slice(0, 5),
    );
  });

  it("refuses probabilities that pass for logits, and labels that do not exclude each other", async () => {
    const hidden = onnxNetwork(file({ end: (scores) => mul(softmax(scores, 1), 1) }), unit);
    const found = await open(hidden).logits(images);
    expect(() => {
      checkAnswers(hidden, found, 5);
    }).toThrow("looks like probabilities");
    const good = onnxNetwork(file(), unit);
    const scores = await open(good).logits(images);
    expect(() => {
      checkAnswers(good, scores, 5);
    }).not.toThrow();
    expect(() => onnxNetwork(file({ end: sigmoid }), unit)).toThrow("goes through a sigmoid");
  });

  it("wants one output and one input for the images, and numbers that make sense", async () => {
    const two = file({ more: true });
    expect(() => onnxNetwork(two, unit)).toThrow("the model has 2 outputs (scores, other)");
    close(
      await answers(two, { ...unit, output: "other" }),
      (await answers(file())).map((value) => 2 * value),
    );
    expect(() => onnxNetwork(two, { ...unit, output: "third" })).toThrow('got "third"');
    expect(() => onnxNetwork(file(), { ...unit, preprocessing: { mean: [0, 0] } })).toThrow(
      "expected one mean or 3",
    );
    expect(() => onnxNetwork(file(), { ...unit, preprocessing: { std: [0] } })).toThrow(
      "preprocessing: standard deviation: expected a number above 0, got 0",
    );
    expect(() => preprocessingPreset("imagnet")).toThrow("did you mean imagenet?");
    const classifier = open(onnxNetwork(file(), unit));
    await expect(classifier.logits({ count: 2, data: new Float32Array(3) })).rejects.toThrow(
      "expected 96 numbers for 2 images of 3 x 4 x 4, got 3",
    );
    const bad = { count: 1, data: new Float32Array(48).fill(NaN) };
    await expect(classifier.logits(bad)).rejects.toThrow("expected finite numbers in its logits, got NaN");
  });
});
