import { StriateError } from "../../../util/errors.js";
import type { Shape } from "../../dims.js";
import { sizeOf } from "../../dims.js";
import type { DType } from "../../dtype.js";
import { dtypeFromOnnx, isFloat } from "../../dtype.js";
import { applySingle, floatAttribute, intAttribute, intsAttribute } from "../../operator.js";
import {
  add,
  cast,
  div,
  greaterOrEqual,
  less,
  mul,
  scalar,
  sub,
} from "../../operators/elementwise/elementwise.js";
import { uniformNumber } from "../../operators/known-numbers.js";
import { cumulativeSum } from "../../operators/reduce/running-sum.js";
import { sum } from "../../operators/reduce/reduce.js";
import { slice } from "../../operators/shape/slice-pad.js";
import { softmax } from "../../operators/reduce/softmax.js";
import { reshape, unsqueeze } from "../../operators/shape/shape.js";
import type { Tensor } from "../../tensor.js";
import type { Conversion, ImportedCall, NoiseKind } from "./conversion.js";

/*
 * Operators that draw random numbers. Random numbers enter a graph as an input, either standard normal or
 * uniform in [0, 1). The operators become a scaling, a shift or a comparison of this input; their seeds are
 * ignored.
 */

function drawn(call: ImportedCall, kind: NoiseKind, shape: Shape, dtype: DType): Tensor {
  if (call.draw === undefined)
    throw new StriateError("random numbers can be drawn only when a whole file is read");
  if (!isFloat(dtype)) throw new StriateError(`expected random floating-point numbers, got ${dtype}`);
  return cast(call.draw(kind, shape), dtype);
}

function operand(call: ImportedCall): Tensor {
  const [x] = call.inputs;
  if (x === undefined) throw new StriateError("its first input is missing");
  return x;
}

function dtypeOf(call: ImportedCall, fallback: DType): DType {
  const code = intAttribute(call.attributes, "dtype", 0);
  return code === 0 ? fallback : dtypeFromOnnx(code, call.type);
}

/** Noise of the given kind. The attributes decide its scale and shift. */
function scaled(call: ImportedCall, kind: NoiseKind, shape: Shape, fallback: DType): readonly Tensor[] {
  const noise = drawn(call, kind, shape, dtypeOf(call, fallback));
  const number = (name: string, otherwise: number) => floatAttribute(call.attributes, name, otherwise);
  const [shift, factor] =
    kind === "normal"
      ? [number("mean", 0), number("scale", 1)]
      : [number("low", 0), number("high", 1) - number("low", 0)];
  const wide = factor === 1 ? noise : mul(noise, factor);
  return [shift === 0 ? wide : add(wide, shift)];
}

const shaped =
  (kind: NoiseKind): Conversion =>
  (call) => {
    const shape = intsAttribute(call.attributes, "shape");
    if (shape === undefined) throw new StriateError("its shape is missing");
    return scaled(call, kind, shape, "float32");
  };

const alike =
  (kind: NoiseKind): Conversion =>
  (call) =>
    scaled(call, kind, operand(call).shape, operand(call).dtype);

/** Bernoulli: 1 with the probability given by each element, else 0. */
const bernoulli: Conversion = (call) => {
  const x = operand(call);
  return [cast(less(drawn(call, "uniform", x.shape, x.dtype), x), dtypeOf(call, x.dtype))];
};

/**
 * Multinomial: the drawn class is the number of classes whose cumulative probability is at most a uniform
 * random number.
 */
const multinomial: Conversion = (call) => {
  const x = operand(call);
  if (x.rank !== 2) throw new StriateError(`expected [batch, classes], got rank ${x.rank}`);
  const samples = intAttribute(call.attributes, "sample_size", 1);
  const noise = drawn(call, "uniform", [x.shape[0]!, samples], x.dtype);
  const cumulated = slice(cumulativeSum(softmax(x), 1), [{ axis: 1, end: -1 }]);
  const passed = greaterOrEqual(unsqueeze(noise, [2]), unsqueeze(cumulated, [1]));
  return [cast(sum(cast(passed, "float32"), 2), dtypeOf(call, "int32"))];
};

/** Whether Dropout is in training mode, which exists from opset 12 on. */
export function isTraining(call: ImportedCall): boolean {
  const training = call.inputs[2];
  if (training === undefined) return false;
  const flag = uniformNumber(training);
  if (flag === undefined)
    throw new StriateError("expected a constant training mode of Dropout, got one that depends on an input");
  return flag !== 0;
}

/**
 * Dropout: each element becomes 0 with the probability `ratio`, and the others are scaled so that the mean
 * stays the same. The mask marks the elements that stay.
 */
export function trainingDropout(call: ImportedCall): readonly Tensor[] {
  const x = operand(call);
  const given = call.inputs[1];
  const ratio = given === undefined ? 0.5 : uniformNumber(given);
  if (ratio === undefined) {
    if (given === undefined || sizeOf(given.shape) !== 1)
      throw new StriateError(`in training mode, expected one ratio, got ${String(given)}`);
    return computedDropout(call, x, cast(reshape(given, []), x.dtype));
  }
  if (!(ratio >= 0 && ratio < 1))
    throw new StriateError(`in training mode, expected a ratio of at least 0 and below 1, got ${ratio}`);
  if (ratio === 0) return [applySingle("Identity", [x]), everywhere(x, true)];
  const mask = greaterOrEqual(drawn(call, "uniform", x.shape, x.dtype), ratio);
  return [mul(mul(x, cast(mask, x.dtype)), 1 / (1 - ratio)), mask].slice(0, call.outputCount);
}

/** Dropout whose ratio is known only when the graph runs. It must be below 1 then. */
function computedDropout(call: ImportedCall, x: Tensor, ratio: Tensor): readonly Tensor[] {
  const mask = greaterOrEqual(drawn(call, "uniform", x.shape, x.dtype), ratio);
  return [div(mul(x, cast(mask, x.dtype)), sub(1, ratio)), mask].slice(0, call.outputCount);
}

/** A mask of the shape of x that is true, or false, everywhere. */
export function everywhere(x: Tensor, value: boolean): Tensor {
  const one = scalar(Number(value), "bool");
  return applySingle("Expand", [one, applySingle("Shape", [x])]);
}

export const RANDOM_OPERATORS: readonly (readonly [string, Conversion])[] = [
  ["RandomNormal", shaped("normal")],
  ["RandomNormalLike", alike("normal")],
  ["RandomUniform", shaped("uniform")],
  ["RandomUniformLike", alike("uniform")],
  ["Bernoulli", bernoulli],
  ["Multinomial", multinomial],
];
