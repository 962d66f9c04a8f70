import { describe, expect, it } from "vitest";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { importProblems } from "./imports.js";
import type { GraphText } from "./models.js";
import { ints, modelBytes, node, wave } from "./models.js";

const x = { name: "x", shape: [2, 5, 3] };
const feeds = { x: wave(x.shape, 0.4) };
const at = (value: number) => ints([value], []);

const GRAPHS: Readonly<Record<string, GraphText>> = {
  "SplitToSequence into pieces of one size, SequenceAt": {
    nodes: [
      node("SplitToSequence", ["x", "size"], ["pieces"], { axis: 1 }),
      node("SequenceAt", ["pieces", "last"], ["short"]),
      node("SequenceAt", ["pieces", "first"], ["long"]),
      node("Concat", ["short", "long"], ["y"], { axis: 1 }),
    ],
    inputs: [x],
    outputs: ["y"],
    initializers: { size: at(2), last: at(-1), first: at(0) },
  },
  "SplitToSequence into stated lengths, ConcatFromSequence": {
    nodes: [
      node("SplitToSequence", ["x", "sizes"], ["pieces"], { axis: -2 }),
      node("SequenceErase", ["pieces", "second"], ["fewer"]),
      node("ConcatFromSequence", ["fewer"], ["y"], { axis: 1 }),
    ],
    inputs: [x],
    outputs: ["y"],
    initializers: { sizes: ints([1, 2, 2], [3]), second: at(1) },
  },
  ...Object.fromEntries(
    [0, 1].map((keepdims): [string, GraphText] => [
      `SplitToSequence into single places, keepdims ${keepdims}, joined along a new axis`,
      {
        nodes: [
          node("SplitToSequence", ["x"], ["pieces"], { axis: 2, keepdims }),
          node("ConcatFromSequence", ["pieces"], ["y"], { axis: -1, new_axis: 1 }),
        ],
        inputs: [x],
        outputs: ["y"],
      },
    ]),
  ),
  "SequenceConstruct, SequenceInsert, SequenceErase, SequenceLength": {
    nodes: [
      node("Neg", ["x"], ["minus"]),
      node("Exp", ["x"], ["power"]),
      node("SequenceConstruct", ["x", "minus"], ["two"]),
      node("SequenceInsert", ["two", "power", "before"], ["three"]),
      node("SequenceInsert", ["three", "x"], ["four"]),
      node("SequenceErase", ["four"], ["rest"]),
      node("SequenceLength", ["rest"], ["count"]),
      node("Cast", ["count"], ["number"], { to: 1 }),
      node("ConcatFromSequence", ["rest"], ["joined"], { axis: 0 }),
      node("Mul", ["joined", "number"], ["y"]),
    ],
    inputs: [x],
    outputs: ["y"],
    initializers: { before: at(-1) },
  },
  "SequenceEmpty that is filled": {
    nodes: [
      node("SequenceEmpty", [], ["none"]),
      node("SequenceInsert", ["none", "x"], ["one"]),
      node("SequenceAt", ["one", "first"], ["same"]),
      node("Tanh", ["same"], ["y"]),
    ],
    inputs: [x],
    outputs: ["y"],
    initializers: { first: at(0) },
  },
};

describe("sequences of known length become the tensors in them", () => {
  it.each(Object.entries(GRAPHS))("%s", async (_label, graph) => {
    expect(await importProblems(modelBytes(graph), feeds)).toEqual([]);
  });
});

describe("sequences are refused in words", () => {
  const refused =
    (nodes: GraphText["nodes"], outputs = ["y"], shape: readonly (number | string)[] = x.shape) =>
    (why: string) => {
      expect(() =>
        readOnnx(
          modelBytes({
            nodes: [node("SplitToSequence", ["x"], ["pieces"], { axis: 1 }), ...nodes],
            inputs: [
              { name: "x", shape },
              { name: "place", shape: [], dtype: "int64" },
            ],
            outputs,
            initializers: { nine: at(9) },
          }),
        ),
      ).toThrow(why);
    };

  it("as outputs, and as operands of other operators", () => {
    refused([], ["pieces"])('expected the output "pieces" to be a tensor, got a sequence');
    refused([node("Relu", ["pieces"], ["y"])])(
      'it reads "pieces", a sequence, which only operators on sequences can',
    );
    refused([node("SequenceAt", ["x", "nine"], ["y"])])("input 0 must be a sequence, got a tensor");
  });

  it("at places outside of them, or that are known only when the graph runs", () => {
    refused([node("SequenceAt", ["pieces", "nine"], ["y"])])(
      "expected a position in a sequence of length 5, got 9",
    );
    refused([node("SequenceAt", ["pieces", "place"], ["y"])])("expected a known position");
  });

  it("of a length that is known only when the graph runs", () => {
    const nodes = [node("ConcatFromSequence", ["pieces"], ["y"], { axis: 1 })];
    refused(nodes, ["y"], [2, "n", 3])("axis 1 must have a known length: fix the shapes of the inputs");
  });
});
