import { expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { importProblems } from "./imports.js";
import { ints, modelBytes, node, wave } from "./models.js";

/* Operators that put values at places, or collect them along an axis, as ONNX Runtime has them, with their gradients. */

interface Case {
  readonly label: string;
  readonly type: string;
  readonly opset: number;
  readonly feeds: Readonly<Record<string, TensorData>>;
  readonly operands?: Readonly<Record<string, TensorData>>;
  readonly attributes?: Attributes;
}

const along = (axis: number) => ({ axis: ints([axis], []) });
/** Where 2 x 2 windows of [1, 2, 4, 4] have their largest values, counted over the whole tensor. */
const PLACES = ints([5, 7, 8, 15, 16, 18, 29, 31], [1, 2, 2, 2]);

const CASES: readonly Case[] = [
  ...[{}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }].map((attributes): Case => ({
    label: `CumProd ${JSON.stringify(attributes)}`,
    type: "CumProd",
    opset: 26,
    feeds: { x: wave([3, 4, 2], 0.3) },
    operands: along(1),
    attributes,
  })),
  {
    label: "CumProd along the last axis",
    type: "CumProd",
    opset: 26,
    feeds: { x: wave([3, 4], 1.3) },
    operands: along(-1),
  },
  {
    label: "MaxUnpool",
    type: "MaxUnpool",
    opset: 11,
    feeds: { x: wave([1, 2, 2, 2], 0.4) },
    operands: { places: PLACES },
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  },
  {
    label: "MaxUnpool with a stated shape",
    type: "MaxUnpool",
    opset: 9,
    feeds: { x: wave([1, 2, 2, 2], 0.4) },
    operands: { places: PLACES, shape: ints([1, 2, 4, 4], [4]) },
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  },
  ...["linear", "circular"].map((mode): Case => ({
    label: `TensorScatter, ${mode}`,
    type: "TensorScatter",
    opset: 24,
    feeds: { cache: wave([2, 3, 5, 2], 0.2), update: wave([2, 3, 2, 2], 0.9) },
    operands: { starts: ints(mode === "linear" ? [1, 3] : [4, 2], [2]) },
    attributes: { mode },
  })),
  {
    label: "TensorScatter from the start, another axis",
    type: "TensorScatter",
    opset: 24,
    feeds: { cache: wave([2, 5, 3], 0.2), update: wave([2, 2, 3], 0.9) },
    attributes: { axis: 1 },
  },
  { label: "Swish", type: "Swish", opset: 24, feeds: { x: wave([2, 3], 0.7) } },
  {
    label: "Swish with a factor",
    type: "Swish",
    opset: 24,
    feeds: { x: wave([2, 3], 0.7) },
    attributes: { alpha: { float: 0.4 } },
  },
  { label: "OptionalGetElement", type: "OptionalGetElement", opset: 18, feeds: { x: wave([2, 3], 0.7) } },
];

it.each(CASES)("$label", async ({ type, opset, feeds, operands = {}, attributes = {} }) => {
  const inputs = Object.entries(feeds).map(([name, { shape }]) => ({ name, shape }));
  const names = [...Object.keys(feeds), ...Object.keys(operands)];
  const graph = {
    nodes: [node(type, names, ["y"], attributes)],
    inputs,
    outputs: ["y"],
    initializers: operands,
  };
  expect(await importProblems(modelBytes(graph, opset), feeds)).toEqual([]);
});

it("OptionalHasElement", async () => {
  const graph = {
    nodes: [
      node("OptionalHasElement", ["x"], ["has"]),
      node("Cast", ["has"], ["number"], { to: 1 }),
      node("Mul", ["x", "number"], ["y"]),
    ],
    inputs: [{ name: "x", shape: [2, 3] }],
    outputs: ["y"],
  };
  expect(await importProblems(modelBytes(graph), { x: wave([2, 3], 0.7) })).toEqual([]);
});
