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

/** A value of the backbone that a PCoder takes over. */
export interface CutPoint {
  /** Name of the value in the file. */
  readonly name: string;
  readonly tensor: Tensor;
  /** [channels, ...space] of one image. */
  readonly shape: FeatureShape;
}

/**
 * The values that `wanted` names: exactly (a value, then a node), by a pattern with * and ?, or as a PyTorch module
 * such as `features[3]` or `layer1[0].relu` (`module-names.ts`). In the order in which the network computes them.
 *
 * @throws StriateError with the nearest names where nothing fits, or where the value is no feature map.
 */
export function findCutPoints(backbone: Backbone, wanted: string, what: string): CutPoint[] {
  const tensor = backbone.values.get(wanted) ?? backbone.nodes.get(wanted);
  if (tensor !== undefined) return [cutPoint(backbone, nameOf(backbone, tensor) ?? wanted, tensor, what)];
  if (/[*?]/.test(wanted)) {
    const pattern = globPattern(wanted);
    const found = listFeatureMaps(backbone).filter(({ name }) => pattern.test(name));
    check(
      found.length > 0,
      () => `${what}: no feature map's name matches "${shorten(wanted)}"${nearest(backbone, wanted)}`,
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
      `${what}: "${name}" is ${String(tensor)}: expected a feature map, ${backbone.image.rank} axes of floating-point values`,
  );
  check(
    isStaticShape(shape),
    () =>
      `${what}: channels and space of "${name}" must be fixed, it is [${tensor.shape.join(", ")}]; give input_size`,
  );
  return { name, tensor, shape };
}

/** Every value that could be a cut point: what depends on the image, leads to the answer and has fixed space. */
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
 * Checks that cut points come in the order in which the network computes them, each once, each between image and answer.
 *
 * @throws StriateError naming the one that does not.
 */
export function checkCutPoints(backbone: Backbone, cuts: readonly CutPoint[]): void {
  const { lastUse } = relevantNodes(backbone);
  cuts.forEach(({ name, tensor }, i) => {
    const what = `PCoder ${i + 1}: "${name}"`;
    const before = cuts.slice(0, i);
    check(!before.some((cut) => cut.tensor === tensor), () => `${what} has a PCoder already`);
    check(
      lastUse.has(tensor),
      () => `${what} does not lie on a path from the image to the output "${backbone.outputName}"`,
    );
    const needed = new Set(topologicalOrder([tensor]));
    const later = cuts.slice(i + 1).find((cut) => cut.tensor !== tensor && needed.has(cut.tensor.node));
    check(
      later === undefined,
      () =>
        `PCoders are out of order: "${name}" is computed from "${later?.name}", which must come before it`,
    );
  });
}

interface RelevantNodes {
  /** Nodes between image and answer, operands before users. */
  readonly order: readonly GraphNode[];
  /** Where each value that depends on the image is read last, as a position in `order`; Infinity for the answer. */
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

/** An activation, x times a function of x (SiLU, hard swish), or activations side by side. */
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
  /** Whether it is the one before the resolution changes. */
  readonly beforeChange: boolean;
}

/**
 * The automatic rule. Only feature maps that every path from the image to the answer passes through are looked at (the
 * output of a residual block, not what is inside it), and only where space is left (more than one cell). For each
 * resolution one of them is marked: the last output of an activation before the resolution changes, or the last of all
 * where none is one. Activations between them are candidates too.
 */
export function candidates(backbone: Backbone): Candidate[] {
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
 * `count` cut points by the rule of {@link candidates}: with fewer wanted than there are resolutions, evenly spread over
 * them, the last one included; with more, the longest stretch of candidates is halved again and again.
 *
 * @throws StriateError where the network has fewer candidates.
 */
export function chooseCutPoints(backbone: Backbone, count: number): CutPoint[] {
  const all = candidates(backbone);
  checkWhole("PCoders: count", count);
  check(
    count <= all.length,
    () =>
      `PCoders: the network has ${all.length} places for one (${all.map(({ name }) => name).join(", ") || "none"}), ` +
      `fewer than ${count}: say how many (--pcoders, default 4)`,
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

/** ": did you mean a, b or c?": the names with the fewest letters to change, of feature maps alone. */
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
