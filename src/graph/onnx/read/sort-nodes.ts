import { StriateError } from "../../../util/errors.js";
import type { FunctionProto, GraphProto, NodeProto } from "../generated/onnx_pb.js";

/** The name of a node in error messages. */
export function nodeTitle(node: NodeProto): string {
  const name = [node.name, ...node.output].find((text) => text !== "") ?? "without a name";
  return `node "${name}" (${node.domain === "" || node.domain === "ai.onnx" ? "" : `${node.domain}.`}${node.opType})`;
}

/** Names of the values that a node reads, including those that its bodies read. */
function readsOf(node: NodeProto): string[] {
  const reads = node.input.filter((name) => name !== "");
  for (const { g: body } of node.attribute) if (body !== undefined) reads.push(...bodyReads(body));
  return reads;
}

/** Names of the values that the nodes of a graph and of its bodies read, and of the graph's outputs. */
export function bodyReads(body: GraphProto): string[] {
  return [...body.node.flatMap(readsOf), ...body.output.map(({ name }) => name)];
}

/** Names of the values that the nodes of a function read, and of the function's outputs. */
export function functionReads({ node, output }: FunctionProto): string[] {
  return [...node.flatMap(readsOf), ...output];
}

/**
 * Sorts nodes so that each one comes after those it reads from. A file that is already sorted keeps its order.
 *
 * @throws StriateError if two nodes make the same value, or the graph has a cycle
 */
export function sortNodes(nodes: readonly NodeProto[], what: string): NodeProto[] {
  const producers = new Map<string, number>();
  for (const [index, node] of nodes.entries()) {
    for (const output of node.output) {
      if (output === "") continue;
      const other = producers.get(output);
      if (other !== undefined) {
        throw new StriateError(
          `${what}: ${nodeTitle(node)} makes "${output}", which ${nodeTitle(nodes[other]!)} makes too`,
        );
      }
      producers.set(output, index);
    }
  }
  const before = nodes.map((node) =>
    readsOf(node).flatMap((name) => {
      const producer = producers.get(name);
      return producer === undefined ? [] : [producer];
    }),
  );
  const sorted: NodeProto[] = [];
  const next = new Int32Array(nodes.length);
  const state = new Uint8Array(nodes.length);
  const [OPEN, DONE] = [1, 2];
  const path: number[] = [];
  for (let start = 0; start < nodes.length; start++) {
    if (state[start] === DONE) continue;
    path.push(start);
    while (path.length > 0) {
      const at = path.at(-1)!;
      state[at] = OPEN;
      const wanted = before[at]![next[at]!++];
      if (wanted === undefined) {
        state[at] = DONE;
        sorted.push(nodes[at]!);
        path.pop();
      } else if (state[wanted] === OPEN) {
        throw new StriateError(
          `${what}: ${nodeTitle(nodes[wanted]!)} needs its own result (the graph has a cycle)`,
        );
      } else if (state[wanted] !== DONE) path.push(wanted);
    }
  }
  return sorted;
}
