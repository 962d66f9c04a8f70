import { fromBinary } from "@bufbuild/protobuf";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import { fromNumbers } from "../../../src/graph/dtype.js";
import type { Tensor } from "../../../src/graph/index.js";
import {
  gradients,
  input,
  isInf,
  lower,
  max,
  scope,
  topologicalOrder,
  writeOnnx,
} from "../../../src/graph/index.js";
import { ModelProtoSchema } from "../../../src/graph/onnx/generated/onnx_pb.js";
import type { ImportedModel } from "../../../src/graph/onnx/read/read.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { numbers } from "../../support/run.js";
import { difference, floats, ints, modelBytes, node, rewritten, run, wave } from "./models.js";
import { plainNumbers } from "../operators/variant.js";

const f = (float: number) => ({ float });

function valuesOf({ parameters }: ImportedModel): (parameter: Tensor) => TensorData | undefined {
  const known = new Map([...parameters.values()].map(({ tensor, data }) => [tensor, data]));
  return (parameter) => known.get(parameter);
}

/** Gradients of the sum of all outputs with respect to some inputs, lowered for the cpu, as a file. */
function slopesOf(model: ImportedModel, wrt: readonly string[]): Uint8Array {
  const slopes = gradients(
    Object.values(model.outputs),
    wrt.map((name) => model.inputs[name]!),
  );
  const named = Object.fromEntries(wrt.map((name, i) => [`d:${name}`, slopes[i]!]));
  const values = valuesOf(model);
  return writeOnnx(lower(named, "cpu", { values }), { values }).bytes;
}

/** Central differences of the sum of a file's outputs in ONNX Runtime. */
async function differencesOf(
  bytes: Uint8Array,
  feeds: Record<string, TensorData>,
  name: string,
): Promise<number[]> {
  const total = async (data: TensorData["data"]) => {
    const results = await run(bytes, { ...feeds, [name]: { ...feeds[name]!, data } });
    return Object.values(results).reduce((sum, y) => sum + numbers(y).reduce((a, b) => a + b, 0), 0);
  };
  const step = 2 ** -6;
  const slopes: number[] = [];
  const base = Float32Array.from(feeds[name]!.data as Float32Array);
  for (const [i, value] of base.entries()) {
    const [up, down] = [await total(base.with(i, value + step)), await total(base.with(i, value - step))];
    slopes.push((up - down) / (2 * step));
  }
  return slopes;
}

async function expectSlopes(
  bytes: Uint8Array,
  feeds: Record<string, TensorData>,
  tolerance = 2e-2,
): Promise<void> {
  const model = readOnnx(bytes);
  const names = Object.keys(feeds);
  const got = await run(slopesOf(model, names), feeds);
  for (const name of names) {
    const expected = await differencesOf(bytes, feeds, name);
    const scale = Math.max(1, ...expected.map(Math.abs));
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - numbers(got[`d:${name}`])[i]!)));
    expect([name, worst / scale < tolerance, worst]).toEqual([name, true, worst]);
  }
}

describe("resizing by factors whose lengths are unclear", () => {
  const modes = [
    { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
    { mode: "nearest" },
    { mode: "linear", coordinate_transformation_mode: "half_pixel" },
    { mode: "cubic", coordinate_transformation_mode: "align_corners", cubic_coeff_a: f(-0.5) },
  ];

  it.each([
    [10, 6, 0.7, 1],
    [10, 11, 0.7, 0.7],
    [20, 5, 0.35, 1.4],
    [10, 7, 1.3, 2],
    [8, 6, 0.5, 1.5],
  ])("%d by %d times %d and %d", async (height, width, tall, wide) => {
    for (const attributes of modes) {
      const bytes = modelBytes({
        nodes: [node("Resize", ["x", "", "s"], ["y"], attributes)],
        inputs: [{ name: "x", shape: ["batch", 2, height, width] }],
        outputs: ["y"],
        initializers: { s: floats([1, 1, tall, wide]) },
      });
      const x = wave([2, 2, height, width]);
      const wanted = await run(bytes, { x });
      const { model, bytes: again } = rewritten(bytes);
      expect(model.outputs.y!.shape.slice(1)).toEqual(wanted.y!.shape.slice(1));
      expect(difference(wanted, await run(again, { x }))).toBeLessThan(1e-5);
      const slopes = await run(slopesOf(model, ["x"]), { x });
      // Every row of weights sums up to 1.
      const total = numbers(slopes["d:x"]).reduce((a, b) => a + b, 0);
      expect(total).toBeCloseTo(wanted.y!.data.length, 1);
    }
  });

  it("leaves a named length open", async () => {
    const bytes = modelBytes({
      nodes: [node("Resize", ["x", "", "s"], ["y"], { mode: "linear" }), node("Shape", ["y"], ["shape"])],
      inputs: [{ name: "x", shape: [1, 1, "height", 4] }],
      outputs: ["y", "shape"],
      initializers: { s: floats([1, 1, 0.7, 1]) },
    });
    const { model, bytes: again } = rewritten(bytes);
    expect(model.outputs.y!.shape[2]).toMatch(/^\?/);
    for (const height of [10, 11]) {
      const x = wave([1, 1, height, 4]);
      expect(difference(await run(bytes, { x }), await run(again, { x }))).toBeLessThan(1e-6);
    }
    expect(() => slopesOf({ ...model, outputs: { y: model.outputs.y! } }, ["x"])).toThrow(
      /its gradient needs a known length of axis 2/,
    );
  });
});

describe("operators that are newer than version 18", () => {
  const versionOf = (bytes: Uint8Array) => {
    const { irVersion, opsetImport } = fromBinary(ModelProtoSchema, bytes);
    return [Number(irVersion), Number(opsetImport[0]!.version)];
  };

  it("raise the version of the file, and open", async () => {
    const half = { dtype: "float16" as const, shape: [3], data: fromNumbers("float16", [1, Infinity, -2]) };
    const infinite = writeOnnx({ y: isInf(input("x", [3], "float16")) }).bytes;
    expect(versionOf(infinite)).toEqual([9, 20]);
    expect(numbers((await run(infinite, { x: half })).y)).toEqual([0, 1, 0]);
    const flags = { dtype: "bool" as const, shape: [2, 2], data: Uint8Array.of(0, 1, 0, 0) };
    const any = writeOnnx({ y: max(input("x", [2, 2], "bool"), 1) }).bytes;
    expect(versionOf(any)).toEqual([9, 20]);
    expect(numbers((await run(any, { x: flags })).y)).toEqual([1, 0]);
    expect(versionOf(writeOnnx({ y: isInf(input("x", [3])) }).bytes)).toEqual([8, 18]);
  });

  it("are refused in a version that lacks them", () => {
    const y = scope("here", () => isInf(input("x", [3], "float16")));
    expect(() => writeOnnx({ y }, { opset: 18 })).toThrow(
      /IsInf in here .* needs opset 20, but the option opset is 18/,
    );
  });
});

describe("logarithms of what rounds to 0 or overflows", () => {
  const x = floats([-100, -20, 0, 3, 100], [1, 5]);
  const one = { one: floats([1], []) };
  const cases = {
    "log(sigmoid(x))": [
      [node("Sigmoid", ["x"], ["s"]), node("Log", ["s"], ["y"])],
      (v: number) => -softplus(-v),
    ],
    "log(1 - sigmoid(x))": [
      [node("Sigmoid", ["x"], ["s"]), node("Sub", ["one", "s"], ["d"]), node("Log", ["d"], ["y"])],
      (v: number) => -softplus(v),
    ],
    "log(1 + exp(x))": [
      [node("Exp", ["x"], ["e"]), node("Add", ["one", "e"], ["d"]), node("Log", ["d"], ["y"])],
      softplus,
    ],
    "log(exp(x) + 1), by a copy": [
      [
        node("Exp", ["x"], ["e"]),
        node("Identity", ["e"], ["copy"]),
        node("Add", ["copy", "one"], ["d"]),
        node("Log", ["d"], ["y"]),
      ],
      softplus,
    ],
    "log(softmax(x))": [
      [node("Softmax", ["x"], ["s"], { axis: 1 }), node("Log", ["s"], ["y"])],
      (v: number) => v - 100,
    ],
  } as const;
  function softplus(v: number): number {
    return Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  }

  it.each(Object.entries(cases))("%s", async (_what, [nodes, expected]) => {
    for (const opset of [11, 18]) {
      const bytes = modelBytes(
        { nodes, inputs: [{ name: "x", shape: ["batch", 5] }], outputs: ["y"], initializers: one },
        opset,
      );
      const { model, bytes: again } = rewritten(bytes);
      const got = numbers((await run(again, { x })).y);
      got.forEach((value, i) => {
        const exact = expected(Number(x.data[i]));
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(1e-5 * Math.abs(exact) + 1e-12);
      });
      const slopes = numbers((await run(slopesOf(model, ["x"]), { x }))["d:x"]);
      expect(slopes.every(Number.isFinite)).toBe(true);
      expect(Math.max(...slopes.map(Math.abs))).toBeGreaterThan(0.5);
    }
  });

  it("stay what they are for anything else", () => {
    const bytes = modelBytes({
      nodes: [
        node("Exp", ["x"], ["e"]),
        node("Add", ["two", "e"], ["d"]),
        node("Log", ["d"], ["a"]),
        node("Add", ["row", "e"], ["wide"]),
        node("Log", ["wide"], ["b"]),
        node("Sigmoid", ["x"], ["c"]),
      ],
      inputs: [{ name: "x", shape: ["batch", 1] }],
      outputs: ["a", "b", "c"],
      initializers: { two: floats([2], []), row: floats([1, 1, 1]) },
    });
    const types = topologicalOrder(Object.values(readOnnx(bytes).outputs)).map(({ type }) => type);
    expect(types.filter((type) => type === "Log")).toHaveLength(2);
    expect(types).toContain("Sigmoid");
    expect(types).not.toContain("Softplus");
  });
});

describe("zeros", () => {
  it.each([1, 2])("stay zeros in LpNormalization with p = %d, and send back nothing", async (p) => {
    const bytes = modelBytes(
      {
        nodes: [node("LpNormalization", ["x"], ["y"], { p, axis: 1 })],
        inputs: [{ name: "x", shape: [3, 2] }],
        outputs: ["y"],
      },
      22,
    );
    const x = floats([0, 0, 3, 4, -1, 0], [3, 2]);
    const { model, bytes: again } = rewritten(bytes);
    expect(difference(await run(bytes, { x }), await run(again, { x }))).toBeLessThan(1e-6);
    const slopes = numbers((await run(slopesOf(model, ["x"]), { x }))["d:x"]);
    expect(slopes.slice(0, 2)).toEqual([0, 0]);
    expect(slopes.every(Number.isFinite)).toBe(true);
  });

  it("have a deviation of 0 in MeanVarianceNormalization", async () => {
    const bytes = modelBytes({
      nodes: [node("MeanVarianceNormalization", ["x"], ["y"])],
      inputs: [{ name: "x", shape: [1, 2, 1, 2] }],
      outputs: ["y"],
    });
    const x = floats([2, 2, 1, 3], [1, 2, 1, 2]);
    const slopes = numbers((await run(slopesOf(readOnnx(bytes), ["x"]), { x }))["d:x"]);
    expect(slopes.every(Number.isFinite)).toBe(true);
  });
});

describe("operands that may be learned", () => {
  const x = { name: "x", shape: [2, 3] };
  const scalar = (name: string) => ({ name, shape: [] });

  it("bounds, borders and marks get the slopes of central differences", async () => {
    const bytes = modelBytes({
      nodes: [
        node("Clip", ["x", "low", "high"], ["c"]),
        node("Pad", ["c", "pads", "fill"], ["p"]),
        node("OneHot", ["places", "depth", "marks"], ["o"]),
        node("Mul", ["o", "o"], ["m"]),
        node("ReduceSum", ["m"], ["s"]),
        node("Mul", ["p", "p"], ["q"]),
        node("Add", ["q", "s"], ["y"]),
      ],
      inputs: [x, scalar("low"), scalar("high"), scalar("fill"), { name: "marks", shape: [2] }],
      outputs: ["y"],
      initializers: {
        pads: { dtype: "int64", shape: [4], data: BigInt64Array.of(0n, 1n, 0n, 2n) },
        places: { dtype: "int64", shape: [2], data: BigInt64Array.of(1n, 3n) },
        depth: { dtype: "int64", shape: [], data: BigInt64Array.of(3n) },
      },
    });
    await expectSlopes(bytes, {
      x: floats([-2, -0.5, 0.25, 0.75, 1.5, 3], [2, 3]),
      low: floats([-1], []),
      high: floats([1.25], []),
      fill: floats([0.5], []),
      marks: floats([0.25, 2], [2]),
    });
  });

  it("what a bound is computed from stays a weight, the bound itself does not", () => {
    const bytes = modelBytes({
      nodes: [
        node("Abs", ["alpha"], ["positive"]),
        node("ReduceMax", ["positive"], ["high"], { keepdims: 0 }),
        node("Clip", ["x", "low", "high"], ["y"]),
      ],
      inputs: [x],
      outputs: ["y"],
      initializers: { alpha: floats([2, -3]), low: floats([0], [1]) },
    });
    expect([...readOnnx(bytes).parameters.keys()]).toEqual(["alpha"]);
  });
});

const CASES = resolve(import.meta.dirname, "../../../../shared/cases/onnx");
const given = existsSync(CASES);
if (!given) console.log("skipped: no files at ../shared/cases/onnx");

describe.runIf(given)("files of the kinds that went wrong", () => {
  const load = (name: string) => new Uint8Array(readFileSync(resolve(CASES, `${name}.onnx`)));
  const shapeOf = (tensor: Tensor | undefined) => tensor!.shape as number[];

  it.each(["clip-learned-bounds", "pad-value", "layernorm-statistics"])(
    "%s: gradients equal central differences",
    async (name) => {
      const bytes = load(name);
      const { inputs } = readOnnx(bytes);
      const scalars: Readonly<Record<string, number>> = { lo: -0.6, hi: 0.8, v: 0.3 };
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([port, tensor], i) => {
          const shape = shapeOf(tensor);
          return [port, shape.length === 0 ? floats([scalars[port]!], []) : wave(shape, 0.7 * i + 0.21)];
        }),
      );
      await expectSlopes(bytes, feeds);
    },
  );

  it("convtranspose-same-upper: the inferred shape is the true one", async () => {
    const bytes = load("convtranspose-same-upper");
    const model = readOnnx(bytes);
    const feeds = Object.fromEntries(
      Object.entries(model.inputs).map(([port, tensor]) => [port, wave(shapeOf(tensor))]),
    );
    const wanted = await run(bytes, feeds);
    expect(shapeOf(model.outputs.z)).toEqual([1, 3, 10, 10]);
    expect(wanted.z!.shape).toEqual([1, 3, 10, 10]);
    expect(difference(wanted, await run(rewritten(bytes).bytes, feeds))).toBeLessThan(1e-5);
  });

  it("half-convolution: its gradient lowers for the cpu and runs", async () => {
    const model = readOnnx(load("half-convolution"));
    const shape = shapeOf(model.inputs.x);
    const data = fromNumbers("float16", Array.from(wave(shape).data as Float32Array));
    const slopes = await run(slopesOf(model, ["x"]), { x: { dtype: "float16", shape, data } });
    const found = plainNumbers(slopes["d:x"]!);
    expect(slopes["d:x"]!.dtype).toBe("float16");
    expect(found.every(Number.isFinite) && found.some((value) => value !== 0)).toBe(true);
  });

  it("isinf-half: what is written opens", async () => {
    const bytes = load("isinf-half");
    const x = {
      dtype: "float16" as const,
      shape: [4],
      data: fromNumbers("float16", [0, Infinity, -Infinity, 1]),
    };
    expect(difference(await run(bytes, { x }), await run(rewritten(bytes).bytes, { x }))).toBe(0);
  });
});

describe("results without elements", () => {
  const slice = (input: string, output: string) => node("Slice", [input, "from", "to", "axes"], [output]);
  const initializers = { from: ints([7]), to: ints([9]), axes: ints([1]), half: floats([0.5], []) };
  const inputs = [{ name: "x", shape: [2, 3] }];

  it("are outputs, pass other operators, and are left out of a Concat", async () => {
    const bytes = modelBytes({
      nodes: [
        slice("x", "none"),
        node("Mul", ["none", "half"], ["scaled"]),
        node("Transpose", ["scaled"], ["y"]),
        node("Concat", ["x", "scaled"], ["z"], { axis: 1 }),
      ],
      inputs,
      outputs: ["y", "z"],
      initializers,
    });
    const feeds = { x: wave([2, 3]) };
    const again = rewritten(bytes);
    expect(again.model.outputs.y!.shape).toEqual([0, 2]);
    expect(difference(await run(again.bytes, feeds), await run(bytes, feeds))).toBe(0);
    const { slope } = await run(
      writeOnnx({ slope: gradients([again.model.outputs.z!], [again.model.inputs.x!])[0]! }).bytes,
      feeds,
    );
    expect(numbers(slope)).toEqual([1, 1, 1, 1, 1, 1]);
  });
});
