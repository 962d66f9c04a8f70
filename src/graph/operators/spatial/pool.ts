import { isStatic } from "../../dims.js";
import type { Call, GradientCall } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import type { AxisMatrix } from "../linear/axis-matrix.js";
import { axisMatrix, multiplySpace, transposed } from "../linear/axis-matrix.js";
import { expandLike } from "../broadcast.js";
import { div, mul } from "../elementwise/elementwise.js";
import type { PoolGeometry, PoolOptions } from "./pool-window.js";
import {
  inferGlobalPool,
  padsFit,
  poolAttributes,
  poolGeometry,
  poolOptionAttributes,
  staticSpace,
  withoutCeilMode,
} from "./pool-window.js";
import { adaptiveWindows } from "./pool-max.js";
import { countOf } from "../reduce/reduce.js";
import { resizeNearest } from "./resize.js";

/** Options of `averagePool`. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether padding counts as zeros in the average (default true, as in PyTorch; ONNX's own default is false). */
  readonly countPadding?: boolean;
}

/**
 * Averages over windows are separable, so they are products with one matrix [windows, length] along each
 * spatial axis.
 */
function averageMatrices(call: Call, geometry: PoolGeometry): AxisMatrix[] {
  const input = staticSpace(call, call.inputs[0]!.shape);
  const output = staticSpace(call, [1, 1, ...geometry.space]);
  const countPadding = intAttribute(call.attributes, "count_include_pad", 0) === 1;
  const { kernel, strides, dilations, before, after } = geometry.window;
  return kernel.map((k, axis) =>
    axisMatrix(output[axis]!, input[axis]!, (add) => {
      for (let row = 0; row < output[axis]!; row++) {
        const start = row * strides[axis]! - before[axis]!;
        const cells = Array.from({ length: k }, (_, i) => start + i * dilations[axis]!);
        const inside = cells.filter((cell) => cell >= 0 && cell < input[axis]!);
        // Elements of a window beyond the padding, which ceil mode allows, never count.
        const counted = countPadding ? cells.filter((cell) => cell < input[axis]! + after[axis]!) : inside;
        for (const cell of inside) add(row, cell, 1 / counted.length);
      }
    }),
  );
}

defineOperator({
  type: "AveragePool",
  infer: (call) => {
    const x = required(call, 0, "x");
    return [{ dtype: x.dtype, shape: [x.shape[0]!, x.shape[1]!, ...poolGeometry(call).space] }];
  },
  gradient: (call, x) => [averageGradient(call, x)],
  lower: (call) => {
    const geometry = poolGeometry(call);
    const plain = withoutCeilMode(geometry, call.inputs[0]!.shape);
    const { kernel, dilations, after } = geometry.window;
    // Opset 18 has neither dilated averages nor uneven padding that does not count.
    const dilated = kernel.some((k, axis) => k > 1 && dilations[axis] !== 1);
    const count_include_pad = intAttribute(call.attributes, "count_include_pad", 0);
    const padded = plain?.window.after.some((n, axis) => n !== after[axis]) === true;
    if (dilated || (padded && (count_include_pad === 1 || !padsFit(plain)))) {
      return [multiplySpace(call.inputs[0]!, averageMatrices(call, geometry))];
    }
    if (plain === undefined && !("dilations" in call.attributes)) return undefined;
    const { dilations: _none, ...attributes } = poolAttributes(plain ?? geometry);
    return [applySingle("AveragePool", call.inputs, { ...attributes, count_include_pad })];
  },
});

function averageGradient(call: GradientCall, x: Tensor): Tensor {
  const { dy } = call;
  const geometry = poolGeometry(call);
  const { kernel, strides, dilations, before, after } = geometry.window;
  const tiled = kernel.every(
    (k, axis) =>
      strides[axis] === k &&
      (k === 1 || dilations[axis] === 1) &&
      before[axis] === 0 &&
      after[axis] === 0 &&
      isStatic(x.shape[axis + 2]!) &&
      (x.shape[axis + 2] as number) % k === 0,
  );
  if (tiled) {
    const share = mul(dy, 1 / kernel.reduce((a, b) => a * b, 1));
    return resizeNearest(share, x.shape.slice(2) as number[]);
  }
  return multiplySpace(dy, averageMatrices(call, geometry).map(transposed));
}

/** Mean of each window of [batch, channels, ...space], as PyTorch's avg_pool. */
export function averagePool(
  x: Tensor,
  kernel: number | readonly number[],
  options: AveragePoolOptions = {},
): Tensor {
  const { countPadding = true } = options;
  return applySingle("AveragePool", [x], {
    ...poolOptionAttributes(x, kernel, options),
    count_include_pad: countPadding ? 1 : 0,
  });
}

defineOperator({
  type: "GlobalAveragePool",
  infer: inferGlobalPool,
  gradient: ({ dy }, x) => {
    const space = x.shape.slice(2).map((_, axis) => axis + 2);
    return [expandLike(div(dy, countOf(x, space)), x)];
  },
});
/** Mean of each channel: [batch, channels, 1, ...]. */
export function globalAveragePool(x: Tensor): Tensor {
  return applySingle("GlobalAveragePool", [x]);
}

/**
 * Mean of each of a fixed number of windows per spatial axis, as PyTorch's adaptive_avg_pool: window i of n
 * covers [floor(i * length / n), ceil((i + 1) * length / n)). Lengths may be unknown only if there is a
 * single window.
 */
export function adaptiveAveragePool(x: Tensor, size: number | readonly number[]): Tensor {
  const sizes = typeof size === "number" ? x.shape.slice(2).map(() => size) : size;
  if (sizes.every((n) => n === 1)) return globalAveragePool(x);
  const call: Call = { type: "adaptiveAveragePool", inputs: [x], attributes: {}, outputCount: 1 };
  if (sizes.length !== x.rank - 2) rejectCall(call, `expected ${x.rank - 2} sizes, got ${sizes.length}`);
  const space = staticSpace(call, x.shape);
  if (space.every((length, i) => length === sizes[i])) return x;
  if (space.every((length, i) => Number.isInteger(length / sizes[i]!))) {
    return averagePool(
      x,
      space.map((length, i) => length / sizes[i]!),
    );
  }
  const matrices = space.map((length, i) =>
    axisMatrix(sizes[i]!, length, (add) => {
      for (const [row, { start, end }] of adaptiveWindows(length, sizes[i]!).entries()) {
        for (let cell = start; cell < end; cell++) add(row, cell, 1 / (end - start));
      }
    }),
  );
  return multiplySpace(x, matrices);
}
