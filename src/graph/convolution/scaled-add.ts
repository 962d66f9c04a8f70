import { blockedScaledSum, hasBlockedKernels, isScaledSumBlockable } from "./blocked.js";
import { sameShape, sizeOf } from "../dims.js";
import { applySingle, defineOperator, rejectCall, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import type { Operand } from "../operators/elementwise/elementwise.js";
import { add, mul, scalar } from "../operators/elementwise/elementwise.js";
import { sum } from "../operators/reduce/reduce.js";

defineOperator({
  type: "ScaledAdd",
  infer: (call) => {
    const [x, scale, y] = [required(call, 0, "x"), required(call, 1, "scale"), required(call, 2, "y")];
    if (scale.rank !== 0) rejectCall(call, `expected a scalar scale, got ${String(scale)}`);
    if (!sameShape(x.shape, y.shape))
      rejectCall(call, `expected x and y of the same shape, got ${String(x)} and ${String(y)}`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ dy }, x, scale) => [mul(dy, scale), () => sum(mul(dy, x)), dy],
  lower: (call, target) => {
    const [x, scale, y] = call.inputs as [Tensor, Tensor, Tensor];
    return [target === "cpu" && isLong(x) ? blockedScaledSum(x, scale, y) : add(mul(x, scale), y)];
  },
});

/** Computes scale * x + y; `scale` is a scalar. */
export function scaledAdd(x: Tensor, scale: Operand, y: Tensor): Tensor {
  return applySingle("ScaledAdd", [x, typeof scale === "number" ? scalar(scale, x.dtype) : scale, y]);
}

/**
 * Smallest number of elements for which a single pass over memory pays; docs/engine.md has the measurements.
 */
const LONG = 2 ** 15;

function isLong(x: Tensor): boolean {
  return hasBlockedKernels() && isScaledSumBlockable(x) && (sizeOf(x.shape) as number) >= LONG;
}
