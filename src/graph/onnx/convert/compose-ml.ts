import { StriateError } from "../../../util/errors.js";
import type { DType, TensorData } from "../../dtype.js";
import { isFloat } from "../../dtype.js";
import type { Call } from "../../operator.js";
import { applySingle, floatAttribute, intAttribute, intsAttribute, stringAttribute } from "../../operator.js";
import {
  abs,
  add,
  and,
  cast,
  div,
  equal,
  greater,
  mul,
  or,
  sigmoid,
  sub,
  where,
} from "../../operators/elementwise/elementwise.js";
import { matmul } from "../../operators/linear/matmul.js";
import { l2Norm, max, sum } from "../../operators/reduce/reduce.js";
import { softmax } from "../../operators/reduce/softmax.js";
import { gather } from "../../operators/select/select.js";
import { concat } from "../../operators/shape/join.js";
import { reshape, unsqueeze } from "../../operators/shape/shape.js";
import type { Attributes, Tensor } from "../../tensor.js";
import { constant, constantData, integers } from "../../tensor.js";
import type { Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";

/* Operators of the domain ai.onnx.ml that prepare numbers or are linear, composed of Striate's operators. */

function floatsOf(attributes: Attributes, name: string): readonly number[] | undefined {
  const value = attributes[name];
  return typeof value === "object" && "floats" in value ? value.floats : undefined;
}

/** The input as float32 of shape [rows, features]; a vector is one row. */
function rows({ inputs, type }: Call, index = 0): Tensor {
  const x = cast(operand({ inputs } as Parameters<Composition>[0], index), "float32");
  if (x.rank === 1) return unsqueeze(x, [0]);
  if (x.rank !== 2) throw new StriateError(`${type}: expected [rows, features], got ${x.toString()}`);
  return x;
}

/** One number for all features, or one for each. */
function perFeature(x: Tensor, values: readonly number[], what: string): Tensor {
  const features = x.shape.at(-1);
  const isFor = values.length === 1 || (x.rank <= 2 && values.length === features);
  if (!isFor)
    throw new StriateError(
      `expected 1 number in ${what}, or ${features} for the features of ${x.toString()}, got ${values.length}`,
    );
  return constant(values, [values.length], x.dtype);
}

const scaler: Composition = ({ inputs, attributes }) => {
  const x = cast(inputs[0]!, "float32");
  const [offset, scale] = [floatsOf(attributes, "offset"), floatsOf(attributes, "scale")];
  const moved = offset ? sub(x, perFeature(x, offset, "offset")) : x;
  return [scale ? mul(moved, perFeature(x, scale, "scale")) : applySingle("Identity", [moved])];
};

/** Rows whose divisor is 0 stay as they are. */
const normalizer: Composition = (call) => {
  const x = cast(operand(call, 0), "float32");
  if (x.rank !== 1 && x.rank !== 2) throw new StriateError(`expected rank 1 or 2, got ${x.toString()}`);
  const kind = stringAttribute(call.attributes, "norm", "MAX");
  const keep = { keepAxes: true };
  const divisor =
    kind === "MAX" ? max(x, [-1], keep) : kind === "L1" ? sum(abs(x), [-1], keep) : l2Norm(x, [-1], keep);
  if (!["MAX", "L1", "L2"].includes(kind))
    throw new StriateError(`expected the norm MAX, L1 or L2, got "${kind}"`);
  return [div(x, where(equal(divisor, 0), 1, divisor))];
};

const binarizer: Composition = (call) => {
  const x = operand(call, 0);
  const threshold = constant(floatAttribute(call.attributes, "threshold", 0), [], "float32");
  return [cast(greater(cast(x, "float32"), threshold), x.dtype)];
};

const arrayFeatureExtractor: Composition = (call) => {
  const [x, places] = [operand(call, 0), reshape(operand(call, 1), [-1])];
  const rowsOf = x.rank === 1 ? unsqueeze(x, [0]) : x;
  return [gather(rowsOf, places, rowsOf.rank - 1)];
};

/** Replaces one value, which may be NaN. */
const imputer: Composition = (call) => {
  const x = operand(call, 0);
  const given = isFloat(x.dtype)
    ? floatsOf(call.attributes, "imputed_value_floats")
    : intsAttribute(call.attributes, "imputed_value_int64s");
  if (given === undefined) throw new StriateError(`it has no imputed values of type ${x.dtype}`);
  const replaced = isFloat(x.dtype)
    ? floatAttribute(call.attributes, "replaced_value_float", 0)
    : intAttribute(call.attributes, "replaced_value_int64", 0);
  const isReplaced = Number.isNaN(replaced)
    ? applySingle("IsNaN", [x])
    : equal(x, constant(replaced, [], x.dtype));
  return [where(isReplaced, perFeature(x, given, "its imputed values"), x)];
};

const featureVectorizer: Composition = (call) => {
  const parts = call.inputs.map((_, i) => rows(call, i));
  const widths = intsAttribute(call.attributes, "inputdimensions");
  const differs = parts.find((part, i) => widths !== undefined && part.shape[1] !== widths[i]);
  if (differs !== undefined)
    throw new StriateError(
      `expected inputs of ${widths!.join(", ")} features (inputdimensions), got ${differs.toString()}`,
    );
  return [concat(parts, 1)];
};

const linearRegressor: Composition = (call) => {
  const x = rows(call);
  const targets = intAttribute(call.attributes, "targets", 1);
  const weights = floatsOf(call.attributes, "coefficients") ?? [];
  const features = weights.length / targets;
  if (features !== x.shape[1])
    throw new StriateError(
      `expected ${targets} times as many coefficients as features of ${x.toString()}, got ${weights.length}`,
    );
  const matrix = Array.from({ length: weights.length }, (_, i) => {
    const [feature, target] = [Math.floor(i / targets), i % targets];
    return weights[target * features + feature]!;
  });
  const product = matmul(x, constant(matrix, [features, targets]));
  const bias = floatsOf(call.attributes, "intercepts");
  const y = bias ? add(product, constant(bias, [bias.length])) : product;
  const transform = stringAttribute(call.attributes, "post_transform", "NONE");
  if (transform === "NONE") return [y];
  // With a single target, ONNX Runtime applies no transform, in contradiction to the standard.
  if (transform === "LOGISTIC" && targets > 1) return [sigmoid(y)];
  if (transform === "SOFTMAX" && targets > 1) return [softmax(y)];
  throw new StriateError(`post_transform ${transform} of ${targets} targets is not supported`);
};

/** The attribute of a LabelEncoder that holds its keys, values or default, as numbers of one type. */
function entries(attributes: Attributes, stems: readonly string[]): TensorData | undefined {
  for (const stem of stems) {
    const [ints, floats, tensor] = [`${stem}_int64s`, `${stem}_floats`, `${stem}_tensor`].map(
      (name) => attributes[name],
    );
    if (`${stem}_strings` in attributes) throw new StriateError("it maps text, which Striate does not have");
    if (Array.isArray(ints)) return constantData(constant(ints as readonly number[], undefined, "int64"));
    if (typeof floats === "object" && "floats" in floats) return constantData(constant(floats.floats));
    if (typeof tensor === "object" && "tensor" in tensor) return tensor.tensor;
  }
  return undefined;
}

function numbersIn({ data }: TensorData): readonly number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/** Finds the place of each element among the keys, and reads the table of values there. */
const labelEncoder: Composition = (call) => {
  const { attributes } = call;
  const x = operand(call, 0);
  const [keys, values] = [entries(attributes, ["keys"]), entries(attributes, ["values"])];
  if (keys === undefined || keys.data.length !== values?.data.length)
    throw new StriateError("it needs as many keys as values");
  if (keys.dtype !== x.dtype)
    throw new StriateError(`expected keys of the type of its input, got ${keys.dtype} for ${x.toString()}`);
  const known = numbersIn(keys);
  if (new Set(known).size !== known.length) throw new StriateError("a key occurs twice");
  const { dtype } = values;
  const fallback =
    attributes.default_tensor === undefined
      ? isFloat(dtype)
        ? floatAttribute(attributes, "default_float", -0)
        : intAttribute(attributes, "default_int64", -1)
      : numbersIn(entries(attributes, ["default"])!)[0]!;
  const table = constant([fallback, ...numbersIn(values)], [known.length + 1], dtype);
  const single = unsqueeze(x, [-1]);
  const matches = equal(single, constant(known, [known.length], x.dtype));
  const isNaN = known.map((key) => Number(Number.isNaN(key)));
  const found = isNaN.includes(1)
    ? or(matches, and(applySingle("IsNaN", [single]), constant(isNaN, undefined, "bool")))
    : matches;
  const numbered = integers(known.map((_, i) => i + 1));
  return [gather(table, sum(mul(cast(found, "int64"), numbered), [-1]))];
};

const oneHotEncoder: Composition = (call) => {
  const categories = intsAttribute(call.attributes, "cats_int64s");
  if (categories === undefined)
    throw new StriateError("its categories are text, which Striate does not have");
  const x: Tensor = cast(operand(call, 0), "int64" satisfies DType);
  return [cast(equal(unsqueeze(x, [-1]), integers(categories)), "float32")];
};

const DOMAIN = "ai.onnx.ml";

export const ML_OPERATORS: readonly (readonly [string, Composition])[] = [
  [`${DOMAIN}::ArrayFeatureExtractor`, arrayFeatureExtractor],
  [`${DOMAIN}::Binarizer`, binarizer],
  [`${DOMAIN}::FeatureVectorizer`, featureVectorizer],
  [`${DOMAIN}::Imputer`, imputer],
  [`${DOMAIN}::LabelEncoder`, labelEncoder],
  [`${DOMAIN}::LinearRegressor`, linearRegressor],
  [`${DOMAIN}::Normalizer`, normalizer],
  [`${DOMAIN}::OneHotEncoder`, oneHotEncoder],
  [`${DOMAIN}::Scaler`, scaler],
];
