import type { Dim, Shape } from "../dims.js";
import { isStatic, multiplyDims } from "../dims.js";
import { apply1, defineOperator, misfit, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { integers } from "../tensor.js";
import { shapeTensor, unbroadcast } from "./broadcast.js";
import { knownNumbers } from "./known.js";

defineOperator({
  type: "Expand",
  infer: (call) => {
    const x = required(call, 0, "x");
    const target = required(call, 1, "shape");
    if (target.known === undefined) misfit(call, "the new shape must be known when the graph is built");
    const rank = Math.max(x.rank, target.known.length);
    const shape = Array.from({ length: rank }, (_, axis): Dim => {
      const from = x.shape[axis - rank + x.rank] ?? 1;
      const to = target.known![axis - rank + target.known!.length] ?? 1;
      if (from === 1) return to;
      if (to === 1 || from === to) return from;
      if (isStatic(from) && isStatic(to)) misfit(call, `cannot stretch axis ${axis} from ${from} to ${to}`);
      return isStatic(from) ? from : to;
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient: (call) => [unbroadcast(call.dy, call.inputs[0]!), undefined],
});
/** Repeats axes of length 1 (or missing ones in front) to a shape. Named axes are looked up in `sources`. */
export function expand(x: Tensor, shape: Shape, sources: readonly Tensor[] = []): Tensor {
  return apply1("Expand", [x, shapeTensor(shape, [x, ...sources])]);
}

defineOperator({
  type: "Tile",
  infer: (call) => {
    const x = required(call, 0, "x");
    const repeats = knownNumbers(call, 1, "repeats");
    if (repeats.length !== x.rank) misfit(call, `expected ${x.rank} repeats, got ${repeats.length}`);
    return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => multiplyDims(dim, repeats[axis]!)) }];
  },
  gradient: (call) => {
    const [dy, x] = [call.dy, call.inputs[0]!];
    const repeats = call.inputs[1]!.known as readonly number[];
    const folded = x.shape.flatMap((dim, axis) => [repeats[axis]!, dim]);
    const parts = apply1("Reshape", [dy, shapeTensor(folded, [x])]);
    return [apply1("ReduceSum", [parts, integers(x.shape.map((_, axis) => 2 * axis))], { keepdims: 0 })];
  },
});
/** Whole copies side by side: `repeats[axis]` of them along each axis. */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  return apply1("Tile", [x, integers(repeats)]);
}
