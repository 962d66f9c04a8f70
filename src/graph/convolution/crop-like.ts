import type { Call, TensorType } from "../operator.js";
import { applySingle, defineOperator, rejectCall, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { integers } from "../tensor.js";

/*
 * Two operators that crop or pad axes at their ends to the lengths that another tensor has when the graph
 * runs. They are needed for lengths that cannot be computed from named lengths. Each operator is the gradient
 * of the other.
 */

/** The first spatial axis of [batch, channels, ...space]. */
const SPACE = 2;

function inferLike(call: Call): TensorType[] {
  const [x, like] = [required(call, 0, "x"), required(call, 1, "like")];
  if (x.rank !== like.rank || x.rank <= SPACE)
    rejectCall(call, "expected two tensors [batch, channels, ...space]");
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, SPACE), ...like.shape.slice(SPACE)] }];
}

defineOperator({
  type: "CropLike",
  infer: inferLike,
  gradient: ({ dy }, x) => [applySingle("PadLike", [dy, x]), "zero"],
  lower: (call) => {
    const [x, like] = [call.inputs[0]!, call.inputs[1]!];
    const axes = x.shape.slice(SPACE).map((_, i) => i + SPACE);
    const starts = integers(axes.map(() => 0));
    return [
      applySingle("Slice", [x, starts, applySingle("Shape", [like], { start: SPACE }), integers(axes)]),
    ];
  },
});
/** Crops x at the ends of its spatial axes to the lengths of `like`. */
export function cropLike(x: Tensor, like: Tensor): Tensor {
  return applySingle("CropLike", [x, like]);
}

defineOperator({
  type: "PadLike",
  infer: inferLike,
  gradient: ({ dy }, x) => [cropLike(dy, x), "zero"],
  lower: (call) => {
    const [x, like] = [call.inputs[0]!, call.inputs[1]!];
    const spaceOf = (tensor: Tensor) => applySingle("Shape", [tensor], { start: SPACE });
    const missing = applySingle("Sub", [spaceOf(like), spaceOf(x)]);
    const axes = x.shape.slice(SPACE).map((_, i) => i + SPACE);
    const pads = applySingle("Concat", [integers(axes.map(() => 0)), missing], { axis: 0 });
    return [applySingle("Pad", [x, pads, undefined, integers(axes)])];
  },
});
