import { isStatic, sizeOf } from "../../dims.js";
import { applySingle } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import { reshapeLike, shapeTensor } from "../broadcast.js";
import { equal, less, lessOrEqual, mul, where } from "../elementwise/elementwise.js";
import { axesOf, reduction } from "./reduction.js";
import { squeeze, transpose, unsqueeze } from "../shape/shape.js";
import { pad, slice } from "../shape/slice-pad.js";

/**
 * The product over axes (default: all). Its gradient uses no division, so it is right even if some elements
 * are 0.
 */
export const product = reduction("ReduceProd", (dy, x, _y, call) => {
  const axes = axesOf(call);
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const last = transpose(x, order);
  const kept = last.shape.slice(0, x.rank - axes.length);
  const length = sizeOf(last.shape.slice(kept.length));
  const rows = applySingle("Reshape", [last, shapeTensor([...kept, isStatic(length) ? length : -1], [last])]);
  const others = isStatic(length) ? productsOfOthers(rows, length) : productsOfPairs(rows);
  const back = order.map((_, axis) => order.indexOf(axis));
  return mul(dy, transpose(reshapeLike(others, last), back));
});

/**
 * For each element, the product of all other elements along the last axis: the product of those before it
 * times the product of those after it. Each of the two takes log2(length) multiplications.
 */
function productsOfOthers(x: Tensor, length: number): Tensor {
  const before = running(x, length, (from, by) => shifted(from, length, by));
  const behind = running(x, length, (from, by) => shifted(from, length, -by));
  return mul(before, behind);
}

/**
 * For each element, the product of all elements of the axis up to it. `exclusive` leaves out the element
 * itself, and `reverse` begins at the end of the axis.
 */
export function runningProduct(
  x: Tensor,
  axis: number,
  options: { readonly exclusive: boolean; readonly reverse: boolean },
): Tensor {
  const { exclusive, reverse } = options;
  const order = [...x.shape.keys()].filter((at) => at !== axis).concat(axis);
  const last = transpose(x, order);
  const length = last.shape.at(-1)!;
  const result = isStatic(length)
    ? runningInSteps(last, length, exclusive, reverse ? -1 : 1)
    : runningByPairs(last, exclusive, reverse);
  return transpose(
    result,
    order.map((_, at) => order.indexOf(at)),
  );
}

function runningInSteps(x: Tensor, length: number, isExclusive: boolean, direction: number): Tensor {
  let result = isExclusive ? shifted(x, length, direction) : x;
  for (let by = 1; by < length; by *= 2) result = mul(result, shifted(result, length, by * direction));
  return result;
}

/**
 * Like `runningInSteps`, for a length that is known only at run time: makes one row for each element, with
 * the elements that belong to its product.
 */
function runningByPairs(x: Tensor, isExclusive: boolean, isReversed: boolean): Tensor {
  const places = indicesAlong(x);
  const [own, other] = [unsqueeze(places, [1]), unsqueeze(places, [0])];
  const [from, to] = isReversed ? [own, other] : [other, own];
  const counts = isExclusive ? less(from, to) : lessOrEqual(from, to);
  return product(where(counts, unsqueeze(x, [x.rank - 1]), 1), x.rank);
}

function indicesAlong(x: Tensor): Tensor {
  const axis = x.rank - 1;
  const count = squeeze(applySingle("Shape", [x], { start: axis, end: axis + 1 }), [0]);
  const [zero, one] = [0, 1].map((value) => constant(value, [], "int64"));
  return applySingle("Range", [zero, count, one]);
}

function running(x: Tensor, length: number, shift: (from: Tensor, by: number) => Tensor): Tensor {
  let result = shift(x, 1);
  for (let by = 1; by < length - 1; by *= 2) result = mul(result, shift(result, by));
  return result;
}

/** Shifts the last axis by `by` positions (backwards if negative), and fills the gap with 1. */
function shifted(x: Tensor, length: number, by: number): Tensor {
  const [axis, far] = [x.rank - 1, Math.min(Math.abs(by), length)];
  const pads = x.shape.map((_, at) => (at === axis ? far : 0));
  const none = pads.map(() => 0);
  if (by > 0) return slice(pad(x, pads, none, { value: 1 }), [{ axis, end: length }]);
  return slice(pad(x, none, pads, { value: 1 }), [{ axis, start: far }]);
}

/**
 * Like `productsOfOthers`, for a length that is known only at run time: makes one row for each element, in
 * which 1 replaces this element.
 */
function productsOfPairs(x: Tensor): Tensor {
  const axis = x.rank - 1;
  const places = indicesAlong(x);
  const same = equal(unsqueeze(places, [1]), unsqueeze(places, [0]));
  return product(where(same, 1, unsqueeze(x, [axis])), axis + 1);
}
