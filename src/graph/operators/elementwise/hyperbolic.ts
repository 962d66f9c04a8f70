import type { DType } from "../../dtype.js";
import type { Call, LoweringRule, Target } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { abs, add, div, less, log, maximum, mul, neg, reciprocal, sqrt, sub, where } from "./elementwise.js";
import { nonZeroDivisor } from "./non-zero-divisor.js";
import { unary } from "./define-unary.js";

/*
 * Inverse hyperbolic functions. Their textbook forms by logarithms lose all digits near 0 and overflow for
 * large x. ONNX Runtime's CPU provider has accurate forms in single precision. The functions of WGSL,
 * WebGPU's language, are the textbook forms.
 */

/** Lowers a call if the target has no accurate operator for it. */
function stable(form: (x: Tensor) => Tensor): LoweringRule {
  return (call: Call, target: Target) => {
    const x = call.inputs[0]!;
    return target === "webgpu" || x.dtype === "float64" ? [form(x)] : undefined;
  };
}

/** From this value on, sqrt(x^2 + 1) equals x in the precision of the type. Below it, x^2 does not overflow. */
const LARGE: Partial<Record<DType, number>> = { float16: 2 ** 6, float64: 2 ** 28 };

function isSmall(x: Tensor): Tensor {
  return less(x, LARGE[x.dtype] ?? 2 ** 13);
}

/** z + z^3 / 3 + z^5 / 5 ..., to full precision for |z| <= 0.2. */
function seriesOfAtanh(z: Tensor): Tensor {
  const square = mul(z, z);
  const terms = z.dtype === "float64" ? 12 : 6;
  let sum: Tensor | number = 1 / (2 * terms + 1);
  for (let k = terms - 1; k >= 0; k--) sum = add(mul(square, sum), 1 / (2 * k + 1));
  return mul(z, sum);
}

/** log(1 + u) for u >= 0. */
function logOnePlus(u: Tensor): Tensor {
  return where(less(u, 0.5), mul(seriesOfAtanh(div(u, add(u, 2))), 2), log(add(u, 1)));
}

function withSignOf(x: Tensor, magnitude: Tensor): Tensor {
  return where(less(x, 0), neg(magnitude), magnitude);
}

/** Inverse of sinh. */
export const asinh = unary(
  "Asinh",
  // dy / sqrt(1 + x^2). Numerator and denominator are divided by the larger of 1 and |x|, so that nothing
  // overflows.
  (dy, x) => {
    const scale = reciprocal(maximum(abs(x), 1));
    const scaled = mul(x, scale);
    return div(mul(dy, scale), sqrt(add(mul(scale, scale), mul(scaled, scaled))));
  },
  true,
  stable((x) => {
    const a = abs(x);
    const square = mul(a, a);
    const u = add(a, div(square, add(sqrt(add(square, 1)), 1)));
    return withSignOf(x, where(isSmall(a), logOnePlus(u), add(log(a), Math.LN2)));
  }),
);

/** Inverse of cosh, for x >= 1. */
export const acosh = unary(
  "Acosh",
  (dy, x) => div(div(dy, nonZeroDivisor(sqrt(sub(x, 1)))), sqrt(add(x, 1))),
  true,
  stable((x) => {
    const t = sub(x, 1);
    const u = add(t, mul(sqrt(t), sqrt(add(t, 2))));
    return where(isSmall(x), logOnePlus(u), add(log(x), Math.LN2));
  }),
);

/** Inverse of tanh, for -1 < x < 1. */
export const atanh = unary(
  "Atanh",
  (dy, x) => div(dy, mul(sub(1, x), add(1, x))),
  true,
  stable((x) => where(less(abs(x), 0.2), seriesOfAtanh(x), mul(log(div(add(x, 1), sub(1, x))), 0.5))),
);
