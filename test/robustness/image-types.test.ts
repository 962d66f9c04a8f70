import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import {
  cast,
  constant,
  conv,
  dequantizeLinear,
  div,
  flatten,
  gemm,
  input,
  quantizeLinear,
  relu,
  softmax,
  transpose,
  writeOnnx,
} from "../../src/graph/index.js";
import { PREPROCESSINGS, onnxNetwork } from "../../src/robustness/index.js";
import { pgd } from "../../src/robustness/attacks/index.js";
import { Random } from "../../src/util/random.js";
import { open, ownLabels, randomImages } from "./small-network.js";

/* Networks that take bytes, half precision, or compute with quantised values. */

const normals = (shape: readonly number[], seed: number, std = 0.3) =>
  Array.from(new Random(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), 0, std));
const KERNEL = [4, 3, 3, 3];
const READ = [4 * 16, 5];

/** A small network of 4 x 4 images in any floating-point type. */
function scores(x: Tensor, dtype: "float32" | "float16" = "float32"): Tensor {
  const weights = (shape: readonly number[], seed: number) => constant(normals(shape, seed), shape, dtype);
  return gemm(flatten(relu(conv(x, weights(KERNEL, 1), undefined, { padding: 1 }))), weights(READ, 2));
}

/** The same with 8 bits wherever it multiplies. */
function quantised(x: Tensor): Tensor {
  const zero = (value: number, dtype: "int8" | "uint8") => constant(value, [], dtype);
  const there = (t: Tensor) =>
    dequantizeLinear(
      quantizeLinear(t, constant(1 / 64), zero(0, "uint8")),
      constant(1 / 64),
      zero(0, "uint8"),
    );
  const weights = (shape: readonly number[], seed: number) =>
    dequantizeLinear(
      constant(
        normals(shape, seed).map((value) => Math.round(value * 100)),
        shape,
        "int8",
      ),
      constant(0.01),
    );
  const first = relu(conv(there(x), weights(KERNEL, 1), undefined, { padding: 1 }));
  return gemm(flatten(there(first)), weights(READ, 2));
}

const file = (body: (x: Tensor) => Tensor, dtype: "float32" | "float16" | "uint8", last = false) =>
  writeOnnx({ y: body(input("x", last ? ["N", 4, 4, 3] : ["N", 3, 4, 4], dtype)) }).bytes;
const bytesIn = (last: boolean) =>
  file(
    (x) => {
      const numbers = div(cast(x, "float32"), 255);
      return scores(last ? transpose(numbers, [0, 3, 1, 2]) : numbers);
    },
    "uint8",
    last,
  );

const images = randomImages(6, 1, 48);
/** Images that bytes hold exactly. */
const exact = { ...images, data: images.data.map((value) => Math.round(value * 255) / 255) };
const labels = Int32Array.of(0, 1, 2, 3, 4, 0);
const raw = { preprocessing: PREPROCESSINGS.raw };

function near(got: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9);
  expect([...got].filter((value, i) => !(Math.abs(value - expected[i]!) <= tolerance * scale))).toEqual([]);
}

describe("a network that takes bytes", () => {
  it.each([false, true])(
    "gets round(255 x), with the gradient of 255 x (channels last: %s)",
    async (last) => {
      const floats = open(onnxNetwork(file(scores, "float32"), { preprocessing: {} }));
      const [expected, slope] = [
        await floats.logits(exact),
        (await floats.lossAndGradient("ce", exact, labels)).gradient,
      ];
      for (const options of [{}, raw]) {
        const classifier = open(onnxNetwork(bytesIn(last), options));
        expect(classifier.network).toMatchObject({ imageShape: [3, 4, 4], preprocessing: { scale: 255 } });
        near(await classifier.logits(exact), expected, 1e-5);
        near((await classifier.lossAndGradient("ce", exact, labels)).gradient, slope, 1e-4);
      }
      near(await open(onnxNetwork(bytesIn(last), raw)).logits(images), await floats.logits(exact), 1e-5);
    },
  );

  it("is refused with means or deviations, which bytes have none of", () => {
    expect(() =>
      onnxNetwork(bytesIn(false), { name: "b.onnx", preprocessing: PREPROCESSINGS.imagenet }),
    ).toThrow(/^b.onnx: its images are bytes from 0 to 255: expected --preprocessing raw, got/);
    expect(() =>
      onnxNetwork(
        file((x) => cast(x, "float32"), "uint8"),
        { name: "b.onnx" },
      ),
    ).toThrow(/b.onnx/);
  });
});

describe("a network in half precision", () => {
  it("answers and has gradients as in single precision, up to its digits", async () => {
    const floats = open(onnxNetwork(file(scores, "float32"), { preprocessing: {} }));
    const half = open(
      onnxNetwork(
        file((x) => scores(x, "float16"), "float16"),
        { preprocessing: {} },
      ),
    );
    near(await half.logits(images), await floats.logits(images), 5e-3);
    const [a, b] = await Promise.all([half, floats].map((one) => one.lossAndGradient("ce", images, labels)));
    near(a!.gradient, b!.gradient, 2e-2);
  });

  it("has its softmax taken off, too", async () => {
    const end = file((x) => softmax(scores(x, "float16"), 1), "float16");
    const network = onnxNetwork(end, { preprocessing: {} });
    expect(network.answers).toContain("before the model's softmax");
    expect(await open(network).logits(images)).toHaveLength(30);
  });
});

describe("a quantised network", () => {
  it("is attacked by gradient, as its float32 original is", async () => {
    const classifier = open(onnxNetwork(file(quantised, "float32"), { preprocessing: {} }));
    const original = open(onnxNetwork(file(scores, "float32"), { preprocessing: {} }));
    near(
      (await classifier.lossAndGradient("ce", images, labels)).gradient,
      (await original.lossAndGradient("ce", images, labels)).gradient,
      0.15,
    );
    const own = await ownLabels(classifier, images);
    const found = await pgd(classifier, images, own, 0.3, { steps: 20, stepSize: 0.05 });
    const right = (await classifier.predict(found)).filter((answer, i) => answer === own[i]).length;
    expect(right).toBeLessThan(3);
  });
});
