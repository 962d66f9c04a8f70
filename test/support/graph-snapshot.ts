import type { Tensor } from "../../src/graph/index.js";
import { showShape, topologicalOrder } from "../../src/graph/index.js";

/** What a refactoring must not change: a traced graph's ports and how often it calls each operator. */
export function graphSnapshot(outputs: Readonly<Record<string, Tensor>>): string {
  const nodes = topologicalOrder(Object.values(outputs));
  const port = (name: string, { dtype, shape }: Tensor) => `${name}: ${dtype}${showShape(shape)}`;
  const leaves = (kind: "input" | "parameter") =>
    nodes
      .flatMap(({ leaf, outputs: [tensor] }) =>
        leaf?.kind === kind && tensor ? [port(leaf.name ?? "unnamed", tensor)] : [],
      )
      .sort();
  const counts = new Map<string, number>();
  for (const { leaf, type } of nodes) if (leaf === undefined) counts.set(type, (counts.get(type) ?? 0) + 1);
  const operators = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const snapshot = {
    inputs: leaves("input"),
    outputs: Object.entries(outputs).map(([name, tensor]) => port(name, tensor)),
    parameters: leaves("parameter"),
    operators: Object.fromEntries(operators),
  };
  return `${JSON.stringify(snapshot, null, 2)}\n`;
}

/** How often a graph calls an operator. */
export function operatorCount(outputs: Readonly<Record<string, Tensor>>, type: string): number {
  return topologicalOrder(Object.values(outputs)).filter((node) => node.type === type).length;
}
