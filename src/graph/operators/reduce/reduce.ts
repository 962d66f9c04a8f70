import { isStatic, isStaticShape, sameShape, sizeOf } from "../../dims.js";
import type { Call, GradientCall, Target } from "../../operator.js";
import { applySingle, defineOperator, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { isFloat } from "../../dtype.js";
import { dimTensor, expandLike, reshapeLike, unbroadcast } from "../broadcast.js";
import { fusedMatmul } from "../contrib.js";
import {
  abs,
  add,
  addAll,
  cast,
  div,
  equal,
  exp,
  log,
  mul,
  scalar,
  sqrt,
  sub,
  where,
} from "../elementwise/elementwise.js";
import { LONGEST_ROW, lowerLongSum } from "./long-sum.js";
import type { Axes, ReduceOptions } from "./reduction.js";
import { axesOf, inferReduction, reduction } from "./reduction.js";
import { reshape } from "../shape/shape.js";

export type { Axes, ReduceOptions } from "./reduction.js";

/** Number of elements that a reduction combines into one result, as a scalar of x's type. */
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

/** The sum over axes (default: all). */
export const sum = reduction(
  "ReduceSum",
  (dy, x) => expandLike(dy, x),
  (call, target) => lowerHalf(call, target) ?? lowerSum(call, target),
);
/** The mean over axes (default: all). */
export const mean = reduction(
  "ReduceMean",
  (dy, x, _y, call) => expandLike(div(dy, countOf(x, axesOf(call))), x),
  (call, target) =>
    lowerHalf(call, target) ??
    lowerSum(call, target)?.map((total) => div(total, countOf(call.inputs[0]!, axesOf(call)))),
);
/**
 * The largest element over axes (default: all). If several elements are the largest, they share the gradient,
 * as in PyTorch's amax.
 */
export const max = reduction("ReduceMax", shareExtremes);
/**
 * The smallest element over axes (default: all). If several elements are the smallest, they share the
 * gradient.
 */
export const min = reduction("ReduceMin", shareExtremes);
/** The sum of squares over axes (default: all). */
export const sumOfSquares = reduction(
  "ReduceSumSquare",
  (dy, x) => mul(mul(dy, 2), x),
  (call, target) => {
    const x = call.inputs[0]!;
    return lowerInnerProducts(call, target, [x, x]) ?? lowerLong(call, target, (total) => total(mul(x, x)));
  },
);
/** The sum of absolute values over axes (default: all). */
export const l1Norm = reduction(
  "ReduceL1",
  (dy, x) => mul(dy, applySingle("Sign", [x])),
  (call, target) => lowerLong(call, target, (total) => total(abs(call.inputs[0]!))),
);
/** The Euclidean norm over axes (default: all). The gradient at the zero vector is 0. */
export const l2Norm = reduction("ReduceL2", (dy, x, y) => mul(div(dy, where(equal(y, 0), 1, y)), x), lowerL2);
/**
 * log(sum(exp(x))) over axes (default: all), without overflow. If all elements are -Infinity, the gradient is
 * 0.
 */
export const logSumExp = reduction(
  "ReduceLogSumExp",
  (dy, x, y) => mul(dy, exp(sub(x, where(equal(y, -Infinity), 0, y)))),
  (call, target) => {
    const form = (total: (terms: Tensor) => Tensor) => {
      const largest = applySingle("ReduceMax", call.inputs, { ...call.attributes, keepdims: 1 });
      const shift = where(equal(abs(largest), Infinity), 0, largest);
      const logarithm = log(total(exp(sub(call.inputs[0]!, shift))));
      return add(logarithm, reshapeLike(shift, logarithm));
    };
    // On WebGPU, ONNX Runtime 1.30 adds the exponentials as they are, which overflow. A portable graph must
    // also run there.
    const isShifted = target === "webgpu" || target === "portable";
    if (!isShifted || !isFloat(call.inputs[0]!.dtype)) return lowerLong(call, target, form);
    return [form((terms) => applySingle("ReduceSum", [terms, call.inputs[1]], call.attributes))];
  },
);
/** The natural logarithm of the sum over axes (default: all). */
export const logSum = reduction(
  "ReduceLogSum",
  (dy, x, y) => expandLike(div(dy, exp(y)), x),
  (call, target) => lowerLong(call, target, (total) => log(total(call.inputs[0]!))),
);

function lowerSum(call: Call, target: Target): Tensor[] | undefined {
  const products = lowerSumOfProducts(call, target);
  if (products !== undefined) return products;
  const total = lowerLongSum(call, target);
  return total && [total];
}

/** Computes a long sum or mean of float16 in float32, because half precision cannot hold the partial sums. */
function lowerHalf(call: Call, target: Target): Tensor[] | undefined {
  const [x, axes] = [call.inputs[0]!, call.inputs[1]];
  if (x.dtype !== "float16") return undefined;
  const inputs = [cast(x, "float32"), axes];
  if (lowerLongSum({ ...call, inputs }, target) === undefined) return undefined;
  return [cast(applySingle(call.type, inputs, call.attributes), x.dtype)];
}

/**
 * Number of terms (squares, magnitudes or exponentials) above which a separate ReduceSum adds them up, at the
 * cost of one more pass.
 */
const LONGEST_TOTAL = 4096;

/** Rewrites a reduction with a plain sum if ONNX Runtime would add up too many numbers one by one. */
function lowerLong(
  call: Call,
  target: Target,
  form: (total: (terms: Tensor) => Tensor) => Tensor,
): Tensor[] | undefined {
  const x = call.inputs[0]!;
  const count = sizeOf(axesOf(call).map((axis) => x.shape[axis]!));
  const isLong = x.dtype === "float32" && isStatic(count) && count > LONGEST_TOTAL;
  if ((target !== "cpu" && target !== "wasm") || !isLong) return undefined;
  return [form((terms) => applySingle("ReduceSum", [terms, call.inputs[1]], call.attributes))];
}

/** Smallest length for which an inner product is faster than products (or squares) and a separate sum. */
const LONG_PRODUCTS = 512;
/** Smallest number of inner products. Threads divide them among themselves, but cannot split one of them. */
const MANY_PRODUCTS = 32;

function lowerSumOfProducts(call: Call, target: Target): Tensor[] | undefined {
  const { node } = call.inputs[0]!;
  const [a, b] = node.inputs;
  return node.type === "Mul" ? lowerInnerProducts(call, target, [a!, b!]) : undefined;
}

/**
 * Computes the sum of a * b as many inner products along the last axes, which are then summed. This is one
 * pass over memory instead of two. On ONNX Runtime's CPU provider, it takes a third to a half of the time.
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
  if (columns < LONG_PRODUCTS || columns > LONGEST_ROW || rows < MANY_PRODUCTS) return undefined;
  const vectors = (x: Tensor) => reshape(x, [rows, 1, columns]);
  const products = reshape(fusedMatmul(vectors(a), vectors(b), { transB: 1 }), lead);
  const others = axes.filter((axis) => axis < first);
  const total =
    others.length === 0 ? products : applySingle("ReduceSum", [products, integers(others)], { keepdims: 0 });
  return [reshape(total, inferReduction(call)[0]!.shape)];
}

/** ONNX Runtime's CPU provider has a fast path for sums along any axes, but not for norms. */
function lowerL2(call: Call, target: Target): Tensor[] | undefined {
  const [x, axes] = [call.inputs[0]!, call.inputs[1]];
  if (target !== "cpu") return undefined;
  return [sqrt(applySingle("ReduceSum", [mul(x, x), axes], call.attributes))];
}

function shareExtremes(dy: Tensor, x: Tensor, y: Tensor, call: GradientCall): Tensor {
  const hit = cast(equal(x, y), dy.dtype);
  const ties = applySingle("ReduceSum", [hit, integers(axesOf(call))], { keepdims: 1 });
  return mul(hit, div(dy, ties));
}

/** Biased variance (divided by the number of elements). */
export function variance(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  const centred = sub(x, mean(x, axes, { keepAxes: true }));
  return mean(mul(centred, centred), axes, options);
}

/** Standard deviation: the square root of the biased variance. */
export function standardDeviation(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  return sqrt(variance(x, axes, options));
}

// ONNX's n-ary operators, which imported files may contain. They become chains of binary operators.
for (const [type, combine] of [
  ["Sum", addAll],
  ["Mean", (all: readonly Tensor[]) => div(addAll(all), all.length)],
] as const) {
  defineOperator({
    type,
    infer: (call) => [combine(call.inputs.map((_, i) => required(call, i, `x${i}`)))],
    lower: (call) => [combine(call.inputs.map((x) => x!))],
    gradient: ({ dy }, ...inputs) => {
      const part = type === "Mean" ? div(dy, inputs.length) : dy;
      return inputs.map((x) => unbroadcast(part, x));
    },
  });
}
