import { hasBlockedKernels } from "../blocked-convolution.js";
import { isStaticShape, sameShape, sizeOf } from "../dims.js";
import { apply1, defineOperator, misfit, required } from "../operator.js";
import { sharedConstant } from "../shared-constant.js";
import type { Tensor } from "../tensor.js";
import { constant } from "../tensor.js";
import type { Operand } from "./elementwise.js";
import { add, mul, scalar } from "./elementwise.js";
import { sum } from "./reduce.js";
import { reshape } from "./shape.js";

defineOperator({
  type: "ScaledAdd",
  infer: (call) => {
    const [x, scale, y] = [required(call, 0, "x"), required(call, 1, "scale"), required(call, 2, "y")];
    if (scale.rank !== 0) misfit(call, "the scale is no scalar");
    if (!sameShape(x.shape, y.shape)) misfit(call, "the shapes of x and y differ");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: (call) => {
    const [x, scale] = call.inputs as [Tensor, Tensor];
    const dy = call.gradients[0];
    if (dy === undefined) return [];
    return [mul(dy, scale), call.needs(1) ? sum(mul(dy, x)) : undefined, dy];
  },
  lower: (call, target) => {
    const [x, scale, y] = call.inputs as [Tensor, Tensor, Tensor];
    return [target === "cpu" && isLong(x) ? inOnePass(x, scale, y) : add(mul(x, scale), y)];
  },
});

/** scale * x + y. */
export function scaledAdd(x: Tensor, scale: Operand, y: Tensor): Tensor {
  return apply1("ScaledAdd", [x, typeof scale === "number" ? scalar(scale, x.dtype) : scale, y]);
}

/** From here on it pays; measured, docs/engine.md. */
const LONG = 2 ** 15;
/** In the blocked layout: channels, which make whole blocks, and rows, which are shared out among threads. */
const [CHANNELS, ROWS] = [16, 64];

function isLong({ dtype, shape }: Tensor): boolean {
  if (dtype !== "float32" || !isStaticShape(shape) || !hasBlockedKernels()) return false;
  const size = sizeOf(shape) as number;
  return size >= LONG && size % (CHANNELS * ROWS) === 0;
}

/** A depthwise 1 x 1 convolution that adds to y: one pass over memory instead of two. The layout does not matter. */
function inOnePass(x: Tensor, scale: Tensor, y: Tensor): Tensor {
  const map = [1, CHANNELS, ROWS, -1];
  const ones = sharedConstant("ones for a scaled sum", () =>
    constant({ dtype: "float32", shape: [CHANNELS, 1, 1, 1], data: new Float32Array(CHANNELS).fill(1) }),
  );
  const operands = [reshape(x, map), mul(ones, scale), undefined, reshape(y, map)];
  const total = apply1("com.microsoft.nchwc::Conv", operands, { kernel_shape: [1, 1], group: CHANNELS });
  return reshape(total, x.shape);
}
