import type { GraphNode, Tensor } from "./tensor.js";

/**
 * Every node that the tensors depend on, inputs before users; `stopAt` excludes nodes and the nodes that only they
 * need. The search is iterative, because unrolled graphs are thousands of nodes deep.
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
