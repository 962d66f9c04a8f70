import type { GraphNode, Shape, Tensor } from "../../../graph/index.js";
import { topologicalOrder } from "../../../graph/index.js";
import { isStaticShape } from "../../../graph/dims.js";
import { isFloat } from "../../../graph/dtype.js";
import { checkWhole } from "../../../util/check.js";
import { StriateError, check } from "../../../util/errors.js";
import { shorten } from "../../../util/json.js";
import { editDistance } from "../../../util/suggest.js";
import type { Backbone } from "./backbone.js";
import type { FeatureShape } from "../decoder/decoder-steps.js";
import { modulePath, moduleValue } from "./module-names.js";

/** A value of the backbone that a PCoder replaces by its representation. */
export interface CutPoint {
  /** The value's name in the file. */
  readonly name: string;
  readonly tensor: Tensor;
  /** The value's shape for one image: [channels, ...space]. */
  readonly shape: FeatureShape;
}

/**
 * Finds the values to which `wanted` refers. It is the exact name of a value or a node, a pattern with * and
 * ?, or a PyTorch module such as `features[3]` or `layer1[0].relu` (see `module-names.ts`). The values are
 * returned in the order in which the network computes them.
 *
 * @throws StriateError if nothing matches (the message suggests similar names), or if the value is not a
 * feature map.
 */
export function findCutPoints(backbone: Backbone, wanted: string, what: string): CutPoint[] {
  const tensor = backbone.values.get(wanted) ?? backbone.nodes.get(wanted);
  if (tensor !== undefined) return [cutPoint(backbone, nameOf(backbone, tensor) ?? wanted, tensor, what)];
  if (/[*?]/.test(wanted)) {
    const pattern = globPattern(wanted);
    const found = listFeatureMaps(backbone).filter(({ name }) => pattern.test(name));
    check(
      found.length > 0,
      () =>
        `${what}: no feature map has a name that matches "${shorten(wanted)}"${nearest(backbone, wanted)}`,
    );
    return found;
  }
  const path = modulePath(wanted);
  const name = path === undefined ? undefined : moduleValue(backbone, path, what);
  if (name !== undefined) return [cutPoint(backbone, name, backbone.values.get(name)!, what)];
  throw new StriateError(
    `${what}: there is no tensor, node or module "${shorten(wanted)}" in the file${nearest(backbone, wanted)}`,
  );
}

function nameOf(backbone: Backbone, tensor: Tensor): string | undefined {
  return [...backbone.values].find(([, value]) => value === tensor)?.[0];
}

function cutPoint(backbone: Backbone, name: string, tensor: Tensor, what: string): CutPoint {
  const shape = tensor.shape.slice(1);
  const map = isFloat(tensor.dtype) && tensor.rank === backbone.image.rank;
  check(
    map && tensor !== backbone.image,
    () =>
      `${what}: "${name}": expected a feature map (floating-point, ${backbone.image.rank} axes), got ${String(tensor)}`,
  );
  check(
    isStaticShape(shape),
    () =>
      `${what}: "${name}": expected fixed channels and size, got [${tensor.shape.join(", ")}]; give input_size`,
  );
  return { name, tensor, shape };
}

/**
 * Lists every value that could be a cut point: the feature maps of fixed size that depend on the image and on
 * which the output depends.
 */
export function listFeatureMaps(backbone: Backbone): CutPoint[] {
  const { order, lastUse } = relevantNodes(backbone);
  const position = new Map(order.map((node, i) => [node, i]));
  return [...backbone.values]
    .flatMap(([name, tensor]): CutPoint[] => {
      const shape = tensor.shape.slice(1);
      const fits = lastUse.has(tensor) && tensor.rank === backbone.image.rank && isFloat(tensor.dtype);
      return fits && tensor !== backbone.image && isStaticShape(shape) ? [{ name, tensor, shape }] : [];
    })
    .sort((a, b) => position.get(a.tensor.node)! - position.get(b.tensor.node)!);
}

/**
 * Checks that cut points come in the order in which the network computes them, that none is repeated, and that each
 * lies between the image and the output.
 *
 * @throws StriateError for the first cut point that breaks a rule; the message names it.
 */
export function checkCutPoints(backbone: Backbone, cuts: readonly CutPoint[]): void {
  const { lastUse } = relevantNodes(backbone);
  cuts.forEach(({ name, tensor }, i) => {
    const what = `PCoder ${i + 1}: "${name}"`;
    const before = cuts.slice(0, i);
    check(!before.some((cut) => cut.tensor === tensor), () => `${what} already has a PCoder`);
    check(
      lastUse.has(tensor),
      () => `${what} does not lie on a path from the image to the output "${backbone.outputName}"`,
    );
    const needed = new Set(topologicalOrder([tensor]));
    const later = cuts.slice(i + 1).find((cut) => cut.tensor !== tensor && needed.has(cut.tensor.node));
    check(
      later === undefined,
      () =>
        `PCoders are out of order: "${name}" is computed from "${later?.name}", so "${later?.name}" must come first`,
    );
  });
}

interface RelevantNodes {
  /** Nodes that depend on the image and on which the output depends, in topological order. */
  readonly order: readonly GraphNode[];
  /**
   * For each value, the position in `order` of the last node that reads it; Infinity for the output. Only
   * values that depend on the image have an entry.
   */
  readonly lastUse: ReadonlyMap<Tensor, number>;
}

function relevantNodes(backbone: Backbone): RelevantNodes {
  const active = new Set<Tensor>([backbone.image]);
  const order = topologicalOrder([backbone.output]).filter((node) => {
    if (node === backbone.image.node) return true;
    const depends = node.inputs.some((operand) => operand && active.has(operand));
    if (depends) for (const output of node.outputs) active.add(output);
    return depends;
  });
  const lastUse = new Map<Tensor, number>();
  order.forEach((node, at) => {
    for (const operand of node.inputs) if (operand && active.has(operand)) lastUse.set(operand, at);
  });
  lastUse.set(backbone.output, Infinity);
  return { order, lastUse };
}

const ACTIVATIONS = new Set([
  "Relu",
  "LeakyRelu",
  "PRelu",
  "Elu",
  "Celu",
  "Selu",
  "Gelu",
  "Clip",
  "HardSwish",
  "Softplus",
  "Softsign",
  "Tanh",
  "Sigmoid",
  "Mish",
  "HardSigmoid",
]);

/**
 * Whether a value is the output of an activation: an activation operator, the product of x and an activation
 * of x (SiLU, hard swish), or a concatenation of such outputs.
 */
function isActivation(tensor: Tensor): boolean {
  const { node } = tensor;
  if (ACTIVATIONS.has(node.type)) return true;
  const operands = node.inputs.filter((operand) => operand !== undefined);
  if (node.type === "Concat") return operands.every(isActivation);
  if (node.type !== "Mul") return false;
  const [a, b] = operands;
  const gates = (gate: Tensor, x: Tensor): boolean => ACTIVATIONS.has(gate.node.type) && reads(gate, x, 2);
  return a !== undefined && b !== undefined && (gates(a, b) || gates(b, a));
}

function reads(tensor: Tensor, x: Tensor, depth: number): boolean {
  return (
    depth > 0 &&
    tensor.node.inputs.some(
      (operand) => operand === x || (operand !== undefined && reads(operand, x, depth - 1)),
    )
  );
}

/** A cut point that the automatic rule may choose. */
export interface Candidate extends CutPoint {
  readonly activation: boolean;
  /** Whether this is the candidate that is marked for its resolution; see {@link candidates}. */
  readonly beforeChange: boolean;
}

/**
 * Lists the feature maps of more than one pixel through which every path from the image to the output passes, in the
 * order in which the network computes them.
 */
export function throughMaps(backbone: Backbone): CutPoint[] {
  const { order, lastUse } = relevantNodes(backbone);
  const names = new Map(Array.from(backbone.values, ([name, tensor]) => [tensor, name]));
  const passed: CutPoint[] = [];
  let needed = -1;
  order.forEach((node, at) => {
    const used = node.outputs.map((output) => lastUse.get(output) ?? -1);
    const tensor = node.outputs[used.findIndex((use) => use >= 0)];
    if (tensor !== undefined && needed <= at && used.filter((use) => use >= 0).length === 1) {
      const shape: Shape = tensor.shape.slice(1);
      const name = names.get(tensor);
      const map = tensor.rank === backbone.image.rank && tensor !== backbone.image;
      if (map && name !== undefined && isStaticShape(shape) && shape.slice(1).some((n) => n > 1)) {
        passed.push({ name, tensor, shape });
      }
    }
    needed = Math.max(needed, ...used);
  });
  return passed;
}

/**
 * Finds the candidates of the automatic rule. The rule considers only feature maps of more than one pixel
 * through which every path from the image to the output passes, such as the output of a residual block but
 * not the values inside the block. For each resolution it marks one feature map: the last activation output
 * before the resolution changes, or the last feature map if none is an activation output. The candidates are
 * the marked feature maps and all other activation outputs.
 */
export function candidates(backbone: Backbone): Candidate[] {
  const passed = throughMaps(backbone);
  const marked = new Set<CutPoint>();
  passed.forEach((cut, i) => {
    const next = passed[i + 1];
    if (next !== undefined && spaceKey(next) === spaceKey(cut)) return;
    const level: CutPoint[] = [];
    for (let at = i; at >= 0 && spaceKey(passed[at]!) === spaceKey(cut); at--) level.push(passed[at]!);
    marked.add(level.find(({ tensor }) => isActivation(tensor)) ?? cut);
  });
  return passed.flatMap((cut): Candidate[] => {
    const [activation, beforeChange] = [isActivation(cut.tensor), marked.has(cut)];
    return activation || beforeChange ? [{ ...cut, activation, beforeChange }] : [];
  });
}

function spaceKey({ shape }: CutPoint): string {
  return shape.slice(1).join("x");
}

/**
 * Chooses `count` cut points from {@link candidates}. If `count` is at most the number of resolutions, the
 * cut points are spread evenly over the marked candidates and include the last one. Otherwise all marked
 * candidates are chosen. Then further candidates are added, each in the middle of the longest gap between
 * chosen ones, until there are `count`.
 *
 * @throws StriateError if the network has fewer than `count` candidates.
 */
export function chooseCutPoints(backbone: Backbone, count: number): CutPoint[] {
  const all = candidates(backbone);
  checkWhole("PCoders: count", count);
  check(
    count <= all.length,
    () =>
      `PCoders: the network has ${all.length} possible places (${all.map(({ name }) => name).join(", ") || "none"}), ` +
      `fewer than the ${count} requested: choose a smaller number (--pcoders, default 4)`,
  );
  const levels = all.flatMap(({ beforeChange }, i) => (beforeChange ? [i] : []));
  const chosen =
    count <= levels.length
      ? Array.from({ length: count }, (_, i) => levels[Math.ceil(((i + 1) * levels.length) / count) - 1]!)
      : [...levels];
  while (chosen.length < count) {
    const edges = [-1, ...chosen, all.length];
    const gaps = edges.slice(1).map((end, i) => end - edges[i]! - 1);
    const widest = gaps.indexOf(Math.max(...gaps));
    chosen.push(edges[widest]! + Math.ceil((gaps[widest]! + 1) / 2));
    chosen.sort((a, b) => a - b);
  }
  return chosen.map((i) => all[i]!);
}

function globPattern(glob: string): RegExp {
  const parts = Array.from(glob, (letter) =>
    letter === "*" ? ".*" : letter === "?" ? "." : letter.replace(/[.+^${}()|[\]\\/]/, "\\$&"),
  );
  return new RegExp(`^${parts.join("").replaceAll(/(\.\*)+/g, ".*")}$`);
}

/**
 * Writes the end of an error message, with the three feature maps whose names are most similar to `wanted`.
 */
function nearest(backbone: Backbone, wanted: string): string {
  const plain = (name: string) => name.toLowerCase().slice(0, 200);
  const path = modulePath(wanted) ?? wanted;
  const ranked = listFeatureMaps(backbone)
    .map(({ name }) => {
      const distances = [wanted, path].map((word) => editDistance(plain(word), plain(name)));
      const inside = plain(name).includes(plain(path)) ? 0 : 1000;
      return { name, distance: Math.min(...distances) + inside };
    })
    .sort((a, b) => a.distance - b.distance);
  const names = ranked.slice(0, 3).map(({ name }) => `"${name}"`);
  return names.length === 0
    ? ""
    : `; the nearest are ${names.join(", ")} (\`striate predify inspect\` lists all)`;
}
