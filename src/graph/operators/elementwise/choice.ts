import { applySingle } from "../../operator.js";
import type { GraphNode, Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";

/*
 * A graph that guards against a division by zero, where(b = 0, 0, a / b), sends nothing back through a / b where b is 0; but 0
 * times the infinite slope there is not a number. So gradients that come from a choice stay 0 where they are, in the rules of
 * functions that can be steep. Others cannot be exactly 0 in one place and are spared the comparison.
 */

/** Gradients made by a choice of the graph itself. */
const choices = new WeakSet<GraphNode>();
/** What was found out before: many gradients lead to the same ones. */
const foundOut = new WeakMap<GraphNode, boolean>();

/** What keeps zeros where they are, or moves them, in its first operand. */
const KEPT = new Set([
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

/** a where the condition holds, b elsewhere: the gradient of one side of a choice. */
export function chosen(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const result = applySingle("Where", [condition, a, b]);
  choices.add(result.node);
  return result;
}

/** Whether a gradient may be exactly 0 because the graph chose something else. */
export function isFromChoice({ node }: Tensor): boolean {
  if (choices.has(node)) return true;
  const known = foundOut.get(node);
  if (known !== undefined) return known;
  const sources = node.type === "Add" ? node.inputs : KEPT.has(node.type) ? node.inputs.slice(0, 1) : [];
  const found = sources.some((source) => isFromChoice(source!));
  foundOut.set(node, found);
  return found;
}

/** dy times some slope, or 0 where dy is 0 by a choice. */
export function zeroKept(dy: Tensor, product: Tensor): Tensor {
  if (!isFromChoice(dy)) return product;
  const zero = constant(0, [], dy.dtype);
  return chosen(applySingle("Equal", [dy, zero]), zero, product);
}
