import type { DType } from "../../dtype.js";
import { applySingle } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";

/** Below the square root of every positive number of the type, denormal ones too. */
const LEAST: Partial<Record<DType, number>> = { float16: 2 ** -13, float32: 2 ** -75, float64: 2 ** -538 };

/** A root x >= 0 as a divisor: the least of numbers instead of 0, so that 0 divided by it is 0. */
export function orLeast(x: Tensor): Tensor {
  return applySingle("Max", [x, constant(LEAST[x.dtype]!, [], x.dtype)]);
}
