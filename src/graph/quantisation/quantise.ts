import { float16ToFloat32 } from "../../util/half.js";
import { isStatic, normaliseAxis } from "../dims.js";
import type { DType, TensorData } from "../dtype.js";
import { dtypeFromOnnx, holdsNumbers, isFloat } from "../dtype.js";
import type { Call } from "../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { constant, constantData, integers } from "../tensor.js";
import { reshapeLike } from "../operators/broadcast.js";
import {
  add,
  and,
  cast,
  clip,
  div,
  equal,
  greater,
  less,
  maximum,
  minimum,
  mul,
  round,
  sub,
  where,
} from "../operators/elementwise/elementwise.js";
import { max, min, sum } from "../operators/reduce/reduce.js";
import { gather } from "../operators/select/select.js";
import { reshape } from "../operators/shape/shape.js";

/*
 * Rounding has slope 0 almost everywhere, so quantisers use a straight-through gradient: q = round(x / scale)
 * + zero is treated as x / scale + zero inside the range of the type, and as a constant outside it. The
 * gradient of q is float32.
 *
 * Under this rule, the dequantised value (q - zero) scale equals x for any scale. The effects of the scale on
 * quantising and on dequantising cancel, so the scale gets no gradient from either. Only the scale of values
 * that no quantiser made, such as weights in a file, gets its true gradient.
 */

/** The smallest and the largest number of each type that quantised values can have. */
export const QUANTISED_RANGE: Readonly<Partial<Record<DType, readonly [low: number, high: number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int4: [-8, 7],
  uint4: [0, 15],
  int2: [-2, 1],
  uint2: [0, 3],
  float8e4m3fn: [-448, 448],
  float8e4m3fnuz: [-240, 240],
  float8e5m2: [-57344, 57344],
  float8e5m2fnuz: [-57344, 57344],
  float4e2m1: [-6, 6],
};

/**
 * The first bad number of each constant scale, or undefined if there is none. The results are kept, because
 * graphs are often traced again.
 */
const examined = new WeakMap<TensorData, number | undefined>();

/**
 * Throws if a scale is not floating-point, or if it is a constant with a number that is not above 0 and
 * finite.
 */
export function checkScale(call: Call, scale: Tensor, name: string): void {
  if (!isFloat(scale.dtype)) rejectCall(call, `${name} must be floating-point`);
  const data = constantData(scale);
  if (data === undefined) return;
  if (!examined.has(data)) examined.set(data, firstBadScale(data));
  const bad = examined.get(data);
  if (bad !== undefined) rejectCall(call, `${name} must be above 0 and finite, got ${bad}`);
}

function firstBadScale({ dtype, data }: TensorData): number | undefined {
  const isGood = (value: number) => value > 0 && value < Infinity;
  if (dtype === "float16") return float16ToFloat32(data as Uint16Array).find((value) => !isGood(value));
  if (!holdsNumbers(dtype)) return undefined;
  return (data as Float32Array).find((value) => !isGood(value));
}

/** Throws if a zero point does not have the type of the quantised values or the shape of its scale. */
export function checkZero(call: Call, zero: Tensor | undefined, dtype: DType, scale: Tensor): void {
  if (zero === undefined) return;
  if (zero.dtype !== dtype)
    rejectCall(
      call,
      `expected a zero point of the type of the quantised values, ${dtype}, got ${zero.dtype}`,
    );
  const isOne = ({ shape }: Tensor) => shape.every((dim) => dim === 1);
  const differs = zero.shape.some(
    (dim, axis) => dim !== scale.shape[axis] && isStatic(dim) && isStatic(scale.shape[axis] ?? 1),
  );
  if ((zero.rank !== scale.rank || differs) && !(isOne(zero) && isOne(scale)))
    rejectCall(call, "the zero point and the scale must have the same shape");
}

/** How scales and zero points are assigned to values. */
interface Granularity {
  readonly axis: number;
  /** Number of consecutive values that share a scale; 0 if each index of the axis has its own scale. */
  readonly block: number;
}

/**
 * The axis and block size of a call, or undefined if all values share one scale. Throws if the scale does not
 * fit the values.
 */
function granularityOf(call: Call, x: Tensor, scale: Tensor): Granularity | undefined {
  const block = intAttribute(call.attributes, "block_size", 0);
  if (scale.rank === 0 || (block === 0 && scale.rank === 1 && scale.shape[0] === 1)) return undefined;
  const axis = normaliseAxis(intAttribute(call.attributes, "axis", 1), x.rank, call.type);
  if (block < 0) rejectCall(call, `block_size must not be negative, got ${block}`);
  if (block === 0) {
    if (scale.rank !== 1)
      rejectCall(call, `expected one scale, or one for each index of axis ${axis}; blocks need a block_size`);
    const [given, length] = [scale.shape[0]!, x.shape[axis]!];
    if (given !== length && isStatic(given) && isStatic(length))
      rejectCall(call, `expected ${length} scales along axis ${axis}, got ${given}`);
    return { axis, block };
  }
  if (scale.rank !== x.rank) rejectCall(call, "scales of blocks must have the rank of the values");
  for (const [at, dim] of x.shape.entries()) {
    const given = scale.shape[at]!;
    if (!isStatic(dim) || !isStatic(given)) continue;
    const wanted = at === axis ? Math.ceil(dim / block) : dim;
    if (given !== wanted)
      rejectCall(
        call,
        `blocks of ${block} along axis ${axis} do not match the scales: ` +
          `expected ${wanted} scales along axis ${at}, got ${given}`,
      );
  }
  return { axis, block };
}

/** A scale or zero point in single precision, shaped to broadcast against the values. */
function spread(call: Call, parameter: Tensor, x: Tensor, how: Granularity | undefined): Tensor {
  const numbers = cast(parameter, "float32");
  if (how === undefined) return reshape(numbers, []);
  const { axis, block } = how;
  if (block === 0)
    return reshape(
      numbers,
      x.shape.map((_, at) => (at === axis ? -1 : 1)),
    );
  const length = x.shape[axis]!;
  if (!isStatic(length)) return rejectCall(call, `its gradient needs a known length of axis ${axis}`);
  return gather(numbers, blocksOf(length, block), axis);
}

/** Computes q - zero in single precision, for a zero point that broadcasts. */
export function centred(q: Tensor, zero: Tensor | undefined): Tensor {
  const numbers = cast(q, "float32");
  return zero === undefined ? numbers : sub(numbers, cast(zero, "float32"));
}

// ---- QuantizeLinear ----------------------------------------------------------------------------------------------------

/** The element type of a quantiser's output. */
function quantisedType(call: Call, zero: Tensor | undefined): DType {
  const stated = intAttribute(call.attributes, "output_dtype", 0);
  if (stated === 0) return zero?.dtype ?? "uint8";
  const dtype = dtypeFromOnnx(stated, call.type);
  if (zero !== undefined && zero.dtype !== dtype)
    rejectCall(call, `expected a zero point of the type in output_dtype, ${dtype}, got ${zero.dtype}`);
  return dtype;
}

defineOperator({
  type: "QuantizeLinear",
  straightThrough: true,
  infer: (call) => {
    const [x, scale, zero] = [required(call, 0, "x"), required(call, 1, "scale"), call.inputs[2]];
    if (!isFloat(x.dtype) && x.dtype !== "int32")
      rejectCall(call, "expected floating-point values, or int32");
    const dtype = quantisedType(call, zero);
    if (QUANTISED_RANGE[dtype] === undefined) rejectCall(call, `values cannot be quantised to ${dtype}`);
    checkScale(call, scale, "the scale");
    checkZero(call, zero, dtype, scale);
    granularityOf(call, x, scale);
    return [{ dtype, shape: x.shape }];
  },
  gradient: (call, x, scale, zero?: Tensor) => {
    const how = granularityOf(call, x, scale);
    const step = spread(call, scale, x, how);
    const offset = zero && spread(call, zero, x, how);
    return [
      straightThrough(call.dy, cast(x, "float32"), { step, offset }, call.outputTypes[0]!),
      "zero",
      "zero",
    ];
  },
});

/**
 * The gradient of x, given the gradient dy of round(x / step) + offset, which is clipped to the range of
 * `dtype`.
 */
export function straightThrough(
  dy: Tensor,
  x: Tensor,
  { step, offset }: { readonly step: Tensor; readonly offset?: Tensor | undefined },
  dtype: DType,
): Tensor {
  const [low, high] = QUANTISED_RANGE[dtype]!;
  // Narrow floating-point types round to neighbours that are not integers.
  const nearest = isFloat(dtype) ? div(x, step) : round(div(x, step));
  const value = offset === undefined || isFloat(dtype) ? nearest : add(nearest, offset);
  return where(equal(clip(value, low, high), value), div(dy, step), 0);
}

// ---- DequantizeLinear --------------------------------------------------------------------------------------------------

defineOperator({
  type: "DequantizeLinear",
  infer: (call) => {
    const [x, scale, zero] = [required(call, 0, "x"), required(call, 1, "scale"), call.inputs[2]];
    if (QUANTISED_RANGE[x.dtype] === undefined) rejectCall(call, "expected quantised values");
    checkScale(call, scale, "the scale");
    checkZero(call, zero, x.dtype, scale);
    granularityOf(call, x, scale);
    const stated = intAttribute(call.attributes, "output_dtype", 0);
    const dtype = stated === 0 ? scale.dtype : dtypeFromOnnx(stated, call.type);
    if (!isFloat(dtype)) rejectCall(call, `output_dtype must be floating-point, got ${dtype}`);
    return [{ dtype, shape: x.shape }];
  },
  gradient: (call, x, scale, zero?: Tensor) => {
    const { dy } = call;
    const how = granularityOf(call, x, scale);
    if (call.needs(0)) return [mul(dy, spread(call, scale, x, how)), "zero", "zero"];
    const distance = centred(x, zero && spread(call, zero, x, how));
    return [undefined, () => gathered(mul(dy, distance), scale, how), "zero"];
  },
});

/** The adjoint of `spread`: sums the gradients of all values that share a scale. */
function gathered(gradient: Tensor, scale: Tensor, how: Granularity | undefined): Tensor {
  if (how === undefined) return reshapeLike(sum(gradient), scale);
  const { axis, block } = how;
  if (block === 0)
    return sum(
      gradient,
      gradient.shape.flatMap((_, at) => (at === axis ? [] : [at])),
    );
  return applySingle("GatherGradient", [gradient, blocksOf(gradient.shape[axis] as number, block), scale], {
    axis,
  });
}

/** The number of the block to which each index along an axis belongs. */
function blocksOf(length: number, block: number): Tensor {
  return integers(Array.from({ length }, (_, i) => Math.floor(i / block)));
}

// ---- DynamicQuantizeLinear ---------------------------------------------------------------------------------------------

defineOperator({
  type: "DynamicQuantizeLinear",
  straightThrough: true,
  infer: (call) => {
    const x = required(call, 0, "x");
    if (x.dtype !== "float32") rejectCall(call, "expected float32 values");
    return [
      { dtype: "uint8", shape: x.shape },
      { dtype: "float32", shape: [] },
      { dtype: "uint8", shape: [] },
    ];
  },
  // The range is computed from the values, so all of them are inside.
  gradient: (call, x) => {
    const [dy, dScale] = [0, 1, 2].map((output) => call.received(output));
    if (dy !== undefined) return [div(dy, call.outputs[1]!)];
    if (dScale === undefined) return ["zero"];
    const share = div(dScale, 255);
    const [top, bottom] = [maximum(max(x), 0), minimum(min(x), 0)];
    const isTop = and(greater(x, 0), equal(x, top));
    const isBottom = and(less(x, 0), equal(x, bottom));
    return [sub(mul(share, spreadEvenly(isTop)), mul(share, spreadEvenly(isBottom)))];
  },
});

/** Divides 1 equally among the elements that are true, and gives 0 to the others. */
function spreadEvenly(holds: Tensor): Tensor {
  const places = cast(holds, "float32");
  return div(places, maximum(sum(places), 1));
}

/** Options of {@link quantizeLinear} and {@link dequantizeLinear}. */
export interface QuantiseOptions {
  /**
   * The axis that has one scale for each index, or for each block of indices (default 1). It has no effect if
   * there is a single scale.
   */
  readonly axis?: number;
  /** Number of consecutive values along the axis that share a scale; the scales then have the rank of the values. */
  readonly blockSize?: number;
}

function quantiseAttributes({ axis = 1, blockSize }: QuantiseOptions) {
  return { axis, ...(blockSize !== undefined && { block_size: blockSize }) };
}

/**
 * Quantises values: computes round(x / scale) + zero, limited to the range of the type of `zero`. Ties are
 * rounded to the even number. The gradient is straight-through: that of x / scale inside the range, and 0
 * outside it. The scale and the zero point get no gradient.
 *
 * @throws StriateError for a constant scale that is not above 0, or shapes that do not fit.
 */
export function quantizeLinear(
  x: Tensor,
  scale: Tensor,
  zero: Tensor,
  options: QuantiseOptions = {},
): Tensor {
  return applySingle("QuantizeLinear", [x, scale, zero], quantiseAttributes(options));
}

/**
 * Converts x to another element type. For uint8, values are rounded and limited to the range 0 to 255, with a
 * straight-through gradient, which a Cast does not have.
 */
export function inElementType(x: Tensor, dtype: DType): Tensor {
  return dtype === "uint8" ? quantizeLinear(x, constant(1), constant(0, [], dtype)) : cast(x, dtype);
}

/** Dequantises values: computes (q - zero) scale in the type of `scale`. */
export function dequantizeLinear(
  q: Tensor,
  scale: Tensor,
  zero?: Tensor,
  options: QuantiseOptions = {},
): Tensor {
  return applySingle("DequantizeLinear", zero ? [q, scale, zero] : [q, scale], quantiseAttributes(options));
}
