import { StriateError } from "../../util/errors.js";
import type { TensorData } from "../dtype.js";
import { tensorData } from "../dtype.js";
import type { MergedConvolution } from "./merged-normalisation.js";
import { floatsOf, mergedNormalisation } from "./merged-normalisation.js";
import { apply, applyAgain, intAttribute } from "../operator.js";
import { globalAveragePool } from "../operators/spatial/pool.js";
import { dequantizeLinear, quantizeLinear } from "./quantise.js";
import { flatten } from "../operators/shape/shape.js";
import { GraphNode, Tensor, constant, constantData } from "../tensor.js";
import { topologicalOrder } from "../topological-order.js";

/*
 * Turns a float32 network into one that computes with 8 bits. A quantiser and a dequantiser are put before
 * and after each operator that multiplies (the QDQ format). ONNX Runtime merges them with the operator into
 * an integer operator.
 */

/** The smallest and the largest number of a tensor. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

export interface QuantisationOptions {
  /** Returns the values of the parameters. */
  readonly values: (parameter: Tensor) => TensorData | undefined;
  /** Results whose nodes stay in floating point. */
  readonly keep?: ReadonlySet<Tensor>;
  /**
   * Whether weights have only 7 bits (default false). On processors without VNNI instructions, 16-bit sums of
   * two products of 8-bit numbers could overflow.
   */
  readonly reduceRange?: boolean;
}

/** A network that can be quantised, once the ranges of its values are known. */
export interface QuantisationPlan {
  /**
   * The network with all weights as constants. Normalisations are merged into the convolutions before them.
   */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Tensors whose smallest and largest values must be measured. */
  readonly observed: readonly Tensor[];
  /** Nodes that will compute with integers. */
  readonly nodes: ReadonlySet<GraphNode>;
  readonly reduceRange: boolean;
}

/** Operators with weights. */
const WEIGHTED = new Set(["Conv", "Gemm", "MatMul"]);
/** Operators that compute with integers if their operands are integers. */
const JOINING = new Set(["Add", "Concat", "GlobalAveragePool", "AveragePool"]);
/** Operators that only move or select numbers, so that the result needs no range of its own. */
const PASSING = new Set(["MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze"]);
/**
 * Functions that ONNX Runtime can drop, because the quantiser after them limits the values in the same way.
 */
const LIMITING = new Set(["Relu", "Clip"]);

/**
 * Finds the parts of a network that can compute with 8 bits.
 *
 * @throws StriateError for a network without a convolution or product with constant float32 weights
 */
export function planQuantisation(
  outputs: Readonly<Record<string, Tensor>>,
  { values, keep = new Set(), reduceRange = false }: QuantisationOptions,
): QuantisationPlan {
  const { merged, kept } = mergeNormalisations(outputs, values, keep);
  const order = topologicalOrder(Object.values(merged));
  const readers = readersOf(order, merged);
  const nodes = new Set<GraphNode>();
  for (const node of order) if (!kept.has(node) && hasWeights(node)) nodes.add(node);
  if (nodes.size === 0) {
    throw new StriateError(
      "there is nothing to quantise: expected a convolution or product with constant float32 weights that does not stay float32, " +
        "found none",
    );
  }
  const isWhole = (tensor: Tensor | undefined): boolean =>
    tensor !== undefined && nodes.has(sourceOf(tensor, readers).node);
  for (const node of order) {
    const [first] = node.inputs;
    if (kept.has(node) || node.outputs[0]?.dtype !== "float32") continue;
    if (PASSING.has(node.type) && isWhole(first)) nodes.add(node);
    if (JOINING.has(node.type) && node.inputs.every((input) => isWhole(input))) nodes.add(node);
  }
  const observed = new Set<Tensor>();
  for (const node of order) {
    if (!nodes.has(node)) continue;
    for (const input of activationsOf(node)) if (!isPassed(input, nodes)) observed.add(input);
    const result = endOf(node.outputs[0]!, readers);
    if (!isPassed(result, nodes) && isQuantisedResult(node, result, nodes, readers)) observed.add(result);
  }
  return { outputs: merged, observed: [...observed], nodes, reduceRange };
}

/** The number of nodes of each type that will compute with integers. */
export function countTypes({ nodes }: QuantisationPlan): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { type } of nodes) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/**
 * Returns the network of a plan with 8-bit values. Each activation is uint8 and has one scale; weights are
 * int8 and have one scale for each output channel.
 */
export function quantisedNetwork(
  { outputs, nodes, reduceRange }: QuantisationPlan,
  ranges: ReadonlyMap<Tensor, ValueRange>,
): Record<string, Tensor> {
  const order = topologicalOrder(Object.values(outputs));
  const readers = readersOf(order, outputs);
  const replaced = new Map<Tensor, Tensor>();
  /** The scale and zero point of each quantised value of the original network. */
  const steps = new Map<Tensor, Step>();
  const doubled = new Map<Tensor, Tensor>();
  const now = (tensor: Tensor): Tensor => replaced.get(tensor) ?? tensor;
  const stepOf = (tensor: Tensor): Step => {
    const known =
      steps.get(tensor) ??
      (nodes.has(tensor.node) && PASSING.has(tensor.node.type)
        ? stepOf(tensor.node.inputs[0]!)
        : stepFor(ranges.get(tensor)!));
    steps.set(tensor, known);
    return known;
  };
  const whole = (tensor: Tensor): Tensor => {
    const known = doubled.get(tensor) ?? pair(now(tensor), stepOf(tensor));
    doubled.set(tensor, known);
    return known;
  };
  for (const node of order) {
    if (node.leaf !== undefined) continue;
    const isWhole = nodes.has(node);
    const active = new Set(isWhole ? activationsOf(node) : []);
    const inputs = node.inputs.map((input) => input && (active.has(input) ? whole(input) : now(input)));
    const weighted = isWhole && WEIGHTED.has(node.type);
    const made = weighted
      ? withWeights(node, inputs, stepOf(activationsOf(node)[0]!), reduceRange)
      : inputs.every((input, i) => input === node.inputs[i])
        ? node.outputs
        : applyAgain(node, inputs);
    node.outputs.forEach((output, i) => replaced.set(output, made[i]!));
    const [result] = node.outputs;
    const source = result && sourceOf(result, readers);
    if (result === undefined || source === undefined || !nodes.has(source.node)) continue;
    // All readers must use the quantised values, because only then does the runtime merge the quantiser into
    // the operator.
    if (endOf(source, readers) === result && isQuantisedResult(source.node, result, nodes, readers))
      replaced.set(result, whole(result));
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, now(tensor)]));
}

// ---- the network ---------------------------------------------------------------------------------------------------------

function mergeNormalisations(
  outputs: Readonly<Record<string, Tensor>>,
  values: QuantisationOptions["values"],
  keep: ReadonlySet<Tensor>,
): { readonly merged: Record<string, Tensor>; readonly kept: ReadonlySet<GraphNode> } {
  const order = topologicalOrder(Object.values(outputs));
  const readers = readersOf(order, outputs);
  const replaced = new Map<Tensor, Tensor>();
  const origins = new Map<Tensor, GraphNode>();
  const kept = new Set<GraphNode>();
  for (const node of order) {
    if (node.leaf?.kind === "parameter") replaced.set(node.outputs[0]!, frozen(node, values));
    if (node.leaf !== undefined) continue;
    const inputs = node.inputs.map((input) => input && (replaced.get(input) ?? input));
    const convolution = inputs[0] && readers.get(node.inputs[0]!)?.length === 1 ? inputs[0].node : undefined;
    const isPair = node.type === "BatchNormalization" && convolution?.type === "Conv";
    const joined = isPair
      ? mergedNormalisation(convolution, new GraphNode(node.type, inputs, node.attributes))
      : undefined;
    const made = joined ? remade(node, joined) : (pooled(node, inputs) ?? applyAgain(node, inputs));
    node.outputs.forEach((output, i) => {
      replaced.set(output, made[i]!);
      origins.set(made[i]!, node);
    });
    const isKept = node.outputs.some((output) => keep.has(output));
    if (isKept || (joined && kept.has(joined.convolution))) kept.add(made[0]!.node);
  }
  const merged = Object.entries(outputs).map(([name, tensor]) => [name, replaced.get(tensor) ?? tensor]);
  return { merged: Object.fromEntries(merged) as Record<string, Tensor>, kept };
}

function remade(node: GraphNode, { convolution, weight, bias }: MergedConvolution): readonly Tensor[] {
  const name = node.importedName === undefined ? {} : { name: node.importedName };
  const inputs = [convolution.inputs[0], weight, bias];
  return node.replaced(() => apply("Conv", inputs, convolution.attributes, name));
}

/**
 * Replaces a mean over height and width by GlobalAveragePool, which ONNX Runtime also has for integers.
 * Returns undefined for any other node.
 */
function pooled(
  { type, attributes }: GraphNode,
  inputs: readonly (Tensor | undefined)[],
): Tensor[] | undefined {
  const [x, axes] = inputs;
  const places = axes && constantData(axes)?.data;
  if (type !== "ReduceMean" || x?.rank !== 4 || places === undefined) return undefined;
  const sorted = Array.from(places as BigInt64Array, (axis) => (Number(axis) + 4) % 4).sort();
  if (sorted.join() !== "2,3") return undefined;
  const mean = globalAveragePool(x);
  return [intAttribute(attributes, "keepdims", 1) === 1 ? mean : flatten(mean)];
}

/** Turns a parameter into a constant with the same name. */
function frozen(node: GraphNode, values: QuantisationOptions["values"]): Tensor {
  const tensor = node.outputs[0]!;
  const data = values(tensor);
  if (data === undefined) throw new StriateError(`quantising: ${String(tensor)} has no values`);
  const name = node.leaf?.kind === "parameter" ? node.leaf.name : undefined;
  return named({ kind: "constant", data }, name, data);
}

function named(
  leaf: { kind: "constant"; data: TensorData },
  name: string | undefined,
  data: TensorData,
): Tensor {
  const node = new GraphNode("constant", [], {}, leaf, name);
  const tensor = new Tensor(node, 0, data.dtype, data.shape);
  node.outputs.push(tensor);
  return tensor;
}

/** The nodes that read each tensor. For an output of the network, the list also contains undefined. */
function readersOf(
  order: readonly GraphNode[],
  outputs: Readonly<Record<string, Tensor>>,
): ReadonlyMap<Tensor, readonly (GraphNode | undefined)[]> {
  const readers = new Map<Tensor, (GraphNode | undefined)[]>();
  const note = (tensor: Tensor, reader: GraphNode | undefined) => {
    const known = readers.get(tensor);
    if (known === undefined) readers.set(tensor, [reader]);
    else known.push(reader);
  };
  for (const node of order) for (const input of node.inputs) if (input) note(input, node);
  for (const tensor of Object.values(outputs)) note(tensor, undefined);
  return readers;
}

type Readers = ReturnType<typeof readersOf>;

function hasWeights(node: GraphNode): boolean {
  const { type, inputs, attributes } = node;
  if (!WEIGHTED.has(type) || inputs[0]?.dtype !== "float32" || constantData(inputs[0])) return false;
  const [weight, bias] = [floatsOf(inputs[1]), floatsOf(inputs[2])];
  if (weight === undefined || (inputs[2] && (bias === undefined || inputs[2].rank !== 1))) return false;
  if (type === "Conv") return inputs[1]!.rank === 4;
  const isPlain = ["alpha", "beta"].every((name) => {
    const value = attributes[name];
    return value === undefined || (typeof value === "object" && "float" in value && value.float === 1);
  });
  return inputs[1]!.rank === 2 && isPlain && intAttribute(attributes, "transA", 0) === 0;
}

/** The operands of a node that are neither weights nor settings. */
function activationsOf({ type, inputs }: GraphNode): readonly Tensor[] {
  const joined = type === "Add" || type === "Concat" ? inputs : inputs.slice(0, 1);
  return joined.filter((input) => input !== undefined);
}

/**
 * If a limiting function is the only reader of a result, returns the result of that function; otherwise,
 * returns the result itself.
 */
function endOf(result: Tensor, readers: Readers): Tensor {
  const [reader, other] = readers.get(result) ?? [];
  const isOnly = other === undefined && reader !== undefined && LIMITING.has(reader.type);
  return isOnly && result.node.type !== "MaxPool" ? reader.outputs[0]! : result;
}

/**
 * The inverse of `endOf`: if a tensor comes from a limiting function that is the only reader of its input,
 * returns this input; otherwise, returns the tensor itself.
 */
function sourceOf(tensor: Tensor, readers: Readers): Tensor {
  const [inner] = LIMITING.has(tensor.node.type) ? tensor.node.inputs : [];
  return inner && endOf(inner, readers) === tensor ? inner : tensor;
}

function isPassed({ node }: Tensor, nodes: ReadonlySet<GraphNode>): boolean {
  return nodes.has(node) && PASSING.has(node.type);
}

/**
 * Whether the result of a node is quantised. A matrix product that no integer operator reads stays in
 * floating point, so that the outputs of the network keep their precision.
 */
function isQuantisedResult(
  node: GraphNode,
  result: Tensor,
  nodes: ReadonlySet<GraphNode>,
  readers: Readers,
): boolean {
  const isProduct = node.type === "Gemm" || node.type === "MatMul";
  return (
    !isProduct || (readers.get(result) ?? []).some((reader) => reader !== undefined && nodes.has(reader))
  );
}

// ---- numbers -------------------------------------------------------------------------------------------------------------

interface Step {
  readonly scale: number;
  readonly zero: number;
}

const LEVELS = 255;

/**
 * The scale and zero point for a range of values. The range always includes 0, because padding and rectifiers
 * need an exact 0.
 */
function stepFor({ low, high }: ValueRange): Step {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.fround(to > from ? (to - from) / LEVELS : 1 / LEVELS);
  return { scale, zero: Math.round(-from / scale) };
}

function pair(tensor: Tensor, { scale, zero }: Step): Tensor {
  const [step, at] = [constant(scale), constant(zero, [], "uint8")];
  return dequantizeLinear(quantizeLinear(tensor, step, at), step, at);
}

/** The largest absolute value of an int32 bias. It leaves room so that sums do not overflow. */
const LARGEST_BIAS = 2 ** 29;
/** The smallest scale; products of smaller scales would be subnormal numbers. */
const LEAST_SCALE = 1e-12;

/** Repeats a call with int8 weights, which have one scale for each output channel, and an int32 bias. */
function withWeights(
  node: GraphNode,
  inputs: readonly (Tensor | undefined)[],
  { scale: step }: Step,
  reduceRange: boolean,
): readonly Tensor[] {
  const weight = node.inputs[1]!;
  const bias = floatsOf(node.inputs[2]);
  const axis = node.type === "Conv" || intAttribute(node.attributes, "transB", 0) === 1 ? 0 : 1;
  const [values, shape] = [floatsOf(weight)!, weight.shape as readonly number[]];
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const count = shape[axis]!;
  const channelOf = (i: number) => Math.floor(i / inner) % count;
  const largest = new Float64Array(count);
  values.forEach((value, i) => {
    const channel = channelOf(i);
    largest[channel] = Math.max(largest[channel]!, Math.abs(value));
  });
  const most = reduceRange ? 63 : 127;
  const scales = Float32Array.from(largest, (value, c) =>
    Math.max(value / most, Math.abs(bias?.[c] ?? 0) / (step * LARGEST_BIAS), LEAST_SCALE),
  );
  const clamp = (value: number) => Math.max(-most, Math.min(most, Math.round(value)));
  const stored = tensorData(
    Int8Array.from(values, (value, i) => clamp(value / scales[channelOf(i)]!)),
    shape,
    "int8",
  );
  const each = constant(tensorData(scales));
  const zeros = constant(tensorData(new Int8Array(count), [count], "int8"));
  const name = weight.node.importedName;
  const made = [...inputs];
  made[1] = dequantizeLinear(named({ kind: "constant", data: stored }, name, stored), each, zeros, { axis });
  if (bias !== undefined) {
    const products = scales.map((scale) => scale * step);
    const wholes = Int32Array.from(bias, (value, c) => Math.round(value / products[c]!));
    made[2] = dequantizeLinear(
      constant(tensorData(wholes, [count], "int32")),
      constant(tensorData(products)),
      constant(tensorData(new Int32Array(count), [count], "int32")),
      { axis: 0 },
    );
  }
  return applyAgain(node, made);
}
