import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import type { Attributes, Shape } from "../../../src/graph/index.js";
import { gradients, writeOnnx } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { floats, modelBytes, node, rewritten, run, wave } from "./models.js";

const f = (float: number) => ({ float });

interface Drawing {
  readonly type: string;
  readonly inputs?: readonly string[];
  readonly attributes?: Attributes;
  readonly outputs?: readonly string[];
  readonly initializers?: Readonly<Record<string, TensorData>>;
  readonly shape?: Shape;
}

function fileOf(drawing: Drawing): Uint8Array {
  const { type, inputs = ["x"], attributes = {}, outputs = ["y"], initializers = {} } = drawing;
  return modelBytes({
    nodes: [node(type, inputs, outputs, attributes), node("Identity", ["x"], ["copy"])],
    inputs: [{ name: "x", shape: drawing.shape ?? ["N", 4] }],
    outputs: [...outputs, "copy"],
    initializers,
  });
}

const x = floats([0.1, 0.9, 0.4, 0.6, 0, 1, 0.5, 0.25], [2, 4]);
const draws = floats([0.5, 0.5, 0.45, 0.45, 0, 0.99, 0.5, 0.1], [2, 4]);

async function result(drawing: Drawing, noise: TensorData): Promise<readonly number[]> {
  const { model, bytes } = rewritten(fileOf(drawing));
  const [name] = Object.keys(model.noise) as [string];
  const { y } = await run(bytes, { x, [name]: noise });
  return Array.from(y!.data as Float32Array, (v) => Number(v.toFixed(5)));
}

describe("operators that draw random numbers become inputs", () => {
  it("are named after their node, say how they are distributed, and have the named batch", () => {
    const { noise, inputs } = readOnnx(fileOf({ type: "RandomNormalLike" }));
    expect(noise).toEqual({ "noise:RandomNormalLike_of_y": "normal" });
    expect(inputs["noise:RandomNormalLike_of_y"]!.shape).toEqual(["N", 4]);
    const uniform = readOnnx(
      fileOf({ type: "RandomUniform", inputs: [], attributes: { shape: [2, 3], seed: f(7) } }),
    );
    expect(uniform.noise).toEqual({ "noise:RandomUniform_of_y": "uniform" });
    expect(uniform.inputs["noise:RandomUniform_of_y"]!.shape).toEqual([2, 3]);
  });

  it("get names of their own where those are taken", () => {
    const twins = ["a", "b"].map((output) => {
      const made = node("RandomNormalLike", ["x"], [output]);
      made.name = "twin";
      return made;
    });
    const inputs = [
      { name: "x", shape: ["N", 4] },
      { name: "noise:twin", shape: ["N", 4] },
    ];
    const sum = node("Add", ["x", "noise:twin"], ["c"]);
    const model = readOnnx(modelBytes({ nodes: [...twins, sum], inputs, outputs: ["a", "b", "c"] }));
    expect(Object.keys(model.noise)).toEqual(["noise:twin_0", "noise:twin_1"]);
    expect(model.inputs["noise:twin"]!.node).not.toBe(model.inputs["noise:twin_0"]!.node);
  });

  it("are scaled and shifted in the graph", async () => {
    const normal = { type: "RandomNormalLike", attributes: { mean: f(2), scale: f(0.5) } };
    expect(await result(normal, draws)).toEqual([2.25, 2.25, 2.225, 2.225, 2, 2.495, 2.25, 2.05]);
    const uniform = { type: "RandomUniformLike", attributes: { low: f(-1), high: f(3) } };
    expect(await result(uniform, draws)).toEqual([1, 1, 0.8, 0.8, -1, 2.96, 1, -0.6]);
  });

  it("draw true with the probability given, and a class with its own", async () => {
    expect(await result({ type: "Bernoulli" }, draws)).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
    const classes = { type: "Multinomial", attributes: { sample_size: 3 } };
    // Softmax of equal scores: a quarter each.
    const { model, bytes } = rewritten(fileOf(classes));
    expect(model.outputs.y!.dtype).toBe("int32");
    const [name] = Object.keys(model.noise) as [string];
    const { y } = await run(bytes, {
      x: floats([1, 1, 1, 1], [1, 4]),
      [name]: floats([0.1, 0.6, 0.99], [1, 3]),
    });
    expect(Array.from(y!.data as Int32Array)).toEqual([0, 2, 3]);
  });

  it("zero what Dropout in training mode drops, and scale the rest, in values and gradients", async () => {
    const dropout: Drawing = {
      type: "Dropout",
      inputs: ["x", "ratio", "training"],
      initializers: {
        ratio: floats([0.5], []),
        training: { dtype: "bool", shape: [], data: Uint8Array.of(1) },
      },
    };
    const kept = [0.2, 1.8, 0, 0, 0, 2, 1, 0];
    expect(await result(dropout, draws)).toEqual(kept);
    const model = readOnnx(fileOf(dropout));
    const slope = gradients(model.outputs.y!, [model.inputs.x!])[0]!;
    const [name] = Object.keys(model.noise) as [string];
    const feeds = writeOnnx({ slope }).inputs.map((port) => [port.name, port.name === "x" ? x : draws]);
    const results = await run(
      writeOnnx({ slope }).bytes,
      Object.fromEntries(feeds) as Record<string, TensorData>,
    );
    expect(name).toBe("noise:Dropout_of_y");
    expect(Array.from(results.slope!.data as Float32Array)).toEqual([2, 2, 0, 0, 0, 2, 2, 0]);
  });

  it("drop with a ratio that is fed", async () => {
    const ratio = floats([0.25], []);
    const training = { dtype: "bool" as const, shape: [], data: Uint8Array.of(1) };
    const bytes = modelBytes({
      nodes: [node("Dropout", ["x", "ratio", "training"], ["y"])],
      inputs: [
        { name: "x", shape: [2, 4] },
        { name: "ratio", shape: [] },
      ],
      outputs: ["y"],
      initializers: { training },
    });
    const again = rewritten(bytes);
    const feeds = { x, ratio, "noise:Dropout_of_y": draws };
    const { y } = await run(again.bytes, feeds);
    const wanted = Array.from(x.data as Float32Array, (value, i) =>
      Number(draws.data[i]) >= 0.25 ? value / 0.75 : 0,
    );
    for (const [i, value] of wanted.entries()) expect(y!.data[i]).toBeCloseTo(value, 6);
  });

  it("take the shape that inputShapes gives", () => {
    const shapes = { x: [2, 4], "noise:RandomNormalLike_of_y": [2, 4] };
    const { inputs } = readOnnx(fileOf({ type: "RandomNormalLike" }), { inputShapes: shapes });
    expect(inputs["noise:RandomNormalLike_of_y"]!.shape).toEqual([2, 4]);
  });

  it.each<[string, Drawing, RegExp]>([
    [
      "whole numbers",
      { type: "RandomNormalLike", attributes: { dtype: 7 } },
      /expected random floating-point numbers, got int64/,
    ],
    ["no shape", { type: "RandomNormal", inputs: [] }, /RandomNormal.*shape is missing/],
    [
      "a ratio for each element",
      {
        type: "Dropout",
        inputs: ["x", "x", "training"],
        initializers: { training: { dtype: "bool", shape: [], data: Uint8Array.of(1) } },
      },
      /in training mode, expected one ratio, got x float32/,
    ],
  ])("say clearly what they cannot do: %s", (_what, drawing, expected) => {
    expect(() => readOnnx(fileOf(drawing))).toThrow(expected);
  });

  it("ask for shapes where what they draw has none before the graph runs", () => {
    const nodes = [node("Reshape", ["x", "to"], ["loose"]), node("RandomNormalLike", ["loose"], ["y"])];
    const inputs = [
      { name: "x", shape: ["N", 4] },
      { name: "to", shape: [2], dtype: "int64" as const },
    ];
    expect(() => readOnnx(modelBytes({ nodes, inputs, outputs: ["y"] }))).toThrow(/inputShapes/);
  });
});

describe("batch normalisation in training mode", () => {
  it("normalises with the batch's own statistics and returns the running averages", async () => {
    const names = ["scale", "bias", "mean", "variance"];
    const initializers = {
      scale: floats([1, 2]),
      bias: floats([0, 1]),
      mean: floats([0, 0]),
      variance: floats([1, 1]),
    };
    const outputs = ["y", "m", "v"];
    const bytes = modelBytes(
      {
        nodes: [node("BatchNormalization", ["x", ...names], outputs, { training_mode: 1, momentum: f(0.8) })],
        inputs: [{ name: "x", shape: ["N", 2, 3] }],
        outputs,
        initializers,
      },
      15,
    );
    const feeds = { x: wave([2, 2, 3]) };
    const [before, after] = [await run(bytes, feeds), await run(rewritten(bytes).bytes, feeds)];
    for (const name of outputs) {
      const [a, b] = [before, after].map((results) => Array.from(results[name]!.data as Float32Array));
      for (const [i, value] of a!.entries()) expect(b![i]).toBeCloseTo(value, 4);
    }
  });
});
