import { describe, expect, it } from "vitest";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { importProblems } from "./imports.js";
import type { GraphText } from "./models.js";
import { body, difference, ints, modelBytes, node, rewritten, run, wave } from "./models.js";

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
  "a Loop that carries a sequence": {
    nodes: [
      node("SequenceEmpty", [], ["none"]),
      node("Loop", ["trips", "", "none"], ["all"], {}, [
        body("body", {
          nodes: [
            node("Cast", ["i"], ["n"], { to: 1 }),
            node("Mul", ["x", "n"], ["scaled"]),
            node("SequenceInsert", ["before", "scaled"], ["after"]),
            node("Identity", ["go"], ["still"]),
          ],
          inputs: [
            { name: "i", shape: [], dtype: "int64" },
            { name: "go", shape: [], dtype: "bool" },
            { name: "before", shape: [], sequence: true },
          ],
          outputs: ["still", "after"],
        }),
      ]),
      node("ConcatFromSequence", ["all"], ["y"], { axis: 0 }),
    ],
    inputs: [x],
    outputs: ["y"],
    initializers: { trips: at(3) },
  },
  "optional values": {
    nodes: [
      node("Optional", ["x"], ["some"]),
      node("OptionalHasElement", ["some"], ["has"]),
      node("If", ["has"], ["y"], {}, [
        body("then_branch", {
          nodes: [node("OptionalGetElement", ["some"], ["value"]), node("Tanh", ["value"], ["t"])],
          outputs: ["t"],
        }),
        body("else_branch", { nodes: [node("Identity", ["x"], ["e"])], outputs: ["e"] }),
      ]),
    ],
    inputs: [x],
    outputs: ["y"],
  },
};

describe("sequences of known length become the tensors in them", () => {
  it.each(Object.entries(GRAPHS))("%s", async (_label, graph) => {
    expect(await importProblems(modelBytes(graph), feeds)).toEqual([]);
  });
});

describe("SequenceMap", () => {
  it("becomes the nodes of its body for each tensor", async () => {
    const place = (name: string, shape: readonly number[]) => ({ name, shape });
    const pieces = ["p0", "p1", "p2", "p3"];
    const each = (type: string, other: (piece: string) => string, result: string) =>
      pieces.map((piece, i) => node(type, [piece, other(piece)], [`${result}${i}`]));
    const splitting = { nodes: [node("Split", ["x"], [...pieces, "p4"], { axis: 1, num_outputs: 5 })] };
    const mapped = modelBytes({
      nodes: [
        ...splitting.nodes,
        node("SequenceConstruct", pieces, ["four"]),
        node("SequenceMap", ["four", "four", "x"], ["products", "sums"], {}, [
          body("body", {
            nodes: [node("Mul", ["a", "c"], ["m"]), node("Add", ["a", "b"], ["s"])],
            inputs: [place("a", [2, 1, 3]), place("b", [2, 1, 3]), place("c", x.shape)],
            outputs: ["m", "s"],
          }),
        ]),
        node("ConcatFromSequence", ["products"], ["y"], { axis: 0 }),
        node("ConcatFromSequence", ["sums"], ["z"], { axis: 1 }),
      ],
      inputs: [x],
      outputs: ["y", "z"],
    });
    const plain = modelBytes({
      nodes: [
        ...splitting.nodes,
        ...each("Mul", () => "x", "m"),
        ...each("Add", (piece) => piece, "s"),
        node("Concat", ["m0", "m1", "m2", "m3"], ["y"], { axis: 0 }),
        node("Concat", ["s0", "s1", "s2", "s3"], ["z"], { axis: 1 }),
      ],
      inputs: [x],
      outputs: ["y", "z"],
    });
    expect(difference(await run(rewritten(mapped).bytes, feeds), await run(plain, feeds))).toBe(0);
  });

  it("is refused with sequences of different lengths", () => {
    const nodes = [
      node("SequenceConstruct", ["x", "x"], ["two"]),
      node("SequenceConstruct", ["x"], ["one"]),
      node("SequenceMap", ["two", "one"], ["y"], {}, [body("body", { nodes: [], outputs: ["z"] })]),
    ];
    expect(() => readOnnx(modelBytes({ nodes, inputs: [x], outputs: ["y"] }))).toThrow(
      "its sequences differ in length: 2 and 1",
    );
  });
});

describe("sequences and optional values at the ends of a graph", () => {
  const sequence = (name: string) => ({ name, shape: [2, "n"], sequence: true });

  it("become inputs and outputs for each tensor", async () => {
    const bytes = modelBytes({
      nodes: [
        node("SequenceMap", ["s"], ["t"], {}, [
          body("body", {
            nodes: [node("Exp", ["a"], ["b"])],
            inputs: [{ name: "a", shape: [] }],
            outputs: ["b"],
          }),
        ]),
      ],
      inputs: [sequence("s")],
      outputs: ["t"],
    });
    expect(() => readOnnx(bytes)).toThrow(
      'input "s" is a sequence, whose length must be known: give the shapes of its tensors in inputShapes, as "s_0"',
    );
    const shapes = { s_0: [2, 3], s_1: [2, "n"] };
    const model = readOnnx(bytes, { inputShapes: shapes });
    expect(Object.fromEntries(Object.entries(model.inputs).map(([name, t]) => [name, t.shape]))).toEqual(
      shapes,
    );
    const given = { s_0: wave([2, 3]), s_1: wave([2, 5], 1) };
    const { t_0, t_1, ...others } = await run(rewritten(bytes, { inputShapes: shapes }).bytes, given);
    expect(others).toEqual({});
    for (const [result, fed] of [
      [t_0!, given.s_0],
      [t_1!, given.s_1],
    ] as const) {
      expect(result.shape).toEqual(fed.shape);
      for (const [i, value] of result.data.entries())
        expect(value).toBeCloseTo(Math.exp(Number(fed.data[i])), 4);
    }
  });

  it("are refused where they are empty", () => {
    const refuse = (nodes: GraphText["nodes"], why: string) => {
      expect(() => readOnnx(modelBytes({ nodes, inputs: [x], outputs: ["y"] }))).toThrow(why);
    };
    refuse([node("SequenceEmpty", [], ["y"])], 'expected a tensor for the output "y", got an empty sequence');
    refuse(
      [node("Optional", [], ["y"])],
      'expected a tensor for the output "y", got an empty optional value',
    );
    refuse(
      [node("Optional", [], ["none"]), node("OptionalGetElement", ["none"], ["y"])],
      "it reads an optional value that is empty",
    );
    refuse(
      [
        node("SequenceEmpty", [], ["none"]),
        node("SequenceMap", ["none"], ["y"], {}, [body("body", { nodes: [], outputs: ["z"] })]),
      ],
      "it maps a sequence that is empty",
    );
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

  it("as operands of other operators", () => {
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
