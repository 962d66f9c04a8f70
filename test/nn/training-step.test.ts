import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../src/graph/dtype.js";
import { tensorData } from "../../src/graph/dtype.js";
import type { Tensor } from "../../src/graph/index.js";
import {
  flatten,
  gradients,
  input,
  lower,
  mul,
  parameter,
  relu,
  stopGradient,
  sum,
  topologicalOrder,
} from "../../src/graph/index.js";
import { constantAverage, warmAverage } from "../../src/nn/ema.js";
import { ones, zeros } from "../../src/nn/init.js";
import { Conv2d } from "../../src/nn/layers/convolution.js";
import { TrainingPass } from "../../src/nn/layers/layer.js";
import { Linear } from "../../src/nn/layers/linear.js";
import { BatchNorm2d } from "../../src/nn/layers/normalisation.js";
import { crossEntropy } from "../../src/nn/losses.js";
import { namedParameters } from "../../src/nn/module.js";
import { adam, adamW, sgd } from "../../src/nn/optimizers.js";
import { initialTrainingState, modelValues, writeTrainingStep } from "../../src/nn/training-state.js";
import { trainingStep } from "../../src/nn/training-step.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { decodeSafetensors } from "../../src/util/safetensors.js";
import { numbers, openOnnx } from "../support/run.js";
import { distance, wave, waveState } from "./support.js";

const scalar = (value: number) => tensorData([value], []);

class Network {
  readonly conv = new Conv2d(1, 2, 3, { padding: 1, bias: false });
  readonly norm = new BatchNorm2d(2);
  readonly head = new Linear(8, 3);

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    return this.head.forward(flatten(relu(this.norm.forward(this.conv.forward(x), pass))));
  }
}

function networkStep(options: Partial<Parameters<typeof trainingStep>[0]> = {}) {
  const model = new Network();
  const [x, classes, pass] = [
    input("x", ["batch", 1, 2, 2]),
    input("classes", ["batch"], "int64"),
    new TrainingPass(),
  ];
  const parameters = namedParameters(model);
  const loss = crossEntropy(model.forward(x, pass), classes);
  const step = trainingStep({
    inputs: [x, classes],
    loss,
    parameters,
    updates: pass.updates,
    optimizer: adam(),
    ...options,
  });
  return { step, values: waveState(parameters) };
}

function batch(t: number): Record<string, TensorData> {
  const classes = BigInt64Array.of(BigInt(t % 3), BigInt((t + 1) % 3));
  return { x: wave([2, 1, 2, 2], t + 0.3, 1.7, 2), classes: tensorData(classes, [2], "int64") };
}

describe("trainingStep", () => {
  /** Expected values: the same network, batches, Adam (0.01), clip_grad_norm_ (1) and average (0.9) in PyTorch 1.13. */
  it("follows PyTorch: loss, norm, parameters, running statistics and average over three steps", async () => {
    const { step, values } = networkStep({ clipNorm: 1, ema: constantAverage(0.9) });
    expect(step.scalarInputs).toEqual(["learningRate", "step"]);
    expect(step.inputs.map(({ name }) => name)).toEqual(["x", "classes"]);
    expect(step.frozen).toEqual([]);
    expect(step.state.map(({ name, kind }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining([
        "param head.bias",
        "buffer norm.runningVar",
        "optimizer optimizer.square.head.bias",
        "ema ema.norm.runningVar",
      ]),
    );
    const program = await nodeRuntime.createProgram(
      {
        model: writeTrainingStep(step, values, "cpu").bytes,
        state: Object.fromEntries(initialTrainingState(step, values)),
      },
      { threads: 1 },
    );
    const expected = [
      [3.2575345, 4.7919822],
      [2.0941617, 2.6131485],
      [1.3360349, 2.7885807],
    ];
    for (const [t, [loss, norm]] of expected.entries()) {
      const result = await program.step({ ...batch(t), learningRate: scalar(0.01), step: scalar(t) });
      expect(Object.keys(result).sort()).toEqual([...step.metrics].sort());
      const got = ["loss", "gradientNorm", "finite"].map((name) => numbers(result[name])[0]!);
      expect(distance(got, [loss!, norm!, 1])).toBeLessThan(3e-6);
    }
    const state = new Map(Object.entries(await program.readState()));
    await program.close();
    const near = (source: ReadonlyMap<string, TensorData>, name: string, expectedValues: number[]) => {
      expect(distance(numbers(source.get(name)), expectedValues), name).toBeLessThan(3e-6);
    };
    const trained = modelValues(step, state, values);
    near(trained, "norm.weight", [0.8635343, 0.9119476]);
    near(trained, "norm.runningMean", [0.1080909, -0.0077836]);
    near(trained, "norm.runningVar", [2.3355477, 2.6154742]);
    near(trained, "head.bias", [-0.8174855, -0.9322746, -0.3897858]);
    near(
      trained,
      "conv.weight",
      [
        0.073771, 0.8464718, 0.9407824, 0.3628875, -0.5347949, -0.987982, -0.7354729, 0.1214908, 0.8450353,
        0.9178641, 0.3372025, -0.5162073, -0.9739885, -0.7203529, 0.10377, 0.8791198, 0.9611695, 0.3277976,
      ],
    );
    const averaged = modelValues(step, state, values, { averaged: true });
    near(averaged, "norm.runningVar", [1.2641653, 1.3832536]);
    near(averaged, "norm.bias", [0.8584532, 0.1433965]);
    near(averaged, "head.bias", [-0.8167889, -0.9536699, -0.3777527]);
  });

  it("freezes what is excluded, and what no gradient reaches, as constants of the graph", () => {
    const { step, values } = networkStep({ trainable: (name) => !name.startsWith("conv") });
    expect(step.frozen).toEqual(["conv.weight"]);
    const written = writeTrainingStep(step, values, "cpu");
    expect(written.inputs.map(({ name }) => name)).not.toContain("conv.weight");
    expect(() => writeTrainingStep(step, new Map(), "cpu")).toThrow(/"conv.weight" has no value/);

    const model = { used: parameter([2], ones), stopped: parameter([2], ones), spare: parameter([2], ones) };
    const parameters = namedParameters(model);
    const loss = sum(mul(model.used, stopGradient(model.stopped)));
    const small = trainingStep({ inputs: [], loss, parameters, optimizer: adamW() });
    expect(small.frozen).toEqual(["stopped", "spare"]);
    expect(small.state.map(({ name }) => name)).toEqual([
      "used",
      "optimizer.mean.used",
      "optimizer.square.used",
    ]);
  });

  it("follows AKOrN's average with a growing decay", async (context) => {
    const file = new URL("../../../shared/goldens/akorn/ema_obj.safetensors", import.meta.url);
    if (!existsSync(file)) return context.skip("the golden file ema_obj is absent");
    const { tensors } = decodeSafetensors(readFileSync(file));
    const [fed, expected] = [tensors.get("input.values")!, tensors.get("output.ema")!];
    const model = { w: parameter([1], zeros), buffer: parameter([3, 3], zeros, { trainable: false }) };
    const value = input("value", [3, 3]);
    const step = trainingStep({
      inputs: [value],
      loss: sum(model.w),
      parameters: namedParameters(model),
      updates: [[model.buffer, value]],
      optimizer: sgd(),
      ema: warmAverage({ decay: 0.998, every: 10, after: 200 }),
    });
    const run = await openOnnx(writeTrainingStep(step, new Map(), "cpu").bytes);
    const first = (data: ArrayLike<number>, k: number) =>
      Array.from({ length: 9 }, (_, i) => data[9 * k + i]!);
    const values = new Map([
      ["w", tensorData([0])],
      ["buffer", tensorData(first(fed.data as Float32Array, 0), [3, 3])],
    ]);
    let state = initialTrainingState(step, values);
    let worst = 0;
    for (let k = 0; k < 400; k++) {
      const result = await run({
        ...Object.fromEntries(state),
        value: tensorData(first(fed.data as Float32Array, k), [3, 3]),
        learningRate: scalar(0),
        step: scalar(k),
      });
      state = new Map(step.state.map(({ name, output }) => [name, result[output]!]));
      const average = numbers(state.get("ema.buffer"));
      worst = Math.max(worst, distance(average, first(expected.data as Float32Array, k)));
    }
    await run.close();
    expect(worst).toBeLessThan(1e-6);
  });

  it("reports a step that is not finite, and leaves the state alone if asked", async () => {
    const run = async (skipNonFinite: boolean, poison: number) => {
      const { step, values } = networkStep({ skipNonFinite, clipNorm: 1 });
      const session = await openOnnx(writeTrainingStep(step, values, "cpu").bytes);
      const state = initialTrainingState(step, values);
      const feeds = batch(0);
      (feeds.x!.data as Float32Array)[0] = poison;
      const scalars = { learningRate: scalar(0.01), step: scalar(0) };
      const result = await session({ ...feeds, ...scalars, ...Object.fromEntries(state) });
      await session.close();
      const kept = step.state.map(
        ({ name, output }) => distance(numbers(result[output]), numbers(state.get(name))) === 0,
      );
      return { finite: numbers(result.finite)[0], kept };
    };
    for (const poison of [NaN, Infinity]) {
      const skipped = await run(true, poison);
      expect(skipped.finite).toBe(0);
      expect(skipped.kept.every(Boolean)).toBe(true);
    }
    expect((await run(false, NaN)).kept.every(Boolean)).toBe(false);
    const usual = await run(true, 0.5);
    expect(usual.finite).toBe(1);
    expect(usual.kept.some(Boolean)).toBe(false);
  });

  it("adds 15 nodes per parameter to the gradients: Adam 12, norm 2, clipping 1", () => {
    const nodes = (count: number) => {
      const model = { p: Array.from({ length: count }, () => parameter([4], ones)) };
      const g = input("g", [4]);
      const loss = model.p.map((p) => sum(mul(g, p))).reduce((a, b) => mul(a, b));
      const parameters = namedParameters(model);
      const step = trainingStep({ inputs: [g], loss, parameters, optimizer: adam(), clipNorm: 1 });
      return countNodes(step.outputs) - countNodes(Object.fromEntries(gradients(loss, model.p).entries()));
    };
    expect(nodes(11) - nodes(10)).toBe(15);
  });

  it("refuses what does not fit", () => {
    const model = { p: parameter([2], ones), b: parameter([2], zeros, { trainable: false }) };
    const parameters = namedParameters(model);
    const x = input("x", [2]);
    const loss = sum(mul(model.p, x));
    const base = { inputs: [x], loss, parameters, optimizer: sgd() };
    expect(() => trainingStep({ ...base, inputs: [] })).toThrow(/input "x" is used but not listed/);
    expect(() => trainingStep({ ...base, loss: mul(model.p, x) })).toThrow(
      "training step: expected a float32 scalar as loss, got float32[2]",
    );
    expect(() => trainingStep({ ...base, updates: [[model.p, x]] })).toThrow(
      /updates: expected a buffer of the model/,
    );
    expect(() => trainingStep({ ...base, updates: [[model.b, sum(x)]] })).toThrow(
      'training step: next value of "b": expected float32[2], got float32[]',
    );
    expect(() => trainingStep({ ...base, trainable: () => false })).toThrow(/no trainable parameter/);
    expect(() => trainingStep({ ...base, metrics: { loss } })).toThrow(
      /metric name "loss" is already in use/,
    );
    expect(() =>
      trainingStep({ ...base, parameters: new Map([["p", model.p]]), updates: [[model.b, x]] }),
    ).toThrow(/expected a buffer of the model/);
    const other = { q: parameter([2], ones) };
    namedParameters(other);
    expect(() => trainingStep({ ...base, metrics: { m: sum(other.q) } })).toThrow(
      /parameter "q", which is not one of the model/,
    );
  });
});

function countNodes(outputs: Readonly<Record<string, Tensor>>): number {
  const nodes = topologicalOrder(Object.values(lower(outputs, "cpu")));
  return nodes.filter(({ leaf }) => leaf === undefined).length;
}
