import type { Dim, Shape } from "../../dims.js";
import { isStatic, multiplyDims, unknownDim } from "../../dims.js";
import { applySingle, defineOperator, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { reshapeLike, shapeTensor, unbroadcast } from "../broadcast.js";
import { unsqueeze } from "./shape.js";

defineOperator({
  type: "Expand",
  infer: (call) => {
    const x = required(call, 0, "x");
    const target = required(call, 1, "shape");
    if (target.known === undefined)
      rejectCall(
        call,
        "the new shape must be known when the graph is built: fix the shapes of the inputs (inputShapes)",
      );
    const rank = Math.max(x.rank, target.known.length);
    const shape = Array.from({ length: rank }, (_, axis): Dim => {
      const from = x.shape[axis - rank + x.rank] ?? 1;
      const to = target.known![axis - rank + target.known!.length] ?? 1;
      if (from === 1) return to;
      if (to === 1 || from === to) return from;
      if (isStatic(from) && isStatic(to))
        rejectCall(call, `cannot stretch axis ${axis} from ${from} to ${to}`);
      return isStatic(from) ? from : to;
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient: ({ dy }, x) => [unbroadcast(dy, x), undefined],
});
/**
 * Repeats axes of length 1, and axes that are missing at the front, to a shape. Named lengths are read from
 * the shapes of x and `sources` at run time.
 */
export function expand(x: Tensor, shape: Shape, sources: readonly Tensor[] = []): Tensor {
  return applySingle("Expand", [x, shapeTensor(shape, [x, ...sources])]);
}

defineOperator({
  type: "Tile",
  infer: (call) => {
    const [x, repeats] = [required(call, 0, "x"), required(call, 1, "repeats")];
    const [count] = repeats.shape;
    if (isStatic(count!) && count !== x.rank) rejectCall(call, `expected ${x.rank} repeats, got ${count}`);
    const shape = x.shape.map((dim, axis) => {
      const times = repeats.known?.[axis];
      return times === undefined ? unknownDim() : multiplyDims(dim, times);
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient: ({ dy }, x, repeats) => {
    const folded = x.shape.flatMap((dim, axis) => [repeats.known?.[axis] ?? unknownDim(), dim]);
    const open = folded.filter((dim) => !isStatic(dim)).length;
    const target =
      open === 0
        ? integers(folded.filter(isStatic))
        : applySingle("Reshape", [
            applySingle(
              "Concat",
              [repeats, applySingle("Shape", [x])].map((row) => unsqueeze(row, [1])),
              { axis: 1 },
            ),
            integers([-1]),
          ]);
    const parts = applySingle("Reshape", [dy, target]);
    const sums = [parts, integers(x.shape.map((_, axis) => 2 * axis))];
    return [reshapeLike(applySingle("ReduceSum", sums, { keepdims: 0 }), x)];
  },
});
/** Puts copies of x side by side, `repeats[axis]` of them along each axis. */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  return applySingle("Tile", [x, integers(repeats)]);
}
