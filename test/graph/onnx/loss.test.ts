import { describe, expect, it } from "vitest";
import type { Attributes } from "../../../src/graph/tensor.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { importProblems } from "./imports.js";
import { floats, ints, modelBytes, node, wave } from "./models.js";

interface Case {
  readonly type: "NegativeLogLikelihoodLoss" | "SoftmaxCrossEntropyLoss";
  readonly places: readonly number[];
  readonly attributes: Attributes;
  readonly weighted: boolean;
  readonly outputs: readonly string[];
}

const CLASSES = 4;

/** Every third target is left out; `ignored` stands in its place. */
function targets(size: number, ignored: number | undefined): number[] {
  return Array.from({ length: size }, (_, i) =>
    ignored !== undefined && i % 3 === 1 ? ignored : (i * 2) % CLASSES,
  );
}

const CASES: readonly Case[] = (["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"] as const).flatMap(
  (type) =>
    (["none", "sum", "mean"] as const).flatMap((reduction) =>
      [
        { places: [], ignored: undefined },
        { places: [3], ignored: 2 },
        { places: [2, 2], ignored: -100 },
      ].flatMap(({ places, ignored }) =>
        [false, true].map((weighted) => ({
          type,
          places,
          weighted,
          attributes: { reduction, ...(ignored !== undefined && { ignore_index: ignored }) },
          outputs: type === "SoftmaxCrossEntropyLoss" && weighted ? ["loss", "logs"] : ["loss"],
        })),
      ),
    ),
);

describe("losses that a file computes", () => {
  for (const { type, places, attributes, weighted, outputs } of CASES) {
    const title = `${type} of ${places.length} places, ${JSON.stringify(attributes)}${weighted ? ", weighted" : ""}`;
    it(title, async () => {
      const shape = [3, CLASSES, ...places];
      const count = places.reduce((a, b) => a * b, 3);
      const bytes = modelBytes(
        {
          nodes: [node(type, ["x", "t", ...(weighted ? ["w"] : [])], outputs, attributes)],
          inputs: [
            { name: "x", shape: ["N", ...shape.slice(1)] },
            { name: "t", shape: ["N", ...places], dtype: "int64" },
            ...(weighted ? [{ name: "w", shape: [CLASSES] }] : []),
          ],
          outputs,
        },
        13,
      );
      const ignored = attributes.ignore_index as number | undefined;
      const feeds = {
        x: wave(shape),
        t: ints(targets(count, ignored), [3, ...places]),
        ...(weighted && { w: floats([0.5, 1.5, 0.25, 2]) }),
      };
      expect(await importProblems(bytes, feeds)).toEqual([]);
    });
  }

  it("refuses targets of another rank and reductions that are none", () => {
    const file = (rank: number, reduction: string) =>
      modelBytes({
        nodes: [node("SoftmaxCrossEntropyLoss", ["x", "t"], ["y"], { reduction })],
        inputs: [
          { name: "x", shape: [2, 3] },
          { name: "t", shape: Array<number>(rank).fill(2), dtype: "int64" },
        ],
        outputs: ["y"],
      });
    expect(() => readOnnx(file(2, "mean"))).toThrow(/targets with one axis less/);
    expect(() => readOnnx(file(1, "median"))).toThrow(
      /expected the reduction none, sum or mean, got "median"/,
    );
  });
});
