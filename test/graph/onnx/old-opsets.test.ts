import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DType, TensorData } from "../../../src/graph/dtype.js";
import { fromNumbers } from "../../../src/graph/dtype.js";
import type { Attributes } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { difference, floats, ints, modelBytes, modelProto, node, rewritten, run, wave } from "./models.js";
import { toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "../../../src/graph/onnx/generated/onnx_pb.js";

const f = (float: number) => ({ float });

interface Form {
  readonly type: string;
  readonly opset: number;
  readonly shape: readonly number[];
  readonly attributes?: Attributes;
  /** Further operands. */
  readonly operands?: Readonly<Record<string, TensorData>>;
  readonly outputs?: readonly string[];
}

function fileOf({ type, opset, shape, attributes, operands = {}, outputs = ["y"] }: Form): Uint8Array {
  const inputs = [{ name: "x", shape: ["N", ...shape.slice(1)] }];
  const call = node(type, ["x", ...Object.keys(operands)], outputs, attributes);
  return modelBytes({ nodes: [call], inputs, outputs, initializers: operands }, opset);
}

const image = [2, 3, 4, 6];
const statistics = {
  scale: wave([3], 0.3),
  bias: wave([3], 0.9),
  mean: wave([3], 1.7),
  variance: floats([1, 0.5, 2]),
};

/** Forms that ONNX Runtime still runs. */
const FORMS: readonly Form[] = [
  { type: "Clip", opset: 7, shape: [2, 5], attributes: { min: f(-0.5), max: f(0.75) } },
  { type: "Clip", opset: 6, shape: [2, 5], attributes: { max: f(0.75) } },
  { type: "Pad", opset: 8, shape: [2, 4], attributes: { pads: [0, 1, 0, 2], value: f(1.5) } },
  { type: "Pad", opset: 2, shape: [2, 4], attributes: { pads: [0, 1, 0, 2], mode: "reflect" } },
  { type: "Slice", opset: 9, shape: [2, 6], attributes: { starts: [1], ends: [9e15], axes: [1] } },
  { type: "Slice", opset: 1, shape: [2, 6], attributes: { starts: [0, -3], ends: [2, -1] } },
  { type: "TopK", opset: 9, shape: [2, 6], attributes: { k: 2, axis: 1 }, outputs: ["values", "places"] },
  { type: "TopK", opset: 10, shape: [2, 6], operands: { k: ints([3]) }, outputs: ["values", "places"] },
  { type: "Dropout", opset: 7, shape: [2, 5], attributes: { ratio: f(0.3) } },
  { type: "Dropout", opset: 10, shape: [2, 5] },
  { type: "Squeeze", opset: 7, shape: [2, 1, 3, 1], attributes: { axes: [1, 3] } },
  { type: "Unsqueeze", opset: 7, shape: [2, 3], attributes: { axes: [0, 2] } },
  { type: "Split", opset: 7, shape: [2, 5], attributes: { axis: 1, split: [2, 3] }, outputs: ["a", "b"] },
  ...["Softmax", "LogSoftmax", "Hardmax"].flatMap((type) => [
    { type, opset: 7, shape: [2, 3, 4] },
    { type, opset: 9, shape: [2, 3, 4], attributes: { axis: 2 } },
  ]),
  ...["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSumExp", "SumSquare"].map((kind) => ({
    type: `Reduce${kind}`,
    opset: 7,
    shape: [2, 3, 4],
    attributes: { axes: [1], keepdims: 0 },
  })),
  { type: "Upsample", opset: 7, shape: image, attributes: { scales: { floats: [1, 1, 2, 3] } } },
  {
    type: "Upsample",
    opset: 7,
    shape: image,
    attributes: { scales: { floats: [1, 1, 2, 2] }, mode: "linear" },
  },
  { type: "Upsample", opset: 9, shape: image, operands: { scales: floats([1, 1, 2, 1.5]) } },
  { type: "Resize", opset: 10, shape: image, operands: { scales: floats([1, 1, 0.6, 0.6]) } },
  { type: "Resize", opset: 10, shape: image, operands: { scales: floats([1, 1, 2, 0.5]) } },
  { type: "Resize", opset: 10, shape: image, operands: { scales: floats([1, 1, 1, 1]) } },
  {
    type: "Resize",
    opset: 10,
    shape: image,
    operands: { scales: floats([1, 1, 2.5, 0.5]) },
    attributes: { mode: "linear" },
  },
  {
    type: "Scatter",
    opset: 9,
    shape: [2, 3],
    operands: { i: ints([1, -1], [2, 1]), u: floats([5, 6], [2, 1]) },
    attributes: { axis: 1 },
  },
  { type: "PRelu", opset: 7, shape: image, operands: { slope: wave([3, 1, 1]) } },
  {
    type: "Gemm",
    opset: 7,
    shape: [2, 5],
    operands: { w: wave([5, 3]), b: floats([0.5], [1]) },
  },
  { type: "Flatten", opset: 7, shape: image, attributes: { axis: 2 } },
  { type: "BatchNormalization", opset: 7, shape: image, operands: statistics, attributes: { spatial: 1 } },
  { type: "BatchNormalization", opset: 9, shape: image, operands: statistics },
  {
    type: "MaxPool",
    opset: 8,
    shape: image,
    attributes: { kernel_shape: [2, 2], strides: [2, 2], storage_order: 0 },
  },
  { type: "MaxPool", opset: 1, shape: image, attributes: { kernel_shape: [3, 3], auto_pad: "SAME_LOWER" } },
  { type: "AveragePool", opset: 7, shape: image, attributes: { kernel_shape: [2, 2], pads: [1, 1, 0, 0] } },
  { type: "Elu", opset: 6, shape: [2, 5], attributes: { alpha: f(0.5) } },
  { type: "Selu", opset: 6, shape: [2, 5] },
  { type: "Tile", opset: 6, shape: [2, 5], operands: { repeats: ints([1, 2]) } },
  { type: "Concat", opset: 4, shape: [2, 5], operands: { w: wave([2, 1]) }, attributes: { axis: 1 } },
];

describe("forms of opsets before 11 mean the same after they are read", () => {
  for (const form of FORMS) {
    const { type, opset, shape } = form;
    it(`${type} of opset ${opset} ${JSON.stringify(form.attributes ?? {})} ${shape}`, async () => {
      const original = fileOf(form);
      const feeds = { x: wave(shape) };
      const options = { inputShapes: { x: [...shape] } };
      const again = rewritten(original, options);
      expect(difference(await run(original, feeds), await run(again.bytes, feeds))).toBeLessThan(2e-6);
    });
  }
});

/** Forms that ONNX Runtime has forgotten, and what they became. */
const FORGOTTEN: readonly (readonly [old: Form, now: Form])[] = [
  [
    {
      type: "Add",
      opset: 6,
      shape: image,
      operands: { b: wave([3, 4]) },
      attributes: { axis: 1, broadcast: 1 },
    },
    { type: "Add", opset: 18, shape: image, operands: { b: wave([3, 4, 1]) } },
  ],
  [
    { type: "Mul", opset: 6, shape: image, operands: { b: wave([4, 6]) }, attributes: { broadcast: 1 } },
    { type: "Mul", opset: 18, shape: image, operands: { b: wave([4, 6]) } },
  ],
  [
    { type: "PRelu", opset: 6, shape: image, operands: { slope: wave([3]) } },
    { type: "PRelu", opset: 18, shape: image, operands: { slope: wave([3, 1, 1]) } },
  ],
  [
    { type: "Reshape", opset: 1, shape: [2, 6], attributes: { shape: [0, 3, -1] } },
    { type: "Reshape", opset: 18, shape: [2, 6], operands: { shape: ints([0, 3, -1]) } },
  ],
  [
    { type: "Cast", opset: 1, shape: [2, 6], attributes: { to: "INT32" } },
    { type: "Cast", opset: 18, shape: [2, 6], attributes: { to: 6 } },
  ],
  [
    { type: "Tile", opset: 1, shape: [2, 6], operands: { tiles: ints([3], []), axis: ints([1], []) } },
    { type: "Tile", opset: 18, shape: [2, 6], operands: { repeats: ints([1, 3]) } },
  ],
  [
    { type: "Upsample", opset: 1, shape: image, attributes: { height_scale: f(2), width_scale: f(3) } },
    {
      type: "Resize",
      opset: 18,
      shape: image,
      operands: { roi: floats([], [0]), scales: floats([1, 1, 2, 3]) },
      attributes: { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
    },
  ],
  [
    {
      type: "BatchNormalization",
      opset: 6,
      shape: image,
      operands: statistics,
      attributes: { is_test: 1, consumed_inputs: [0, 0, 0, 1, 1] },
    },
    { type: "BatchNormalization", opset: 18, shape: image, operands: statistics },
  ],
];

describe("forms that ONNX Runtime no longer runs", () => {
  for (const [old, now] of FORGOTTEN) {
    it(`${old.type} of opset ${old.opset} ${JSON.stringify(old.attributes ?? {})}`, async () => {
      const feeds = { x: wave(old.shape) };
      const options = { inputShapes: { x: [...old.shape] } };
      const again = rewritten(fileOf(old), options);
      expect(difference(await run(fileOf(now), feeds), await run(again.bytes, feeds))).toBeLessThan(2e-6);
    });
  }
});

describe("what only named outputs or names of domains make unusual", () => {
  const x = { name: "x", shape: ["N", 3, 4, 6] };

  it("outputs of Dropout and BatchNormalization that nobody reads are left out", async () => {
    const dropout = node("Dropout", ["x"], ["y", "mask"], { ratio: f(0.3) });
    const bytes = modelBytes({ nodes: [dropout], inputs: [x], outputs: ["y"] }, 9);
    const feeds = { x: wave(image) };
    expect(difference(await run(bytes, feeds), await run(rewritten(bytes).bytes, feeds))).toBe(0);
    const names = Object.keys(statistics);
    const graph = (outputs: readonly string[]) => ({
      nodes: [node("BatchNormalization", ["x", ...names], outputs)],
      inputs: [x],
      outputs: ["y"],
      initializers: statistics,
    });
    const named = rewritten(modelBytes(graph(["y", "m", "v", "sm", "sv"]), 9));
    const plain = await run(modelBytes(graph(["y"]), 9), feeds);
    expect(difference(plain, await run(named.bytes, feeds))).toBeLessThan(2e-6);
  });

  it.each<[number, DType]>([
    [7, "float32"],
    [10, "bool"],
    [13, "bool"],
  ])("the mask of Dropout of opset %i is what ONNX Runtime gives", async (opset, dtype) => {
    const bytes = modelBytes(
      { nodes: [node("Dropout", ["x"], ["y", "mask"])], inputs: [x], outputs: ["y", "mask"] },
      opset,
    );
    const feeds = { x: wave(image) };
    const { model, bytes: again } = rewritten(bytes);
    expect(model.outputs.mask!.dtype).toBe(dtype);
    expect(difference(await run(bytes, feeds), await run(again, feeds))).toBe(0);
  });

  it("ai.onnx is the standard domain", async () => {
    const proto = modelProto({ nodes: [node("Relu", ["x"], ["y"])], inputs: [x], outputs: ["y"] }, 9);
    proto.opsetImport[0]!.domain = "ai.onnx";
    proto.graph!.node[0]!.domain = "ai.onnx";
    const bytes = toBinary(ModelProtoSchema, proto);
    const feeds = { x: wave(image) };
    const { y } = await run(rewritten(bytes).bytes, feeds);
    expect(y!.data).toEqual(
      fromNumbers(
        "float32",
        Array.from(feeds.x.data as Float32Array, (v) => Math.max(0, v)),
      ),
    );
  });
});

describe("what old forms cannot be read says why", () => {
  it.each<[string, Form, RegExp]>([
    [
      "statistics of each element",
      {
        type: "BatchNormalization",
        opset: 7,
        shape: image,
        operands: statistics,
        attributes: { spatial: 0 },
      },
      /BatchNormalization.*spatial = 0/,
    ],
    [
      "an element type that nobody knows",
      { type: "Cast", opset: 1, shape: [2, 3], attributes: { to: "COMPLEX64" } },
      /Cast.*"COMPLEX64"/,
    ],
    [
      "an operand that reaches too far",
      {
        type: "Add",
        opset: 6,
        shape: [2, 3],
        operands: { b: wave([3, 4]) },
        attributes: { axis: 1, broadcast: 1 },
      },
      /Add.*expected a second operand that fits/,
    ],
  ])("%s", (_what, form, expected) => {
    expect(() => readOnnx(fileOf(form))).toThrow(expected);
  });
});

const cases = new URL("../../../../shared/cases/onnx/", import.meta.url);
const files = ["conv-opset-9", "dropout-named-mask"];
if (!existsSync(cases)) console.log(`skipped: ${files.join(", ")}: ${cases.pathname} is not there`);

describe.skipIf(!existsSync(cases))("files of others", () => {
  it.each(files)("%s", (file) => {
    expect(() => readOnnx(readFileSync(new URL(`${file}.onnx`, cases)))).not.toThrow();
  });
});
