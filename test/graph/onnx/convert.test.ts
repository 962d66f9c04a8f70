import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import { decodeTensor } from "../../../src/graph/onnx/read/decode.js";
import { TensorProtoSchema } from "../../../src/graph/onnx/generated/onnx_pb.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { difference, floats, ints, modelBytes, node, rewritten, run, wave } from "./models.js";

interface Case {
  readonly type: string;
  readonly opset: number;
  /** Shape of x without the batch. */
  readonly shape?: readonly number[];
  readonly operands?: Readonly<Record<string, TensorData>>;
  readonly inputs?: readonly string[];
  readonly attributes?: Attributes;
  readonly outputs?: readonly string[];
  /** Tells cases apart. */
  readonly note?: string;
}

const f = (float: number) => ({ float });
const vector = (length: number): TensorData => wave([length], 0.4);
const axesReduction = ["Max", "Mean", "Min", "L1", "L2", "SumSquare", "LogSumExp", "Prod", "Sum"];

const CASES: readonly Case[] = [
  ...axesReduction.map((kind) => ({
    type: `Reduce${kind}`,
    opset: 11,
    attributes: { axes: [1, -1], keepdims: 0 },
  })),
  ...axesReduction.map((kind) => ({ type: `Reduce${kind}`, opset: 12 })),
  {
    type: "ReduceSum",
    opset: 13,
    inputs: ["x", "axes"],
    operands: { axes: ints([], [0]) },
    note: "no axes: all",
  },
  {
    type: "ReduceSum",
    opset: 13,
    inputs: ["x", "axes"],
    operands: { axes: ints([], [0]) },
    attributes: { noop_with_empty_axes: 1 },
    note: "no axes: none",
  },
  { type: "Unsqueeze", opset: 11, attributes: { axes: [0, 2] } },
  { type: "Squeeze", opset: 11, shape: [1, 3, 1], attributes: { axes: [1, 3] } },
  ...[11, 12, 13, 18].flatMap((opset) => [
    { type: "Softmax", opset },
    { type: "Softmax", opset, attributes: { axis: 2 } },
    { type: "LogSoftmax", opset, attributes: { axis: -1 } },
    { type: "LogSoftmax", opset, attributes: { axis: 1 } },
  ]),
  { type: "Split", opset: 11, shape: [7], attributes: { axis: 1, split: [3, 4] }, outputs: ["a", "b"] },
  { type: "Split", opset: 11, shape: [6], attributes: { axis: 1 }, outputs: ["a", "b"] },
  {
    type: "Split",
    opset: 13,
    shape: [7],
    inputs: ["x", "s"],
    operands: { s: ints([2, 5]) },
    attributes: { axis: 1 },
    outputs: ["a", "b"],
  },
  { type: "Split", opset: 18, shape: [7], attributes: { axis: 1, num_outputs: 3 }, outputs: ["a", "b", "c"] },
  { type: "Clip", opset: 11, inputs: ["x", "", "high"], operands: { high: floats([0.5], []) } },
  { type: "Clip", opset: 13, inputs: ["x", "low"], operands: { low: floats([-0.25], []) } },
  { type: "Dropout", opset: 11, attributes: { ratio: f(0.4) } },
  { type: "Dropout", opset: 13, inputs: ["x", "ratio"], operands: { ratio: floats([0.4], []) } },
  { type: "Max", opset: 11, inputs: ["x", "a", "b"], operands: { a: floats([0.1], []), b: vector(5) } },
  { type: "Min", opset: 13, inputs: ["x"] },
  { type: "Sum", opset: 13, inputs: ["x", "a", "x"], operands: { a: vector(5) } },
  { type: "Pow", opset: 12, inputs: ["x", "n"], operands: { n: ints([2], []) } },
  {
    type: "Pad",
    opset: 11,
    inputs: ["x", "p", "v"],
    operands: { p: ints([0, 0, 1, 0, 2, 0]), v: floats([3], []) },
  },
  {
    type: "Pad",
    opset: 13,
    inputs: ["x", "p"],
    operands: { p: ints([0, 0, 1, 0, 0, 2]) },
    attributes: { mode: "reflect" },
  },
  {
    type: "Slice",
    opset: 11,
    inputs: ["x", "s", "e", "a"],
    operands: { s: ints([1]), e: ints([9e15]), a: ints([2]) },
  },
  { type: "Shape", opset: 15, attributes: { start: -2 } },
  { type: "Shape", opset: 15, attributes: { start: 1, end: 50 } },
  { type: "Size", opset: 13 },
  { type: "Flatten", opset: 11, attributes: { axis: -1 } },
  {
    type: "Gemm",
    opset: 11,
    shape: [5],
    inputs: ["x", "w", "b"],
    operands: { w: wave([3, 5]), b: vector(3) },
    attributes: { transB: 1, alpha: f(0.5) },
  },
  { type: "Gelu", opset: 20 },
  { type: "Gelu", opset: 20, attributes: { approximate: "tanh" } },
  { type: "Mish", opset: 18 },
  { type: "Celu", opset: 12, attributes: { alpha: f(1.5) } },
  { type: "Selu", opset: 11 },
  { type: "ThresholdedRelu", opset: 11, attributes: { alpha: f(0.5) } },
  { type: "Shrink", opset: 11, attributes: { lambd: f(0.6), bias: f(0.2) } },
  { type: "Asinh", opset: 11 },
  { type: "HardSwish", opset: 14 },
  { type: "CastLike", opset: 15, inputs: ["x", "i"], operands: { i: ints([1]) } },
  { type: "Cast", opset: 19, attributes: { to: 7 } },
  {
    type: "LayerNormalization",
    opset: 17,
    inputs: ["x", "w", "b"],
    operands: { w: vector(5), b: vector(5) },
  },
  {
    type: "LayerNormalization",
    opset: 17,
    inputs: ["x", "w"],
    operands: { w: wave([4, 5]) },
    attributes: { axis: 1 },
  },
  { type: "RMSNormalization", opset: 23, inputs: ["x", "w"], operands: { w: vector(5) } },
  {
    type: "InstanceNormalization",
    opset: 11,
    inputs: ["x", "w", "b"],
    operands: { w: vector(4), b: vector(4) },
  },
  {
    type: "GroupNormalization",
    opset: 18,
    shape: [4, 3, 2],
    inputs: ["x", "w", "b"],
    operands: { w: vector(2), b: vector(2) },
    attributes: { num_groups: 2 },
  },
  {
    type: "GroupNormalization",
    opset: 21,
    shape: [4, 3, 2],
    inputs: ["x", "w", "b"],
    operands: { w: vector(4), b: vector(4) },
    attributes: { num_groups: 2 },
  },
  { type: "MeanVarianceNormalization", opset: 13, shape: [3, 4, 5] },
  { type: "LpNormalization", opset: 11, attributes: { p: 1, axis: 1 } },
  {
    type: "LRN",
    opset: 13,
    shape: [7, 3, 2],
    attributes: { size: 5, alpha: f(0.3), beta: f(0.6), bias: f(1.5) },
  },
  { type: "DepthToSpace", opset: 11, shape: [8, 2, 3], attributes: { blocksize: 2 } },
  { type: "DepthToSpace", opset: 13, shape: [8, 2, 3], attributes: { blocksize: 2, mode: "CRD" } },
  { type: "SpaceToDepth", opset: 13, shape: [2, 4, 6], attributes: { blocksize: 2 } },
  {
    type: "Trilu",
    opset: 14,
    shape: [4, 5],
    inputs: ["x", "k"],
    operands: { k: ints([-1], []) },
    attributes: { upper: 0 },
  },
  {
    type: "BatchNormalization",
    opset: 11,
    inputs: ["x", "w", "b", "m", "v"],
    operands: { w: vector(4), b: vector(4), m: vector(4), v: floats([1, 2, 0.5, 1]) },
    attributes: { momentum: f(0.8) },
  },
  {
    type: "MaxPool",
    opset: 12,
    shape: [3, 8, 7],
    attributes: { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 },
  },
  {
    type: "AveragePool",
    opset: 11,
    shape: [3, 8, 7],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_UPPER" },
  },
  {
    type: "Resize",
    opset: 11,
    shape: [2, 4, 4],
    inputs: ["x", "roi", "scales"],
    operands: { roi: floats([], [0]), scales: floats([1, 1, 2, 2]) },
    attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  },
  {
    type: "Resize",
    opset: 13,
    shape: [2, 4, 4],
    inputs: ["x", "", "scales"],
    operands: { scales: floats([1, 1, 2, 2]) },
    attributes: { mode: "linear" },
  },
  { type: "ArgMax", opset: 12, attributes: { axis: 1, keepdims: 0 } },
  {
    type: "Gather",
    opset: 11,
    inputs: ["x", "i"],
    operands: { i: ints([1, 0, -1]) },
    attributes: { axis: 2 },
  },
  { type: "TopK", opset: 11, inputs: ["x", "k"], operands: { k: ints([2]) }, outputs: ["values", "places"] },
  { type: "Hardmax", opset: 13, attributes: { axis: 1 } },
  {
    type: "LpPool",
    opset: 18,
    shape: [3, 8, 7],
    attributes: { kernel_shape: [3, 2], p: 3, pads: [1, 0, 0, 1] },
  },
  { type: "LpPool", opset: 11, shape: [3, 8, 7], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  { type: "LpPool", opset: 22, shape: [3, 8, 7], attributes: { kernel_shape: [2, 2], dilations: [2, 2] } },
  { type: "GlobalLpPool", opset: 11, shape: [3, 2, 2], attributes: { p: 1 } },
  {
    type: "AveragePool",
    opset: 19,
    shape: [3, 8, 7],
    attributes: { kernel_shape: [2, 2], dilations: [2, 2], ceil_mode: 1 },
  },
  {
    type: "MaxPool",
    opset: 12,
    shape: [3, 8, 7],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    outputs: ["y", "places"],
  },
  {
    type: "MaxPool",
    opset: 12,
    shape: [3, 8, 7],
    attributes: { kernel_shape: [2, 2], strides: [2, 2], storage_order: 1 },
    outputs: ["y", "places"],
  },
  {
    type: "Col2Im",
    opset: 18,
    shape: [8, 16],
    inputs: ["x", "image", "block"],
    operands: { image: ints([5, 6]), block: ints([2, 2]) },
    attributes: { strides: [1, 2], pads: [0, 1, 0, 1] },
  },
  {
    type: "CenterCropPad",
    opset: 18,
    shape: [5, 6],
    inputs: ["x", "shape"],
    operands: { shape: ints([8, 3]) },
    attributes: { axes: [1, 2] },
  },
  {
    type: "AffineGrid",
    opset: 20,
    shape: [2, 3],
    inputs: ["x", "size"],
    operands: { size: ints([3, 1, 4, 5]) },
    note: "for three images",
  },
  { type: "CumSum", opset: 14, inputs: ["x", "axis"], operands: { axis: ints([1], []) } },
  {
    type: "STFT",
    opset: 17,
    shape: [16, 1],
    inputs: ["x", "step", "window"],
    operands: { step: ints([4], []), window: wave([8], 0.2) },
  },
  { type: "DFT", opset: 17, shape: [6, 2], attributes: { axis: 1 } },
  { type: "DFT", opset: 20, shape: [6, 2], attributes: { inverse: 1 } },
  { type: "Det", opset: 11, shape: [3, 3] },
  ...["nearest", "linear"].map((mode) => ({
    type: "Resize",
    opset: 18,
    shape: [2, 4, 6],
    inputs: ["x", "", "", "sizes"],
    operands: { sizes: ints([3, 3]) },
    attributes: { mode, axes: [2, 3], keep_aspect_ratio_policy: "not_smaller" },
  })),
  {
    type: "Resize",
    opset: 18,
    shape: [2, 4, 6],
    inputs: ["x", "", "scales"],
    operands: { scales: floats([0.5, 0.5]) },
    attributes: { mode: "linear", axes: [2, 3], antialias: 1 },
  },
  {
    type: "Resize",
    opset: 13,
    shape: [2, 4, 6],
    inputs: ["x", "roi", "", "sizes"],
    operands: { roi: floats([0, 0, 0.2, 0.1, 1, 1, 0.7, 0.9]), sizes: ints([1, 2, 3, 3]) },
    attributes: { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize" },
    note: "of one image",
  },
  ...["bilinear", "nearest", "bicubic"].map((mode) => ({
    type: "GridSample",
    opset: 16,
    shape: [2, 4, 5],
    inputs: ["x", "grid"],
    operands: { grid: wave([1, 3, 3, 2]) },
    attributes: { mode, padding_mode: "border" },
    note: "of one image",
  })),
  {
    type: "Compress",
    opset: 11,
    inputs: ["x", "keep"],
    operands: { keep: { dtype: "bool" as const, shape: [4], data: Uint8Array.of(1, 0, 1, 1) } },
    attributes: { axis: 1 },
    note: "a length known only when it runs",
  },
  { type: "Unique", opset: 11, note: "a length known only when it runs" },
  {
    type: "Tile",
    opset: 13,
    inputs: ["x", "repeats"],
    operands: { repeats: ints([1, 2, 1]) },
  },
];

function fileOf({
  type,
  opset,
  shape = [4, 5],
  operands = {},
  inputs = ["x"],
  attributes = {},
  outputs = ["y"],
}: Case): Uint8Array {
  return modelBytes(
    {
      nodes: [node(type, inputs, outputs, attributes)],
      inputs: [{ name: "x", shape: ["N", ...shape] }],
      outputs,
      initializers: operands,
    },
    opset,
  );
}

describe("every form of an operator means the same after it is read", () => {
  for (const one of CASES) {
    const details = `${JSON.stringify(one.attributes ?? {})} ${one.note ?? ""}`;
    it(`${one.type} of opset ${one.opset} ${details}`, async () => {
      const original = fileOf(one);
      const again = rewritten(original);
      for (const batch of one.note === "of one image"
        ? [1]
        : one.note === "for three images"
          ? [3]
          : [1, 3]) {
        const feeds = { x: wave([batch, ...(one.shape ?? [4, 5])]) };
        expect(difference(await run(original, feeds), await run(again.bytes, feeds))).toBeLessThan(2e-6);
      }
      for (const tensor of one.note?.includes("only when it runs")
        ? []
        : Object.values(again.model.outputs)) {
        expect(tensor.shape.every((dim) => typeof dim === "number" || !dim.startsWith("?"))).toBe(true);
      }
    });
  }
});

describe("constants", () => {
  it("come in all attribute forms", async () => {
    const nodes = [
      node("Constant", [], ["a"], { value_float: f(1.5) }),
      node("Constant", [], ["b"], { value_floats: { floats: [1, 2] } }),
      node("Constant", [], ["c"], { value_int: 3 }),
      node("Constant", [], ["d"], { value_ints: [4, 5] }),
      node("Constant", [], ["e"], { value: { tensor: floats([1, 2, 3, 4], [2, 2]) } }),
      node("Add", ["x", "a"], ["xa"]),
      node("Add", ["xa", "b"], ["y"]),
    ];
    const inputs = [{ name: "x", shape: ["N", 2] }];
    const bytes = modelBytes({ nodes, inputs, outputs: ["y", "c", "d", "e"] });
    const feeds = { x: floats([1, 2], [1, 2]) };
    expect(difference(await run(bytes, feeds), await run(rewritten(bytes).bytes, feeds))).toBe(0);
  });

  it("are read from typed fields as from raw bytes", () => {
    const fields = [
      { dataType: 1, floatData: [1, -2] },
      { dataType: 11, doubleData: [1, -2] },
      { dataType: 7, int64Data: [1n, -2n] },
      { dataType: 6, int32Data: [1, -2] },
      { dataType: 5, int32Data: [1, -2] },
      { dataType: 12, uint64Data: [1n, 2n] },
      { dataType: 13, uint64Data: [1n, 2n] },
      { dataType: 9, int32Data: [1, 0] },
      { dataType: 10, int32Data: [0x3c00, 0xc000] },
    ];
    const read = fields.map((field) => {
      const { dtype, data } = decodeTensor(create(TensorProtoSchema, { dims: [2n], ...field }), "w");
      return [dtype, data];
    });
    expect(read).toEqual([
      ["float32", Float32Array.of(1, -2)],
      ["float64", Float64Array.of(1, -2)],
      ["int64", BigInt64Array.of(1n, -2n)],
      ["int32", Int32Array.of(1, -2)],
      ["int16", Int16Array.of(1, -2)],
      ["uint32", Uint32Array.of(1, 2)],
      ["uint64", BigUint64Array.of(1n, 2n)],
      ["bool", Uint8Array.of(1, 0)],
      ["float16", Uint16Array.of(0x3c00, 0xc000)],
    ]);
  });
});
