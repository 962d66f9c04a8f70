import type { GraphProto, NodeProto } from "./generated/onnx_pb.js";

/** What an initializer is to the nodes that read it. */
export type Role = "weight" | "statistic" | "setting";

/** Operands that say how an operator works rather than being weighed: from that position on. */
const FIRST_SETTING: ReadonlyMap<string, number> = new Map([
  ["Clip", 1],
  ["ConstantOfShape", 0],
  ["Dropout", 1],
  ["Expand", 1],
  ["Gather", 1],
  ["If", 0],
  ["OneHot", 1],
  ["Pad", 1],
  ["Range", 0],
  ["Reshape", 1],
  ["Resize", 1],
  ["Slice", 1],
  ["Split", 1],
  ["Tile", 1],
  ["TopK", 1],
  ["Upsample", 1],
]);

/**
 * Roles of the initializers that are no weights. What a setting is computed from (the factor of an upsampling, say) is
 * a setting too; one such use decides.
 */
export function initializerRoles(graph: GraphProto): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  const makers = new Map<string, NodeProto>();
  for (const node of graph.node) {
    for (const output of node.output) makers.set(output, node);
    if (node.opType !== "BatchNormalization") continue;
    for (const name of node.input.slice(3)) roles.set(name, "statistic");
  }
  const pending = graph.node.flatMap((node) => {
    const first = FIRST_SETTING.get(node.opType);
    return first === undefined ? [] : node.input.slice(first);
  });
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (roles.get(name) === "setting") continue;
    roles.set(name, "setting");
    const maker = makers.get(name);
    // The length of an axis says nothing about what the elements are for.
    if (maker !== undefined && maker.opType !== "Shape" && maker.opType !== "Size")
      pending.push(...maker.input);
  }
  return roles;
}
