import { describe, expect, it } from "vitest";
import type { DType, Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { apply, applySingle } from "../../src/graph/operator.js";
import type { Attributes } from "../../src/graph/tensor.js";
import { tensorData } from "../../src/graph/dtype.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import { difference, floats, modelBytes, node, rewritten, run, wave } from "./onnx/models.js";
import { uniform } from "./operators/values.js";

/** Numbers as a constant of a type. */
const of = (values: readonly number[], dtype: DType, shape = [values.length]) =>
  g.constant([...values], shape, dtype);
const scalar = (value: number, dtype: DType = "float32") => g.constant(value, [], dtype);

/** Reproducible whole numbers in [low, high). */
function wholes(shape: readonly number[], seed: number, low: number, high: number, dtype: DType): Tensor {
  const { data } = uniform(shape, seed, low, high);
  return g.constant(data.map(Math.floor), shape, dtype);
}

async function results(outputs: Readonly<Record<string, Tensor>>, x = wave([2, 3, 4, 4])) {
  return run(g.writeOnnx(outputs).bytes, { x });
}

const numbersOf = (data: ArrayLike<number | bigint>) => Array.from(data, Number);

/** x quantised to uint8 of step 1/32 around 128. */
const SCALE = 1 / 32;
const quantise = (x: Tensor, dtype: "uint8" | "int8" = "uint8") =>
  g.quantizeLinear(x, scalar(SCALE), scalar(dtype === "uint8" ? 128 : 0, dtype));

interface Case {
  readonly label: string;
  /** From float32 [2, 3, 4, 4]. */
  readonly build: (x: Tensor) => Tensor;
}

const weight = wholes([4, 3, 3, 3], 1, -127, 128, "int8");
const perChannel = of([0.01, 0.02, 0.005, 0.015], "float32");
const noZeros = of([0, 0, 0, 0], "int8");
const matrix = wholes([4, 5], 2, -127, 128, "int8");
const tail = [scalar(0.5), scalar(100, "uint8")];
const own = (type: string, inputs: readonly (Tensor | undefined)[], attributes: Attributes = {}) =>
  applySingle(`com.microsoft::${type}`, inputs, attributes);
const operand = (x: Tensor) => [quantise(x), scalar(SCALE), scalar(128, "uint8")];

const CASES: readonly Case[] = [
  { label: "QuantizeLinear to uint8", build: (x) => quantise(x) },
  { label: "QuantizeLinear to int8", build: (x) => quantise(x, "int8") },
  {
    label: "QuantizeLinear to int16",
    build: (x) => g.quantizeLinear(x, scalar(0.001), scalar(-5, "int16")),
  },
  {
    label: "quantised along an axis and back",
    build: (x) => {
      const [scales, zeros] = [of([0.01, 0.02, 0.03], "float32"), of([1, 2, 3], "uint8")];
      return g.dequantizeLinear(g.quantizeLinear(x, scales, zeros), scales, zeros);
    },
  },
  {
    label: "quantised in blocks, the last one short, and back",
    build: (x) => {
      const scales = g.constant(
        Array.from({ length: 48 }, (_, i) => 0.01 + i / 1000),
        [2, 3, 4, 2],
      );
      const zeros = g.constant(Array<number>(48).fill(3), [2, 3, 4, 2], "int8");
      const how = { axis: -1, blockSize: 3 };
      return g.dequantizeLinear(g.quantizeLinear(x, scales, zeros, how), scales, zeros, how);
    },
  },
  {
    label: "quantised in half precision and back",
    build: (x) => {
      const scale = scalar(SCALE, "float16");
      const q = g.quantizeLinear(g.cast(x, "float16"), scale, scalar(0, "int8"));
      return g.cast(g.dequantizeLinear(q, scale, scalar(0, "int8")), "float32");
    },
  },
  {
    label: "DequantizeLinear of int32",
    build: (x) => g.dequantizeLinear(g.cast(quantise(x), "int32"), scalar(0.25)),
  },
  {
    label: "DynamicQuantizeLinear",
    build: (x) => {
      const [q, scale, zero] = apply("DynamicQuantizeLinear", [x], {}, { outputs: 3 });
      return g.dequantizeLinear(q!, scale!, zero);
    },
  },
  {
    label: "ConvInteger",
    build: (x) =>
      applySingle("ConvInteger", [quantise(x), weight, scalar(128, "uint8")], { pads: [1, 1, 1, 1] }),
  },
  {
    label: "MatMulInteger",
    build: (x) => applySingle("MatMulInteger", [quantise(x), matrix, scalar(128, "uint8")]),
  },
  {
    label: "QLinearConv",
    build: (x) =>
      applySingle(
        "QLinearConv",
        [...operand(x), weight, perChannel, noZeros, ...tail, wholes([4], 3, -900, 900, "int32")],
        { strides: [2, 2], pads: [1, 1, 1, 1] },
      ),
  },
  {
    label: "QLinearMatMul",
    build: (x) =>
      applySingle("QLinearMatMul", [...operand(x), matrix, scalar(0.01), scalar(0, "int8"), ...tail]),
  },
  {
    label: "QLinearAdd",
    build: (x) =>
      own("QLinearAdd", [...operand(x), ...operand(g.mul(x, x)), scalar(0.05), scalar(80, "uint8")]),
  },
  {
    label: "QLinearMul",
    build: (x) =>
      own("QLinearMul", [...operand(x), ...operand(g.mul(x, x)), scalar(0.05), scalar(80, "uint8")]),
  },
  {
    label: "QLinearLeakyRelu",
    build: (x) =>
      own("QLinearLeakyRelu", [...operand(x), scalar(0.02), scalar(9, "uint8")], { alpha: { float: 0.1 } }),
  },
  {
    label: "QLinearSigmoid",
    build: (x) => own("QLinearSigmoid", [...operand(x), scalar(1 / 256), scalar(0, "uint8")]),
  },
  {
    label: "QLinearGlobalAveragePool",
    build: (x) =>
      own("QLinearGlobalAveragePool", [...operand(x), scalar(0.01), scalar(99, "uint8")], {
        channels_last: 0,
      }),
  },
  {
    label: "QLinearAveragePool",
    build: (x) =>
      own("QLinearAveragePool", [...operand(x), scalar(0.02), scalar(99, "uint8")], {
        kernel_shape: [2, 2],
        strides: [2, 2],
      }),
  },
  {
    label: "QLinearConcat",
    build: (x) =>
      own("QLinearConcat", [scalar(0.03), scalar(120, "uint8"), ...operand(x), ...operand(g.mul(x, x))], {
        axis: 1,
      }),
  },
  {
    label: "QGemm",
    build: (x) => {
      const [q, scale, zero] = operand(x);
      const rows = g.reshape(q!, [24, 4]);
      const bias = wholes([5], 4, -500, 500, "int32");
      return own(
        "QGemm",
        [
          rows,
          scale,
          zero,
          matrix,
          of([0.01, 0.02, 0.01, 0.03, 0.02], "float32"),
          of([0, 0, 0, 0, 0], "int8"),
          bias,
          ...tail,
        ],
        {},
      );
    },
  },
];

describe("quantised operators", () => {
  it.each(CASES)("$label: is read and written as it is, and gives the same", async ({ build }) => {
    const y = build(g.input("x", [2, 3, 4, 4]));
    const original = g.writeOnnx({ y }).bytes;
    const again = rewritten(original);
    expect(again.bytes.byteLength).toBeLessThan(original.byteLength * 1.05 + 100);
    const types = (tensor: Tensor) =>
      g
        .topologicalOrder([tensor])
        .flatMap(({ type, leaf }) => (leaf === undefined ? [type] : []))
        .sort();
    expect(types(again.model.outputs.y!)).toEqual(types(y));
    const feeds = { x: wave([2, 3, 4, 4]) };
    const expected = await run(original, feeds);
    expect(difference(await run(again.bytes, feeds), expected)).toBe(0);
    const portable = g.lower(again.model.outputs, "portable");
    expect(JSON.stringify(g.topologicalOrder(Object.values(portable)).map(({ type }) => type))).not.toContain(
      "com.microsoft",
    );
    // Operators of ONNX Runtime may round the other way where two numbers are as near.
    expect(difference(await run(g.writeOnnx(portable).bytes, feeds), expected)).toBeLessThanOrEqual(1);
  });
});

// ---- gradients ---------------------------------------------------------------------------------------------------------

/** Gradient of a weighted sum of y at x, and the weights. */
async function slope(build: (x: Tensor) => Tensor, x = wave([2, 3, 4, 4])) {
  const leaf = g.input("x", x.shape);
  const y = g.cast(build(leaf), "float32");
  const weights = wave(y.shape as number[], 1);
  const [dx] = g.gradients(g.sum(g.mul(y, g.constant(weights))), [leaf]);
  expect(dx!.dtype).toBe("float32");
  const files = (["cpu", "portable"] as const).map(
    (target) => g.writeOnnx(g.lower({ dx: dx! }, target)).bytes,
  );
  const [cpu, portable] = await Promise.all(files.map((bytes) => run(bytes, { x })));
  expect(difference(cpu!, portable!)).toBeLessThan(1e-3);
  return { dx: numbersOf(cpu!.dx!.data), weights: numbersOf(weights.data), x: numbersOf(x.data) };
}

function near(got: readonly number[], expected: readonly number[], tolerance = 1e-5): void {
  expect(got).toHaveLength(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  expect(got.filter((value, i) => !(Math.abs(value - expected[i]!) <= tolerance * scale))).toEqual([]);
}

/** What an operator stands for: dequantised operands, the operator for floats, quantised again. */
function twin(
  x: Tensor,
  body: (...operands: Tensor[]) => Tensor,
  step: number,
  zero: number,
  others: readonly Tensor[] = [],
): Tensor {
  const there = (t: Tensor) => g.dequantizeLinear(quantise(t), scalar(SCALE), scalar(128, "uint8"));
  return g.quantizeLinear(body(there(x), ...others.map(there)), scalar(step), scalar(zero, "uint8"));
}

const dequantised = g.mul(g.cast(weight, "float32"), g.reshape(perChannel, [4, 1, 1, 1]));
const floatMatrix = g.mul(g.cast(matrix, "float32"), 0.01);

const TWINS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  ConvInteger: (x) => g.conv(g.div(x, SCALE), g.cast(weight, "float32"), undefined, { padding: 1 }),
  MatMulInteger: (x) => g.matmul(g.div(x, SCALE), g.cast(matrix, "float32")),
  QLinearConv: (x) => {
    const bias = g.mul(g.cast(wholes([4], 3, -900, 900, "int32"), "float32"), g.mul(perChannel, SCALE));
    return twin(x, (t) => g.conv(t, dequantised, bias, { stride: 2, padding: 1 }), 0.5, 100);
  },
  QLinearMatMul: (x) => twin(x, (t) => g.matmul(t, floatMatrix), 0.5, 100),
  QLinearAdd: (x) => twin(x, g.add, 0.05, 80, [g.mul(x, x)]),
  QLinearMul: (x) => twin(x, g.mul, 0.05, 80, [g.mul(x, x)]),
  QLinearLeakyRelu: (x) => twin(x, (t) => g.leakyRelu(t, 0.1), 0.02, 9),
  QLinearSigmoid: (x) => twin(x, g.sigmoid, 1 / 256, 0),
  QLinearGlobalAveragePool: (x) => twin(x, g.globalAveragePool, 0.01, 99),
  QLinearAveragePool: (x) => twin(x, (t) => g.averagePool(t, 2), 0.02, 99),
  QLinearConcat: (x) => twin(x, (a, b) => g.concat([a, b], 1), 0.03, 120, [g.mul(x, x)]),
  QGemm: (x) => {
    const scales = of([0.01, 0.02, 0.01, 0.03, 0.02], "float32");
    const bias = g.mul(g.cast(wholes([5], 4, -500, 500, "int32"), "float32"), g.mul(scales, SCALE));
    const b = g.mul(g.cast(matrix, "float32"), scales);
    return twin(x, (t) => g.add(g.matmul(g.reshape(t, [24, 4]), b), bias), 0.5, 100);
  },
};

describe("straight-through gradients", () => {
  it("of a quantiser are those above it inside of the range, and 0 outside", async () => {
    for (const [dtype, low, high] of [
      ["int8", -128, 127],
      ["uint8", -128, 127],
    ] as const) {
      const back = (x: Tensor) =>
        g.dequantizeLinear(quantise(x, dtype), scalar(SCALE), scalar(dtype === "uint8" ? 128 : 0, dtype));
      const { dx, weights, x } = await slope(
        back,
        floats([-9, -4.01, -3.99, -1, 0, 0.5, 3.96, 4.01, 9], [9]),
      );
      const inside = x.map((value) => Math.round(value / SCALE) >= low && Math.round(value / SCALE) <= high);
      expect(inside).toEqual([false, true, true, true, true, true, true, false, false]);
      near(
        dx,
        weights.map((value, i) => (inside[i] ? value : 0)),
      );
    }
  });

  it("divide by the scale of a quantiser, and multiply by that of what brings it back", async () => {
    const { dx, weights } = await slope((x) =>
      g.dequantizeLinear(g.quantizeLinear(x, scalar(0.5), scalar(0, "int8")), scalar(3), scalar(0, "int8")),
    );
    near(
      dx,
      weights.map((value) => value * 6),
    );
  });

  it("are the same along an axis and in blocks", async () => {
    for (const label of [
      "quantised along an axis and back",
      "quantised in half precision and back",
      "DynamicQuantizeLinear",
    ]) {
      const { dx, weights, x } = await slope(CASES.find((item) => item.label === label)!.build);
      const limits = x.map((_, i) => [0.01, 0.02, 0.03][Math.floor(i / 16) % 3]!);
      const zero = (i: number) => 1 + (Math.floor(i / 16) % 3);
      const alongAxis = label.includes("axis");
      near(
        dx,
        weights.map((value, i) => {
          const q = Math.round(x[i]! / limits[i]!) + zero(i);
          return alongAxis && (q < 0 || q > 255) ? 0 : value;
        }),
        1e-3,
      );
    }
    const blocks = CASES.find((item) => item.label.includes("blocks"))!;
    const { dx, weights, x } = await slope(blocks.build);
    near(
      dx,
      weights.map((value, i) => {
        const scale = 0.01 + (2 * Math.floor(i / 4) + Math.floor((i % 4) / 3)) / 1000;
        const q = Math.round(x[i]! / Math.fround(scale)) + 3;
        return q < -128 || q > 127 ? 0 : value;
      }),
    );
  });

  it.each(Object.keys(TWINS))(
    "of %s are those of the operator for floats between quantisers",
    async (kind) => {
      const found = CASES.find(({ label }) => label === kind)!;
      const [got, expected] = [await slope(found.build), await slope(TWINS[kind]!)];
      expect(expected.dx.some((value) => value !== 0)).toBe(true);
      near(got.dx, expected.dx, 1e-4);
    },
  );

  it("pass whole numbers through shapes, choices, pooling and limits as they pass floats", async () => {
    const bodies: Readonly<Record<string, (t: Tensor) => Tensor>> = {
      Reshape: (t) => g.reshape(t, [6, 16]),
      Transpose: (t) => g.transpose(t, [0, 2, 3, 1]),
      MaxPool: (t) => g.maxPool(t, 2),
      Concat: (t) => g.concat([t, t], 1),
      Slice: (t) => g.slice(t, [{ axis: 3, start: 1, end: 4, step: 2 }]),
      Clip: (t) => applySingle("Clip", [t, g.constant(-20, [], t.dtype), g.constant(30, [], t.dtype)]),
      Relu: (t) => g.relu(t),
      Max: (t) => applySingle("Max", [t, g.constant(5, [], t.dtype)]),
      Where: (t) =>
        applySingle("Where", [g.greater(t, g.constant(3, [], t.dtype)), t, g.constant(1, [], t.dtype)]),
      Cast: (t) => (t.dtype === "float32" ? t : g.cast(g.cast(t, "int32"), "int8")),
      Split: (t) => g.split(t, [1, 2], 1)[1]!,
    };
    for (const [name, body] of Object.entries(bodies)) {
      const whole = (x: Tensor) => g.dequantizeLinear(body(quantise(x, "int8")), scalar(SCALE));
      // Rounding has no gradient: the same places, found by values that are whole already.
      const data = Float32Array.from(
        wave([2, 3, 4, 4]).data as Float32Array,
        (v) => Math.round(v / SCALE) * SCALE,
      );
      const grid = tensorData(data, [2, 3, 4, 4]);
      const [got, expected] = [
        await slope(whole, grid),
        await slope((x) => g.mul(body(g.div(x, SCALE)), SCALE), grid),
      ];
      expect([name, got.dx.some((value) => value !== 0)]).toEqual([name, true]);
      near(got.dx, expected.dx);
    }
  });

  it("end at a cast to whole numbers, and go on from whole numbers that are cast back", async () => {
    const x = g.input("x", [2, 3, 4, 4]);
    const y = g.sum(g.cast(g.cast(g.mul(x, 10), "int32"), "float32"));
    const [dx] = g.gradients(y, [x]);
    expect(numbersOf((await results({ dx: dx! })).dx!.data).every((value) => value === 0)).toBe(true);
    const { dx: passed, weights } = await slope((t) =>
      g.mul(g.cast(g.cast(quantise(t, "int8"), "int32"), "float32"), SCALE),
    );
    near(passed, weights);
  });

  it("give the scale of weights its own, the scales of what is quantised none", async () => {
    const scale = g.input("scale", [4]);
    const w = g.dequantizeLinear(weight, scale, undefined, { axis: 0 });
    const [ds] = g.gradients(g.sum(g.mul(w, g.constant(wave([4, 3, 3, 3])))), [scale]);
    const got = await run(g.writeOnnx({ ds: ds! }).bytes, {});
    const q = numbersOf(g.constantData(weight)!.data);
    const factors = numbersOf(wave([4, 3, 3, 3]).data);
    near(
      numbersOf(got.ds!.data),
      [0, 1, 2, 3].map((c) =>
        q.slice(27 * c, 27 * c + 27).reduce((a, v, i) => a + v * factors[27 * c + i]!, 0),
      ),
      1e-4,
    );
    const [x, step] = [g.input("x", [2, 3, 4, 4]), g.input("step", [])];
    const back = g.dequantizeLinear(g.quantizeLinear(x, step, scalar(0, "int8")), step);
    const [none] = g.gradients(g.sum(back), [step]);
    expect(numbersOf((await run(g.writeOnnx({ none: none! }).bytes, {})).none!.data)).toEqual([0]);
  });

  it("reach float weights that a file quantises", async () => {
    const w = g.input("w", [4, 3, 3, 3]);
    const there = g.dequantizeLinear(
      g.quantizeLinear(w, of([0.02, 0.03, 0.02, 0.03], "float32"), noZeros, { axis: 0 }),
      of([0.02, 0.03, 0.02, 0.03], "float32"),
      noZeros,
      { axis: 0 },
    );
    const x = g.constant(wave([2, 3, 4, 4]));
    const pair = [there, w].map((kernel) => g.gradients(g.sum(g.conv(x, kernel)), [w])[0]!);
    const got = await run(g.writeOnnx(g.lower({ a: pair[0]!, b: pair[1]! }, "cpu")).bytes, {
      w: wave([4, 3, 3, 3]),
    });
    near(numbersOf(got.a!.data), numbersOf(got.b!.data));
  });
});

// ---- element types -----------------------------------------------------------------------------------------------------

describe("narrow element types", () => {
  it("are read and written bit for bit", () => {
    const stored = {
      int4: tensorData(Uint8Array.of(0x21, 0x0f), [3], "int4"),
      uint4: tensorData(Uint8Array.of(0x21, 0x43), [4], "uint4"),
      bfloat16: tensorData(Uint16Array.of(0x3f80, 0xc000), [2], "bfloat16"),
      float8e4m3fn: tensorData(Uint8Array.of(0x38, 0xb8), [2], "float8e4m3fn"),
    };
    for (const [dtype, data] of Object.entries(stored)) {
      const bytes = modelBytes(
        { nodes: [node("Cast", ["w"], ["y"], { to: 1 })], outputs: ["y"], initializers: { w: data } },
        21,
      );
      const again = readOnnx(rewritten(bytes).bytes).outputs.y!.node.inputs[0]!;
      expect([dtype, again.dtype, g.constantData(again)]).toEqual([dtype, dtype, data]);
    }
  });

  it("become floats in ONNX Runtime", async () => {
    const cast = async (data: ReturnType<typeof tensorData>) => {
      const y = g.cast(g.constant(data), "float32");
      return numbersOf((await run(g.writeOnnx({ y }).bytes, {})).y!.data);
    };
    expect(await cast(tensorData(Uint8Array.of(0x21, 0x0f), [3], "int4"))).toEqual([1, 2, -1]);
    expect(await cast(tensorData(Uint16Array.of(0x3f80, 0xc000), [2], "bfloat16"))).toEqual([1, -2]);
    expect(await cast(g.constantData(g.constant([1, -2], [2], "bfloat16"))!)).toEqual([1, -2]);
    expect(await cast(tensorData(Uint8Array.of(0x38, 0xb8), [2], "float8e4m3fn"))).toEqual([1, -1]);
  });

  it("of 4 bits hold weights of one scale for each block", async () => {
    const q = g.constant(tensorData(Uint8Array.of(0x21, 0x43, 0xfe, 0x98), [2, 4], "int4"));
    const y = g.dequantizeLinear(q, g.constant([1, 10, 0.5, 2], [2, 2]), undefined, {
      axis: 1,
      blockSize: 2,
    });
    const { bytes } = g.writeOnnx({ y });
    const got = await run(rewritten(bytes).bytes, {});
    expect(numbersOf(got.y!.data)).toEqual([1, 2, 30, 40, -1, -0.5, -16, -14]);
  });

  it("in half precision and bfloat16 pass gradients in single precision", async () => {
    for (const dtype of ["float16", "bfloat16", "float8e5m2"] as const) {
      const { dx, weights } = await slope((x) => g.cast(g.cast(x, dtype), "float32"));
      near(dx, weights);
    }
  });

  it("refuse numbers where only bits can be given", () => {
    expect(() => g.constant([1, 2], [2], "int4")).toThrow("numbers cannot be converted to int4");
    expect(() => tensorData(Uint8Array.of(1), [3], "int4")).toThrow("expected 2 elements, got 1");
  });
});

// ---- bad input ---------------------------------------------------------------------------------------------------------

describe("what cannot be quantised", () => {
  const x = { name: "x", shape: [2, 4] };
  const read = (initializers: Record<string, ReturnType<typeof floats>>, attributes: Attributes = {}) =>
    readOnnx(
      modelBytes(
        {
          nodes: [node("QuantizeLinear", ["x", ...Object.keys(initializers)], ["y"], attributes)],
          inputs: [x],
          outputs: ["y"],
          initializers,
        },
        21,
      ),
    );
  const zero = (values: number[], dtype: DType = "int8") => tensorData(values, [values.length], dtype);

  it.each([0, -1, NaN, Infinity])("is anything with a scale of %s", (value) => {
    expect(() => read({ s: floats([value], []) })).toThrow(
      /node "QuantizeLinear_of_y" \(QuantizeLinear\): .*the scale must be above 0 and finite, got/,
    );
  });

  it("is what has a zero point of another type or shape", () => {
    const w = tensorData(Uint8Array.of(1, 2), [2], "uint8");
    const q = { nodes: [node("DequantizeLinear", ["w", "s", "z"], ["y"])], outputs: ["y"] };
    const bytes = modelBytes({
      ...q,
      initializers: { w, s: floats([1], []), z: tensorData([0], [], "int8") },
    });
    expect(() => readOnnx(bytes)).toThrow(
      /node "DequantizeLinear_of_y".*expected a zero point of the type of the quantised values, uint8, got int8/,
    );
    expect(() => read({ s: floats([1, 1, 1, 1]), z: zero([0, 0]) })).toThrow(
      "the zero point and the scale must have the same shape",
    );
  });

  it("is what has scales that do not fit the axis, or no such axis", () => {
    expect(() => read({ s: floats([1, 1, 1]) })).toThrow("expected 4 scales along axis 1, got 3");
    expect(() => read({ s: floats([1, 1, 1, 1]) }, { axis: 2 })).toThrow(
      "axis 2 does not exist in a tensor of rank 2",
    );
    expect(() => read({ s: floats([1, 1, 1, 1], [2, 2]) })).toThrow(
      "expected one scale, or one for each index of axis 1",
    );
  });

  it("is what has blocks that do not divide the axis into the scales", () => {
    expect(() => read({ s: floats([1, 1, 1, 1], [2, 2]) }, { block_size: 3, axis: 0 })).toThrow(
      "blocks of 3 along axis 0 do not match the scales: expected 1 scales along axis 0, got 2",
    );
    expect(() => read({ s: floats([1, 1]) }, { block_size: 2 })).toThrow(
      "scales of blocks must have the rank of the values",
    );
  });

  it("is a product of what is not quantised, or with zero points of another type", () => {
    const q = g.input("q", [2, 4], "uint8");
    expect(() => applySingle("MatMulInteger", [g.input("f", [2, 4]), matrix])).toThrow(
      "input 0 must be int8 or uint8",
    );
    expect(() => applySingle("MatMulInteger", [q, matrix, scalar(0, "int8")])).toThrow(
      "expected a zero point of input 0 of the type of the values, uint8, got int8",
    );
    expect(() => applySingle("MatMulInteger", [q, matrix, undefined, of([0, 0, 0], "int8")])).toThrow(
      "expected one scale and zero point for input 1, or 5, got 3",
    );
    expect(() =>
      applySingle("QLinearMatMul", [
        q,
        scalar(-1),
        scalar(0, "uint8"),
        matrix,
        scalar(1),
        scalar(0, "int8"),
        ...tail,
      ]),
    ).toThrow("the scale of input 0 must be above 0 and finite, got -1");
  });
});
