import { StriateError } from "../util/errors.js";
import type { Parts } from "../util/slices.js";
import { atOnce } from "../util/slices.js";
import { attributed } from "./error-place.js";
import { showShape } from "./dims.js";
import { isFloat } from "./dtype.js";
import type { DType } from "./dtype.js";
import type { GradientCall } from "./operator.js";
import { addGradients, applyGradientRule, applySingle, operatorOf } from "./operator.js";
import { expandLike } from "./operators/broadcast.js";
import { cast, scalar } from "./operators/elementwise/elementwise.js";
import "./core-operators.js";
import { zerosLike } from "./operators/shape/shape-values.js";
import { Recomputation } from "./recompute.js";
import type { GraphNode, Tensor } from "./tensor.js";
import { topologicalOrder } from "./topological-order.js";

/** Options of `gradients`. */
export interface GradientOptions {
  /**
   * Gradient with respect to each output, from which backpropagation starts (default: ones, as is usual for a
   * scalar loss).
   */
  readonly seeds?: readonly Tensor[];
  /**
   * What `gradients` does for a tensor on which the outputs do not depend: it returns zeros (default) or
   * throws an error.
   */
  readonly unreachable?: "zero" | "error";
  /**
   * Whether to compute the results inside a segment (`recomputable`) once more instead of keeping them (default
   * false). Memory then holds the states between segments and the results of one segment. The gradients differ at
   * most by rounding, because the gradients of a convolution's kernel are not merged over segments (`mergeSum`).
   */
  readonly recompute?: boolean;
}

/**
 * Computes gradients in reverse mode: d(sum of outputs)/d(tensor) for each tensor of `wrt`. The results are
 * new nodes of the same graph. `wrt` may contain parameters, inputs and intermediate tensors. For
 * higher-order gradients, call the function on its own results.
 *
 * @throws StriateError if an operator between `wrt` and the outputs has no gradient rule, or has none for an
 * input or output that is needed. The error names the operator and where it is used.
 * @example
 * ```ts
 * import { gradients, input, lower, mul, sum, tensorData, writeOnnx } from "striate/graph";
 * import { nodeRuntime } from "striate/node";
 *
 * const x = input("x", [3]);
 * const [slope] = gradients(sum(mul(x, x)), [x]);
 * const session = await nodeRuntime.createSession(writeOnnx(lower({ slope: slope! }, "cpu")).bytes);
 * const result = await session.run({ x: tensorData([1, 2, 3], [3]) });
 * console.log(Array.from(result["slope"]!.data, Number).join(", ")); // 2, 4, 6
 * await session.close();
 * ```
 */
export function gradients(
  outputs: Tensor | readonly Tensor[],
  wrt: readonly Tensor[],
  options: GradientOptions = {},
): Tensor[] {
  return atOnce(gradientsInParts(outputs, wrt, options));
}

/** Like `gradients`, but in parts, between which other work can run. */
export function* gradientsInParts(
  outputs: Tensor | readonly Tensor[],
  wrt: readonly Tensor[],
  options: GradientOptions = {},
): Parts<Tensor[]> {
  const roots = Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
  for (const tensor of wrt) {
    if (!isFloat(tensor.dtype))
      throw new StriateError(`no gradient for ${String(tensor)}: it holds no floating-point values`);
  }
  const seeds = roots.map((root, i) => {
    if (!isFloat(root.dtype))
      throw new StriateError(`cannot differentiate ${String(root)}: it holds no floating-point values`);
    const seed = options.seeds?.[i] ?? expandLike(scalar(1, root.dtype), root);
    if (seed.dtype !== root.dtype || seed.rank !== root.rank) {
      throw new StriateError(
        `seeds: expected a gradient of the type and rank of ${String(root)}, got ${String(seed)}`,
      );
    }
    return seed;
  });
  const totals = yield* accumulatedGradients(roots, seeds, wrt, { recompute: options.recompute ?? false });
  return wrt.map((tensor) => {
    const total = totals.get(tensor);
    if (total !== undefined) return cast(total, tensor.dtype);
    if (options.unreachable === "error") {
      throw new StriateError(`no gradient for ${String(tensor)}: the output does not depend on it`);
    }
    return zerosLike(tensor);
  });
}

/**
 * The total gradient of each tensor between `wrt` and the roots. Nodes for which `stopAt` returns true are
 * excluded, and so are nodes that only those depend on.
 */
function* accumulatedGradients(
  roots: readonly Tensor[],
  seeds: readonly Tensor[],
  wrt: readonly Tensor[],
  {
    stopAt,
    recompute = false,
  }: { readonly stopAt?: (node: GraphNode) => boolean; readonly recompute?: boolean } = {},
): Parts<ReadonlyMap<Tensor, Tensor>> {
  const order = topologicalOrder(roots, stopAt);
  const active = activeTensors(order, new Set(wrt));
  const wide = widener(active);
  const recomputation = recompute ? new Recomputation(order) : undefined;
  const seen = (tensor: Tensor, { segment }: GraphNode) => recomputation?.seen(tensor, segment) ?? tensor;
  const totals = new Map<Tensor, Tensor>();
  const accumulate = (tensor: Tensor, gradient: Tensor, from?: GraphNode) => {
    const total = totals.get(tensor);
    const crosses = recomputation !== undefined && from !== undefined && Recomputation.crosses(from, tensor);
    // A merged sum would need the results of all segments at once.
    const add = crosses ? plainSum : addGradients;
    const next = total === undefined ? gradient : add(total, gradient);
    totals.set(tensor, next);
    if (crosses) recomputation.arrived(tensor, next);
  };
  roots.forEach((root, i) => {
    accumulate(root, wide(seeds[i]!));
  });
  for (const node of order.toReversed()) {
    if (node.leaf !== undefined || !node.inputs.some((input) => input && active.has(input))) continue;
    const received = node.outputs.map((output) => totals.get(output));
    if (received.every((gradient) => gradient === undefined)) continue;
    yield;
    backpropagateNode(node, received, { active, wide, seen, accumulate });
  }
  return totals;
}

/**
 * Implements {@link GradientCall.through} for a call. The operands are wrapped in Identity nodes, at which
 * backpropagation stops.
 */
function throughComposed(
  call: GradientCall,
  compose: (inputs: readonly (Tensor | undefined)[]) => readonly Tensor[],
): (Tensor | "zero" | undefined)[] {
  const inputs = call.inputs.map((x, i) => (x && call.needs(i) ? applySingle("Identity", [x]) : x));
  const wrt = inputs.flatMap((x, i) => (x && call.needs(i) ? [x] : []));
  const results = compose(inputs).flatMap((tensor, output) => {
    const seed = call.received(output);
    return seed === undefined ? [] : [{ tensor, seed }];
  });
  const stops = new Set(inputs.map((x) => x?.node));
  const roots = results.map(({ tensor }) => tensor);
  const seeds = results.map(({ seed }) => seed);
  const totals = atOnce(accumulatedGradients(roots, seeds, wrt, { stopAt: (node) => stops.has(node) }));
  return inputs.map((x, i) => (x && call.needs(i) ? (totals.get(x) ?? "zero") : undefined));
}

/**
 * Returns a function that casts a tensor to float32 if its gradient must be computed in float32, with only
 * one cast for each tensor. Half precision cannot hold positive numbers below 6e-8 or above 65504. Therefore
 * gradient rules get the operands and results of float16 as float32, and gradients are cast back only when
 * they are returned. The same applies to all other floating-point types narrower than float32, and to
 * integers that have a gradient because a quantiser made them.
 */
function widener(active: ReadonlySet<Tensor>): Widen {
  const made = new Map<Tensor, Tensor>();
  return (tensor, { sharedType, original = tensor } = {}) => {
    const { dtype } = tensor;
    if (dtype === "float32" || dtype === "float64") return tensor;
    if (!isFloat(dtype) && dtype !== sharedType && !active.has(original)) return tensor;
    const known = made.get(tensor) ?? cast(tensor, "float32");
    made.set(tensor, known);
    return known;
  };
}

/** Operators whose operands all have the same element type (except for the condition of Where). */
const OF_ONE_TYPE = new Set(["Add", "Clip", "Div", "Max", "Min", "Mod", "Mul", "Pow", "Sub", "Where"]);

/** `original` is the tensor whose values `tensor` has; it may be another one if `tensor` is computed once more. */
type Widen = (
  tensor: Tensor,
  facts?: { readonly sharedType?: DType | undefined; readonly original?: Tensor },
) => Tensor;

const plainSum = (a: Tensor, b: Tensor): Tensor => applySingle("Add", [a, b]);

interface Pass {
  readonly active: ReadonlySet<Tensor>;
  readonly wide: Widen;
  /** What the gradient of `node` reads in place of an operand or result of the node. */
  readonly seen: (tensor: Tensor, node: GraphNode) => Tensor;
  readonly accumulate: (tensor: Tensor, gradient: Tensor, from: GraphNode) => void;
}

/**
 * The tensors that have a gradient: the wanted ones, and those that depend on them. An integer tensor has a
 * gradient only if a quantiser made it, or if an operator computed it from an integer tensor with a gradient
 * and of the same type. (A Cast may change the integer type, but a Cast from floating point to integers has
 * no gradient.)
 */
function activeTensors(order: readonly GraphNode[], wanted: ReadonlySet<Tensor>): Set<Tensor> {
  const active = new Set(wanted);
  for (const node of order) {
    const operator = operatorOf(node.type);
    if (operator?.gradient === "zero") continue;
    const sources = node.inputs.filter((input) => input !== undefined && active.has(input));
    if (sources.length === 0) continue;
    const whole = sources.filter((source) => !isFloat(source!.dtype));
    for (const output of node.outputs) {
      const isPassed =
        operator?.straightThrough === true ||
        (node.type === "Cast" ? whole.length > 0 : whole.some((source) => source!.dtype === output.dtype));
      if (isFloat(output.dtype) || (output.dtype !== "bool" && isPassed)) active.add(output);
    }
  }
  return active;
}

function backpropagateNode(
  node: GraphNode,
  received: readonly (Tensor | undefined)[],
  { active, wide, seen, accumulate }: Pass,
): void {
  const rule = operatorOf(node.type)?.gradient;
  if (rule === "zero") return;
  if (rule === undefined) {
    throw new StriateError(`operator ${node.type} has no gradient rule (used ${node.where})`);
  }
  const refuse = (part: string): never => {
    throw new StriateError(`operator ${node.type} has no gradient rule for its ${part} (used ${node.where})`);
  };
  const whole = node.inputs.find((input) => input && active.has(input) && !isFloat(input.dtype));
  const sharedType = OF_ONE_TYPE.has(node.type) ? whole?.dtype : undefined;
  const asked = new Set<number>();
  const inputs = node.inputs.map((x) => x && wide(seen(x, node), { sharedType, original: x }));
  const outputs = node.outputs.map((y) => wide(seen(y, node), { original: y }));
  const call: GradientCall = {
    type: node.type,
    inputs,
    attributes: node.attributes,
    outputCount: node.outputs.length,
    outputs,
    y: outputs[0]!,
    outputTypes: node.outputs.map(({ dtype }) => dtype),
    get dy() {
      asked.add(0);
      return (
        received[0] ?? refuse(`output ${received.findIndex((gradient) => gradient !== undefined)} alone`)
      );
    },
    received: (output) => {
      asked.add(output);
      return received[output];
    },
    needs: (i) => {
      const tensor = node.inputs[i];
      return tensor !== undefined && active.has(tensor);
    },
    through: (compose) => throughComposed(call, compose),
  };
  const made = attributed(node, "in the gradient of", () => applyGradientRule(rule, call));
  const unasked = received.findIndex((gradient, output) => gradient !== undefined && !asked.has(output));
  if (unasked >= 0) refuse(`output ${unasked}`);
  for (const [i, target] of node.inputs.entries()) {
    const gradient = made[i];
    if (target === undefined || !call.needs(i) || gradient === "zero") continue;
    if (gradient === undefined) return refuse(`input ${i}, ${String(target)}`);
    if (gradient.rank !== target.rank || gradient.dtype !== call.inputs[i]!.dtype) {
      throw new StriateError(
        `gradient rule of ${node.type}: input ${i} is ${String(target)}, but its gradient is ${gradient.dtype}${showShape(gradient.shape)}`,
      );
    }
    attributed(node, "in the gradient of", () => {
      accumulate(target, gradient, node);
    });
  }
}
