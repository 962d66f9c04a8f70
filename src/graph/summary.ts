import type { Shape } from "./dims.js";
import { isStaticShape, sizeOf } from "./dims.js";
import type { DType } from "./dtype.js";
import { bytesPerElement, isFloat } from "./dtype.js";
import { multiplyAdds } from "./multiply-adds.js";
import type { GraphNode, Tensor } from "./tensor.js";
import { topologicalOrder } from "./topological-order.js";

/** Size and cost of a model or of one layer. */
export interface LayerCost {
  /** Number of trained values. */
  readonly parameters: number;
  /** Number of other values: running statistics, and fixed weights of more than one element. */
  readonly fixed: number;
  /** Memory of all these values, in bytes. */
  readonly bytes: number;
  /** Number of multiply-adds for one sample. Every named axis counts as length 1. */
  readonly multiplyAdds: number;
  /** Whether `multiplyAdds` is exact. It is a lower bound if an axis length is unknown. */
  readonly exact: boolean;
}

export interface LayerSummary extends LayerCost {
  /** Path of the parameters ("convA"), or of the node in an imported file. */
  readonly name: string;
  /** Number of uses of each operator, in order of first use. */
  readonly operators: ReadonlyMap<string, number>;
  /** Shape of the layer's last result. */
  readonly shape: Shape;
}

/** Name, type and shape of an input or output. */
export interface PortSummary {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** The summary of a model that `summariseModel` returns. */
export interface ModelSummary {
  readonly inputs: readonly PortSummary[];
  readonly outputs: readonly PortSummary[];
  /** The layers, in the order of computation. */
  readonly layers: readonly LayerSummary[];
  readonly total: LayerCost;
  /** Number of operator calls. */
  readonly nodes: number;
}

interface Row {
  readonly name: string;
  readonly operators: Map<string, number>;
  shape: Shape;
  parameters: number;
  fixed: number;
  bytes: number;
  multiplyAdds: number;
  exact: boolean;
}

/**
 * Summarises the model that computes the given outputs. A layer consists of all nodes that use parameters
 * with the same path ("convA" for "convA.weight" and "convA.bias") and of the nodes without parameters that
 * follow them. A parameter that several layers share counts only in the first of them.
 *
 * @example
 * ```ts
 * import { Linear, namedParameters, summariseModel } from "striate";
 * import { input } from "striate/graph";
 *
 * const model = { hidden: new Linear(100, 20) };
 * namedParameters(model);
 * const { total } = summariseModel({ y: model.hidden.forward(input("x", [1, 100])) });
 * console.log(total.parameters); // 2020
 * ```
 */
export function summariseModel(outputs: Readonly<Record<string, Tensor>>): ModelSummary {
  const nodes = topologicalOrder(Object.values(outputs));
  const weights = weightsOf(nodes);
  const layerOf = new Map<GraphNode, string>();
  const rows = new Map<string, Row>();
  const counted = new Set<GraphNode>();
  for (const node of nodes) {
    // A node that depends only on weights belongs to the layer that uses its result.
    if (node.leaf !== undefined || weights.has(node)) continue;
    const own = node.inputs.flatMap((input) => [...((input && weights.get(input.node)) ?? [])]);
    const name = layerName(node, own, layerOf);
    layerOf.set(node, name);
    const row = rows.get(name) ?? emptyRow(name, node.outputs[0]!.shape);
    rows.set(name, row);
    addCall(row, node);
    for (const leaf of own) {
      if (counted.has(leaf)) continue;
      counted.add(leaf);
      addWeight(row, leaf);
    }
  }
  const layers = [...rows.values()];
  const port = (name: string, { dtype, shape }: Tensor): PortSummary => ({ name, dtype, shape });
  return {
    inputs: nodes.flatMap(({ leaf, outputs: [tensor] }) =>
      leaf?.kind === "input" ? [port(leaf.name, tensor!)] : [],
    ),
    outputs: Object.entries(outputs).map(([name, tensor]) => port(name, tensor)),
    layers,
    total: {
      parameters: total(layers, (row) => row.parameters),
      fixed: total(layers, (row) => row.fixed),
      bytes: total(layers, (row) => row.bytes),
      multiplyAdds: total(layers, (row) => row.multiplyAdds),
      exact: layers.every((row) => row.exact),
    },
    nodes: nodes.filter((node) => node.leaf === undefined).length,
  };
}

function total<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

function emptyRow(name: string, shape: Shape): Row {
  const counts = { parameters: 0, fixed: 0, bytes: 0, multiplyAdds: 0, exact: true };
  return { name, operators: new Map(), shape, ...counts };
}

/** For each node that depends on no input of the model: the weights on which it depends. */
function weightsOf(nodes: readonly GraphNode[]): Map<GraphNode, readonly GraphNode[]> {
  const weights = new Map<GraphNode, readonly GraphNode[]>();
  for (const node of nodes) {
    if (node.leaf !== undefined) {
      if (node.leaf.kind !== "input") weights.set(node, isWeight(node) ? [node] : []);
    } else if (node.inputs.every((input) => input === undefined || weights.has(input.node))) {
      const parts = node.inputs.flatMap((input) => (input === undefined ? [] : weights.get(input.node)!));
      weights.set(node, [...new Set(parts)]);
    }
  }
  return weights;
}

/** Whether a leaf is a weight. Scalars such as an epsilon, axes and shapes are not. */
function isWeight({ leaf, outputs: [tensor] }: GraphNode): boolean {
  if (leaf?.kind === "parameter") return true;
  return isFloat(tensor!.dtype) && sizeOf(tensor!.shape) !== 1;
}

function layerName(
  node: GraphNode,
  weights: readonly GraphNode[],
  layerOf: ReadonlyMap<GraphNode, string>,
): string {
  const imported = node.importedName?.replace(/^\//, "");
  if (imported?.includes("/") === true) return imported.slice(0, imported.lastIndexOf("/"));
  const paths = weights.flatMap((weight) => {
    const name = weightName(weight);
    return name === undefined ? [] : [pathOf(name)];
  });
  if (paths.length > 0) return commonPath(paths);
  if (weights.length > 0) return imported ?? (node.scope === "" ? node.type : node.scope);
  for (const input of node.inputs) {
    const before = input && layerOf.get(input.node);
    if (before !== undefined) return before;
  }
  return node.scope === "" ? "(input)" : node.scope;
}

function weightName(node: GraphNode): string | undefined {
  return node.leaf?.kind === "parameter" ? node.leaf.name : node.importedName;
}

/** The path of a name: "convA" for "convA.weight". A name without a path is its own path. */
function pathOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? name : name.slice(0, dot);
}

/**
 * The common part of paths: "block" for "block.query" and "block.key". If they have none in common, the first
 * path.
 */
function commonPath(paths: readonly string[]): string {
  const parts = paths.map((path) => path.split("."));
  const common = parts[0]!.filter((_, i) => parts.every((path) => same(path, parts[0]!, i + 1)));
  return common.length === 0 ? paths[0]! : common.join(".");
}

function same(a: readonly string[], b: readonly string[], length: number): boolean {
  return a.length >= length && a.slice(0, length).every((part, i) => part === b[i]);
}

function addCall(row: Row, node: GraphNode): void {
  row.operators.set(node.type, (row.operators.get(node.type) ?? 0) + 1);
  row.shape = node.outputs[0]!.shape;
  const { value, exact } = multiplyAdds(node);
  row.multiplyAdds += value;
  row.exact &&= exact;
}

function addWeight(row: Row, node: GraphNode): void {
  const tensor = node.outputs[0]!;
  if (!isStaticShape(tensor.shape)) return;
  const size = sizeOf(tensor.shape) as number;
  if (node.leaf?.kind === "parameter" && node.leaf.trainable) row.parameters += size;
  else row.fixed += size;
  row.bytes += size * bytesPerElement(tensor.dtype);
}
