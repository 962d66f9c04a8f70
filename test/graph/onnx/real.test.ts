import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import { gradients, lower } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { writeOnnx } from "../../../src/graph/onnx/write/write.js";
import { sum } from "../../../src/graph/operators/reduce/reduce.js";
import { decodeSafetensors } from "../../../src/util/safetensors.js";
import { difference, floats, rewritten, run } from "./models.js";

const shared = resolve(import.meta.dirname, "../../../../shared");
const models = resolve(shared, "data/models");
const files = [models, resolve(shared, "goldens/predify")].flatMap((folder) =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".onnx"))
        .map((name) => resolve(folder, name))
    : [],
);
if (files.length === 0)
  console.log("skipped: no real ONNX files at ../shared/data/models and ../shared/goldens/predify");

const load = (file: string): Uint8Array => new Uint8Array(readFileSync(file));

/** Smooth pictures: what networks see, not white noise. */
function pictures(batch: number, shape: readonly number[], scale: number): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  const width = shape.at(-1)!;
  const values = Array.from({ length: batch * size }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return scale * Math.sin(row * 0.31 + i / size) * Math.cos(column * 0.23);
  });
  return floats(values, [batch, ...shape]);
}

describe("real networks", () => {
  for (const file of files) {
    it(`${basename(file)} means the same after reading and writing, for any batch`, async () => {
      const original = load(file);
      const { model, bytes } = rewritten(original);
      const input = model.inputs.input!;
      const [batch, ...shape] = input.shape;
      expect(typeof batch).toBe("string");
      expect(model.outputs.logits!.shape[0]).toBe(batch);
      for (const count of [1, 3]) {
        const feeds = {
          input: pictures(count, shape as number[], basename(file).startsWith("cifar10") ? 100 : 1),
        };
        expect(difference(await run(original, feeds), await run(bytes, feeds))).toBeLessThan(1e-5);
      }
    });
  }

  const reference = resolve(models, "reference-logits.safetensors");
  const scalings: Readonly<
    Record<string, readonly [pictures: string, scale: (value: number, channel: number) => number]>
  > = {
    "squeezenet1.1": [
      "imagenet",
      (value, channel) => (value / 255 - [0.485, 0.456, 0.406][channel]!) / [0.229, 0.224, 0.225][channel]!,
    ],
    "mobilenet-v1-0.75": ["imagenet", (value) => value / 127.5 - 1],
    "mobilenet-v2-1.0": ["imagenet", (value) => value / 127.5 - 1],
    "cifar10-resnet8": ["cifar10", (value) => value],
    "cifar10-resnet8-wide": ["cifar10", (value) => value],
  };
  for (const [name, [set, scale]] of Object.entries(scalings)) {
    it(`${name} gives the logits that PyTorch gave`, async (context) => {
      if (!existsSync(reference))
        return context.skip("no ../shared/data/models/reference-logits.safetensors");
      const { tensors } = decodeSafetensors(load(reference));
      const { shape, data } = tensors.get(`input.${set}.u8`)!;
      const [count, height, width] = shape as [number, number, number];
      const values = new Float32Array(data.length);
      for (const [i, value] of data.entries()) {
        const [pixel, channel] = [Math.floor(i / 3), i % 3];
        const picture = Math.floor(pixel / (height * width));
        values[picture * 3 * height * width + channel * height * width + (pixel % (height * width))] = scale(
          Number(value),
          channel,
        );
      }
      const { bytes } = rewritten(load(resolve(models, `${name}.onnx`)));
      const result = await run(bytes, {
        input: { dtype: "float32", shape: [count, 3, height, width], data: values },
      });
      const expected = tensors.get(`output.${name}.logits`)!;
      const logits: TensorData = { dtype: "float32", shape: expected.shape, data: expected.data };
      expect(difference(result, { logits })).toBeLessThan(1e-3);
    });
  }

  it("are differentiable: the input gradient of an imported network agrees with finite differences", async (context) => {
    const file = files.find((path) => path.endsWith("cnn4.onnx"));
    if (file === undefined) return context.skip("no ../shared/goldens/predify/cnn4.onnx");
    const model = readOnnx(load(file));
    const x = model.inputs.input!;
    const loss = sum(model.outputs.logits!);
    const [dx] = gradients(loss, [x]);
    const data = new Map(
      [...model.parameters.values()].map((parameter) => [parameter.tensor, parameter.data]),
    );
    const { bytes } = writeOnnx(lower({ loss, dx: dx! }, "cpu"), { values: (tensor) => data.get(tensor) });
    const feed = pictures(2, x.shape.slice(1) as number[], 1);
    const gradient = (await run(bytes, { input: feed })).dx!;
    const slopes = Array.from(gradient.data as Float32Array);
    const feedValues = Array.from(feed.data as Float32Array);
    const step = 1e-3;
    const lossWith = async (direction: number): Promise<number> => {
      const moved = feedValues.map((value, i) => value + direction * step * Math.sign(slopes[i]!));
      return Number((await run(bytes, { input: floats(moved, feed.shape) })).loss!.data[0]);
    };
    const slope = ((await lossWith(1)) - (await lossWith(-1))) / (2 * step);
    const expected = slopes.reduce((total, value) => total + Math.abs(value), 0);
    expect(Math.abs(slope / expected - 1)).toBeLessThan(0.05);
  });
});
