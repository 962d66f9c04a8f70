import type { Dim } from "../../dims.js";
import { isStatic, normaliseAxis, unknownDim } from "../../dims.js";
import { dtypeFromOnnx, isFloat } from "../../dtype.js";
import type { Call, GradientCall } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import { floatConstant } from "./axis-matrix.js";
import { cast, mul } from "../elementwise/elementwise.js";
import { knownNumber } from "../known-numbers.js";
import { pad, slice } from "../shape/slice-pad.js";

for (const type of ["HannWindow", "HammingWindow", "BlackmanWindow"]) {
  defineOperator({
    type,
    infer: (call) => {
      const dtype = dtypeFromOnnx(intAttribute(call.attributes, "output_datatype", 1), type);
      return [{ dtype, shape: [knownNumber(required(call, 0, "size")) ?? unknownDim()] }];
    },
    gradient: "zero",
  });
}

// The edges of the bands are rounded to bins of the spectrum, so a small change of an edge does not change
// the matrix, and the gradient is zero.
defineOperator({
  type: "MelWeightMatrix",
  infer: (call) => {
    const [bands, length] = [0, 1].map((i) => knownNumber(required(call, i, "size")));
    const dtype = dtypeFromOnnx(intAttribute(call.attributes, "output_datatype", 1), call.type);
    const bins: Dim = length === undefined ? unknownDim() : Math.floor(length / 2) + 1;
    return [{ dtype, shape: [bins, bands ?? unknownDim()] }];
  },
  gradient: "zero",
});

defineOperator({
  type: "EyeLike",
  infer: (call) => {
    const x = required(call, 0, "x");
    if (x.rank !== 2) rejectCall(call, "expected a matrix");
    const code = intAttribute(call.attributes, "dtype", 0);
    return [{ dtype: code === 0 ? x.dtype : dtypeFromOnnx(code, call.type), shape: x.shape }];
  },
  gradient: "zero",
});

/**
 * A matrix of the shape of x, with ones on the diagonal that is `offset` places to the right of the main
 * diagonal, and zeros elsewhere.
 */
export function eyeLike(x: Tensor, offset = 0): Tensor {
  return applySingle("EyeLike", [x], { k: offset });
}

// ---- Fourier transform -----------------------------------------------------------------------------------------------

interface Transform {
  readonly x: Tensor;
  readonly axis: number;
  readonly isInverse: boolean;
  readonly isOnesided: boolean;
  /** Length of the full transform. */
  readonly length: number;
  /** Number of elements of x along the axis. */
  readonly given: number;
}

function transformOf(call: Call): Transform {
  const x = required(call, 0, "x");
  if (!isFloat(x.dtype) || x.rank < 2) rejectCall(call, "expected floating-point [..., 1] or [..., 2]");
  const stated = call.inputs[2] === undefined ? -2 : knownNumber(call.inputs[2]);
  if (stated === undefined) rejectCall(call, "its axis must be known when the graph is built");
  const axis = normaliseAxis(stated, x.rank, "DFT");
  if (axis === x.rank - 1) rejectCall(call, "the last axis holds real and imaginary parts, not a signal");
  const [isInverse, isOnesided] = ["inverse", "onesided"].map(
    (name) => intAttribute(call.attributes, name, 0) === 1,
  );
  const given = x.shape[axis]!;
  if (!isStatic(given)) rejectCall(call, `axis ${axis} must have a known length`);
  const whole = isInverse! && isOnesided! ? 2 * (given - 1) : given;
  const length = call.inputs[1] === undefined ? whole : knownNumber(call.inputs[1]);
  if (length === undefined) rejectCall(call, "its length must be known when the graph is built");
  const parts = x.shape.at(-1);
  if (parts !== 1 && parts !== 2)
    rejectCall(call, "the last axis must hold the real parts, or the real and the imaginary parts");
  if (isOnesided! && !isInverse! && parts !== 1)
    rejectCall(call, "only the spectrum of a real signal can be one-sided");
  return { x, axis, isInverse: isInverse!, isOnesided: isOnesided!, length, given };
}

defineOperator({
  type: "DFT",
  infer: (call) => {
    const { x, axis, isInverse, isOnesided, length } = transformOf(call);
    const count = isOnesided && !isInverse ? Math.floor(length / 2) + 1 : length;
    const parts = isOnesided && isInverse ? 1 : 2;
    return [{ dtype: x.dtype, shape: x.shape.with(axis, count).with(-1, parts) }];
  },
  gradient: (call) => [transformGradient(call), undefined, undefined],
  lower: (call) => {
    const { x, length } = transformOf(call);
    // For other lengths than powers of two, ONNX Runtime 1.30 keeps only three or four digits in float32.
    if (x.dtype !== "float32" || (length & (length - 1)) === 0) return undefined;
    const inputs = [cast(x, "float64"), ...call.inputs.slice(1)];
    return [cast(applySingle("DFT", inputs, call.attributes), "float32")];
  },
});

/**
 * Discrete Fourier transform of complex numbers [..., 2] along an axis. The inverse transform is divided by
 * the length.
 */
function transform(x: Tensor, axis: number, isInverse: boolean): Tensor {
  const inputs = [x, undefined, constant(axis, [], "int64")];
  return applySingle("DFT", inputs, { inverse: isInverse ? 1 : 0, onesided: 0 });
}

/**
 * The gradient is the adjoint of the call, which is a linear map: the transform in the other direction, with
 * another factor. A one-sided spectrum counts as a full spectrum with zeros at the end, and a real result as
 * a complex one with the imaginary part 0.
 */
function transformGradient(call: GradientCall): Tensor {
  const { x, axis, isInverse, isOnesided, length, given } = transformOf(call);
  const { dy } = call;
  const none = dy.shape.map(() => 0);
  const grown = (value: Tensor, at: number, to: number) =>
    pad(value, none, none.with(at, to - (value.shape[at] as number)));
  let gradient = grown(grown(dy, axis, length), dy.rank - 1, 2);
  gradient = transform(gradient, axis, !isInverse);
  gradient = mul(gradient, isInverse ? 1 / length : length);
  const used = Math.min(given, length);
  if (isInverse && isOnesided) {
    // Each number also stands for its mirror image, except for the first one and, if the length is even, the
    // last one.
    const half = Math.floor(length / 2) + 1;
    const weights = Array.from({ length: half }, (_, i) => (i === 0 || 2 * i === length ? 1 : 2));
    const shape = x.shape.map((_, at) => (at === axis ? half : 1));
    gradient = mul(slice(gradient, [{ axis, end: half }]), floatConstant(weights, shape, gradient.dtype));
    gradient = grown(slice(gradient, [{ axis, end: Math.min(half, given) }]), axis, given);
  } else gradient = grown(slice(gradient, [{ axis, end: used }]), axis, given);
  return slice(gradient, [{ axis: x.rank - 1, end: x.shape.at(-1) as number }]);
}
