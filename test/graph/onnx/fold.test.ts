import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import { gradients, lower } from "../../../src/graph/index.js";
import { FoldBudget, fold } from "../../../src/graph/onnx/read/fold.js";
import type { NodeProto } from "../../../src/graph/onnx/generated/onnx_pb.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { writeOnnx } from "../../../src/graph/onnx/write/write.js";
import { sum } from "../../../src/graph/operators/reduce/reduce.js";
import type { Attributes, Tensor } from "../../../src/graph/tensor.js";
import { constant, input } from "../../../src/graph/tensor.js";
import { body, difference, floats, ints, modelBytes, node, rewritten, run, wave } from "./models.js";

const value = (data: TensorData): Tensor => constant(data);

function folded(
  type: string,
  operands: readonly (TensorData | Tensor | undefined)[],
  attributes: Attributes = {},
) {
  const inputs = operands.map((operand) => (operand && "data" in operand ? value(operand) : operand));
  return fold(type, inputs, attributes);
}

/** What ONNX Runtime computes from the same constants. */
async function computed(
  type: string,
  operands: readonly (TensorData | undefined)[],
  attributes: Attributes = {},
) {
  const names = operands.map((operand, i) => (operand === undefined ? "" : `v${i}`));
  const initializers = Object.fromEntries(
    operands.flatMap((operand, i) => (operand ? [[`v${i}`, operand]] : [])),
  );
  const bytes = modelBytes({ nodes: [node(type, names, ["y"], attributes)], outputs: ["y"], initializers });
  return (await run(bytes, {})).y!;
}

const bools = (values: readonly number[]): TensorData => ({
  dtype: "bool",
  shape: [values.length],
  data: Uint8Array.from(values),
});

describe("fold agrees with ONNX Runtime", () => {
  const matrix = ints([1, 2, 3, 4, 5, 6], [2, 3]);
  const cases: [string, (TensorData | undefined)[], Attributes?][] = [
    ["Add", [matrix, ints([10, 20, 30])]],
    ["Sub", [ints([1]), matrix]],
    ["Mul", [floats([0.1, 0.2]), floats([0.3], [])]],
    ["Div", [ints([-7, 7, 9]), ints([2, -2, 3])]],
    ["Div", [floats([1, 2]), floats([3, 7])]],
    ["Mod", [ints([-7, 7]), ints([3, -3])]],
    ["Pow", [floats([2, 3]), floats([3, 0.5])]],
    ["Max", [ints([1, 5]), ints([3])]],
    ["Min", [floats([1, 5]), floats([3])]],
    ["Floor", [floats([1.5, -1.5])]],
    ["Ceil", [floats([1.5, -1.5])]],
    ["Sqrt", [floats([2])]],
    ["Neg", [ints([1, -2])]],
    ["Abs", [ints([1, -2])]],
    ["Equal", [matrix, ints([1, 2, 6])]],
    ["Less", [matrix, ints([4])]],
    ["GreaterOrEqual", [matrix, ints([4])]],
    ["And", [bools([0, 1, 1]), bools([1, 1, 0])]],
    ["Or", [bools([0, 1, 0]), bools([1, 1, 0])]],
    ["Not", [bools([0, 1])]],
    ["Where", [bools([0, 1]), ints([1, 2]), ints([3])]],
    ["Cast", [floats([1.9, -1.9])], { to: 7 }],
    ["Cast", [ints([0, 2])], { to: 9 }],
    ["Cast", [ints([3])], { to: 1 }],
    ["Gather", [matrix, ints([1, -1], [2, 1])], { axis: 1 }],
    ["Gather", [ints([4, 5]), ints([1], [])]],
    ["Concat", [matrix, matrix], { axis: 1 }],
    ["Concat", [matrix, matrix], { axis: 0 }],
    ["Slice", [matrix, ints([2, 0]), ints([-100, 9e15]), ints([1, 0]), ints([-1, 1])]],
    ["Slice", [matrix, ints([1]), ints([3]), ints([-1])]],
    ["Squeeze", [ints([1, 2], [1, 2]), ints([0])]],
    ["Squeeze", [ints([1, 2], [1, 2, 1])]],
    ["Unsqueeze", [matrix, ints([0, -1])]],
    ["Reshape", [matrix, ints([0, -1, 1])]],
    ["Transpose", [matrix]],
    ["Transpose", [ints([1, 2, 3, 4], [1, 2, 2])], { perm: [1, 2, 0] }],
    ["Expand", [ints([1, 2], [2, 1]), ints([3, 1, 2])]],
    ["ConstantOfShape", [ints([2, 1])], { value: { tensor: ints([7]) } }],
    ["ConstantOfShape", [ints([3])]],
    ["Range", [ints([5], []), ints([-2], []), ints([-3], [])]],
    ["ReduceProd", [ints([2, 3, 4])], { keepdims: 0 }],
    ["ReduceSum", [ints([2, 3, 4]), ints([0])]],
  ];
  for (const [type, operands, attributes] of cases) {
    it(`${type} ${JSON.stringify(operands.map((operand) => operand && Array.from(operand.data, Number)))}`, async () => {
      const ours = folded(type, operands, attributes)!;
      const theirs = await computed(type, operands, attributes);
      expect({ ...ours, elements: ours.elements.map((n) => Number(n)) }).toEqual({
        dtype: theirs.dtype,
        shape: theirs.shape,
        elements: Array.from(theirs.data, Number),
      });
    });
  }
});

describe("fold takes little memory", () => {
  const large = constant({ dtype: "int64", shape: [4096], data: new BigInt64Array(4096) });

  it("for a value that is repeated many times", () => {
    const before = process.memoryUsage().heapUsed;
    expect(fold("Concat", new Array<Tensor>(20_000).fill(large), { axis: 0 })).toBeUndefined();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 26);
  });

  it("for empty values with long axes", () => {
    const empty = constant({ dtype: "int64", shape: [2 ** 26, 0], data: new BigInt64Array(0) });
    const before = process.memoryUsage().heapUsed;
    expect(fold("Concat", [empty, empty], { axis: 0 })).toBeUndefined();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 26);
  });

  it("for all calls of a file together", () => {
    const budget = new FoldBudget();
    budget.left = 3 * 4096;
    expect(fold("Neg", [large], {}, budget)).toBeDefined();
    expect(fold("Neg", [large], {}, budget)).toBeUndefined();
  });
});

describe("fold keeps named axis lengths", () => {
  const x = input("x", ["N", 3, "H", 8]);
  const lengths = fold("Shape", [x], {})!;
  const known = (elements: TensorData) => value(elements);

  it("through arithmetic that stays exact", () => {
    expect(lengths.elements).toEqual(["N", 3, "H", 8]);
    expect(fold("Size", [x], {})!.elements).toEqual(["24*H*N"]);
  });

  it("tells a length from 0 and from negative numbers", () => {
    const shaped = readOnnx(
      modelBytes({
        nodes: [
          node("Shape", ["x"], ["s"]),
          node("Equal", ["s", "minus"], ["flags"]),
          node("Where", ["flags", "one", "s"], ["target"]),
          node("Expand", ["bias", "target"], ["y"]),
        ],
        inputs: [{ name: "x", shape: ["N", 3] }],
        outputs: ["y"],
        initializers: { minus: ints([-1]), one: ints([1]), bias: floats([1, 2, 3]) },
      }),
    );
    expect(shaped.outputs.y!.shape).toEqual(["N", 3]);
  });

  it("does not guess", () => {
    expect(folded("Gather", [ints([1, 2]), known(ints([5]))])).toBeUndefined();
    expect(folded("Range", [floats([0], []), floats([1e9], []), floats([1], [])])).toBeUndefined();
    expect(folded("ConstantOfShape", [ints([1e9, 1e9])])).toBeUndefined();
    expect(folded("Mod", [floats([5]), floats([3])], { fmod: 1 })).toBeUndefined();
  });
});

/** x.view(x.size(0), -1) and its relatives, as PyTorch writes them. */
function exported(shape: string): { nodes: NodeProto[]; initializers: Record<string, TensorData> } {
  return {
    nodes: [
      node("Shape", [shape], ["s"]),
      node("Gather", ["s", "first"], ["n"], { axis: 0 }),
      node("Unsqueeze", ["n", "axis"], ["n1"]),
      node("Concat", ["n1", "rest"], ["target"], { axis: 0 }),
    ],
    initializers: { first: ints([0], []), axis: ints([0]), rest: ints([-1]) },
  };
}

describe("shape arithmetic of exporters", () => {
  const inputs = [{ name: "x", shape: ["N", 2, 4, 4] }];

  it("Shape, Gather, Unsqueeze, Concat, Reshape becomes one Reshape to constants", async () => {
    const { nodes, initializers } = exported("x");
    const bytes = modelBytes({
      nodes: [...nodes, node("Reshape", ["x", "target"], ["y"])],
      inputs,
      outputs: ["y"],
      initializers,
    });
    const again = rewritten(bytes);
    expect(again.model.outputs.y!.shape).toEqual(["N", 32]);
    expect(new TextDecoder("latin1").decode(again.bytes)).not.toContain("Gather");
    const feeds = { x: wave([3, 2, 4, 4]) };
    expect(difference(await run(bytes, feeds), await run(again.bytes, feeds))).toBe(0);
  });

  it("sizes of Resize computed from the shape (nn.Upsample) keep the batch dynamic and the rest known", async () => {
    const nodes = [
      node("Shape", ["x"], ["s"]),
      node("Slice", ["s", "zero", "two"], ["nc"]),
      node("Slice", ["s", "two", "four"], ["hw"]),
      node("Cast", ["hw"], ["hwf"], { to: 1 }),
      node("Mul", ["hwf", "factor"], ["scaled"]),
      node("Floor", ["scaled"], ["floored"]),
      node("Cast", ["floored"], ["sizes"], { to: 7 }),
      node("Concat", ["nc", "sizes"], ["all"], { axis: 0 }),
      node("Expand", ["bias", "all"], ["y"]),
      node("ConstantOfShape", ["all"], ["z"]),
    ];
    const bytes = modelBytes({
      nodes,
      inputs,
      outputs: ["y", "z"],
      initializers: {
        zero: ints([0]),
        two: ints([2]),
        four: ints([4]),
        factor: floats([2.5]),
        bias: floats([0.5], [1, 1, 1, 1]),
      },
    });
    const again = rewritten(bytes);
    expect(again.model.outputs.y!.shape).toEqual(["N", 2, 10, 10]);
    const feeds = { x: wave([3, 2, 4, 4]) };
    expect(difference(await run(bytes, feeds), await run(again.bytes, feeds))).toBe(0);
  });

  it("keeps what it found out when the graph is differentiated and lowered", async () => {
    const nodes = [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "first"], ["n"]),
      node("Equal", ["n", "zero"], ["empty"]),
      node("Where", ["empty", "one", "n"], ["m"]),
      node("Unsqueeze", ["m", "axis"], ["m1"]),
      node("Concat", ["m1", "rest"], ["target"], { axis: 0 }),
      node("Expand", ["w", "target"], ["wide"]),
      node("Mul", ["x", "wide"], ["y"]),
    ];
    const model = readOnnx(
      modelBytes({
        nodes,
        inputs: [{ name: "x", shape: ["N", 3] }],
        outputs: ["y"],
        initializers: {
          first: ints([0], []),
          zero: ints([0], []),
          one: ints([1], []),
          axis: ints([0]),
          rest: ints([3]),
          w: floats([1, 2, 3]),
        },
      }),
    );
    const { tensor, data } = model.parameters.get("w")!;
    const [dw] = gradients(sum(model.outputs.y!), [tensor]);
    const lowered = lower({ dw: dw! }, "cpu");
    const { bytes } = writeOnnx(lowered, { values: () => data });
    const result = await run(bytes, { x: floats([1, 2, 3, 4, 5, 6], [2, 3]) });
    expect(Array.from(result.dw!.data, Number)).toEqual([5, 7, 9]);
  });

  it("reads the branch of an If whose condition the shapes decide", async () => {
    const nodes = [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "last"], ["n"]),
      node("Equal", ["n", "one"], ["single"]),
      node("If", ["single"], ["y"], {}, [
        body("then_branch", { nodes: [node("Squeeze", ["x", "last"], ["t"])], outputs: ["t"] }),
        body("else_branch", { nodes: [node("Relu", ["x"], ["e"])], outputs: ["e"] }),
      ]),
    ];
    const initializers = { last: ints([3]), one: ints([1]) };
    const bytes = modelBytes({
      nodes,
      inputs: [{ name: "x", shape: ["N", 2, 4, 1] }],
      outputs: ["y"],
      initializers,
    });
    const feeds = { x: wave([2, 2, 4, 1]) };
    const again = rewritten(bytes);
    expect(difference(await run(bytes, feeds), await run(again.bytes, feeds))).toBe(0);
    expect(new TextDecoder("latin1").decode(again.bytes)).not.toContain("then_branch");
  });

  it("reads the branch of an If that an input picks whose value is given", async () => {
    const nodes = [
      node("Equal", ["rate", "high"], ["is_high"]),
      node("If", ["is_high"], ["y"], {}, [
        body("then_branch", { nodes: [node("Relu", ["x"], ["t"])], outputs: ["t"] }),
        body("else_branch", { nodes: [node("Neg", ["x"], ["e"])], outputs: ["e"] }),
      ]),
    ];
    const inputs = [
      { name: "x", shape: ["N", 4] },
      { name: "rate", shape: [], dtype: "int64" as const },
    ];
    const bytes = modelBytes({ nodes, inputs, outputs: ["y"], initializers: { high: ints([16000], []) } });
    expect(Object.keys(readOnnx(bytes).inputs)).toEqual(["x", "rate"]);
    for (const rate of [16000, 8000]) {
      const again = rewritten(bytes, { inputValues: { rate } });
      const feeds = { x: wave([3, 4]), rate: ints([rate], []) };
      expect(difference(await run(bytes, feeds), await run(again.bytes, feeds))).toBe(0);
    }
    expect(Object.keys(readOnnx(bytes, { inputValues: { rate: 8000 } }).inputs)).toEqual(["x"]);
    expect(() => readOnnx(bytes, { inputValues: { pace: 1 } })).toThrow(
      /inputValues: expected an input of the model, one of x, rate, got "pace"/,
    );
    expect(() => readOnnx(bytes, { inputValues: { x: 1 } })).toThrow(/input "x" is \[N, 4\].*known shape/);
    expect(() => readOnnx(bytes, { inputValues: { rate: [1, 2] } })).toThrow(/expected 1 values, got 2/);
  });
});
