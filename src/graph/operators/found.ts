import { isStatic, normaliseAxis, sizeOf, unknownDim } from "../dims.js";
import type { DType } from "../dtype.js";
import { apply, apply1, defineOperator, misfit, required } from "../operator.js";
import type { Tensor } from "../tensor.js";

// Operators that find places: how many is known only when they run, so the axis gets a name that no other has.

const INDEX: DType = "int64";

defineOperator({
  type: "NonZero",
  infer: (call) => [{ dtype: INDEX, shape: [Math.max(1, required(call, 0, "x").rank), unknownDim()] }],
  gradient: "zero",
});
/** Indices of the elements that are not 0, one column for each: [axes of x, how many]. */
export function nonZero(x: Tensor): Tensor {
  return apply1("NonZero", [x]);
}

defineOperator({
  type: "NonMaxSuppression",
  infer: (call) => {
    const [boxes, scores] = [required(call, 0, "boxes"), required(call, 1, "scores")];
    if (boxes.rank !== 3 || scores.rank !== 3 || (isStatic(boxes.shape[2]!) && boxes.shape[2] !== 4))
      misfit(call, "expected boxes [batch, places, 4] and scores [batch, classes, places]");
    return [{ dtype: INDEX, shape: [unknownDim(), 3] }];
  },
  gradient: "zero",
});

defineOperator({
  type: "Unique",
  infer: (call) => {
    const x = required(call, 0, "x");
    const { axis } = call.attributes;
    const count = unknownDim();
    const at = typeof axis === "number" ? normaliseAxis(axis, x.rank, call.type) : undefined;
    const shape = at === undefined ? [count] : x.shape.with(at, count);
    const length = at === undefined ? sizeOf(x.shape) : x.shape[at]!;
    const places = [[count], [length], [count]].map((dims) => ({ dtype: INDEX, shape: dims }));
    return [{ dtype: x.dtype, shape }, ...places].slice(0, call.outputCount);
  },
});
/** What is found of the different elements of x, or of its different slices along an axis. */
export function unique(
  x: Tensor,
  options: { readonly axis?: number; readonly sorted?: boolean } = {},
): { values: Tensor; first: Tensor; inverse: Tensor; counts: Tensor } {
  const { axis, sorted = true } = options;
  const attributes = { sorted: sorted ? 1 : 0, ...(axis !== undefined && { axis }) };
  const [values, first, inverse, counts] = apply("Unique", [x], attributes, { outputs: 4 });
  return { values: values!, first: first!, inverse: inverse!, counts: counts! };
}
