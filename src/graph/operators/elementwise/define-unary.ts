import { isFloat } from "../../dtype.js";
import type { GradientCall, LoweringRule } from "../../operator.js";
import { applySingle, defineOperator, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { keepMask } from "./masked-gradient.js";

export type UnaryGradient = (dy: Tensor, x: Tensor, y: Tensor, call: GradientCall) => Tensor;

/** Functions whose slope may be infinite, or too large for its type. */
const STEEP = new Set(["Acos", "Acosh", "Asin", "Atanh", "Cosh", "Exp", "Log", "Reciprocal", "Sinh", "Tan"]);

/** Defines an operator that maps every element on its own, and returns the function that calls it. */
export function unary(
  type: string,
  gradient: UnaryGradient | "zero",
  floatOnly = true,
  lower?: LoweringRule,
): (x: Tensor) => Tensor {
  defineOperator({
    type,
    infer: (call) => {
      const x = required(call, 0, "x");
      if (floatOnly && !isFloat(x.dtype)) rejectCall(call, "expected floating-point values");
      return [{ dtype: x.dtype, shape: x.shape, known: type === "Identity" ? x.known : undefined }];
    },
    gradient:
      gradient === "zero"
        ? "zero"
        : (call, x) => {
            const dx = gradient(call.dy, x, call.y, call);
            return [STEEP.has(type) ? keepMask(call.dy, dx) : dx];
          },
    ...(lower && { lower }),
  });
  return (x) => applySingle(type, [x]);
}
