import { describe, expect, it } from "vitest";
import type { ForeignTensor } from "../../../src/graph/onnx/import-weights.js";
import { importWeights } from "../../../src/graph/onnx/import-weights.js";
import { OnnxFile, readOnnx } from "../../../src/graph/onnx/read/read.js";
import { floats, ints, modelBytes, node } from "./models.js";

/** Two scalings and a reshape; the second scale is equal to the first one, as PyTorch writes a fresh network's. */
const file = new OnnxFile(
  modelBytes({
    nodes: [
      node("Identity", ["a.weight"], ["b.weight"]),
      node("Mul", ["x", "a.weight"], ["h"]),
      node("Mul", ["h", "b.weight"], ["i"]),
      node("Add", ["i", "b.bias"], ["j"]),
      node("Reshape", ["j", "target"], ["y"]),
    ],
    inputs: [{ name: "x", shape: ["N", 2] }],
    outputs: ["y"],
    initializers: { "a.weight": floats([1, 1]), "b.bias": floats([0, 0]), target: ints([-1, 2]) },
  }),
  "net.onnx",
);

const vector = (...values: number[]): ForeignTensor => ({
  shape: [values.length],
  data: Float32Array.from(values),
});

const weights = (prefix: string, factor = 1): [string, ForeignTensor][] => [
  [`${prefix}a.weight`, vector(2 * factor, 3 * factor)],
  [`${prefix}b.weight`, vector(4 * factor, 5 * factor)],
  [`${prefix}b.bias`, vector(6 * factor, 7 * factor)],
];

const valuesOf = (bytes: Uint8Array) =>
  Object.fromEntries([...readOnnx(bytes).parameters].map(([name, { data }]) => [name, [...data.data]]));

describe("importWeights", () => {
  it.each(["", "module.", "state_dict.model."])(
    "puts tensors where their names say, after '%s'",
    (prefix) => {
      const counter = { shape: [], data: Int32Array.of(3) };
      const tensors = new Map([...weights(prefix), [`${prefix}b.num_batches_tracked`, counter] as const]);
      const result = importWeights(file, tensors);
      expect(result).toMatchObject({ prefix, modelPrefix: "", missing: [], unused: [] });
      expect(valuesOf(result.bytes)).toEqual({ "a.weight": [2, 3], "b.weight": [4, 5], "b.bias": [6, 7] });
    },
  );

  it("asks which, if two sets fit equally well", () => {
    const tensors = new Map([...weights("model."), ...weights("ema.", 10)]);
    expect(() => importWeights(file, tensors)).toThrow(
      /"(model|ema)\." match as well as those with "(model|ema)\."/,
    );
    const result = importWeights(file, tensors, { prefix: "ema." });
    expect(valuesOf(result.bytes)["a.weight"]).toEqual([20, 30]);
  });

  it("refuses a network of another structure, or takes what fits", () => {
    const less = new Map(weights("m.").slice(0, 2));
    expect(() => importWeights(file, less)).toThrow(
      "net.onnx: 1 of its 3 weights have no counterpart in the weight file: b.bias",
    );
    expect(valuesOf(importWeights(file, less, { partial: true }).bytes)["b.bias"]).toEqual([0, 0]);
    const more = new Map([...weights("m."), ["m.c.weight", vector(1)]]);
    expect(() => importWeights(file, more)).toThrow(
      "1 tensors of the weight file match no weight: m.c.weight",
    );
    expect(importWeights(file, more, { partial: true }).unused).toEqual(["m.c.weight"]);
    const other = new Map([...weights("m."), ["m.b.bias", vector(1, 2, 3)]]);
    expect(() => importWeights(file, other)).toThrow(
      'net.onnx: "b.bias" is expected to be [2], got [3] ("m.b.bias" in the weight file)',
    );
    const kept = importWeights(file, other, { partial: true });
    expect([kept.otherShape.size, kept.placed.size, kept.unused]).toEqual([1, 2, []]);
    expect(() => importWeights(file, new Map([["z", vector(1)]]))).toThrow("none of its 2 weights");
  });
});
