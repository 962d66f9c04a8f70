import { isStatic, unknownDim } from "../../dims.js";
import type { DType } from "../../dtype.js";
import { applySingle, defineOperator, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";

// Operators that find positions. The number of positions is known only at run time, so their axis gets an
// unknown length.

const INDEX: DType = "int64";

defineOperator({
  type: "NonZero",
  infer: (call) => [{ dtype: INDEX, shape: [Math.max(1, required(call, 0, "x").rank), unknownDim()] }],
  gradient: "zero",
});
/** Indices of the elements that are not 0, [axes of x, count], with one column for each such element. */
export function nonZero(x: Tensor): Tensor {
  return applySingle("NonZero", [x]);
}

defineOperator({
  type: "NonMaxSuppression",
  infer: (call) => {
    const [boxes, scores] = [required(call, 0, "boxes"), required(call, 1, "scores")];
    if (boxes.rank !== 3 || scores.rank !== 3 || (isStatic(boxes.shape[2]!) && boxes.shape[2] !== 4))
      rejectCall(call, "expected boxes [batch, places, 4] and scores [batch, classes, places]");
    return [{ dtype: INDEX, shape: [unknownDim(), 3] }];
  },
  gradient: "zero",
});
