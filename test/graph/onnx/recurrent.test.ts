import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/index.js";
import type { TensorData } from "../../../src/graph/dtype.js";
import { tensorData } from "../../../src/graph/dtype.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { importProblems } from "./imports.js";
import { difference, modelBytes, node, rewritten, run, wave } from "./models.js";

const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;
type Type = keyof typeof GATES;

const [STEPS, BATCH, FEATURES, HIDDEN] = [3, 2, 2, 2];

interface Case {
  readonly type: Type;
  readonly attributes?: Attributes;
  /** Further operands by position. */
  readonly bias?: boolean;
  readonly lengths?: readonly number[];
  readonly starts?: boolean;
  readonly peepholes?: boolean;
  readonly note?: string;
}

const f = (float: number) => ({ float });
const strings = (...list: string[]) => ({ strings: list });
const floatsOf = (...list: number[]) => ({ floats: list });

const CASES: readonly Case[] = [
  ...(["RNN", "GRU", "LSTM"] as const).flatMap((type): Case[] => [
    { type },
    { type, bias: true, starts: true },
    { type, attributes: { direction: "reverse" }, bias: true },
    { type, attributes: { direction: "bidirectional" }, bias: true, starts: true },
    { type, attributes: { direction: "bidirectional" }, bias: true, starts: true, lengths: [2, 3] },
    { type, lengths: [3, 1] },
    { type, attributes: { clip: f(0.3) }, bias: true },
  ]),
  { type: "GRU", attributes: { linear_before_reset: 1 }, bias: true, starts: true },
  { type: "LSTM", bias: true, starts: true, peepholes: true },
  { type: "LSTM", attributes: { direction: "bidirectional" }, peepholes: true, lengths: [1, 3] },
  { type: "LSTM", attributes: { input_forget: 1 }, bias: true },
  { type: "LSTM", attributes: { activations: strings("HardSigmoid", "Softsign", "Relu") }, bias: true },
  {
    type: "LSTM",
    attributes: {
      activations: strings("hardsigmoid", "ScaledTanh", "Affine"),
      activation_alpha: floatsOf(0.3, 1.2, 0.8),
      activation_beta: floatsOf(0.4, 0.7, 0.1),
    },
  },
  { type: "GRU", attributes: { activations: strings("Sigmoid", "Elu"), activation_alpha: floatsOf(0.5) } },
  {
    // Without a number ONNX Runtime takes another than the standard's 1.
    type: "RNN",
    attributes: { activations: strings("ThresholdedRelu"), activation_alpha: floatsOf(0.5) },
  },
  ...["Relu", "LeakyRelu", "Softplus", "Softsign", "Elu", "HardSigmoid"].map((name): Case => ({
    type: "RNN",
    attributes: { activations: strings(name) },
    bias: true,
  })),
];

function operandsOf({ type, attributes, bias, lengths, starts, peepholes }: Case): [string, TensorData][] {
  const directions = attributes?.direction === "bidirectional" ? 2 : 1;
  const rows = GATES[type] * HIDDEN;
  const half = (shape: readonly number[], phase: number) => {
    const { data } = wave(shape, phase);
    return tensorData(
      (data as Float32Array).map((v) => v * 0.6),
      shape,
    );
  };
  const all: [string, TensorData | undefined][] = [
    ["x", half([STEPS, BATCH, FEATURES], 0)],
    ["w", half([directions, rows, FEATURES], 0.3)],
    ["r", half([directions, rows, HIDDEN], 0.9)],
    ["b", bias ? half([directions, 2 * rows], 1.4) : undefined],
    ["lengths", lengths && tensorData(Int32Array.from(lengths), [BATCH], "int32")],
    ["h", starts ? half([directions, BATCH, HIDDEN], 2) : undefined],
    ["c", starts && type === "LSTM" ? half([directions, BATCH, HIDDEN], 2.2) : undefined],
    ["p", peepholes ? half([directions, 3 * HIDDEN], 2.6) : undefined],
  ];
  while (all.at(-1)![1] === undefined) all.pop();
  return all.map(([name, data]) => (data ? [name, data] : ["", undefined as never]));
}

function fileOf(one: Case, length: number | string = STEPS): Uint8Array {
  const operands = operandsOf(one);
  const outputs = one.type === "LSTM" ? ["y", "last", "cell"] : ["y", "last"];
  return modelBytes({
    nodes: [
      node(
        one.type,
        operands.map(([name]) => name),
        outputs,
        { hidden_size: HIDDEN, ...one.attributes },
      ),
    ],
    inputs: operands.flatMap(([name, data]) => {
      if (name === "") return [];
      const shape = name === "x" ? [length, "N", FEATURES] : data.shape;
      return [{ name, shape, dtype: data.dtype }];
    }),
    outputs,
  });
}

function feedsOf(one: Case): Record<string, TensorData> {
  return Object.fromEntries(operandsOf(one).filter(([name]) => name !== ""));
}

describe("recurrent operators, unrolled", () => {
  for (const one of CASES) {
    const { type, attributes = {}, bias, lengths, starts, peepholes } = one;
    const details = [
      JSON.stringify(attributes),
      bias && "bias",
      lengths && `lengths ${lengths.join()}`,
      starts && "initial state",
      peepholes && "peepholes",
    ].filter(Boolean);
    it(`${type} ${details.join(", ")}`, async () => {
      // Differences say nothing across a kink, which some states lie next to.
      const hasKink = JSON.stringify(attributes).includes("Relu");
      const check = hasKink ? { differentiate: [] } : {};
      expect(await importProblems(fileOf(one), feedsOf(one), check)).toEqual([]);
    });
  }

  it("is the same batch first, which ONNX Runtime lacks on the CPU", async () => {
    const turned = (name: string, x: string, y: string, perm: number[]) => node(name, [x], [y], { perm });
    const operands = ["x", "w", "r", "b", "", "h", "c"];
    const attributes = { hidden_size: HIDDEN, direction: "bidirectional" };
    const feeds = feedsOf({ type: "LSTM", bias: true, starts: true, attributes });
    const inputs = (batchFirst: boolean) =>
      Object.entries(feeds).map(([name, { shape }]) => {
        const [a, b, ...rest] = shape;
        const isSwapped = batchFirst && "xhc".includes(name);
        return { name, shape: isSwapped ? [b!, a!, ...rest] : shape };
      });
    const file = modelBytes({
      nodes: [node("LSTM", operands, ["y", "last", "cell"], { ...attributes, layout: 1 })],
      inputs: inputs(true),
      outputs: ["y", "last", "cell"],
    });
    const reference = modelBytes({
      nodes: [
        node("LSTM", operands, ["y0", "last0", "cell0"], attributes),
        turned("Transpose", "y0", "y", [2, 0, 1, 3]),
        turned("Transpose", "last0", "last", [1, 0, 2]),
        turned("Transpose", "cell0", "cell", [1, 0, 2]),
      ],
      inputs: inputs(false),
      outputs: ["y", "last", "cell"],
    });
    const swapped = Object.fromEntries(
      Object.entries(feeds).map(([name, value]) => {
        if (!"xhc".includes(name)) return [name, value];
        const [a, b, c] = value.shape as [number, number, number];
        const data = Float32Array.from({ length: a * b * c }, (_, i) => {
          const [row, column, at] = [Math.floor(i / (a * c)), Math.floor(i / c) % a, i % c];
          return Number(value.data[(column * b + row) * c + at]);
        });
        return [name, tensorData(data, [b, a, c])];
      }),
    );
    const got = await run(rewritten(file).bytes, swapped);
    expect(difference(got, await run(reference, feeds))).toBeLessThan(1e-6);
  });
});

describe("recurrent operators over sequences of named length", () => {
  for (const type of ["RNN", "GRU", "LSTM"] as const) {
    const one: Case = { type, bias: true, attributes: { direction: "bidirectional" } };
    it(`${type} stays what it is and has no gradient`, async () => {
      const file = fileOf(one, "T");
      const { model, bytes } = rewritten(file);
      expect(model.outputs.y!.shape).toEqual(["T", 2, "N", HIDDEN]);
      expect(model.outputs.last!.shape).toEqual([2, "N", HIDDEN]);
      expect(difference(await run(file, feedsOf(one)), await run(bytes, feedsOf(one)))).toBe(0);
      expect(() => gradients([model.outputs.y!], [model.inputs.x!])).toThrow(
        /give the length in inputShapes/,
      );
      const fixed = readOnnx(file, { inputShapes: { x: [STEPS, "N", FEATURES] } });
      expect(gradients([fixed.outputs.y!], [fixed.inputs.x!])[0]!.shape).toEqual([STEPS, "N", FEATURES]);
    });
  }

  it("refuses weights that do not fit and activations that are none", () => {
    const file = (attributes: Attributes, length: number | string) =>
      fileOf({ type: "GRU", attributes }, length);
    expect(() => readOnnx(file({ hidden_size: 5 }, 3))).toThrow(/expected input 1 of shape \[1, 15, 2\]/);
    expect(() => readOnnx(file({ direction: "bidirectional", hidden_size: 4 }, 3))).toThrow(
      /of shape \[2, 12/,
    );
    expect(() => readOnnx(file({ activations: strings("Sigmoid", "Cubic") }, 3))).toThrow(
      /expected activations of the ONNX standard, got "Cubic"/,
    );
    expect(() => readOnnx(file({ activations: strings("Tanh") }, 3))).toThrow(
      /expected 2 activations, got 1/,
    );
    expect(() => readOnnx(file({ direction: "sideways" }, 3))).toThrow(
      /expected the direction forward, reverse or bidirectional, got "sideways"/,
    );
  });
});
