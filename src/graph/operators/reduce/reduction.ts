import { StriateError } from "../../../util/errors.js";
import type { Dim } from "../../dims.js";
import { isStatic, normaliseAxis } from "../../dims.js";
import type { Call, GradientCall, LoweringRule, TensorType } from "../../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";

/**
 * Axes to reduce: one or several. If they are left out, all axes are reduced. Negative axes count from the
 * end.
 */
export type Axes = number | readonly number[];

/** Options of every reduction over axes. */
export interface ReduceOptions {
  /** Whether reduced axes are kept with length 1 (default false). */
  readonly keepAxes?: boolean;
}

export function axesOf(call: Call): readonly number[] {
  const x = required(call, 0, "x");
  const given = call.inputs[1];
  if (given === undefined) {
    return intAttribute(call.attributes, "noop_with_empty_axes", 0) === 1
      ? []
      : x.shape.map((_, axis) => axis);
  }
  if (!given.known?.every(isStatic)) rejectCall(call, "the axes must be known when the graph is built");
  if (given.known.length === 0) return axesOf({ ...call, inputs: [x] });
  return given.known.map((axis) => normaliseAxis(axis, x.rank, call.type));
}

export function inferReduction(call: Call): TensorType[] {
  const x = required(call, 0, "x");
  const axes = axesOf(call);
  const keep = intAttribute(call.attributes, "keepdims", 1) === 1;
  const shape: Dim[] = [];
  for (const [axis, dim] of x.shape.entries()) {
    if (!axes.includes(axis)) shape.push(dim);
    else if (keep) shape.push(1);
  }
  return [{ dtype: x.dtype, shape }];
}

/** Puts each axis that the reduction dropped back with length 1. */
function keepAxes(reduced: Tensor, call: GradientCall): Tensor {
  const axes = axesOf(call);
  if (intAttribute(call.attributes, "keepdims", 1) === 1 || axes.length === 0) return reduced;
  return applySingle("Unsqueeze", [reduced, integers(axes)]);
}

type ReductionGradient = (dy: Tensor, x: Tensor, y: Tensor, call: GradientCall) => Tensor;

export function reduction(
  type: string,
  gradient?: ReductionGradient,
  lower?: LoweringRule,
): (x: Tensor, axes?: Axes, options?: ReduceOptions) => Tensor {
  defineOperator({
    type,
    infer: inferReduction,
    ...(gradient && {
      gradient: (call: GradientCall, x: Tensor) => [
        gradient(keepAxes(call.dy, call), x, keepAxes(call.y, call), call),
      ],
    }),
    ...(lower && { lower }),
  });
  return (x, axes, options = {}) => {
    if (Array.isArray(axes) && axes.length === 0)
      throw new StriateError(
        `${type}: expected at least one axis, got an empty list (leave the axes out to reduce all of them)`,
      );
    const list = axes === undefined ? undefined : integers(typeof axes === "number" ? [axes] : axes);
    return applySingle(type, [x, list], { keepdims: options.keepAxes === true ? 1 : 0 });
  };
}
