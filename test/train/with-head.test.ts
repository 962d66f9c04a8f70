import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import {
  add,
  conv,
  flatten,
  gemm,
  globalAveragePool,
  input,
  lower,
  matmul,
  mul,
  parameter,
  relu,
  softmax,
  transpose,
  writeOnnx,
  topologicalOrder,
} from "../../src/graph/index.js";
import type { ImportedModel } from "../../src/graph/onnx/read/read.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import { normal, zeros } from "../../src/nn/init.js";
import type { State } from "../../src/nn/module.js";
import { initialState, namedParameters } from "../../src/nn/module.js";
import { asConstants } from "../../src/nn/training-state.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { withKuramoto } from "../../src/systems/akorn/index.js";
import { ClassificationTask, ResNet, Vgg } from "../../src/systems/baselines/index.js";
import { VOneBlock, sampleReceptiveFields, withV1 } from "../../src/systems/vonenet/index.js";
import { FineTuningTask } from "../../src/train/fine-tuning-task.js";
import { describeModel, modelMetadata } from "../../src/train/model-description.js";
import type { TrainingData } from "../../src/train/task.js";
import { Trainer } from "../../src/train/trainer.js";
import { withHead } from "../../src/train/with-head.js";
import { Random } from "../../src/util/random.js";

const CLASSES = ["ant", "bee", "cat"];

/** A file with a convolution and what `head` makes of its features, [batch, 8]. */
function fileWith(head: (features: Tensor, weight: WeightOf) => Tensor): ImportedModel {
  const parameters = new Map<string, Tensor>();
  const weight: WeightOf = (name, shape, init = normal(0, 0.3)) => {
    const made = parameter(shape, init, { name });
    parameters.set(name, made);
    return made;
  };
  const images = input("images", ["batch", 3, 16, 16]);
  const map = relu(conv(images, weight("body", [8, 3, 3, 3]), undefined, { padding: 1, stride: 2 }));
  const scores = head(map, weight);
  const values = initialState(parameters, (name) => Random.derive("head test", name));
  const metadata = modelMetadata({ classes: ["x", "y", "z", "u", "v"], preprocessing: { scale: 255 } });
  return readOnnx(writeOnnx(lower({ scores }, "portable"), { values: asConstants(values), metadata }).bytes);
}

type WeightOf = (name: string, shape: readonly number[], init?: typeof zeros) => Tensor;
const pooled = (map: Tensor) => flatten(globalAveragePool(map));

const HEADS: Readonly<Record<string, (map: Tensor, weight: WeightOf) => Tensor>> = {
  "Gemm with a transposed weight": (map, w) =>
    gemm(pooled(map), w("fc.weight", [5, 8]), w("fc.bias", [5]), { transB: 1 }),
  "Gemm, then a softmax": (map, w) => softmax(gemm(pooled(map), w("fc.weight", [8, 5]), w("fc.bias", [5]))),
  "MatMul and Add": (map, w) => add(matmul(pooled(map), w("fc.weight", [8, 5])), w("fc.bias", [5])),
  "MatMul with a transposed weight, no bias": (map, w) =>
    matmul(pooled(map), transpose(w("fc.weight", [5, 8]), [1, 0])),
  "a convolution before pooling": (map, w) =>
    flatten(globalAveragePool(relu(conv(map, w("fc.weight", [5, 8, 1, 1]), w("fc.bias", [5]))))),
};

describe("withHead", () => {
  it.each(Object.entries(HEADS))("replaces %s", async (_, head) => {
    const before = fileWith(head);
    const model = withHead(before, { classes: CLASSES });
    expect(Object.entries(model.outputs).map(([name, { shape }]) => [name, shape])).toEqual([
      ["logits", ["batch", 3]],
    ]);
    expect(describeModel(model.metadata, "model")).toMatchObject({
      classes: CLASSES,
      preprocessing: { scale: 255 },
    });
    // The body keeps its values, the head has new ones.
    expect(model.parameters.get("body")!.data).toBe(before.parameters.get("body")!.data);
    expect(model.parameters.get("fc.weight")!.data.shape).toContain(3);
    const bias = model.parameters.get("fc.bias");
    if (bias) expect([...bias.data.data]).toEqual([0, 0, 0]);
    const session = await nodeRuntime.createSession(
      writeOnnx(lower(model.outputs, "cpu"), { values: asConstants(valuesOf(model)) }).bytes,
    );
    const images = {
      dtype: "float32",
      shape: [2, 3, 16, 16],
      data: new Float32Array(2 * 768).fill(0.5),
    } as const;
    const { logits } = await session.run({ images });
    expect(logits!.shape).toEqual([2, 3]);
    // No softmax is left: rows of probabilities would sum to 1.
    const row = Array.from(logits!.data as Float32Array).slice(0, 3);
    expect(Math.abs(row.reduce((a, b) => a + b, 0) - 1)).toBeGreaterThan(1e-3);
    await session.close();
  });

  it("draws the new weights from the seed", () => {
    const model = fileWith(HEADS["MatMul and Add"]!);
    const weights = (seed?: number) =>
      withHead(model, { classes: CLASSES, ...(seed !== undefined && { seed }) }).parameters.get("fc.weight")!
        .data;
    expect(weights(1)).toEqual(weights(1));
    expect(weights(1)).not.toEqual(weights(2));
  });

  it("says what is wrong", () => {
    const model = fileWith(HEADS["MatMul and Add"]!);
    expect(() => withHead(model, { classes: ["one"] })).toThrow(/at least two classes, got 1/);
    expect(() => withHead(model, { classes: CLASSES, output: "x" })).toThrow(
      /one of the outputs scores, got "x"/,
    );
    const scaled = fileWith((map, w) => mul(matmul(pooled(map), w("fc.weight", [8, 5])), w("scale", [5])));
    expect(() => withHead(scaled, { classes: CLASSES })).toThrow(
      /no last layer found: "scale" after "fc.weight" is no bias; the last layers with trained weights are "body".*"fc.weight"/,
    );
  });

  it("is followed by oscillators and V1, in one graph that trains", async () => {
    const images = input("images", ["batch", 3, 32, 32]);
    const network = new ResNet({ depth: 18, classes: 5, width: 0.0625, stem: "small" });
    const parameters = namedParameters(network);
    const values = initialState(parameters, (name) => Random.derive(1, name));
    const { bytes } = writeOnnx(lower({ logits: network.forward(images) }, "portable"), {
      values: asConstants(values),
    });
    const headed = withHead(readOnnx(bytes), { classes: CLASSES });
    const map = [...headed.values].find(([, { shape }]) => shape.length === 4 && shape[2] === 8)![0];
    const coupling = { type: "convolution", kernel: 3 } as const;
    const oscillating = withKuramoto(headed, map, { steps: 2, rotatingDimensions: 2, coupling }).model;
    const fields = sampleReceptiveFields({ simple: 4, complex: 4 });
    const block = new VOneBlock({ fields, imageSize: 32, visualDegrees: 1, kernelSize: 9, stride: 1 });
    const stem = [...oscillating.values].find(([, { node }]) => node.type === "Relu")![0];
    const { model } = withV1(oscillating, { block, replaces: stem });
    expect(Object.keys(model.inputs).sort()).toEqual(["images", "noise"]);
    expect([...model.parameters.keys()]).toEqual(expect.arrayContaining(["bottleneck.weight", "fc.weight"]));
    expect([...model.parameters.keys()]).not.toContain("conv1.weight");
    const task = new FineTuningTask({
      images: model.inputs.images!,
      logits: model.outputs.logits!,
      noise: { noise: "normal" },
      parameters: tensorsOf(model),
      batchStatistics: () => true,
    });
    const losses = await losses3(task, valuesOf(model), 32);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses[2]).toBeLessThan(losses[0]!);
  });
});

describe("batch statistics of an imported network", () => {
  it("train as those of the network that was exported", async () => {
    const network = new ResNet({ depth: 18, classes: 3, width: 0.0625, stem: "small" });
    const own = new ClassificationTask(network, [3, 32, 32]);
    const values = initialState(own.parameters, (name) => Random.derive(1, name));
    const graph = own.inference("batch");
    const { bytes } = writeOnnx(lower(graph.outputs, "portable"), { values: asConstants(values) });
    const model = readOnnx(bytes);
    const imported = new FineTuningTask({
      images: model.inputs.images!,
      logits: model.outputs.logits!,
      parameters: tensorsOf(model),
      batchStatistics: () => true,
    });
    const [a, b] = [await trained(own, values), await trained(imported, valuesOf(model))];
    expect(a.losses.length).toBe(3);
    a.losses.forEach((loss, i) => {
      expect(b.losses[i]).toBeCloseTo(loss, 4);
    });
    for (const name of ["bn1.runningMean", "layer4.1.bn2.runningVar", "fc.weight"]) {
      const [one, other] = [a.values.get(name)!, b.values.get(name)!];
      const worst = Math.max(
        ...Array.from(one.data as Float32Array, (x, i) => Math.abs(x - Number(other.data[i]))),
      );
      expect(worst, name).toBeLessThan(1e-3);
    }
    // Without the option, the running statistics stay.
    const frozen = new FineTuningTask({
      images: model.inputs.images!,
      logits: model.outputs.logits!,
      parameters: tensorsOf(model),
    });
    const c = await trained(frozen, valuesOf(model));
    expect(c.values.get("bn1.runningMean")!.data).toEqual(values.get("bn1.runningMean")!.data);
    expect(a.values.get("bn1.runningMean")!.data).not.toEqual(values.get("bn1.runningMean")!.data);
  });
});

describe("dropout of an imported network", () => {
  it("drops the same elements in training as that of the network that was exported, and none in evaluation", async () => {
    const network = new Vgg({ depth: 11, classes: 3, width: 0.0625, batchNorm: true, grid: 1, hidden: 16 });
    const own = new ClassificationTask(network, [3, 32, 32]);
    const values = initialState(own.parameters, (name) => Random.derive(1, name));
    // The last layers begin so small that what they drop would hardly matter.
    for (const [name, { data }] of values)
      if (name.startsWith("classifier") && name.endsWith("weight"))
        (data as Float32Array).forEach((value, at) => (data[at] = 30 * value));
    const graph = own.inference("batch");
    const { bytes } = writeOnnx(lower(graph.outputs, "portable"), { values: asConstants(values) });
    const model = readOnnx(bytes);
    const options = {
      images: model.inputs.images!,
      logits: model.outputs.logits!,
      parameters: tensorsOf(model),
      batchStatistics: () => true,
    };
    const imported = new FineTuningTask(options);
    expect(imported.loss(4).noise).toEqual({ "noise:0": "uniform", "noise:1": "uniform" });
    expect(imported.inference("batch").inputs).toHaveLength(1);
    const [a, b] = [await trained(own, values), await trained(imported, valuesOf(model))];
    a.losses.forEach((loss, i) => {
      expect(b.losses[i]).toBeCloseTo(loss, 4);
    });
    // A network without dropout has other losses, so the elements that were dropped matter.
    const plain = new Vgg({
      depth: 11,
      classes: 3,
      width: 0.0625,
      batchNorm: true,
      grid: 1,
      hidden: 16,
      dropout: 0,
    });
    const c = await trained(new ClassificationTask(plain, [3, 32, 32]), values);
    expect(Math.abs(c.losses[0]! - a.losses[0]!)).toBeGreaterThan(1e-3);
    // A new last layer keeps it, and so does the file of what was trained.
    const headed = withHead(model, { classes: ["x", "y"] });
    const types = (tensors: Readonly<Record<string, Tensor>>) =>
      topologicalOrder(Object.values(tensors)).filter(({ type }) => type === "Dropout").length;
    expect(types(headed.outputs)).toBe(2);
    const again = writeOnnx(lower(imported.inference("batch").outputs, "portable"), {
      values: asConstants(valuesOf(model)),
    });
    expect(types(readOnnx(again.bytes).outputs)).toBe(2);
    expect(types(lower(headed.outputs, "cpu"))).toBe(0);
  });
});

function valuesOf(model: ImportedModel): State {
  return new Map([...model.parameters].map(([name, { data }]) => [name, data]));
}

function tensorsOf(model: ImportedModel): Map<string, Tensor> {
  return new Map([...model.parameters].map(([name, { tensor }]) => [name, tensor]));
}

/** Three classes that differ in the mean of one colour. */
function coloured(side: number): TrainingData {
  return {
    count: 24,
    fill: (indices, fields) => {
      const size = 3 * side * side;
      Array.from(indices).forEach((index, n) => {
        const random = Random.derive("coloured", index);
        const image = fields.images!.subarray(n * size, (n + 1) * size);
        random.fillNormal(image, 0, 0.5);
        const plane = (index % 3) * side * side;
        for (let i = 0; i < side * side; i++) image[plane + i]! += 1;
        if (fields.labels) fields.labels[n] = index % 3;
      });
    },
  };
}

async function trained(task: ClassificationTask | FineTuningTask, values: State, side = 32) {
  const recipe = { batchSize: 8, seed: 1, learningRate: 0.003, values };
  const trainer = await Trainer.open(task, coloured(side), recipe, nodeRuntime);
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) losses.push((await trainer.advance()).loss);
  const after = await trainer.values();
  await trainer.close();
  return { losses, values: after };
}

const losses3 = async (task: FineTuningTask, values: State, side: number) =>
  (await trained(task, values, side)).losses;
