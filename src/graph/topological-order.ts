import type { GraphNode, Tensor } from "./tensor.js";

/**
 * Every node on which the tensors depend, in an order in which each node follows its inputs. Nodes for which
 * `stopAt` returns true are excluded, and so are nodes that only those depend on. The search is iterative,
 * because unrolled graphs are thousands of nodes deep.
 */
export function topologicalOrder(
  outputs: readonly Tensor[],
  stopAt: (node: GraphNode) => boolean = () => false,
): GraphNode[] {
  const order: GraphNode[] = [];
  const state = new Map<GraphNode, "open" | "done">();
  const stack: GraphNode[] = outputs.map((tensor) => tensor.node).reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!;
    const seen = state.get(node);
    if (seen === undefined) {
      if (stopAt(node)) {
        state.set(node, "done");
        stack.pop();
        continue;
      }
      state.set(node, "open");
      for (const input of node.inputs) {
        if (input !== undefined && !state.has(input.node)) stack.push(input.node);
      }
      continue;
    }
    stack.pop();
    if (seen === "open") {
      state.set(node, "done");
      order.push(node);
    }
  }
  return order;
}

/** The inputs that some outputs depend on, by name. */
export function inputsOf(outputs: readonly Tensor[]): Map<string, Tensor> {
  return new Map(
    topologicalOrder(outputs).flatMap(({ leaf, outputs: [tensor] }) =>
      leaf?.kind === "input" && tensor ? [[leaf.name, tensor] as const] : [],
    ),
  );
}
