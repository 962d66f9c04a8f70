import type { GraphProto, NodeProto } from "../generated/onnx_pb.js";

/** The role of an initializer in the nodes that read it. */
export type Role = "weight" | "statistic" | "setting";

/** Operators of which all operands from this position on are settings and not weights. */
const FIRST_SETTING: ReadonlyMap<string, number> = new Map([
  ["ConstantOfShape", 0],
  ["Dropout", 1],
  ["Expand", 1],
  ["Gather", 1],
  ["If", 0],
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
 * Operators with settings at only these positions. The settings in `values` pass into the result; if such a
 * setting is computed, the initializers from which it is computed are trained.
 */
const SETTINGS: ReadonlyMap<
  string,
  { readonly settings: readonly number[]; readonly values: readonly number[] }
> = new Map([
  ["Clip", { settings: [], values: [1, 2] }],
  ["DequantizeLinear", { settings: [], values: [1, 2] }],
  ["QuantizeLinear", { settings: [], values: [1, 2] }],
  ["QGemm", { settings: [], values: [1, 2, 4, 5, 7, 8] }],
  ["QLinearConv", { settings: [], values: [1, 2, 4, 5, 6, 7] }],
  ["QLinearMatMul", { settings: [], values: [1, 2, 4, 5, 6, 7] }],
  ["OneHot", { settings: [1], values: [2] }],
  ["Pad", { settings: [1, 3], values: [2] }],
]);

/** The operands of a node that are settings, whether stored or computed. */
function settingsOf({ opType, input }: NodeProto): string[] {
  const first = FIRST_SETTING.get(opType);
  if (first !== undefined) return input.slice(first);
  return SETTINGS.get(opType)?.settings.map((at) => input[at] ?? "") ?? [];
}

/**
 * Roles of the initializers that are not weights. An initializer from which a setting is computed, such as
 * the factor of an upsampling, is a setting, too; one such use is enough. A bound of Clip and a value of Pad
 * or OneHot are settings only if the initializer itself is the operand and has no other use. Initializers
 * from which such a value is computed are weights.
 */
export function initializerRoles(graph: GraphProto): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  const makers = new Map<string, NodeProto>();
  const [values, others] = [new Set<string>(), new Set<string>()];
  for (const node of graph.node) {
    for (const output of node.output) makers.set(output, node);
    const passing = SETTINGS.get(node.opType)?.values ?? [];
    for (const [at, name] of node.input.entries()) (passing.includes(at) ? values : others).add(name);
    if (node.opType !== "BatchNormalization") continue;
    for (const name of node.input.slice(3)) roles.set(name, "statistic");
  }
  for (const name of values) if (!others.has(name)) roles.set(name, "setting");
  const pending = graph.node.flatMap(settingsOf);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (roles.get(name) === "setting") continue;
    roles.set(name, "setting");
    const maker = makers.get(name);
    // Shape and Size read only lengths, so their use as a setting says nothing about the elements of the
    // tensor.
    if (maker !== undefined && maker.opType !== "Shape" && maker.opType !== "Size")
      pending.push(...maker.input);
  }
  return roles;
}
