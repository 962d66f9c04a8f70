import { describe, expect, it } from "vitest";
import type { Dim } from "../../../src/graph/dims.js";
import type { TensorData } from "../../../src/graph/dtype.js";
import { tensorData } from "../../../src/graph/dtype.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { importProblems } from "./imports.js";
import { floats, ints, modelBytes, node, wave } from "./models.js";

const f = (float: number) => ({ float });
const bools = (shape: readonly number[], open: (i: number) => boolean): TensorData =>
  tensorData(
    Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Number(open(i))),
    shape,
    "bool",
  );

interface Case {
  readonly what: string;
  readonly opset?: number;
  readonly query: readonly number[];
  readonly key: readonly number[];
  /** By name: mask, pastKey, pastValue, count. */
  readonly more?: Readonly<Record<string, TensorData>>;
  readonly attributes?: Attributes;
  readonly outputs?: readonly string[];
}

const ORDER = ["mask", "pastKey", "pastValue", "count"];
const ALL = ["y", "presentKey", "presentValue", "scores"];
const past = { pastKey: wave([2, 2, 2, 4], 0.2), pastValue: wave([2, 2, 2, 4], 0.9) };
const four = { query: [2, 2, 3, 4], key: [2, 2, 5, 4] };

const CASES: readonly Case[] = [
  { what: "four axes", ...four },
  {
    what: "three axes",
    query: [2, 3, 8],
    key: [2, 5, 8],
    attributes: { q_num_heads: 2, kv_num_heads: 2, scale: f(0.7) },
  },
  {
    what: "three axes, heads that share",
    query: [2, 3, 16],
    key: [2, 5, 8],
    attributes: { q_num_heads: 4, kv_num_heads: 2, is_causal: 1 },
  },
  {
    what: "heads that share, a cap",
    query: [2, 4, 3, 4],
    key: [2, 2, 5, 4],
    attributes: { softcap: f(1.5) },
  },
  { what: "causal", query: [1, 2, 4, 4], key: [1, 2, 4, 4], attributes: { is_causal: 1 } },
  { what: "a mask of two axes", ...four, more: { mask: wave([3, 5]) } },
  { what: "a mask of four axes", ...four, more: { mask: wave([2, 1, 3, 5]) }, attributes: { is_causal: 1 } },
  {
    what: "a mask of truth values, one query closed",
    ...four,
    more: { mask: bools([3, 5], (i) => i < 5 || (i > 9 && i % 2 === 0)) },
  },
  { what: "past", ...four, more: past, outputs: ALL.slice(0, 3) },
  {
    what: "past, causal, a mask",
    ...four,
    more: { ...past, mask: wave([2, 1, 3, 7]) },
    attributes: { is_causal: 1 },
    outputs: ALL.slice(0, 3),
  },
  ...[0, 1, 2, 3].map((mode) => ({
    what: `scores of mode ${mode}`,
    ...four,
    more: { ...past, mask: wave([3, 7]) },
    attributes: { qk_matmul_output_mode: mode },
    outputs: ALL,
  })),
  {
    what: "padding in the cache",
    opset: 24,
    ...four,
    more: { count: ints([3, 5]) },
  },
  {
    what: "padding in the cache, causal",
    opset: 24,
    ...four,
    more: { count: ints([4, 5]) },
    attributes: { is_causal: 1 },
  },
];

describe("Attention", () => {
  for (const { what, opset = 23, query, key, more = {}, attributes, outputs = ["y"] } of CASES) {
    // A mask or a past of fixed lengths would fix those of the queries and keys.
    for (const named of Object.keys(more).length === 0 ? [false, true] : [false]) {
      it(`${what}, opset ${opset}${named ? ", named lengths" : ""}`, async () => {
        const feeds = { q: wave(query), k: wave(key, 0.5), v: wave(key, 1.1), ...more };
        const axis = query.length - 2;
        const ports = Object.entries(feeds).map(([name, { shape, dtype }]) => {
          const isNamed = named && "qkv".includes(name);
          const dims: Dim[] = [...shape];
          if (isNamed) [dims[0], dims[axis]] = ["B", name === "q" ? "Q" : "K"];
          return { name, shape: dims, dtype };
        });
        const operands = ORDER.map((name) => (name in more ? name : ""));
        while (operands.at(-1) === "") operands.pop();
        const bytes = modelBytes(
          {
            nodes: [node("Attention", ["q", "k", "v", ...operands], outputs, attributes)],
            inputs: ports,
            outputs,
          },
          opset,
        );
        expect(await importProblems(bytes, feeds)).toEqual([]);
      });
    }
  }

  it("refuses heads that do not fit", () => {
    const file = (attributes: Attributes) =>
      modelBytes(
        {
          nodes: [node("Attention", ["q", "k", "k"], ["y"], attributes)],
          inputs: [
            { name: "q", shape: [1, 3, 9] },
            { name: "k", shape: [1, 3, 6] },
          ],
          outputs: ["y"],
        },
        23,
      );
    expect(() => readOnnx(file({ q_num_heads: 2, kv_num_heads: 2 }))).toThrow(
      /9 features cannot be divided among 2/,
    );
    expect(() => readOnnx(file({ q_num_heads: 3, kv_num_heads: 2 }))).toThrow(
      /3 heads of queries cannot share/,
    );
  });
});

describe("RotaryEmbedding", () => {
  const turned = (shape: readonly number[], attributes: Attributes, partial: boolean, positions: boolean) => {
    const half = partial ? 2 : 4;
    const feeds = {
      x: wave(shape),
      cos: positions ? wave([9, half], 0.4) : wave([2, 3, half], 0.4),
      sin: positions ? wave([9, half], 0.8) : wave([2, 3, half], 0.8),
      ...(positions && { places: ints([0, 8, 3, 1, 1, 2], [2, 3]) }),
    };
    const bytes = modelBytes(
      {
        nodes: [
          node("RotaryEmbedding", ["x", "cos", "sin", ...(positions ? ["places"] : [])], ["y"], {
            ...attributes,
            ...(partial && { rotary_embedding_dim: 4 }),
          }),
        ],
        inputs: Object.entries(feeds).map(([name, data]) => ({
          name,
          shape: name === "x" ? ["B", ...data.shape.slice(1)] : data.shape,
          dtype: data.dtype,
        })),
        outputs: ["y"],
      },
      23,
    );
    return importProblems(bytes, feeds);
  };
  for (const interleaved of [0, 1]) {
    for (const partial of [false, true]) {
      for (const positions of [false, true]) {
        const title = `interleaved ${interleaved}${partial ? ", in part" : ""}${positions ? ", by positions" : ""}`;
        it(title, async () => {
          expect(await turned([2, 2, 3, 8], { interleaved }, partial, positions)).toEqual([]);
          const flat = { interleaved, num_heads: 2 };
          expect(await turned([2, 3, 16], flat, partial, positions)).toEqual([]);
        });
      }
    }
  }
});

describe("parts of length 0", () => {
  it("are split off and joined again", async () => {
    const bytes = modelBytes({
      nodes: [
        node("Split", ["x", "sizes"], ["a", "b"], { axis: 1 }),
        node("Neg", ["a"], ["c"]),
        node("Concat", ["b", "c", "b"], ["y"], { axis: 1 }),
      ],
      inputs: [{ name: "x", shape: [2, 3] }],
      outputs: ["y"],
      initializers: { sizes: ints([3, 0]) },
    });
    expect(await importProblems(bytes, { x: floats([1, 2, 3, 4, 5, 6], [2, 3]) })).toEqual([]);
  });
});
