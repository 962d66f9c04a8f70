import { applySingle } from "../../operator.js";
import type { GraphNode, Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";

/*
 * A graph may guard against a division by zero with where(b = 0, 0, a / b). This masks the gradient of a / b:
 * it is 0 at elements with b = 0. But the slope of a / b is infinite there, and 0 times infinity is NaN. So
 * the gradient rules of functions with steep slopes keep the zeros of a masked gradient. Other gradients have
 * no exact zeros and need no comparison with 0.
 */

/** The nodes that compute gradients of the two sides of a Where. */
const masks = new WeakSet<GraphNode>();
/** Cached results of `isMasked`, because many gradients depend on the same tensors. */
const memo = new WeakMap<GraphNode, boolean>();

/** Operators that keep or move the zeros of their first operand. */
const KEEPING_ZEROS = new Set([
  "Cast",
  "Div",
  "Expand",
  "Mul",
  "Neg",
  "ReduceSum",
  "Reshape",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

/** For each element, a if the condition is true, else b. Used for the gradient of one side of a Where. */
export function maskedGradient(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const result = applySingle("Where", [condition, a, b]);
  masks.add(result.node);
  return result;
}

/** Whether elements of a gradient may be 0 because a Where chose its other side. */
export function isMasked({ node }: Tensor): boolean {
  if (masks.has(node)) return true;
  const known = memo.get(node);
  if (known !== undefined) return known;
  const sources =
    node.type === "Add" ? node.inputs : KEEPING_ZEROS.has(node.type) ? node.inputs.slice(0, 1) : [];
  const found = sources.some((source) => isMasked(source!));
  memo.set(node, found);
  return found;
}

/** Returns the product of dy with a slope, but 0 at elements that a Where has masked in dy. */
export function keepMask(dy: Tensor, product: Tensor): Tensor {
  if (!isMasked(dy)) return product;
  const zero = constant(0, [], dy.dtype);
  return maskedGradient(applySingle("Equal", [dy, zero]), zero, product);
}
