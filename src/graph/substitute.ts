import { StriateError } from "../util/errors.js";
import { showShape } from "./dims.js";
import { applyAgain } from "./operator.js";
import type { GraphNode, Tensor } from "./tensor.js";
import { topologicalOrder } from "./topological-order.js";

/** Returns other tensors for the outputs of a node with the given inputs, or undefined to leave the node as it is. */
export type Rewrite = (
  node: GraphNode,
  inputs: readonly (Tensor | undefined)[],
) => readonly Tensor[] | undefined;

/**
 * Repeats a computation with some tensors replaced by others, for example to put preprocessing before an
 * imported model. Types and shapes are inferred again. The new graph shares its parameters with the original.
 *
 * @param rewrite replaces single operations by others, for example to normalise with other statistics
 * @throws StriateError if a replacement has another type or rank, or an operator downstream refuses its shape
 */
export function substitute(
  outputs: Readonly<Record<string, Tensor>>,
  replacements: ReadonlyMap<Tensor, Tensor>,
  rewrite?: Rewrite,
): Record<string, Tensor> {
  for (const [from, to] of replacements) {
    if (from.dtype !== to.dtype || from.rank !== to.rank) {
      throw new StriateError(
        `cannot put ${to.dtype}${showShape(to.shape)} in place of ${from.dtype}${showShape(from.shape)}`,
      );
    }
  }
  const replaced = new Map(replacements);
  const order = topologicalOrder(Object.values(outputs), (node) =>
    node.outputs.every((output) => replacements.has(output)),
  );
  for (const node of order) {
    const inputs = node.inputs.map((input) => input && (replaced.get(input) ?? input));
    const rewritten = rewrite?.(node, inputs);
    if (rewritten === undefined && inputs.every((input, i) => input === node.inputs[i])) continue;
    const made = rewritten ?? applyAgain(node, inputs);
    node.outputs.forEach((output, i) => {
      if (!replacements.has(output)) replaced.set(output, made[i]!);
    });
  }
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, replaced.get(tensor) ?? tensor]),
  );
}
