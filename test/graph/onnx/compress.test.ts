import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import { tensorData } from "../../../src/graph/dtype.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { importProblems } from "./imports.js";
import { floats, ints, modelBytes, node, wave } from "./models.js";

const condition = (...open: number[]): TensorData => tensorData(Uint8Array.from(open), [open.length], "bool");

function fileOf(
  type: string,
  feeds: Readonly<Record<string, TensorData>>,
  outputs: readonly string[],
  attributes: Attributes = {},
): Uint8Array {
  return modelBytes({
    nodes: [node(type, Object.keys(feeds), outputs, attributes)],
    inputs: Object.entries(feeds).map(([name, { shape, dtype }]) => ({ name, shape, dtype })),
    outputs,
  });
}

describe("operators whose results are as many as they find", () => {
  it("Compress picks along an axis, or of all elements", async () => {
    const feeds = { x: wave([2, 3, 2]), c: condition(1, 0, 1) };
    expect(await importProblems(fileOf("Compress", feeds, ["y"], { axis: 1 }), feeds)).toEqual([]);
    expect(await importProblems(fileOf("Compress", feeds, ["y"], { axis: -2 }), feeds)).toEqual([]);
    expect(await importProblems(fileOf("Compress", feeds, ["y"]), feeds)).toEqual([]);
    const short = { x: wave([2, 3]), c: condition(0, 1) };
    expect(await importProblems(fileOf("Compress", short, ["y"], { axis: 1 }), short)).toEqual([]);
  });

  it("NonZero gives places of a fresh length", async () => {
    const feeds = { x: floats([0, 1, 2, 0, 0, 3], [2, 3]) };
    const file = fileOf("NonZero", feeds, ["y"]);
    expect(await importProblems(file, feeds)).toEqual([]);
    const { shape } = readOnnx(file).outputs.y!;
    expect([shape[0], typeof shape[1]]).toEqual([2, "string"]);
  });

  it("Unique passes gradients to the first of each value", async () => {
    const outputs = ["y", "first", "inverse", "counts"];
    const feeds = { x: floats([2, 0.5, 2, 3, -1, 0.5]) };
    const flat = { x: floats([4, 1, 3, 2], [2, 2]) };
    const rows = { x: floats([1, 2, 0, 4, 1, 2], [3, 2]) };
    for (const sorted of [0, 1]) {
      const check = { differentiate: [] };
      expect(await importProblems(fileOf("Unique", feeds, outputs, { sorted }), feeds, check)).toEqual([]);
      expect(await importProblems(fileOf("Unique", flat, outputs, { sorted }), flat)).toEqual([]);
      expect(await importProblems(fileOf("Unique", rows, ["y"], { sorted, axis: -2 }), rows, check)).toEqual(
        [],
      );
    }
  });

  for (const attributes of [{}, { center_point_box: 1 }] as const) {
    it(`NonMaxSuppression ${JSON.stringify(attributes)}`, async () => {
      const feeds = {
        boxes: floats([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 2, 1, 3, 0, 2.2, 1, 3.1], [1, 4, 4]),
        scores: floats([0.9, 0.75, 0.6, 0.95, 0.3, 0.2, 0.8, 0.1], [1, 2, 4]),
        most: ints([2]),
        overlap: floats([0.4]),
        least: floats([0.15]),
      };
      expect(await importProblems(fileOf("NonMaxSuppression", feeds, ["y"], attributes), feeds)).toEqual([]);
      const gathered = modelBytes({
        nodes: [
          node("NonMaxSuppression", Object.keys(feeds), ["found"], attributes),
          node("Slice", ["found", "from", "to", "axis"], ["which"]),
          node("Gather", ["boxes", "which"], ["y"], { axis: 1 }),
        ],
        inputs: Object.entries(feeds).map(([name, { shape, dtype }]) => ({ name, shape, dtype })),
        outputs: ["y"],
        initializers: { from: ints([2]), to: ints([3]), axis: ints([1]) },
      });
      const check = { differentiate: ["boxes"] };
      expect(await importProblems(gathered, feeds, check)).toEqual([]);
    });
  }
});
