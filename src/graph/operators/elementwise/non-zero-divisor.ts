import type { DType } from "../../dtype.js";
import { applySingle } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";

/** Numbers below the square root of every positive number of the type, including subnormal ones. */
const SMALLEST_DIVISOR: Partial<Record<DType, number>> = {
  float16: 2 ** -13,
  float32: 2 ** -75,
  float64: 2 ** -538,
};

/** Makes a square root x >= 0 usable as a divisor: a tiny number replaces 0, so that 0 divided by it is 0. */
export function nonZeroDivisor(x: Tensor): Tensor {
  return applySingle("Max", [x, constant(SMALLEST_DIVISOR[x.dtype]!, [], x.dtype)]);
}
