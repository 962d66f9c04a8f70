import { isStatic } from "../../dims.js";
import type { Call } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  rejectCall,
  required,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import type { AxisMatrix } from "../linear/axis-matrix.js";
import { axisMatrix, multiplyAxis, transposed } from "../linear/axis-matrix.js";
import { add, div, exp, log, mul, scalar, sub } from "../elementwise/elementwise.js";

interface LocalResponse {
  readonly x: Tensor;
  readonly alpha: number;
  readonly beta: number;
  readonly base: Tensor;
  /** Matrix that sums over the window of neighbouring channels. */
  readonly window: AxisMatrix;
}

/**
 * Computes bias + alpha / size * (sum of squares over neighbouring channels), with its intermediate values.
 */
function localResponse(call: Call): LocalResponse {
  const x = required(call, 0, "x");
  const size = intAttribute(call.attributes, "size", 1);
  const channels = x.shape[1]!;
  if (!isStatic(channels)) rejectCall(call, "the number of channels must be known");
  const window = axisMatrix(channels, channels, (put) => {
    for (let row = 0; row < channels; row++) {
      const first = Math.max(0, row - Math.floor((size - 1) / 2));
      const last = Math.min(channels - 1, row + Math.ceil((size - 1) / 2));
      for (let column = first; column <= last; column++) put(row, column, 1);
    }
  });
  const alpha = floatAttribute(call.attributes, "alpha", 1e-4) / size;
  const sums = multiplyAxis(mul(x, x), 1, window);
  const base = add(mul(sums, alpha), floatAttribute(call.attributes, "bias", 1));
  return { x, alpha, beta: floatAttribute(call.attributes, "beta", 0.75), base, window };
}

/**
 * Computes base^-beta with logarithms, because not every runtime supports a power with a broadcast exponent.
 */
function damping({ base, beta }: LocalResponse): Tensor {
  return exp(mul(log(base), scalar(-beta, base.dtype)));
}

defineOperator({
  type: "LRN",
  infer: (call) => [{ dtype: required(call, 0, "x").dtype, shape: call.inputs[0]!.shape }],
  gradient: (call) => {
    const { dy } = call;
    const response = localResponse(call);
    const { x, alpha, beta, base, window } = response;
    const damped = mul(dy, damping(response));
    const acrossChannels = multiplyAxis(div(mul(damped, x), base), 1, transposed(window));
    return [sub(damped, mul(mul(x, 2 * alpha * beta), acrossChannels))];
  },
  lower: (call, target) =>
    target === "webgpu" ? [mul(call.inputs[0]!, damping(localResponse(call)))] : undefined,
});
/** x / (bias + alpha / size * sum of squares over `size` neighbouring channels)^beta (Krizhevsky et al. 2012). */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: { readonly alpha?: number; readonly beta?: number; readonly bias?: number } = {},
): Tensor {
  const { alpha = 1e-4, beta = 0.75, bias = 1 } = options;
  return applySingle("LRN", [x], {
    size,
    alpha: { float: alpha },
    beta: { float: beta },
    bias: { float: bias },
  });
}
