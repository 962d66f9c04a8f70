import { describe, expect, it } from "vitest";
import { gradients, lower, writeOnnx } from "../../../src/graph/index.js";
import { tensorData } from "../../../src/graph/dtype.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { importProblems } from "./imports.js";
import type { GraphText } from "./models.js";
import { body, difference, floats, ints, modelBytes, node, rewritten, run, wave } from "./models.js";

/* If and Loop whose conditions depend on what is fed. */

const x = { name: "x", shape: [2, 3] };
const flag = (shape: readonly number[] = []) => ({ name: "flag", shape, dtype: "bool" as const });
const bool = (value: boolean, shape: readonly number[] = []) =>
  tensorData(Uint8Array.of(Number(value)), shape, "bool");

const branches = (then: GraphText, otherwise: GraphText) => [
  body("then_branch", then),
  body("else_branch", otherwise),
];

describe("an If whose condition is fed", () => {
  it.each([[[]], [[1]], [[1, 1]]])(
    "selects results of the branches: condition of shape %j",
    async (shape) => {
      const bytes = modelBytes({
        nodes: [
          node("MatMul", ["x", "w"], ["h"]),
          node("If", ["flag"], ["y", "z"], {}, [
            ...branches(
              {
                nodes: [
                  node("Tanh", ["h"], ["same"]),
                  node("Mul", ["same", "x"], ["t"]),
                  node("Relu", ["x"], ["u"]),
                ],
                outputs: ["t", "u"],
              },
              {
                nodes: [
                  node("Exp", ["x"], ["same"]),
                  node("Add", ["same", "bias"], ["e"]),
                  node("Identity", ["h"], ["g"]),
                ],
                outputs: ["e", "g"],
                initializers: { bias: floats([1, -1, 0.5]) },
              },
            ),
          ]),
        ],
        inputs: [x, { name: "w", shape: [3, 3] }, flag(shape)],
        outputs: ["y", "z"],
      });
      for (const value of [true, false]) {
        const feeds = { x: wave([2, 3], 0.5), w: wave([3, 3], 0.2), flag: bool(value, shape) };
        expect(await importProblems(bytes, feeds)).toEqual([]);
      }
      expect([...readOnnx(bytes).parameters.keys()]).toEqual(["bias"]);
    },
  );

  it("inside another, on a condition that is computed", async () => {
    const inner = node("If", ["flag"], ["i"], {}, [
      ...branches(
        { nodes: [node("Sin", ["x"], ["a"])], outputs: ["a"] },
        { nodes: [node("Cos", ["x"], ["b"])], outputs: ["b"] },
      ),
    ]);
    const bytes = modelBytes({
      nodes: [
        node("ReduceSum", ["x"], ["total"], { keepdims: 0 }),
        node("Greater", ["total", "zero"], ["isPositive"]),
        node("If", ["isPositive"], ["y"], {}, [
          ...branches(
            { nodes: [inner, node("Mul", ["i", "x"], ["t"])], outputs: ["t"] },
            { nodes: [node("Neg", ["x"], ["e"])], outputs: ["e"] },
          ),
        ]),
      ],
      inputs: [x, flag()],
      outputs: ["y"],
      initializers: { zero: floats([0], []) },
    });
    for (const sign of [1, -1])
      for (const value of [true, false]) {
        const fed = floats(
          [0.5, 0.2, -0.1, 0.7, 0.3, 0.4].map((v) => v * sign),
          [2, 3],
        );
        expect(await importProblems(bytes, { x: fed, flag: bool(value) })).toEqual([]);
      }
  });

  it("lets no NaN out of the branch that is not selected", async () => {
    const bytes = modelBytes({
      nodes: [
        node("If", ["flag"], ["y"], {}, [
          ...branches(
            { nodes: [node("Sqrt", ["x"], ["r"]), node("MatMul", ["r", "w"], ["t"])], outputs: ["t"] },
            { nodes: [node("MatMul", ["x", "w"], ["e"])], outputs: ["e"] },
          ),
        ]),
      ],
      inputs: [x, flag()],
      outputs: ["y"],
      initializers: { w: wave([3, 3]) },
    });
    const { inputs, outputs, parameters } = readOnnx(bytes);
    const values = new Map([...parameters.values()].map(({ tensor, data }) => [tensor, data]));
    const written = (graph: Parameters<typeof writeOnnx>[0]) =>
      writeOnnx(graph, { values: (tensor) => values.get(tensor) }).bytes;
    const [slope] = gradients([outputs.y!], [inputs.x!], {});
    const feeds = { x: floats([0, -1, 2, 0, 0, -3], [2, 3]), flag: bool(false) };
    const got = await run(written(lower({ slope: slope! }, "cpu")), feeds);
    const w = wave([3, 3]).data as Float32Array;
    const sums = [0, 1, 2].map((row) => w[3 * row]! + w[3 * row + 1]! + w[3 * row + 2]!);
    expect(difference(got, { slope: floats([...sums, ...sums], [2, 3]) })).toBeLessThan(1e-5);
  });

  it.each([
    "float64",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint16",
    "uint32",
    "uint8",
    "bool",
  ] as const)("selects %s", async (dtype) => {
    const code = {
      float64: 11,
      float16: 10,
      int64: 7,
      int32: 6,
      int16: 5,
      int8: 3,
      uint16: 4,
      uint32: 12,
      uint8: 2,
      bool: 9,
    };
    const cast = (from: string, to: string, type: number) => node("Cast", [from], [to], { to: type });
    const bytes = modelBytes({
      nodes: [
        node("If", ["flag"], ["chosen"], {}, [
          ...branches(
            { nodes: [cast("x", "t", code[dtype])], outputs: ["t"] },
            {
              nodes: [node("Mul", ["x", "x"], ["square"]), cast("square", "e", code[dtype])],
              outputs: ["e"],
            },
          ),
        ]),
        cast("chosen", "y", 1),
      ],
      inputs: [x, flag()],
      outputs: ["y"],
    });
    for (const value of [true, false]) {
      const feeds = { x: floats([0, 1, 2, 3, 4, 11], [2, 3]), flag: bool(value) };
      expect(difference(await run(rewritten(bytes).bytes, feeds), await run(bytes, feeds))).toBe(0);
    }
  });

  it("is refused if the shape or kind of a result depends on it", () => {
    const refuse = (then: GraphText, otherwise: GraphText, why: string) => {
      const nodes = [node("If", ["flag"], ["y"], {}, branches(then, otherwise))];
      expect(() => readOnnx(modelBytes({ nodes, inputs: [x, flag()], outputs: ["y"] }))).toThrow(why);
    };
    const same = { nodes: [node("Relu", ["x"], ["r"])], outputs: ["r"] };
    refuse(
      same,
      { nodes: [node("ReduceMean", ["x"], ["m"])], outputs: ["m"] },
      'node "If_of_y" (If): its condition depends on an input, so both results must have the same type and shape, got float32[2, 3] and float32[1, 1]: give the value of the input in inputValues',
    );
    refuse(
      same,
      { nodes: [node("SequenceConstruct", ["x"], ["s"])], outputs: ["s"] },
      "got a tensor and a sequence",
    );
    refuse(
      { nodes: [node("SequenceConstruct", ["x"], ["s"])], outputs: ["s"] },
      { nodes: [node("SequenceConstruct", ["x", "x"], ["t"])], outputs: ["t"] },
      "got a sequence of length 1 and a sequence of length 2",
    );
    refuse(
      same,
      { nodes: [node("Optional", [], ["none"])], outputs: ["none"] },
      "got a tensor and an empty optional value",
    );
  });
});

/** h -> h * x, until the sum of h passes what is fed; also gives every h. */
function untilLoop(most: number | undefined): GraphText {
  return {
    nodes: [
      node("Loop", [most === undefined ? "" : "most", "flag", "x"], ["last", "all"], {}, [
        body("body", {
          nodes: [
            node("Mul", ["h", "x"], ["m"]),
            node("Add", ["m", "x"], ["next"]),
            node("ReduceSum", ["next"], ["total"], { keepdims: 0 }),
            node("Less", ["total", "limit"], ["still"]),
            node("Tanh", ["next"], ["given"]),
          ],
          inputs: [
            { name: "step", shape: [], dtype: "int64" },
            { name: "go", shape: [], dtype: "bool" },
            { name: "h", shape: [2, 3] },
          ],
          outputs: ["still", "next", "given"],
        }),
      ]),
    ],
    inputs: [x, flag(), { name: "limit", shape: [] }],
    outputs: ["last", "all"],
    initializers: most === undefined ? {} : { most: ints([most], []) },
  };
}

describe("a Loop whose condition is fed", () => {
  it("ends when the condition says so, or after the largest number of iterations", async () => {
    const bytes = modelBytes(untilLoop(5));
    const fed = floats([1.1, 1.2, 0.9, 1.3, 1, 0.8], [2, 3]);
    for (const limit of [0, 20, 60, 1e6])
      expect(await importProblems(bytes, { x: fed, flag: bool(true), limit: floats([limit], []) })).toEqual(
        [],
      );
    // The Loop has no iteration.
    const none = { x: fed, flag: bool(false), limit: floats([9], []) };
    expect(difference(await run(rewritten(bytes).bytes, none), await run(bytes, none))).toBe(0);
  });

  it("is refused without a largest number of iterations, or with too large a one", () => {
    expect(() => readOnnx(modelBytes(untilLoop(undefined)))).toThrow(
      "the condition of the Loop is known only when the graph runs, so it needs a number of iterations of at most 256, got none",
    );
    expect(() => readOnnx(modelBytes(untilLoop(257)))).toThrow("of at most 256, got 257");
  });
});
