import { normaliseAxis } from "../../dims.js";
import { applySingle, defineOperator, intAttribute, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";

defineOperator({
  type: "CumSum",
  infer: (call) => {
    const [x, axis] = [required(call, 0, "x"), required(call, 1, "axis")];
    const known = axis.known?.[0];
    if (typeof known === "number") normaliseAxis(known, x.rank, "CumSum");
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ dy, attributes }, _x, axis) => {
    const exclusive = intAttribute(attributes, "exclusive", 0);
    const reverse = 1 - intAttribute(attributes, "reverse", 0);
    return [applySingle("CumSum", [dy, axis], { exclusive, reverse })];
  },
});
/**
 * Running sum along an axis; `exclusive` leaves an element out of its own sum, and `reverse` runs from the
 * end.
 */
export function cumulativeSum(
  x: Tensor,
  axis: number,
  options: { readonly exclusive?: boolean; readonly reverse?: boolean } = {},
): Tensor {
  return applySingle("CumSum", [x, constant(axis, [], "int64")], {
    exclusive: options.exclusive === true ? 1 : 0,
    reverse: options.reverse === true ? 1 : 0,
  });
}
