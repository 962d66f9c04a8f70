import { describe, expect, it } from "vitest";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import type { TensorData } from "../../../src/graph/dtype.js";
import type { Feeds } from "./models.js";
import { floats, ints, modelBytes, node, rewritten, run, wave } from "./models.js";
import { importProblems } from "./imports.js";

/*
 * LinearAttention, CausalConvWithState and SwiGLU of opsets 27 and 28, which ONNX Runtime does not run: the oracle is
 * the recurrence of the standard in plain loops.
 */

interface Sizes {
  readonly batch: number;
  readonly length: number;
  readonly queryHeads: number;
  readonly heads: number;
  readonly keys: number;
  readonly values: number;
}

/** S_t, o_t of the standard, one number after the other. */
function attention(
  rule: string,
  scale: number,
  s: Sizes,
  feeds: Feeds,
  wideDecay: boolean,
): Record<string, number[]> {
  const at = (name: string, b: number, t: number, place: number) => {
    const { data, shape } = feeds[name]!;
    return Number(data[(b * s.length + t) * shape[2]! + place]);
  };
  const output = new Array<number>(s.batch * s.length * s.queryHeads * s.values).fill(0);
  const present: number[] = [];
  for (let b = 0; b < s.batch; b++)
    for (let h = 0; h < s.heads; h++) {
      const state = Array.from({ length: s.keys }, (_, i) =>
        Array.from({ length: s.values }, (_, j) =>
          Number(feeds.past_state?.data[((b * s.heads + h) * s.keys + i) * s.values + j] ?? 0),
        ),
      );
      for (let t = 0; t < s.length; t++) {
        const key = (i: number) => at("key", b, t, h * s.keys + i);
        if (rule.startsWith("gated"))
          state.forEach((row, i) => {
            const gate = Math.exp(at("decay", b, t, wideDecay ? h * s.keys + i : h));
            row.forEach((value, j) => (row[j] = value * gate));
          });
        const written = Array.from({ length: s.values }, (_, j) => {
          const value = at("value", b, t, h * s.values + j);
          if (!rule.endsWith("delta")) return value;
          const beta = at("beta", b, t, feeds.beta!.shape[2] === 1 ? 0 : h);
          return beta * (value - state.reduce((sum, row, i) => sum + row[j]! * key(i), 0));
        });
        for (const [i, row] of state.entries())
          for (const [j, value] of row.entries()) row[j] = value + key(i) * written[j]!;
        const group = s.queryHeads / s.heads;
        for (let q = h * group; q < (h + 1) * group; q++)
          for (let j = 0; j < s.values; j++)
            output[((b * s.length + t) * s.queryHeads + q) * s.values + j] = state.reduce(
              (sum, row, i) => sum + scale * at("query", b, t, q * s.keys + i) * row[j]!,
              0,
            );
      }
      present.push(...state.flat());
    }
  return { output, present_state: present };
}

function expectNumbers(got: Record<string, TensorData>, wanted: Record<string, readonly number[]>): void {
  for (const [name, values] of Object.entries(wanted)) {
    expect(got[name]!.data.length, name).toBe(values.length);
    values.forEach((value, i) => {
      expect(Number(got[name]!.data[i]), `${name}[${i}]`).toBeCloseTo(value, 4);
    });
  }
}

const small = (shape: readonly number[], phase: number): TensorData => {
  const { data } = wave(shape, phase);
  return floats(
    Array.from(data as Float32Array, (v) => v / 3),
    shape,
  );
};

const SIZES: Sizes = { batch: 2, length: 3, queryHeads: 4, heads: 2, keys: 3, values: 5 };

describe("LinearAttention", () => {
  it.each([
    ["linear", {}, SIZES],
    ["gated", {}, SIZES],
    ["gated", { wide: true, past: true }, SIZES],
    ["delta", { past: true }, SIZES],
    ["delta", { shared: true }, { ...SIZES, length: 1 }],
    ["gated_delta", { wide: true, past: true, scale: 0.7 }, SIZES],
    ["gated_delta", { shared: true }, { ...SIZES, heads: 1 }],
  ] as const)(
    "%s %j",
    async (rule, options: { wide?: true; past?: true; shared?: true; scale?: number }, s) => {
      const sizes: Record<string, readonly number[]> = {
        query: [s.batch, s.length, s.queryHeads * s.keys],
        key: [s.batch, s.length, s.heads * s.keys],
        value: [s.batch, s.length, s.heads * s.values],
        ...(options.past && { past_state: [s.batch, s.heads, s.keys, s.values] }),
        ...(rule.startsWith("gated") && {
          decay: [s.batch, s.length, s.heads * (options.wide ? s.keys : 1)],
        }),
        ...(rule.endsWith("delta") && { beta: [s.batch, s.length, options.shared ? 1 : s.heads] }),
      };
      const order = ["query", "key", "value", "past_state", "decay", "beta"];
      const attributes: Attributes = {
        q_num_heads: s.queryHeads,
        kv_num_heads: s.heads,
        ...(rule !== "gated_delta" && { update_rule: rule }),
        ...(options.scale !== undefined && { scale: { float: options.scale } }),
      };
      const bytes = modelBytes(
        {
          nodes: [
            node(
              "LinearAttention",
              order.map((name) => (name in sizes ? name : "")),
              ["output", "present_state"],
              attributes,
            ),
          ],
          inputs: Object.entries(sizes).map(([name, shape]) => ({ name, shape })),
          outputs: ["output", "present_state"],
        },
        27,
      );
      const feeds = Object.fromEntries(
        Object.entries(sizes).map(([name, shape], i) => [name, small(shape, i)]),
      );
      const again = rewritten(bytes);
      const scale = options.scale ?? 1 / Math.sqrt(s.keys);
      expectNumbers(await run(again.bytes, feeds), attention(rule, scale, s, feeds, options.wide === true));
      // The written file has ordinary operators, so ONNX Runtime gives the differences for its gradients.
      expect(await importProblems(again.bytes, feeds)).toEqual([]);
    },
  );

  it("is refused in words", () => {
    const file = (shape: readonly (number | string)[], attributes: Attributes) =>
      modelBytes(
        {
          nodes: [
            node("LinearAttention", ["x", "x", "x"], ["y"], {
              q_num_heads: 1,
              kv_num_heads: 1,
              ...attributes,
            }),
          ],
          inputs: [{ name: "x", shape }],
          outputs: ["y"],
        },
        27,
      );
    expect(() => readOnnx(file([1, "n", 2], { update_rule: "linear" }))).toThrow(
      "expected queries [batch, length, features] of known length",
    );
    expect(() => readOnnx(file([1, 2, 2], { update_rule: "none" }))).toThrow("expected an update_rule among");
    expect(() => readOnnx(file([1, 2, 2], {}))).toThrow("(LinearAttention): input 4 is missing");
  });
});

describe("CausalConvWithState", () => {
  const [x, weight] = [wave([2, 3, 4]), wave([3, 1, 3], 1)];

  it.each([
    ["none", []],
    ["silu", ["bias"]],
    ["swish", ["past"]],
    ["none", ["bias", "past"]],
  ] as const)("activation %s with %j", async (activation, given: readonly string[]) => {
    const others: Record<string, TensorData> = { bias: wave([3], 2), past: wave([2, 3, 2], 3) };
    const feeds = { x, weight, ...Object.fromEntries(given.map((name) => [name, others[name]!])) };
    const name = (text: string) => (given.includes(text) ? text : "");
    const bytes = modelBytes(
      {
        nodes: [
          node("CausalConvWithState", ["x", "weight", name("bias"), name("past")], ["y", "state"], {
            activation,
          }),
        ],
        inputs: Object.entries(feeds).map(([port, { shape }]) => ({ name: port, shape })),
        outputs: ["y", "state"],
      },
      27,
    );
    const element = ({ data }: TensorData, i: number) => Number(data[i]);
    const before = (row: number, at: number) =>
      at >= 0
        ? element(x, row * 4 + at)
        : given.includes("past")
          ? element(others.past!, row * 2 + at + 2)
          : 0;
    const rows = [0, 1, 2, 3, 4, 5];
    const y = rows.flatMap((row) =>
      [0, 1, 2, 3].map((t) => {
        const own = [0, 1, 2].reduce(
          (sum, k) => sum + element(weight, (row % 3) * 3 + k) * before(row, t + k - 2),
          0,
        );
        const sum = own + (given.includes("bias") ? element(others.bias!, row % 3) : 0);
        return activation === "none" ? sum : sum / (1 + Math.exp(-sum));
      }),
    );
    const again = rewritten(bytes);
    const state = rows.flatMap((row) => [before(row, 2), before(row, 3)]);
    expectNumbers(await run(again.bytes, feeds), { y, state });
    expect(await importProblems(again.bytes, feeds)).toEqual([]);
  });

  it("is refused in words", () => {
    const file = (attributes: Attributes, kernel: number) =>
      modelBytes(
        {
          nodes: [node("CausalConvWithState", ["x", "w"], ["y", "s"], attributes)],
          inputs: [
            { name: "x", shape: [1, 2, 4] },
            { name: "w", shape: [2, 1, kernel] },
          ],
          outputs: ["y", "s"],
        },
        27,
      );
    expect(() => readOnnx(file({ activation: "relu" }, 3))).toThrow(
      'expected an activation among none, silu, swish, got "relu"',
    );
    expect(readOnnx(file({}, 1)).outputs.s!.shape).toEqual([1, 2, 0]);
  });
});

it("SwiGLU is a gate with Swish", async () => {
  const bytes = modelBytes(
    {
      nodes: [node("SwiGLU", ["a", "b"], ["y"], { alpha: { float: 0.5 } })],
      inputs: ["a", "b"].map((name) => ({ name, shape: [2, 3] })),
      outputs: ["y"],
    },
    28,
  );
  const feeds = { a: wave([2, 3]), b: wave([2, 3], 1) };
  const again = rewritten(bytes);
  const y = Array.from(
    feeds.a.data as Float32Array,
    (a, i) => (a / (1 + Math.exp(-a / 2))) * Number(feeds.b.data[i]),
  );
  expectNumbers(await run(again.bytes, feeds), { y });
  expect(await importProblems(again.bytes, feeds)).toEqual([]);
});

describe("TfIdfVectorizer", () => {
  const attributes = (mode: string, skip: number, least = 1): Attributes => ({
    mode,
    max_skip_count: skip,
    min_gram_length: least,
    max_gram_length: 3,
    ngram_counts: [0, 4, 10],
    ngram_indexes: [0, 1, 2, 3, 6, 5, 4, 7],
    pool_int64s: [2, 3, 5, 4, 5, 6, 7, 8, 6, 7, 1, 1, 3],
    weights: { floats: [1, 0.5, 2, 3, -1, 4, 0.25, 1.5] },
  });

  it.each(
    ["TF", "IDF", "TFIDF"].flatMap((mode) =>
      [0, 1, 4].flatMap((skip) => [1, 2].map((least) => [mode, skip, least] as const)),
    ),
  )("%s, skips %i, from %i", async (mode, skip, least) => {
    for (const shape of [[14], [2, 7]]) {
      const bytes = modelBytes({
        nodes: [node("TfIdfVectorizer", ["x"], ["y"], attributes(mode, skip, least))],
        inputs: [{ name: "x", shape, dtype: "int64" }],
        outputs: ["y"],
      });
      const feeds = { x: ints([1, 1, 3, 3, 3, 7, 8, 8, 6, 7, 5, 6, 8, 5], shape) };
      const { y } = await run(bytes, feeds);
      expectNumbers(await run(rewritten(bytes).bytes, feeds), { y: Array.from(y!.data as Float32Array) });
    }
  });

  it("is refused over text", () => {
    const bytes = modelBytes({
      nodes: [
        node("TfIdfVectorizer", ["x"], ["y"], { ...attributes("TF", 0), pool_int64s: { strings: ["a"] } }),
      ],
      inputs: [{ name: "x", shape: [3], dtype: "int64" }],
      outputs: ["y"],
    });
    expect(() => readOnnx(bytes)).toThrow("(TfIdfVectorizer): its pool is text, which Striate does not have");
  });
});

describe("Pad in the mode wrap", () => {
  const file = (pads: readonly number[], axes?: readonly number[]) =>
    modelBytes(
      {
        nodes: [node("Pad", ["x", "pads", "", axes ? "axes" : ""], ["y"], { mode: "wrap" })],
        inputs: [{ name: "x", shape: [2, 3] }],
        outputs: ["y"],
        initializers: { pads: ints(pads), ...(axes && { axes: ints(axes) }) },
      },
      19,
    );

  it.each([
    [[0, 1, 0, 2], undefined],
    [[2, 0, 1, 3], undefined],
    [[2, 1], [-1]],
  ])("by %j, axes %j", async (pads, axes) => {
    expect(await importProblems(file(pads, axes), { x: wave([2, 3]) })).toEqual([]);
  });

  it("repeats the elements more than once, and refuses negative pads", async () => {
    const { y } = await run(rewritten(file([0, 5, 0, 4])).bytes, { x: floats([1, 2, 3, 4, 5, 6], [2, 3]) });
    const row = [2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1];
    expect(Array.from(y!.data as Float32Array)).toEqual([...row, ...row.map((value) => value + 3)]);
    expect(() => readOnnx(file([0, -1, 0, 0]))).toThrow("negative pads in the mode wrap are not supported");
  });
});
