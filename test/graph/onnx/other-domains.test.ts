import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ModelProtoSchema, OperatorSetIdProtoSchema } from "../../../src/graph/onnx/generated/onnx_pb.js";
import { tensorData } from "../../../src/graph/dtype.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { importProblems } from "./imports.js";
import type { Feeds, GraphText, PortText } from "./models.js";
import { difference, floats, ints, modelProto, node, rewritten, run, wave } from "./models.js";

/* The domains ai.onnx.ml and ai.onnx.preview.training. */

const ML = "ai.onnx.ml";
const TRAINING = "ai.onnx.preview.training";

/** A file of operators of one domain and of the standard. */
function fileOf(domain: string, version: number, graph: GraphText): Uint8Array {
  const model = modelProto(graph, 18);
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }));
  return toBinary(ModelProtoSchema, model);
}

function call(
  domain: string,
  version: number,
  type: string,
  inputs: readonly PortText[],
  attributes: Attributes,
  outputs: readonly string[] = ["y"],
): Uint8Array {
  const names = inputs.map(({ name }) => name);
  const one = node(type, names, outputs, attributes);
  one.domain = domain;
  return fileOf(domain, version, { nodes: [one], inputs, outputs });
}

const x23 = { name: "x", shape: [2, 3] };
const x3 = { name: "x", shape: [3] };
const whole = (values: readonly number[], shape: readonly number[]) => ints(values, shape);
const longs = (name: string, shape: readonly number[]) => ({ name, shape, dtype: "int64" as const });
const text = (strings: readonly string[]) => ({ strings });

interface Case {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly feeds: Feeds;
}

const ml = (
  type: string,
  attributes: Attributes,
  inputs: readonly PortText[] = [x23],
  feeds: Feeds = { x: wave([2, 3], 0.4) },
  version = 2,
): Case => ({
  label: `${type} ${Object.keys(attributes).join(", ")} of ${inputs.map(({ shape }) => `[${shape.join()}]`).join(", ")}`,
  bytes: call(ML, version, type, inputs, attributes),
  feeds,
});

const zeroRow = { x: floats([0, 0, 0, 1, -2, 4], [2, 3]) };

const CASES: readonly Case[] = [
  ml("Scaler", { offset: { floats: [1, 2, 3] }, scale: { floats: [2, 0.5, -1] } }),
  ml("Scaler", { offset: { floats: [0.5] }, scale: { floats: [3] } }),
  ...["MAX", "L1", "L2"].flatMap((norm) => [
    ml("Normalizer", { norm }),
    ml("Normalizer", { norm }, [x3], { x: floats([1, -2, 0.5]) }),
  ]),
  ml("Binarizer", { threshold: { float: 0.25 } }),
  ml("ArrayFeatureExtractor", {}, [x23, longs("i", [2])], { x: wave([2, 3]), i: ints([2, 0]) }),
  ml("ArrayFeatureExtractor", {}, [x3, longs("i", [1, 2])], { x: wave([3]), i: whole([1, 1], [1, 2]) }),
  ml(
    "Imputer",
    { imputed_value_floats: { floats: [7] }, replaced_value_float: { float: 1 } },
    [x23],
    zeroRow,
  ),
  ml(
    "Imputer",
    { imputed_value_floats: { floats: [7, 8, 9] }, replaced_value_float: { float: NaN } },
    [x23],
    { x: floats([1, NaN, 3, NaN, 5, NaN], [2, 3]) },
  ),
  ml("Imputer", { imputed_value_int64s: [5], replaced_value_int64: 2 }, [longs("x", [2, 2])], {
    x: whole([1, 2, 2, 3], [2, 2]),
  }),
  ml("FeatureVectorizer", { inputdimensions: [3, 2] }, [x23, { name: "z", shape: [2, 2] }], {
    x: wave([2, 3]),
    z: wave([2, 2], 1),
  }),
  ml("LinearRegressor", {
    coefficients: { floats: [1, 2, 3, -1, 0.5, 0.25] },
    intercepts: { floats: [0.5, -0.5] },
    targets: 2,
  }),
  ml("LinearRegressor", { coefficients: { floats: [1, 2, 3] } }),
  ...["SOFTMAX", "LOGISTIC"].map((post_transform) =>
    ml("LinearRegressor", {
      coefficients: { floats: [1, 2, 3, -1, 0.5, 0.25] },
      post_transform,
      targets: 2,
    }),
  ),
  ml("OneHotEncoder", { cats_int64s: [3, 1, 7], zeros: 1 }, [longs("x", [2, 2])], {
    x: whole([1, 7, 4, 3], [2, 2]),
  }),
  ml(
    "LabelEncoder",
    { keys_int64s: [4, 2, 9], values_floats: { floats: [0.5, 1.5, -2] }, default_float: { float: 8 } },
    [longs("x", [2, 3])],
    { x: whole([9, 4, 1, 2, 2, -4], [2, 3]) },
  ),
  ml(
    "LabelEncoder",
    {
      keys_tensor: { tensor: ints([5, 6]) },
      values_tensor: { tensor: ints([50, 60]) },
      default_tensor: { tensor: ints([-7]) },
    },
    [longs("x", [3])],
    { x: ints([6, 5, 1]) },
    4,
  ),
];

describe("operators of ai.onnx.ml are composed of others", () => {
  it.each(CASES)("$label", async ({ label, bytes, feeds }) => {
    const hasNaN = Object.values(feeds).some(({ data }) => data.some((value) => Number.isNaN(Number(value))));
    // At the value that an Imputer replaces, it is not continuous.
    const differentiate = label.startsWith("Imputer") ? { differentiate: [] } : {};
    if (!hasNaN) expect(await importProblems(bytes, feeds, differentiate)).toEqual([]);
    expect(difference(await run(rewritten(bytes).bytes, feeds), await run(bytes, feeds))).toBeLessThan(1e-6);
  });
});

it("LabelEncoder finds the key NaN, as the standard demands and ONNX Runtime does not", async () => {
  const attributes = { keys_floats: { floats: [1, NaN] }, values_int64s: [3, 4] };
  const feeds = { x: floats([1, NaN, 2, 0, 1, NaN], [2, 3]) };
  const { y } = await run(rewritten(call(ML, 2, "LabelEncoder", [x23], attributes)).bytes, feeds);
  expect(Array.from(y!.data, Number)).toEqual([3, 4, -1, -1, 3, 4]);
});

describe("operators of ai.onnx.ml are refused in words", () => {
  it.each([
    ["ZipMap", { classlabels_int64s: [0, 1] }, "it makes or reads maps from names to numbers"],
    ["TreeEnsembleRegressor", {}, "(Striate does not have decision trees)"],
    ["SVMRegressor", {}, "support-vector machines"],
    ["LabelEncoder", { keys_strings: text(["a"]), values_int64s: [1] }, "it maps text"],
    [
      "LabelEncoder",
      { keys_int64s: [1], values_int64s: [1] },
      "expected keys of the type of its input, got int64",
    ],
    ["LabelEncoder", { keys_floats: { floats: [1, 1] }, values_int64s: [1, 2] }, "a key occurs twice"],
    ["OneHotEncoder", { cats_strings: text(["a"]) }, "its categories are text"],
    ["Scaler", { scale: { floats: [1, 2] } }, "expected 1 number in scale, or 3 for the features of"],
    ["Normalizer", { norm: "L3" }, 'expected the norm MAX, L1 or L2, got "L3"'],
    ["LinearRegressor", { coefficients: { floats: [1, 2] } }, "as many coefficients as features of"],
    [
      "LinearRegressor",
      { coefficients: { floats: [1, 2, 3] }, post_transform: "LOGISTIC" },
      "post_transform LOGISTIC of 1 targets is not supported",
    ],
    ["FeatureVectorizer", { inputdimensions: [2] }, "expected inputs of 2 features (inputdimensions)"],
    ["Imputer", { imputed_value_int64s: [1] }, "it has no imputed values of type float32"],
    ["Anything", {}, "the operator ai.onnx.ml::Anything is not supported; docs/operators.md"],
  ] as const)("%s %j", (type, attributes, why) => {
    expect(() => readOnnx(call(ML, 2, type, [x23], attributes as Attributes))).toThrow(
      `ONNX model: node "${type}_of_y" (ai.onnx.ml.${type}): `,
    );
    expect(() => readOnnx(call(ML, 2, type, [x23], attributes as Attributes))).toThrow(why);
  });
});

/** Reads a file without standard operators, and gives the results of one update. */
async function updated(
  type: string,
  attributes: Attributes,
  stateCount: number,
  count: number,
  tensors: readonly (readonly number[])[],
): Promise<number[][]> {
  const many = tensors.length / (2 + stateCount);
  const ports = tensors.map((values, i) => ({ name: `t${i}`, shape: [values.length] }));
  const outputs = Array.from({ length: many * (1 + stateCount) }, (_, i) => `out${i}`);
  const bytes = call(
    TRAINING,
    1,
    type,
    [{ name: "R", shape: [] }, longs("T", []), ...ports],
    attributes,
    outputs,
  );
  const feeds: Record<string, ReturnType<typeof floats>> = {
    R: floats([0.1], []),
    T: tensorData(BigInt64Array.of(BigInt(count)), [], "int64"),
  };
  tensors.forEach((values, i) => (feeds[`t${i}`] = floats(values)));
  const results = await run(rewritten(bytes).bytes, feeds);
  return outputs.map((name) => Array.from(results[name]!.data as Float32Array));
}

function expectClose(got: readonly (readonly number[])[], wanted: readonly (readonly number[])[]): void {
  expect(got.map((values) => values.length)).toEqual(wanted.map((values) => values.length));
  got.flat().forEach((value, i) => {
    expect(value).toBeCloseTo(wanted.flat()[i]!, 5);
  });
}

// ONNX Runtime has no such operators, so the expected values come from the formulas of the standard, in numbers.
describe("optimizers of ai.onnx.preview.training", () => {
  const [x, g, v, h] = [
    [1.2, 2.8],
    [-0.9, -2.5],
    [1.7, 3.6],
    [0.1, 0.2],
  ] as const;
  const f = (float: number) => ({ float });
  const pairs = (values: (i: number) => readonly number[]) => {
    const both = [values(0), values(1)];
    return both[0]!.map((_, kind) => both.map((one) => one[kind]!));
  };

  it.each([0, 1, 5])("Adam at update %i", async (count) => {
    const [alpha, beta, penalty, after, epsilon] = [0.95, 0.9, 0.001, 0.01, 1e-3];
    const attributes = {
      alpha: f(alpha),
      beta: f(beta),
      norm_coefficient: f(penalty),
      norm_coefficient_post: f(after),
      epsilon: f(epsilon),
    };
    const rate = count > 0 ? (0.1 * Math.sqrt(1 - beta ** count)) / (1 - alpha ** count) : 0.1;
    const wanted = pairs((i) => {
      const slope = penalty * x[i]! + g[i]!;
      const mean = alpha * v[i]! + (1 - alpha) * slope;
      const spread = beta * h[i]! + (1 - beta) * slope ** 2;
      return [(1 - after) * (x[i]! - (rate * mean) / (Math.sqrt(spread) + epsilon)), mean, spread];
    });
    expectClose(await updated("Adam", attributes, 2, count, [x, g, v, h]), wanted);
  });

  it.each([
    ["standard", 0],
    ["standard", 3],
    ["nesterov", 3],
  ] as const)("Momentum, %s, at update %i", async (mode, count) => {
    const [alpha, beta, penalty] = [0.95, 0.1, 0.001];
    const attributes = { alpha: f(alpha), beta: f(beta), norm_coefficient: f(penalty), mode };
    const wanted = pairs((i) => {
      const slope = penalty * x[i]! + g[i]!;
      const next = alpha * v[i]! + (count > 0 ? beta : 1) * slope;
      return [x[i]! - 0.1 * (mode === "standard" ? next : slope + alpha * next), next];
    });
    expectClose(await updated("Momentum", attributes, 1, count, [x, g, v]), wanted);
  });

  it("Adagrad of two tensors", async () => {
    const attributes = { norm_coefficient: f(0.001), epsilon: f(1e-5), decay_factor: f(0.1) };
    const step = (x: number, g: number, h: number): [number, number] => {
      const slope = 0.001 * x + g;
      const sum = h + slope ** 2;
      return [x - ((0.1 / (1 + 4 * 0.1)) * slope) / (Math.sqrt(sum) + 1e-5), sum];
    };
    const first = step(1, -1, 2);
    const others = [step(1.2, -0.9, 0.1), step(2.8, -2.5, 0.2)];
    const got = await updated("Adagrad", attributes, 1, 4, [[1], x, [-1], g, [2], h]);
    expectClose(got, [[first[0]], others.map(([a]) => a), [first[1]], others.map(([, b]) => b)]);
  });

  it("are refused with a wrong number of tensors, and Gradient altogether", () => {
    const ports = [x3, longs("T", []), { name: "a", shape: [1] }, { name: "b", shape: [1] }];
    expect(() => readOnnx(call(TRAINING, 1, "Adam", ports, {}))).toThrow(
      "expected R, T and 4 tensors for each one that is optimized, got 4 inputs",
    );
    expect(() => readOnnx(call(TRAINING, 1, "Gradient", [x3], { xs: text(["x"]), y: "x" }))).toThrow(
      "Striate differentiates graphs itself: read the model without it, and call gradients",
    );
  });

  it("are read from a file that imports no standard operators", () => {
    const one = node("Momentum", ["R", "T", "X", "G", "V"], ["y", "v"], {
      alpha: f(1),
      beta: f(1),
      norm_coefficient: f(0),
      mode: "standard",
    });
    one.domain = TRAINING;
    const model = modelProto({
      nodes: [one],
      inputs: [
        { name: "R", shape: [] },
        longs("T", []),
        ...["X", "G", "V"].map((name) => ({ name, shape: [2] })),
      ],
      outputs: ["y"],
    });
    model.opsetImport = [create(OperatorSetIdProtoSchema, { domain: TRAINING, version: 1n })];
    expect(readOnnx(toBinary(ModelProtoSchema, model)).outputs.y!.shape).toEqual([2]);
  });
});
