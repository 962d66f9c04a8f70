import { describe, expect, it } from "vitest";
import type { ImportedModel } from "../../../src/graph/onnx/read/read.js";
import type { Tensor } from "../../../src/graph/index.js";
import {
  conv,
  flatten,
  gemm,
  globalAveragePool,
  input,
  maxPool,
  parameter,
  relu,
  tensorData,
} from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { fromData } from "../../../src/nn/init.js";
import { adam, sgd } from "../../../src/nn/optimizers.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { measureDeviations } from "../../../src/systems/predify/core/run.js";
import type { PredifyOptions } from "../../../src/systems/predify/index.js";
import { openPredictive, predify } from "../../../src/systems/predify/index.js";
import { trainFeedback } from "../../../src/systems/predify/training/train-node.js";
import { trainFeedback as trainInPage } from "../../../src/systems/predify/training/train-web.js";
import type { WebRuntime } from "../../../src/runtime/web.js";
import { describeModel } from "../../../src/train/model-description.js";
import type { MemoryData } from "../../../src/train/task.js";
import { Random } from "../../../src/util/random.js";
import { numbers } from "../../support/run.js";
import { asFile } from "./support.js";

const SIZE = 2 * 8 * 8;
const COUNT = 24;

/** Pixels with structure, so that decoders have something to learn: smooth ramps plus a little noise, near 0 to 1. */
const pixels = (() => {
  const random = Random.derive(5, "units");
  const drawn = random.fillUniform(new Float32Array(COUNT * SIZE));
  return drawn.map((u, i) => {
    const [x, y] = [i % 8, Math.floor(i / 8) % 8];
    return 0.1 * u + (0.4 * (x + (((i / SIZE) | 0) % 3) === 2 ? y : x)) / 8 + 0.2;
  });
})();

/** The same function of pixels, whose image has `image` times and whose first feature map `map` times the unit. */
function backbone({ image, map }: { image: number; map: number }): ImportedModel {
  const parameters = new Map<string, Tensor>();
  const weight = (name: string, shape: readonly number[], factor: number): Tensor => {
    const count = shape.reduce((a, b) => a * b, 1);
    const drawn = Random.derive(7, name).fillNormal(new Float32Array(count));
    const spread = (1.4 * factor) / Math.sqrt(count / shape[0]!);
    const made = parameter(shape, fromData(drawn.map((value) => spread * value)), { name });
    parameters.set(name, made);
    return made;
  };
  const x = input("image", ["batch", 2, 8, 8]);
  const layer = (value: Tensor, name: string, shape: readonly number[], factor: number) =>
    relu(conv(value, weight(name, shape, factor), undefined, { padding: 1 }));
  const a = layer(x, "a.weight", [4, 2, 3, 3], map / image);
  const b = layer(maxPool(a, 2, { stride: 2 }), "b.weight", [6, 4, 3, 3], 1 / map);
  const logits = gemm(flatten(globalAveragePool(b)), weight("read.weight", [3, 6], 1), undefined, {
    transB: 1,
  });
  return asFile({ logits }, parameters);
}

const dataIn = (unit: number): MemoryData => ({
  count: COUNT,
  fill: (indices, fields) => {
    for (const [i, index] of Array.from(indices).entries())
      for (let p = 0; p < SIZE; p++) fields.images![i * SIZE + p] = unit * pixels[index * SIZE + p]!;
  },
});

/** The logits of all timesteps after the decoders were trained, and the cautions. */
async function trajectory(
  scales: { image: number; map: number },
  units: PredifyOptions["units"],
  optimizer = adam(),
): Promise<{ logits: number[]; cautions: string[] }> {
  const cautions: string[] = [];
  const network = predify(backbone(scales), {
    pcoders: 2,
    feedforward: 0.6,
    feedback: 0.1,
    error: 0.01,
    ...(units && { units }),
  });
  const run = await trainFeedback(network, dataIn(scales.image), {
    steps: 30,
    batchSize: 8,
    seed: 1,
    learningRate: 0.01,
    optimizer,
    onWarning: (line) => cautions.push(line),
  });
  const images = tensorData(
    pixels.slice(0, 4 * SIZE).map((value) => scales.image * value),
    [4, 2, 8, 8],
  );
  const runner = await openPredictive(network, run.values, nodeRuntime, { timesteps: 6 });
  const { logits } = await runner.run(images);
  await runner.close();
  return { logits: numbers(logits), cautions };
}

const ratio = (a: readonly number[], b: readonly number[]): number => {
  const largest = Math.max(...a.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / largest;
};

describe("the dynamics of a predified network", () => {
  it.each([
    ["adam", adam()],
    ["sgd", sgd()],
  ])(
    "do not depend on the units of images and feature maps (decoders trained by %s)",
    async (_, optimizer) => {
      const base = await trajectory({ image: 1, map: 1 }, undefined, optimizer);
      const perTimestep = base.logits.length / 7;
      // The dynamics do something: the last timestep differs from the first.
      expect(ratio(base.logits.slice(0, perTimestep), base.logits.slice(-perTimestep))).toBeGreaterThan(0.01);
      for (const scales of [
        { image: 255, map: 1 },
        { image: 1, map: 30 },
        { image: 255, map: 0.02 },
      ]) {
        const other = await trajectory(scales, undefined, optimizer);
        expect(ratio(base.logits, other.logits), JSON.stringify(scales)).toBeLessThan(1e-3);
        expect(other.cautions).toEqual([]);
      }
    },
  );

  it("depend on them as in the authors' code if units are left out, with a caution where they are far off", async () => {
    const base = await trajectory({ image: 1, map: 1 }, "authors");
    const large = await trajectory({ image: 255, map: 1 }, "authors");
    expect(base.cautions).toEqual([]);
    expect(ratio(base.logits, large.logits)).toBeGreaterThan(0.5);
    expect(large.cautions).toHaveLength(1);
    expect(large.cautions[0]).toMatch(
      /^PCoder 1: its error step is \d{4,} times as large .* standard deviation of the images is .* units: "measured"/,
    );
  });

  it("are measured over all elements and images, in several passes", async () => {
    const network = predify(backbone({ image: 255, map: 1 }), { pcoders: 2 });
    const images = tensorData(
      Float32Array.from({ length: 2 * COUNT * SIZE }, (_, i) => 255 * pixels[i % pixels.length]!),
      [2 * COUNT, 2, 8, 8],
    );
    const [image, ...maps] = await measureDeviations(network, images, Random.derive(1, "units"), nodeRuntime);
    const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
    const variance = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length;
    expect(image).toBeCloseTo(255 * Math.sqrt(variance), 1);
    expect(maps).toHaveLength(2);
    for (const map of maps) expect(map).toBeGreaterThan(0);
  });
});

describe("the training of feedback", () => {
  it("gives the same decoders and errors in a page as in Node", async () => {
    const network = predify(backbone({ image: 1, map: 30 }), { pcoders: 2 });
    const options = { steps: 6, batchSize: 8, seed: 4, optimizer: adam(), validation: dataIn(1) };
    const inNode = await trainFeedback(network, dataIn(1), { ...options, threads: 1 });
    const runtime = Object.assign(Object.create(nodeRuntime) as WebRuntime, {
      close: () => Promise.resolve(),
    });
    const inPage = await trainInPage(network, dataIn(1), { ...options, runtime });
    expect([...inPage.values.keys()]).toEqual([...inNode.values.keys()]);
    for (const [name, { data }] of inPage.values) {
      const other = inNode.values.get(name)!.data;
      expect(ratio(Array.from(data as Float32Array), Array.from(other as Float32Array)), name).toBeLessThan(
        1e-5,
      );
    }
    expect(inPage.evaluations.at(-1)!.loss).toBeCloseTo(inNode.evaluations.at(-1)!.loss!, 5);
    const { outputs, metadata } = readOnnx(inPage.export({ timesteps: 2, preprocessing: { scale: 255 } }));
    expect(outputs.logits!.shape).toEqual([3, "batch", 3]);
    expect(describeModel(metadata, "the export").preprocessing).toMatchObject({ scale: 255 });
  });
});
