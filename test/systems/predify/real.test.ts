import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { npyImages } from "../../../src/data/images/sources/listed-images-node.js";
import { readSafetensors } from "../../../src/util/safetensors-node.js";
import { tensorData } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { adam } from "../../../src/nn/optimizers.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { webRuntime } from "../../../src/runtime/web.js";
import {
  PREPROCESSINGS,
  freshValues,
  imageBatch,
  imageData,
  measureTimesteps,
  openPredictive,
  predify,
  prepareImages,
  preprocessingFromMetadata,
  writeUnrolled,
} from "../../../src/systems/predify/index.js";
import {
  readWeights,
  reconstructionErrors,
  trainFeedback,
  tuneHyperparameters,
  writeWeights,
} from "../../../src/systems/predify/node.js";
import { loadOnnx } from "../../../src/graph/onnx/read/open-node.js";
import { runOnnx, numbers } from "../../support/run.js";
import { temporaryFolder } from "../../support/folders.js";
import { sharedPath } from "./support.js";

const models = sharedPath("data/models");
const pictures = sharedPath("data/tiny-imagenet-20");

describe.skipIf(models === undefined)("trained networks, predified by the automatic rule", () => {
  it.each([
    ["squeezenet1.1.onnx", 4, ["64,111,111", "128,55,55", "256,27,27", "1000,13,13"]],
    ["mobilenet-v1-0.75.onnx", 5, ["48,112,112", "96,56,56", "192,28,28", "384,14,14", "768,7,7"]],
    ["mobilenet-v2-1.0.onnx", 5, ["96,112,112", "144,56,56", "192,28,28", "576,14,14", "1280,7,7"]],
    ["cifar10-resnet8.onnx", 3, ["16,32,32", "32,16,16", "64,8,8"]],
    ["cifar10-resnet8-wide.onnx", 4, ["40,32,32", "40,32,32", "80,16,16", "160,8,8"]],
  ])("%s: %i PCoders, one for each resolution; timestep 0 as published", async (file, count, shapes) => {
    const network = predify(await loadOnnx(join(models!, file)), { pcoders: count });
    expect(network.pcoders.map(({ shape }) => shape.join())).toEqual(shapes);
    const { tensors, metadata } = await readSafetensors(join(models!, "reference-logits.safetensors"));
    expect(metadata).toBeDefined();
    const cifar = file.startsWith("cifar");
    const bytes = tensors.get(cifar ? "input.cifar10.u8" : "input.imagenet.u8")!;
    const expected = tensors.get(`output.${file.replace(".onnx", "")}.logits`)!;
    const [, height, width] = bytes.shape as [number, number, number];
    const list = JSON.parse(readFileSync(join(models!, "models.json"), "utf8")) as {
      file: string;
      preprocessing: { mean?: number[]; std?: number[]; scale: string };
    }[];
    const { preprocessing } = list.find((entry) => entry.file === file)!;
    const raw = cifar;
    const image = new Float32Array(3 * height * width);
    for (let i = 0; i < image.length; i++) {
      const [c, at] = [Math.floor(i / (height * width)), i % (height * width)];
      const byte = Number(bytes.data[at * 3 + c]);
      image[i] = raw
        ? byte
        : (byte / 255 - (preprocessing.mean?.[c] ?? 0.5)) / (preprocessing.std?.[c] ?? 0.5);
    }
    const runner = await openPredictive(network, freshValues(network, 1), nodeRuntime, { timesteps: 1 });
    const logits = numbers((await runner.run(tensorData(image, [1, 3, height, width]))).logits);
    await runner.close();
    const classes = logits.length / 2;
    for (let c = 0; c < classes; c++)
      expect(Math.abs(logits[c]! - Number(expected.data[c]))).toBeLessThan(1e-3);
    expect(logits.slice(classes)).not.toEqual(logits.slice(0, classes));
  });
});

const folded = sharedPath("goldens/predify/cnn4bn.onnx");

describe.skipIf(folded === undefined)("a file whose batch normalisation the exporter folded away", () => {
  it("has no bare convolutions any more: their modules are refused, those of the normalisation are found", async () => {
    const file = await loadOnnx(folded!);
    const after = (module: string) => predify(file, { pcoders: [{ after: module }] }).pcoders[0]!.cut.name;
    expect(() => after("features[3]")).toThrow(
      /batch normalisation was folded into the convolution features.3 .*"\/features\/features.3\/Conv_output_0"/,
    );
    expect(after("features[4]")).toBe("/features/features.3/Conv_output_0");
    expect(after("features[5]")).toBe("/features/features.5/Relu_output_0");
  });
});

describe.skipIf(models === undefined || pictures === undefined)(
  "training the feedback on real images",
  () => {
    const prepared = async (split: string, most: number) =>
      prepareImages(await npyImages(pictures!, split), [3, 32, 32], { most });
    const open = async () =>
      predify(await loadOnnx(join(models!, "cifar10-resnet8.onnx")), {
        pcoders: 3,
        feedforward: 0.6,
        feedback: 0.2,
      });
    const recipe = { batchSize: 16, seed: 1, steps: 40, optimizer: adam(), learningRate: 0.01 };

    it("lowers every PCoder's error, resumes to the same bits, and what is exported runs in two runtimes", async () => {
      const network = await open();
      const images = await prepared("train", 256);
      const data = imageData(images, PREPROCESSINGS.raw);
      const folder = await temporaryFolder();
      const before = await reconstructionErrors(network, freshValues(network, 1), data, { batchSize: 16 });
      const whole = await trainFeedback(network, data, { ...recipe, folder: join(folder, "whole") });
      const after = await reconstructionErrors(network, whole.values, data, { batchSize: 16 });
      for (const i of [1, 2, 3])
        expect(after[`error.pcoder${i}`]).toBeLessThan(0.9 * before[`error.pcoder${i}`]!);

      const stop = new AbortController();
      const half = await trainFeedback(network, data, {
        ...recipe,
        folder: join(folder, "half"),
        signal: stop.signal,
        onProgress: ({ step }) => {
          if (step === 20) stop.abort();
        },
      });
      expect(half.finished).toBe(false);
      const resumed = await trainFeedback(network, data, {
        ...recipe,
        folder: join(folder, "half"),
        resume: true,
      });
      for (const [name, { data: bits }] of whole.values)
        expect([...resumed.values.get(name)!.data]).toEqual([...bits]);

      await writeWeights(join(folder, "weights.safetensors"), network, whole.values);
      const back = await readWeights(join(folder, "weights.safetensors"), network);
      expect(numbers(back.get("pcoder2.pmodule.1.weight"))).toEqual(
        numbers(whole.values.get("pcoder2.pmodule.1.weight")),
      );

      const path = join(folder, "presnet8.onnx");
      await whole.export(path, { timesteps: 3 });
      const bytes = new Uint8Array(await readFile(path));
      expect(preprocessingFromMetadata(readOnnx(bytes).metadata, path)).toEqual(PREPROCESSINGS.raw);
      const values = (v: number) => tensorData([v, v, v]);
      const feeds = {
        input: imageBatch(images, PREPROCESSINGS.raw, [0, 5, 9]),
        feedforward: values(0.6),
        feedback: values(0.2),
        error: values(0.01),
      };
      const native = await runOnnx(bytes, feeds);
      const web = await webRuntime.createSession(bytes);
      const wasm = await web.run(feeds);
      await web.close();
      expect(native.logits!.shape).toEqual([4, 3, 10]);
      numbers(native.logits).forEach((value, i) => {
        expect(Math.abs(Number(wasm.logits!.data[i]) - value)).toBeLessThan(2e-3);
      });
      expect(readOnnx(bytes).metadata.predify).toContain('"timesteps":3');
    });

    it("tunes the hyper-parameters by gradient: they move, stay weights, and the loss falls", async () => {
      const network = await open();
      const images = await prepared("train", 64);
      const data = imageData(
        { ...images, labels: images.labels.map((label) => label % 10) },
        PREPROCESSINGS.raw,
      );
      const losses: number[] = [];
      const { hyperparameters } = await tuneHyperparameters(network, data, {
        timesteps: 2,
        values: freshValues(network, 1),
        batchSize: 64,
        seed: 1,
        steps: 12,
        learningRate: 0.1,
        onProgress: ({ loss }) => losses.push(loss!),
      });
      expect(losses.at(-1)).toBeLessThan(losses[0]!);
      expect(hyperparameters).toHaveLength(3);
      for (const { feedforward, feedback } of hyperparameters) {
        expect(feedforward).toBeGreaterThan(0);
        expect(feedforward + feedback).toBeLessThanOrEqual(1);
      }
      expect(Math.abs(hyperparameters[0]!.feedforward - 0.6)).toBeGreaterThan(1e-3);
    });

    it("measures a network on images with labels", async () => {
      const network = await open();
      const images = await prepared("val", 32);
      const runner = await openPredictive(network, freshValues(network, 1), nodeRuntime, {
        timesteps: 2,
        errors: true,
      });
      const labels = Array.from(images.labels, (label) => label % 10);
      const batches = [0, 16].map((start) => {
        const indices = Array.from({ length: 16 }, (_, i) => start + i);
        return {
          images: imageBatch(images, PREPROCESSINGS.raw, indices),
          labels: indices.map((i) => labels[i]!),
        };
      });
      const scores = await measureTimesteps(runner, batches);
      await runner.close();
      expect(scores.images).toBe(32);
      expect(scores.accuracy).toHaveLength(3);
      expect(scores.errors).toHaveLength(3);
      // Random decoders: nothing but the shapes of the curves is known.
      for (const row of scores.errors) expect(row.every((e) => e > 0)).toBe(true);
    });

    it("refuses weights of another network", async () => {
      const [three, two] = [
        await open(),
        predify(await loadOnnx(join(models!, "cifar10-resnet8.onnx")), { pcoders: 2 }),
      ];
      const file = join(await temporaryFolder(), "two.safetensors");
      await writeWeights(file, two, freshValues(two, 1));
      await expect(readWeights(file, three)).rejects.toThrow(/expected float32|unknown value/);
      expect(() => writeUnrolled(three, freshValues(two, 1), { timesteps: 1 })).toThrow(/weights/);
    });
  },
);
