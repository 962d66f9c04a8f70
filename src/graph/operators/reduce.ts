import type { Dim } from "../dims.js";
import { isStatic, isStaticShape, normaliseAxis, sameShape, sizeOf } from "../dims.js";
import { isFloat } from "../dtype.js";
import type { Call, GradientCall, LoweringRule, Target, TensorType } from "../operator.js";
import { apply1, defineOperator, intAttribute, misfit, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { integers } from "../tensor.js";
import { dimTensor, expandLike, unbroadcast } from "./broadcast.js";
import { fusedMatmul } from "./contrib.js";
import { addAll, cast, div, equal, exp, log, mul, scalar, sqrt, sub } from "./elementwise.js";
import { reshape } from "./shape.js";

/** Axes to reduce: one, several, or all when left out. Negative ones count from the end. */
export type Axes = number | readonly number[];

export interface ReduceOptions {
  /** Keep reduced axes with length 1 (default false). */
  readonly keepAxes?: boolean;
}

function axesOf(call: Call): readonly number[] {
  const x = required(call, 0, "x");
  const given = call.inputs[1];
  if (given === undefined) {
    return intAttribute(call.attributes, "noop_with_empty_axes", 0) === 1
      ? []
      : x.shape.map((_, axis) => axis);
  }
  if (!given.known?.every(isStatic)) misfit(call, "the axes must be known when the graph is built");
  return given.known.map((axis) => normaliseAxis(axis, x.rank, call.type));
}

function inferReduction(call: Call): TensorType[] {
  const x = required(call, 0, "x");
  const axes = axesOf(call);
  const keep = intAttribute(call.attributes, "keepdims", 1) === 1;
  const shape: Dim[] = [];
  for (const [axis, dim] of x.shape.entries()) {
    if (!axes.includes(axis)) shape.push(dim);
    else if (keep) shape.push(1);
  }
  return [{ dtype: x.dtype, shape }];
}

/** A value of the reduced shape with length 1 put back where an axis was dropped. */
function keepAxes(reduced: Tensor, call: GradientCall): Tensor {
  const axes = axesOf(call);
  if (intAttribute(call.attributes, "keepdims", 1) === 1 || axes.length === 0) return reduced;
  return apply1("Unsqueeze", [reduced, integers(axes)]);
}

type ReductionGradient = (dy: Tensor, x: Tensor, y: Tensor, call: GradientCall) => Tensor;

function reduction(
  type: string,
  gradient?: ReductionGradient,
  lower?: LoweringRule,
): (x: Tensor, axes?: Axes, options?: ReduceOptions) => Tensor {
  defineOperator({
    type,
    infer: inferReduction,
    ...(gradient && {
      gradient: (call: GradientCall) => {
        const dy = call.gradients[0];
        if (dy === undefined) return [];
        const x = call.inputs[0]!;
        return [gradient(keepAxes(dy, call), x, keepAxes(call.outputs[0]!, call), call)];
      },
    }),
    ...(lower && { lower }),
  });
  return (x, axes, options = {}) => {
    const list = axes === undefined ? undefined : integers(typeof axes === "number" ? [axes] : axes);
    return apply1(type, [x, list], { keepdims: options.keepAxes === true ? 1 : 0 });
  };
}

/** Number of elements that one result of a reduction is made of, as a scalar of x's type. */
export function countOf(x: Tensor, axes: readonly number[]): Tensor {
  const size = sizeOf(axes.map((axis) => x.shape[axis]!));
  return isStatic(size) ? scalar(size, x.dtype) : runtimeCount(x, axes);
}

function runtimeCount(x: Tensor, axes: readonly number[]): Tensor {
  const shape = axes.map((axis) => x.shape[axis]!);
  const known = shape.filter(isStatic).reduce((a, b) => a * b, 1);
  const counts = shape.filter((dim) => !isStatic(dim)).map((dim) => cast(dimTensor(dim, [x]), x.dtype));
  return counts.reduce((a, b) => mul(a, b), scalar(known, x.dtype));
}

export const sum = reduction("ReduceSum", (dy, x) => expandLike(dy, x), lowerSumOfProducts);
export const mean = reduction(
  "ReduceMean",
  (dy, x, _y, call) => expandLike(div(dy, countOf(x, axesOf(call))), x),
  (call, target) =>
    lowerSumOfProducts(call, target)?.map((total) => div(total, countOf(call.inputs[0]!, axesOf(call)))),
);
/** Largest element; equal largest ones share the gradient, as in PyTorch's amax. */
export const max = reduction("ReduceMax", shareExtremes);
/** Smallest element; equal smallest ones share the gradient. */
export const min = reduction("ReduceMin", shareExtremes);
/** Product of the elements; the gradient needs them to be other than 0. */
export const product = reduction("ReduceProd", (dy, x, y) => div(mul(dy, y), x));
export const sumOfSquares = reduction(
  "ReduceSumSquare",
  (dy, x) => mul(mul(dy, 2), x),
  (call, target) => lowerInnerProducts(call, target, [call.inputs[0]!, call.inputs[0]!]),
);
export const l1Norm = reduction("ReduceL1", (dy, x) => mul(dy, apply1("Sign", [x])));
/** Euclidean norm; the gradient at the zero vector is 0. */
export const l2Norm = reduction(
  "ReduceL2",
  (dy, x, y) => {
    const safe = apply1("Where", [equal(y, 0), scalar(1, y.dtype), y]);
    return mul(div(dy, safe), x);
  },
  lowerL2,
);
export const logSumExp = reduction("ReduceLogSumExp", (dy, x, y) => mul(dy, exp(sub(x, y))));
export const logSum = reduction("ReduceLogSum", (dy, x, y) => expandLike(div(dy, exp(y)), x));

/** From this length on inner products are faster than products, or squares, and their sums. */
const LONG_PRODUCTS = 512;
/** Inner products are shared by the threads, not split. */
const MANY_PRODUCTS = 32;

function lowerSumOfProducts(call: Call, target: Target): Tensor[] | undefined {
  const { node } = call.inputs[0]!;
  const [a, b] = node.inputs;
  return node.type === "Mul" ? lowerInnerProducts(call, target, [a!, b!]) : undefined;
}

/**
 * The sum of a * b as many inner products along the last axes, and their sum: one pass over memory, which ONNX Runtime's
 * CPU provider needs a third to a half of the time for.
 */
function lowerInnerProducts(
  call: Call,
  target: Target,
  [a, b]: readonly [Tensor, Tensor],
): Tensor[] | undefined {
  const { shape, dtype } = call.inputs[0]!;
  const alike = isStaticShape(shape) && sameShape(a.shape, shape) && sameShape(b.shape, shape);
  if (target !== "cpu" || dtype !== "float32" || !alike) return undefined;
  const axes = axesOf(call);
  let first = shape.length;
  while (axes.includes(first - 1)) first--;
  const lead = shape.slice(0, first);
  const [rows, columns] = [sizeOf(lead) as number, sizeOf(shape.slice(first)) as number];
  if (columns < LONG_PRODUCTS || rows < MANY_PRODUCTS) return undefined;
  const vectors = (x: Tensor) => reshape(x, [rows, 1, columns]);
  const products = reshape(fusedMatmul(vectors(a), vectors(b), { transB: 1 }), lead);
  const others = axes.filter((axis) => axis < first);
  const total =
    others.length === 0 ? products : apply1("ReduceSum", [products, integers(others)], { keepdims: 0 });
  return [reshape(total, inferReduction(call)[0]!.shape)];
}

/** ONNX Runtime's CPU provider has a fast path for sums along any axes, not for norms. */
function lowerL2(call: Call, target: Target): Tensor[] | undefined {
  const [x, axes] = [call.inputs[0]!, call.inputs[1]];
  if (target !== "cpu") return undefined;
  return [sqrt(apply1("ReduceSum", [mul(x, x), axes], call.attributes))];
}

function shareExtremes(dy: Tensor, x: Tensor, y: Tensor, call: GradientCall): Tensor {
  const hit = cast(equal(x, y), dy.dtype);
  const ties = apply1("ReduceSum", [hit, integers(axesOf(call))], { keepdims: 1 });
  return mul(hit, div(dy, ties));
}

/** Biased variance (divided by the number of elements). */
export function variance(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  const centred = sub(x, mean(x, axes, { keepAxes: true }));
  return mean(mul(centred, centred), axes, options);
}

/** Standard deviation, biased. */
export function standardDeviation(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  return sqrt(variance(x, axes, options));
}

// ---- softmax -----------------------------------------------------------------------------------------------------------

function inferSoftmax(call: Call): TensorType[] {
  const x = required(call, 0, "x");
  if (!isFloat(x.dtype)) misfit(call, "expected floating-point values");
  normaliseAxis(intAttribute(call.attributes, "axis", -1), x.rank, call.type);
  return [{ dtype: x.dtype, shape: x.shape }];
}

defineOperator({
  type: "Softmax",
  infer: inferSoftmax,
  gradient: (call) => {
    const [dy, y] = [call.gradients[0], call.outputs[0]!];
    if (dy === undefined) return [];
    const weighted = mul(dy, y);
    const total = sum(weighted, intAttribute(call.attributes, "axis", -1), { keepAxes: true });
    return [sub(weighted, mul(y, total))];
  },
});
/** e^x normalised to sum 1 along an axis (default the last). */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply1("Softmax", [x], { axis });
}

defineOperator({
  type: "LogSoftmax",
  infer: inferSoftmax,
  gradient: (call) => {
    const [dy, y] = [call.gradients[0], call.outputs[0]!];
    if (dy === undefined) return [];
    const total = sum(dy, intAttribute(call.attributes, "axis", -1), { keepAxes: true });
    return [sub(dy, mul(exp(y), total))];
  },
  // WebGPU has no LogSoftmax and would copy to the CPU and back.
  lower: (call, target) => {
    if (target !== "webgpu") return undefined;
    const x = call.inputs[0]!;
    const axis = intAttribute(call.attributes, "axis", -1);
    const shifted = sub(x, max(x, axis, { keepAxes: true }));
    return [sub(shifted, log(sum(exp(shifted), axis, { keepAxes: true })))];
  },
});
/** log(softmax(x)) along an axis (default the last), without overflow. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return apply1("LogSoftmax", [x], { axis });
}

// ONNX's n-ary operators, as imported files hold them; ours are chains of two.
for (const [type, combine] of [
  ["Sum", addAll],
  ["Mean", (all: readonly Tensor[]) => div(addAll(all), all.length)],
] as const) {
  defineOperator({
    type,
    infer: (call) => [combine(call.inputs.map((_, i) => required(call, i, `x${i}`)))],
    lower: (call) => [combine(call.inputs.map((x) => x!))],
    gradient: (call) => {
      const dy = call.gradients[0];
      if (dy === undefined) return [];
      const part = type === "Mean" ? div(dy, call.inputs.length) : dy;
      return call.inputs.map((x) => unbroadcast(part, x!));
    },
  });
}
