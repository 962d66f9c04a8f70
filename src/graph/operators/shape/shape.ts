import type { Dim, Shape } from "../../dims.js";
import {
  FixedLengthError,
  divideDims,
  isStatic,
  lengthOf,
  normaliseAxis,
  sizeOf,
  unknownDim,
} from "../../dims.js";
import type { Call } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  intAttribute,
  intsAttribute,
  rejectCall,
  required,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { reshapeLike, shapeTensor } from "../broadcast.js";
import { knownNumbers } from "../known-numbers.js";

defineOperator({
  type: "Reshape",
  infer: (call) => {
    const x = required(call, 0, "x");
    const target = required(call, 1, "shape");
    if (target.known === undefined) {
      const rank = target.shape[0];
      if (rank === undefined || !isStatic(rank)) rejectCall(call, "the new shape's rank is not known");
      return [{ dtype: x.dtype, shape: Array.from({ length: rank }, unknownDim) }];
    }
    const copyZeros = intAttribute(call.attributes, "allowzero", 0) === 0;
    const shape = target.known.map((dim, axis) => (dim === 0 && copyZeros ? x.shape[axis]! : dim));
    return [{ dtype: x.dtype, shape: solveReshape(call, x.shape, shape), known: x.known }];
  },
  gradient: ({ dy }, x) => [reshapeLike(dy, x), undefined],
});

function solveReshape(call: Call, from: Shape, to: Shape): Shape {
  const free = to.indexOf(-1);
  const rest = sizeOf(to.filter((dim) => dim !== -1));
  const total = sizeOf(from);
  const unknown = (dim: Dim) => typeof dim === "string" && dim.includes("?");
  if (free < 0) {
    if (total !== rest && !unknown(total) && !unknown(rest)) {
      const why = `cannot lay out ${total} elements as [${to.join(", ")}] (${rest} elements)`;
      const only = isStatic(rest) ? lengthOf(total, rest) : undefined;
      if (only === undefined) rejectCall(call, why);
      throw new FixedLengthError(
        `${call.type}: ${why} unless "${only.symbol}" is ${only.length}`,
        only.symbol,
        only.length,
      );
    }
    return to;
  }
  const length = divideDims(total, rest);
  if (length === undefined && !unknown(total) && !unknown(rest)) {
    rejectCall(call, `cannot lay out ${total} elements as [${to.join(", ")}]: ${rest} does not divide them`);
  }
  return to.map((dim) => (dim === -1 ? (length ?? unknownDim()) : dim));
}

/**
 * The same elements in another shape. One length may be -1: it is computed from the other lengths. Lengths
 * may be named.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const named = shape.filter((dim) => !isStatic(dim));
  const inferred = named.length === 1 && !shape.includes(-1);
  if (named.length === 0 || inferred) {
    const target = integers(shape.map((dim) => (isStatic(dim) ? dim : -1)));
    return applySingle("Reshape", [x, target]);
  }
  return applySingle("Reshape", [x, shapeTensor(shape, [x])]);
}

defineOperator({
  type: "Flatten",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axis = intAttribute(call.attributes, "axis", 1);
    const at = axis < 0 ? axis + x.rank : axis;
    return [{ dtype: x.dtype, shape: [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))] }];
  },
  gradient: ({ dy }, x) => [reshapeLike(dy, x)],
});
/**
 * Reshapes x to a matrix: the axes before `axis` (default 1) become the rows, and the axes from `axis` on
 * become the columns.
 */
export function flatten(x: Tensor, axis = 1): Tensor {
  return applySingle("Flatten", [x], { axis });
}

defineOperator({
  type: "Squeeze",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axes = call.inputs[1]
      ? knownNumbers(call, 1, "axes").map((axis) => normaliseAxis(axis, x.rank, "Squeeze"))
      : x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
    for (const axis of axes) {
      const dim = x.shape[axis]!;
      if (isStatic(dim) && dim !== 1)
        rejectCall(call, `axis ${axis} has length ${dim}; only axes of length 1 can be dropped`);
    }
    return [{ dtype: x.dtype, shape: x.shape.filter((_, axis) => !axes.includes(axis)), known: x.known }];
  },
  gradient: ({ dy }, x) => [reshapeLike(dy, x), undefined],
});
/** Drops axes of length 1. */
export function squeeze(x: Tensor, axes: readonly number[]): Tensor {
  return applySingle("Squeeze", [x, integers(axes)]);
}

defineOperator({
  type: "Unsqueeze",
  infer: (call) => {
    const x = required(call, 0, "x");
    const given = knownNumbers(call, 1, "axes");
    const rank = x.rank + given.length;
    const axes = new Set(given.map((axis) => normaliseAxis(axis, rank, "Unsqueeze")));
    const rest = [...x.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!));
    return [{ dtype: x.dtype, shape, known: rank <= 1 ? x.known : undefined }];
  },
  gradient: ({ dy }, x) => [reshapeLike(dy, x), undefined],
});
/** Inserts axes of length 1. `axes` are their positions in the result. */
export function unsqueeze(x: Tensor, axes: readonly number[]): Tensor {
  return applySingle("Unsqueeze", [x, integers(axes)]);
}

function permutationOf(call: Call): readonly number[] {
  const x = required(call, 0, "x");
  const order = intsAttribute(call.attributes, "perm") ?? x.shape.map((_, axis) => x.rank - 1 - axis);
  const sorted = [...order].sort((a, b) => a - b);
  if (order.length !== x.rank || sorted.some((axis, i) => axis !== i)) {
    rejectCall(call, `[${order.join(", ")}] is not an order of its ${x.rank} axes`);
  }
  return order;
}

defineOperator({
  type: "Transpose",
  infer: (call) => {
    const x = required(call, 0, "x");
    return [{ dtype: x.dtype, shape: permutationOf(call).map((axis) => x.shape[axis]!) }];
  },
  gradient: (call) => {
    const order = permutationOf(call);
    return [
      transpose(
        call.dy,
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
});
/**
 * Puts the axes into a new order: axis i of the result is axis `order[i]` of x. Makes no node if the order is
 * the same.
 */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const same = order.length === x.rank && order.every((axis, i) => axis === i);
  return same ? x : applySingle("Transpose", [x], { perm: order });
}

/** Reshapes a bias [channels] so that it can be added to [batch, channels, ...space]. */
export function channelVector(bias: Tensor, rank: number): Tensor {
  return rank <= 2
    ? bias
    : unsqueeze(
        bias,
        Array.from({ length: rank - 2 }, (_, i) => i + 1),
      );
}
