import type { Dim } from "../../dims.js";
import {
  addDims,
  broadcastShapes,
  divideDims,
  isStatic,
  multiplyDims,
  sameShape,
  sizeOf,
} from "../../dims.js";
import type { DType } from "../../dtype.js";
import { isFloat, onnxTypeCode, dtypeFromOnnx } from "../../dtype.js";
import type { Call, GradientCall, GradientRule, LoweringRule, Target, TensorType } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  rejectCall,
  required,
} from "../../operator.js";
import type { GraphNode } from "../../tensor.js";
import { Tensor, constant } from "../../tensor.js";
import { unbroadcast } from "../broadcast.js";
import { maskedGradient, keepMask } from "./masked-gradient.js";
import { uniformNumber } from "../known-numbers.js";
import { nonZeroDivisor } from "./non-zero-divisor.js";
import { squeeze, unsqueeze } from "../shape/shape.js";
import { unary } from "./define-unary.js";

/** A tensor, or a number that takes the type of the other operand. */
export type Operand = Tensor | number;

/** A number as a scalar of `dtype`. */
export function scalar(value: number, dtype: DType = "float32"): Tensor {
  return constant(value, [], dtype);
}

function operands(a: Operand, b: Operand): [Tensor, Tensor] {
  if (a instanceof Tensor) return [a, b instanceof Tensor ? b : scalar(b, a.dtype)];
  if (b instanceof Tensor) return [scalar(a, b.dtype), b];
  return [scalar(a), scalar(b)];
}

// ---- one operand -----------------------------------------------------------------------------------------------

/**
 * The gradient of a rectifier: dy if x is above 0, else 0. A product of dy with a mask takes half as long as
 * a Where, but it is NaN if dy is infinite and the mask is 0. (The gradient of a square root is infinite at
 * 0, for example.) So the product is used only if dy is a sum of products, which is finite in practice.
 */
function reluGradient(dy: Tensor, x: Tensor): Tensor {
  return isSumOfProducts(dy) ? mul(dy, unitStep(x)) : where(greater(x, 0), dy, 0);
}

defineOperator({
  type: "UnitStep",
  infer: (call) => [{ dtype: required(call, 0, "x").dtype, shape: call.inputs[0]!.shape }],
  gradient: "zero",
  // On targets that certainly follow IEEE 754, one pass is enough: a hard sigmoid so steep that the smallest
  // normal number saturates it.
  lower: (call, target) => {
    const x = call.inputs[0]!;
    const oneShot = target === "cpu" && x.dtype === "float32";
    return [oneShot ? hardSigmoid(x, 3e38, 0) : cast(greater(x, 0), x.dtype)];
  },
});
/** 1 for x above 0, else 0. */
function unitStep(x: Tensor): Tensor {
  return applySingle("UnitStep", [x]);
}

const SUMS_OF_PRODUCTS = new Set(["Conv", "ConvTranspose", "MatMul", "Gemm"]);
/** Cached results of `isSumOfProducts`, because residual paths lead to the same sums many times. */
const memo = new WeakMap<GraphNode, boolean>();

/** Whether a tensor is a sum of products, a sum of such sums, or the product of such a sum with a mask. */
function isSumOfProducts({ node }: Tensor): boolean {
  const known = memo.get(node);
  if (known !== undefined) return known;
  const { type, inputs } = node;
  const masked = type === "Mul" && inputs[1]!.node.type === "UnitStep";
  const parts = type === "Add" ? inputs : masked ? inputs.slice(0, 1) : [];
  const found = parts.length > 0 ? parts.every((part) => isSumOfProducts(part!)) : SUMS_OF_PRODUCTS.has(type);
  memo.set(node, found);
  return found;
}

/** Computes 1 - x^2 without loss of digits near -1 and 1. */
function oneMinusSquare(x: Tensor): Tensor {
  return mul(sub(1, x), add(1, x));
}

/** WebGPU has no Sign, so ONNX Runtime would copy the tensor to the CPU and back. */
function lowerSign(call: Call, target: Target): Tensor[] | undefined {
  const x = call.inputs[0]!;
  return target === "webgpu"
    ? [where(greater(x, 0), 1, where(less(x, 0), -1, scalar(0, x.dtype)))]
    : undefined;
}

/** A copy of a tensor in a separate node, which can have another name. */
export const identity = unary("Identity", (dy) => dy, false);
/** -x of each element. */
export const neg = unary("Neg", (dy) => neg(dy), false);
/** |x| of each element. Its gradient at 0 is 0. */
export const abs = unary("Abs", (dy, x) => mul(dy, sign(x)), false);
/** The sign of each element: -1, 0 or 1. Its gradient is 0. */
export const sign = unary("Sign", "zero", false, lowerSign);
/** e^x of each element. */
export const exp = unary("Exp", (dy, _x, y) => mul(dy, y));
/** The natural logarithm of each element. */
export const log = unary("Log", (dy, x) => div(dy, x));
/** The square root of each element. Its gradient at 0 is large, but finite. */
export const sqrt = unary("Sqrt", (dy, _x, y) => div(mul(dy, 0.5), nonZeroDivisor(y)));
/** 1 / x of each element. */
export const reciprocal = unary("Reciprocal", (dy, _x, y) => neg(mul(dy, mul(y, y))));
/** The sine of each element, in radians. */
export const sin = unary("Sin", (dy, x) => mul(dy, cos(x)));
/** The cosine of each element, in radians. */
export const cos = unary("Cos", (dy, x) => neg(mul(dy, sin(x))));
/** The tangent of each element, in radians. */
export const tan = unary("Tan", (dy, _x, y) => mul(dy, add(1, mul(y, y))));
/** The angle in [-pi/2, pi/2], in radians, whose sine is x. Its gradient is finite at -1 and 1. */
export const asin = unary("Asin", (dy, x) => div(dy, nonZeroDivisor(sqrt(oneMinusSquare(x)))));
/** The angle in [0, pi], in radians, whose cosine is x. Its gradient is finite at -1 and 1. */
export const acos = unary("Acos", (dy, x) => neg(div(dy, nonZeroDivisor(sqrt(oneMinusSquare(x))))));
/** The angle in (-pi/2, pi/2), in radians, whose tangent is x. */
export const atan = unary("Atan", (dy, x) => applySingle("AtanGradient", [dy, x]));
/** The hyperbolic sine of each element. */
export const sinh = unary("Sinh", (dy, x) => mul(dy, cosh(x)));
/** The hyperbolic cosine of each element. */
export const cosh = unary("Cosh", (dy, x) => mul(dy, sinh(x)));
/** The hyperbolic tangent of each element. */
export const tanh = unary("Tanh", (dy, _x, y) => mul(dy, sub(1, mul(y, y))));
/** 1 / (1 + e^-x) of each element. */
export const sigmoid = unary("Sigmoid", (dy, _x, y) => mul(dy, mul(y, sub(1, y))));
/** The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. */
export const erf = unary("Erf", (dy, x) => mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x))))));
/** max(x, 0); the derivative at 0 is 0. */
export const relu = unary("Relu", reluGradient, false);
/** log(1 + e^x), without overflow. */
export const softplus = unary("Softplus", (dy, x) => mul(dy, sigmoid(x)));
/** x / (1 + |x|) of each element. */
export const softsign = unary(
  "Softsign",
  (dy, x) => {
    const d = add(1, abs(x));
    return div(div(dy, d), d);
  },
  true,
  // WebGPU has no Softsign.
  (call, target) => (target === "webgpu" ? [div(call.inputs[0]!, add(1, abs(call.inputs[0]!)))] : undefined),
);
/** The largest whole number that is not above x. Its gradient is 0. */
export const floor = unary("Floor", "zero");
/** The smallest whole number that is not below x. Its gradient is 0. */
export const ceil = unary("Ceil", "zero");
/** The nearest whole number; halves are rounded to the even one. Its gradient is 0. */
export const round = unary("Round", "zero");

// The gradient of an arc tangent stays a node of its own until it is lowered, so that the gradient rule of
// Div recognises atan(a / b) (see `angleGradient`).
defineOperator({
  type: "AtanGradient",
  infer: (call) => [{ dtype: required(call, 0, "dy").dtype, shape: call.inputs[0]!.shape }],
  gradient: ({ dy: g }, dy, x) => [
    () => applySingle("AtanGradient", [g, x]),
    () => mul(applySingle("AtanGradient", [mul(g, dy), x]), div(mul(x, -2), add(1, mul(x, x)))),
  ],
  lower: (call) => [div(call.inputs[0]!, add(1, mul(call.inputs[1]!, call.inputs[1]!)))],
});

/** Passes values on unchanged, but passes no gradient back. */
export function stopGradient(x: Tensor): Tensor {
  return applySingle("StopGradient", [x]);
}
defineOperator({
  type: "StopGradient",
  infer: (call) => [required(call, 0, "x")],
  gradient: "zero",
  lower: (call) => [call.inputs[0]!],
});

/**
 * ONNX's Dropout outside of training: it passes values on unchanged, and says with which probability training sets an
 * element to 0. Files keep it, so that a training that reads them can drop elements again; devices do not compute it.
 *
 * @param ratio the probability, at least 0 and below 1
 */
export function dropout(x: Tensor, ratio: number): Tensor {
  return applySingle("Dropout", [x, scalar(ratio, "float32")]);
}
defineOperator({
  type: "Dropout",
  infer: (call) => {
    const x = required(call, 0, "x");
    if (!isFloat(x.dtype)) rejectCall(call, "expected floating-point values");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ dy }) => [dy, "zero"],
  lower: (call, target) => (target === "portable" ? undefined : [call.inputs[0]!]),
});

function withAlpha(
  type: string,
  fallback: number,
  gradient: (dy: Tensor, x: Tensor, y: Tensor, alpha: number) => Tensor,
) {
  defineOperator({
    type,
    infer: (call) => {
      const x = required(call, 0, "x");
      if (!isFloat(x.dtype)) rejectCall(call, "expected floating-point values");
      return [{ dtype: x.dtype, shape: x.shape }];
    },
    gradient: ({ dy, y, attributes }, x) => [
      gradient(dy, x, y, floatAttribute(attributes, "alpha", fallback)),
    ],
  });
  return (x: Tensor, alpha = fallback): Tensor => applySingle(type, [x], { alpha: { float: alpha } });
}

/** x for x > 0, else alpha * x. By default, alpha is 0.01. */
export const leakyRelu = withAlpha("LeakyRelu", 0.01, (dy, x, _y, alpha) =>
  where(greater(x, 0), dy, mul(dy, alpha)),
);
/** x for x > 0, else alpha * (e^x - 1). By default, alpha is 1. */
export const elu = withAlpha("Elu", 1, (dy, x, y, alpha) => where(greater(x, 0), dy, mul(dy, add(y, alpha))));

defineOperator({
  type: "HardSigmoid",
  infer: (call) => [{ dtype: required(call, 0, "x").dtype, shape: call.inputs[0]!.shape }],
  gradient: ({ dy, y, attributes }) => {
    const alpha = floatAttribute(attributes, "alpha", 0.2);
    return [where(and(greater(y, 0), less(y, 1)), mul(dy, alpha), 0)];
  },
});
/** clip(alpha * x + beta, 0, 1). By default, alpha is 0.2 and beta is 0.5. */
export function hardSigmoid(x: Tensor, alpha = 0.2, beta = 0.5): Tensor {
  return applySingle("HardSigmoid", [x], { alpha: { float: alpha }, beta: { float: beta } });
}
/** x * clip(x / 6 + 1/2, 0, 1). */
export const hardSwish = unary("HardSwish", (dy, x) => {
  const middle = add(div(x, 3), 0.5);
  return mul(dy, where(less(x, -3), 0, where(greater(x, 3), 1, middle)));
});

/** log(sigmoid(x)), to full precision even if sigmoid(x) rounds to 0 or 1. */
export function logSigmoid(x: Tensor): Tensor {
  return neg(softplus(neg(x)));
}

/** Gaussian error linear unit, x * Phi(x), computed with the error function. */
export function gelu(x: Tensor): Tensor {
  return mul(mul(x, 0.5), add(1, erf(mul(x, Math.SQRT1_2))));
}

/** x * sigmoid(x). */
export function silu(x: Tensor): Tensor {
  return mul(x, sigmoid(x));
}

/** x * x. */
export function square(x: Tensor): Tensor {
  return mul(x, x);
}

// ---- two operands, NumPy broadcasting ----------------------------------------------------------------------------

type KnownRule = (a: Dim, b: Dim) => Dim | undefined;

function inferBinary(call: Call, output: DType | "same", known?: KnownRule): TensorType[] {
  const a = required(call, 0, "a");
  const b = required(call, 1, "b");
  if (a.dtype !== b.dtype)
    rejectCall(call, "both operands must have the same element type; cast one of them");
  const shape = broadcastShapes(a.shape, b.shape) ?? rejectCall(call, "the shapes do not broadcast");
  return [{ dtype: output === "same" ? a.dtype : output, shape, known: known && combineKnown(a, b, known) }];
}

function combineKnown(a: Tensor, b: Tensor, rule: KnownRule): Dim[] | undefined {
  if (!a.known || !b.known) return undefined;
  const length = Math.max(a.known.length, b.known.length);
  const result: Dim[] = [];
  for (let i = 0; i < length; i++) {
    const value = rule(a.known[a.known.length === 1 ? 0 : i]!, b.known[b.known.length === 1 ? 0 : i]!);
    if (value === undefined) return undefined;
    result.push(value);
  }
  return result;
}

/** For fewer elements than this, the additional nodes cost more time than they save. */
const WORTH_SQUEEZING = 256;

/**
 * Drops the last axes if they have length 1 in both operands. ONNX Runtime's CPU kernels broadcast in runs
 * over the last axes on which the operands agree. If all these axes have length 1, as in a kernel
 * [512, 256, 1, 1] times a scalar, every number is a run of its own, which is about twenty times as slow.
 */
function withoutLastOnes(call: Call, target: Target): Tensor[] | undefined {
  const [a, b] = [call.inputs[0]!, call.inputs[1]!];
  if (target !== "cpu" || sameShape(a.shape, b.shape)) return undefined;
  const rank = Math.max(a.rank, b.rank);
  const isOne = (x: Tensor, axis: number) => axis >= x.rank || x.shape.at(-1 - axis) === 1;
  let ones = 0;
  while (ones < rank && isOne(a, ones) && isOne(b, ones)) ones++;
  const known = [a, b].map(({ shape }) => sizeOf(shape.filter(isStatic)) as number);
  if (ones === 0 || Math.max(...known) < WORTH_SQUEEZING) return undefined;
  const last = (count: number) => Array.from({ length: count }, (_, i) => i - count);
  const short = (x: Tensor) => (x.rank === 0 ? x : squeeze(x, last(Math.min(ones, x.rank))));
  return [unsqueeze(applySingle(call.type, [short(a), short(b)], call.attributes), last(ones))];
}

/** Functions whose slope may be infinite. */
const STEEP = new Set(["Div", "Mul", "Pow"]);

/** Whether the second operand is a plain number that makes no slope infinite. */
function isTame(type: string, b: Tensor): boolean {
  const number = type === "Pow" ? undefined : uniformNumber(b);
  return number !== undefined && Number.isFinite(number) && (type === "Mul" || number !== 0);
}

type BinaryGradient = (
  dy: Tensor,
  a: Tensor,
  b: Tensor,
  call: GradientCall,
) => readonly [() => Tensor, () => Tensor];

function binary(
  type: string,
  gradient: BinaryGradient,
  known?: KnownRule,
  lower: LoweringRule = withoutLastOnes,
): (a: Operand, b: Operand) => Tensor {
  const rule: GradientRule = (call, a, b) => {
    const { dy } = call;
    const [da, db] = gradient(dy, a, b, call);
    const isSteep = STEEP.has(type) && !isTame(type, b);
    const masked = (product: Tensor) => (isSteep ? keepMask(dy, product) : product);
    return [() => unbroadcast(masked(da()), a), () => unbroadcast(masked(db()), b)];
  };
  defineOperator({
    type,
    infer: (call) => inferBinary(call, "same", known),
    gradient: rule,
    lower,
  });
  return (a, b) => applySingle(type, operands(a, b));
}

const numeric =
  (rule: (a: number, b: number) => number): KnownRule =>
  (a, b) =>
    isStatic(a) && isStatic(b) ? rule(a, b) : undefined;

/**
 * a + b for each pair of elements. Shapes broadcast as in NumPy. A number becomes a scalar of the other
 * operand's type.
 */
export const add = binary("Add", (dy) => [() => dy, () => dy], addKnown);
/**
 * a - b for each pair of elements. Shapes broadcast as in NumPy. A number becomes a scalar of the other
 * operand's type.
 */
export const sub = binary(
  "Sub",
  (dy) => [() => dy, () => neg(dy)],
  numeric((a, b) => a - b),
);
/**
 * a * b for each pair of elements. Shapes broadcast as in NumPy. A number becomes a scalar of the other
 * operand's type.
 */
export const mul = binary("Mul", (dy, a, b) => [() => mul(dy, b), () => mul(dy, a)], multiplyDims);
/**
 * a / b for each pair of elements. Shapes broadcast as in NumPy. Quotients of integers are rounded towards 0.
 */
export const div = binary(
  "Div",
  (dy, a, b, { y }) => angleGradient(dy, a, b, y) ?? [() => div(dy, b), () => neg(div(mul(dy, y), b))],
  divideDims,
);

/**
 * The gradients of atan(a / b) with respect to a and b: (b, -a) / (a^2 + b^2). This form is also right for b
 * = 0, for which a / b is infinite in the atan2 that exporters write. Returns undefined if dy does not come
 * from an arc tangent of a / b.
 */
function angleGradient(dy: Tensor, a: Tensor, b: Tensor, y: Tensor): ReturnType<BinaryGradient> | undefined {
  const [outer, angle] = dy.node.inputs;
  if (dy.node.type !== "AtanGradient" || angle !== y) return undefined;
  const square = add(mul(a, a), mul(b, b));
  const share = () => div(outer!, where(equal(square, 0), 1, square));
  return [() => mul(share(), b), () => neg(mul(share(), a))];
}
/** a^b. The gradient with respect to b needs a >= 0; at a = 0 it is 0. */
export const pow = binary("Pow", (dy, a, b, { y }) => [
  () => baseGradient(dy, a, b),
  () => mul(dy, mul(y, log(where(equal(a, 0), 1, a)))),
]);

/** Computes dy * b * a^(b - 1). For b = 0 or dy = 0, the result is 0, even if a^(b - 1) is infinite. */
function baseGradient(dy: Tensor, a: Tensor, b: Tensor): Tensor {
  const exponent = uniformNumber(b);
  if (exponent === 1) return dy;
  if (exponent === 2) return mul(dy, mul(a, 2));
  const slope = where(equal(b, 0), 0, mul(b, pow(a, sub(b, 1))));
  return exponent !== undefined && exponent > 1 ? mul(dy, slope) : where(equal(dy, 0), 0, mul(dy, slope));
}

/** sqrt(a^2 + b^2), the length of the vector (a, b). The gradient at the origin is 0. */
export const hypot = binary(
  "Hypot",
  (dy, a, b, { y: length }) => {
    const perUnit = () => div(dy, where(equal(length, 0), 1, length));
    return [() => mul(perUnit(), a), () => mul(perUnit(), b)];
  },
  undefined,
  (call) => {
    const [a, b] = [call.inputs[0]!, call.inputs[1]!];
    return [sqrt(add(mul(a, a), mul(b, b)))];
  },
);
/** The larger of two elements. If they are equal, each gets half of the gradient, as in PyTorch. */
export const maximum = binary(
  "Max",
  (dy, a, b) => [
    () => mul(dy, share(greater(a, b), equal(a, b), dy)),
    () => mul(dy, share(less(a, b), equal(a, b), dy)),
  ],
  numeric(Math.max),
);
/** The smaller of two elements. If they are equal, each gets half of the gradient. */
export const minimum = binary(
  "Min",
  (dy, a, b) => [
    () => mul(dy, share(less(a, b), equal(a, b), dy)),
    () => mul(dy, share(greater(a, b), equal(a, b), dy)),
  ],
  numeric(Math.min),
);

function addKnown(a: Dim, b: Dim): Dim | undefined {
  const sum = addDims(a, b);
  return typeof sum === "string" && sum.startsWith("?") ? undefined : sum;
}

function share(won: Tensor, tied: Tensor, like: Tensor): Tensor {
  return add(cast(won, like.dtype), mul(cast(tied, like.dtype), 0.5));
}

defineOperator({
  type: "Mod",
  infer: (call) =>
    inferBinary(
      call,
      "same",
      numeric((a, b) => ((a % b) + b) % b),
    ),
  // The remainder is y = a - n b with the whole number n = round((a - y) / b).
  gradient: ({ dy, y }, a, b) => [
    () => unbroadcast(dy, a),
    () => unbroadcast(neg(mul(dy, round(div(sub(a, y), b)))), b),
  ],
});
/** The remainder of a / b. For integers, it has the sign of b; for floating-point numbers, it is C's fmod. */
export function mod(a: Operand, b: Operand): Tensor {
  const [left, right] = operands(a, b);
  return applySingle("Mod", [left, right], isFloat(left.dtype) ? { fmod: 1 } : {});
}

// ---- comparisons and logic -----------------------------------------------------------------------------------------

function comparison(type: string): (a: Operand, b: Operand) => Tensor {
  defineOperator({
    type,
    infer: (call) => inferBinary(call, "bool"),
    gradient: "zero",
    lower: withoutLastOnes,
  });
  return (a, b) => applySingle(type, operands(a, b));
}

/** Whether a = b, as bool; shapes broadcast. */
export const equal = comparison("Equal");
/** Whether a > b, as bool; shapes broadcast. */
export const greater = comparison("Greater");
/** Whether a >= b, as bool; shapes broadcast. */
export const greaterOrEqual = comparison("GreaterOrEqual");
/** Whether a < b, as bool; shapes broadcast. */
export const less = comparison("Less");
/** Whether a <= b, as bool; shapes broadcast. */
export const lessOrEqual = comparison("LessOrEqual");

function logical(type: string): (a: Tensor, b: Tensor) => Tensor {
  defineOperator({
    type,
    infer: (call) => {
      if (call.inputs[0]?.dtype !== "bool") rejectCall(call, "expected bool");
      return inferBinary(call, "bool");
    },
    gradient: "zero",
  });
  return (a, b) => applySingle(type, [a, b]);
}

/** Whether both of two bool elements are true; shapes broadcast. */
export const and = logical("And");
/** Whether at least one of two bool elements is true; shapes broadcast. */
export const or = logical("Or");
/** Whether exactly one of two bool elements is true; shapes broadcast. */
export const xor = logical("Xor");

for (const type of ["Not", "IsNaN", "IsInf"]) {
  defineOperator({
    type,
    infer: (call) => [{ dtype: "bool", shape: required(call, 0, "x").shape }],
    gradient: "zero",
    // WebGPU has no IsNaN, so ONNX Runtime would copy the tensor to the CPU and back.
    ...(type === "IsNaN" && {
      lower: (call: Call, target: Target) =>
        target === "webgpu" ? [not(equal(call.inputs[0]!, call.inputs[0]!))] : undefined,
    }),
  });
}
/** Whether each element of a bool tensor is false. */
export const not = (x: Tensor): Tensor => applySingle("Not", [x]);
/** Whether each element is not a number, as bool. */
export const isNaN = (x: Tensor): Tensor => applySingle("IsNaN", [x]);
/** Whether each element is infinite, as bool. */
export const isInf = (x: Tensor): Tensor => applySingle("IsInf", [x]);

defineOperator({
  type: "Where",
  infer: (call) => {
    const [condition, a, b] = [
      required(call, 0, "condition"),
      required(call, 1, "a"),
      required(call, 2, "b"),
    ];
    if (condition.dtype !== "bool") rejectCall(call, "the condition must be bool");
    if (a.dtype !== b.dtype) rejectCall(call, "both branches must have the same element type");
    const both = broadcastShapes(a.shape, b.shape);
    const shape = both && broadcastShapes(condition.shape, both);
    return [{ dtype: a.dtype, shape: shape ?? rejectCall(call, "the shapes do not broadcast") }];
  },
  gradient: ({ dy }, condition, a, b) => {
    const zero = scalar(0, dy.dtype);
    return [
      undefined,
      () => unbroadcast(maskedGradient(condition, dy, zero), a),
      () => unbroadcast(maskedGradient(condition, zero, dy), b),
    ];
  },
});
/** For each element, a if the condition is true, else b. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return applySingle("Where", [condition, ...operands(a, b)]);
}

defineOperator({
  type: "Clip",
  infer: (call) => {
    const x = required(call, 0, "x");
    const fits = call.inputs.every((bound) => bound === undefined || bound.dtype === x.dtype);
    if (!fits) rejectCall(call, "x and its bounds must have the same element type");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ dy, y }, x, low?: Tensor, high?: Tensor) => {
    const isLow = () => (high ? and(less(x, low!), lessOrEqual(low!, high)) : less(x, low!));
    const isHigh = () => greater(low ? maximum(x, low) : x, high!);
    return [
      // An element inside the bounds is unchanged, so one comparison of y with x replaces two comparisons
      // with the bounds.
      () => where(equal(y, x), dy, 0),
      () => unbroadcast(where(isLow(), dy, 0), low!),
      () => unbroadcast(where(isHigh(), dy, 0), high!),
    ];
  },
});
/**
 * Limits x to [low, high]. Each bound is a number or a scalar tensor. If low is above high, the result is
 * high. At the bounds themselves, the gradient goes to x, as in PyTorch.
 */
export function clip(x: Tensor, low?: Operand, high?: Operand): Tensor {
  const bound = (value: Operand | undefined) => (typeof value === "number" ? scalar(value, x.dtype) : value);
  return applySingle("Clip", [x, bound(low), bound(high)]);
}

defineOperator({
  type: "PRelu",
  infer: (call) => [{ dtype: required(call, 0, "x").dtype, shape: call.inputs[0]!.shape }],
  gradient: ({ dy }, x, slope) => {
    const positive = greater(x, 0);
    return [
      () => where(positive, dy, mul(dy, slope)),
      () => unbroadcast(where(positive, 0, mul(dy, x)), slope),
    ];
  },
});
/** x for x > 0, else slope * x. The slope is a tensor that can be trained; it broadcasts. */
export function prelu(x: Tensor, slope: Tensor): Tensor {
  return applySingle("PRelu", [x, slope]);
}

// ---- element types ---------------------------------------------------------------------------------------------------

defineOperator({
  type: "Cast",
  infer: (call) => {
    const x = required(call, 0, "x");
    const dtype = dtypeFromOnnx(intAttribute(call.attributes, "to", 0), "Cast");
    return [{ dtype, shape: x.shape, known: isFloat(dtype) ? undefined : x.known }];
  },
  gradient: ({ dy }, x) => [() => cast(dy, x.dtype)],
});
/** The same values in another element type. Makes no node if x already has this type. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : applySingle("Cast", [x], { to: onnxTypeCode(dtype) });
}

/** Sum of several tensors of the same shape, added one after the other. */
export function addAll(tensors: readonly Tensor[]): Tensor {
  return tensors.slice(1).reduce((total, tensor) => add(total, tensor), tensors[0]!);
}
