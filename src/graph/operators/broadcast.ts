import type { Dim, Shape } from "../dims.js";
import { coefficientOf, isStatic, isStaticShape, sameShape, symbolsOf } from "../dims.js";
import { StriateError } from "../../util/errors.js";
import { applySingle } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { integers } from "../tensor.js";

/*
 * Helpers for gradient rules. They call operators by name, so that the operator files can import them without
 * a cycle.
 */

/** Sums a gradient over the axes that broadcasting added or stretched, so that it has the shape of `like`. */
export function unbroadcast(gradient: Tensor, like: Tensor): Tensor {
  if (sameShape(gradient.shape, like.shape)) return gradient;
  const extra = gradient.rank - like.rank;
  const summed: number[] = [];
  for (let axis = 0; axis < gradient.rank; axis++) {
    const target = axis < extra ? 1 : like.shape[axis - extra]!;
    if (axis < extra || (target === 1 && gradient.shape[axis] !== 1)) summed.push(axis);
  }
  let result = gradient;
  if (summed.length > 0) result = applySingle("ReduceSum", [result, integers(summed)], { keepdims: 1 });
  if (extra > 0) {
    result = applySingle("Squeeze", [result, integers(Array.from({ length: extra }, (_, axis) => axis))]);
  }
  return sameShape(result.shape, like.shape) ? result : expandLike(result, like);
}

/**
 * A shape as an int64 tensor. Lengths that are not numbers are read from the shapes of `sources` at run time.
 * For each such length, one source must have an axis of this length, or of another multiple of the same
 * symbols.
 */
export function shapeTensor(shape: Shape, sources: readonly Tensor[]): Tensor {
  if (isStaticShape(shape)) return integers(shape);
  const parts: Tensor[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) parts.push(integers(run));
    run = [];
  };
  for (const dim of shape) {
    if (isStatic(dim)) run.push(dim);
    else {
      flush();
      parts.push(dimTensor(dim, sources));
    }
  }
  flush();
  return parts.length === 1 ? parts[0]! : applySingle("Concat", parts, { axis: 0 });
}

/** One axis length as an int64 vector of one element; `sources` as in {@link shapeTensor}. */
export function dimTensor(dim: Dim, sources: readonly Tensor[]): Tensor {
  if (isStatic(dim)) return integers([dim]);
  for (const source of sources) {
    for (const [axis, length] of source.shape.entries()) {
      if (isStatic(length)) continue;
      if (length === dim) return applySingle("Shape", [source], { start: axis, end: axis + 1 });
    }
  }
  const symbols = symbolsOf(dim).join("*");
  for (const source of sources) {
    for (const [axis, length] of source.shape.entries()) {
      if (isStatic(length) || symbolsOf(length).join("*") !== symbols) continue;
      const whole = applySingle("Shape", [source], { start: axis, end: axis + 1 });
      const scaled = applySingle("Mul", [whole, integers([coefficientOf(dim)])]);
      return applySingle("Div", [scaled, integers([coefficientOf(length)])]);
    }
  }
  throw new StriateError(
    `the axis length "${dim}" cannot be found at run time: no operand has an axis of that length`,
  );
}

/** Broadcasts x to the shape of another tensor. */
export function expandLike(x: Tensor, like: Tensor): Tensor {
  if (sameShape(x.shape, like.shape)) return x;
  return applySingle("Expand", [x, shapeTensor(like.shape, [like])]);
}

/** Reshapes x to the shape of another tensor. */
export function reshapeLike(x: Tensor, like: Tensor): Tensor {
  if (sameShape(x.shape, like.shape)) return x;
  const unknown = like.shape.filter((dim) => !isStatic(dim)).length;
  if (unknown <= 1) {
    return applySingle("Reshape", [x, integers(like.shape.map((dim) => (isStatic(dim) ? dim : -1)))]);
  }
  return applySingle("Reshape", [x, shapeTensor(like.shape, [like])]);
}
