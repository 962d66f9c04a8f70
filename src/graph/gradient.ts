import { StriateError } from "../util/errors.js";
import { showShape } from "./dims.js";
import { isFloat } from "./dtype.js";
import type { GradientCall } from "./operator.js";
import { addGradients, operatorOf } from "./operator.js";
import { expandLike } from "./operators/broadcast.js";
import { scalar } from "./operators/elementwise.js";
import { zerosLike } from "./operators/shape-values.js";
import type { GraphNode, Tensor } from "./tensor.js";
import { topologicalOrder } from "./walk.js";

export interface GradientOptions {
  /** Gradient of each output (default: ones, which for a scalar loss is the usual gradient). */
  readonly seeds?: readonly Tensor[];
  /** What a tensor gets that the outputs do not depend on: zeros (default), or an error. */
  readonly unreachable?: "zero" | "error";
}

/**
 * Reverse-mode gradients, graph to graph: d(sum of outputs)/d(each of `wrt`), as more nodes of the same graph.
 * `wrt` may hold parameters, inputs or any tensor between. Call it on its own results for higher orders.
 *
 * @throws StriateError naming the operator and where it was used when a gradient rule is missing.
 */
export function gradients(
  outputs: Tensor | readonly Tensor[],
  wrt: readonly Tensor[],
  options: GradientOptions = {},
): Tensor[] {
  const roots = Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
  const order = topologicalOrder(roots);
  const wanted = new Set(wrt);
  const active = reachedFrom(order, wanted);
  const totals = new Map<Tensor, Tensor>();
  const give = (tensor: Tensor, gradient: Tensor) => {
    const total = totals.get(tensor);
    totals.set(tensor, total === undefined ? gradient : addGradients(total, gradient));
  };
  roots.forEach((root, i) => {
    if (!isFloat(root.dtype))
      throw new StriateError(`cannot differentiate ${String(root)}: it holds no floating-point values`);
    give(root, options.seeds?.[i] ?? expandLike(scalar(1, root.dtype), root));
  });
  for (const node of order.toReversed()) {
    if (node.leaf !== undefined || !node.inputs.some((input) => input && active.has(input))) continue;
    const received = node.outputs.map((output) => totals.get(output));
    if (received.every((gradient) => gradient === undefined)) continue;
    backThrough(node, received, active, give);
  }
  return wrt.map((tensor) => {
    const total = totals.get(tensor);
    if (total !== undefined) return total;
    if (options.unreachable === "error") {
      throw new StriateError(`no gradient for ${String(tensor)}: the output does not depend on it`);
    }
    return zerosLike(tensor);
  });
}

/** The tensors that lie on a path from a wanted tensor. */
function reachedFrom(order: readonly GraphNode[], wanted: ReadonlySet<Tensor>): Set<Tensor> {
  const active = new Set(wanted);
  for (const node of order) {
    if (operatorOf(node.type)?.gradient === "zero") continue;
    if (node.inputs.some((input) => input && active.has(input))) {
      for (const output of node.outputs) active.add(output);
    }
  }
  return active;
}

function backThrough(
  node: GraphNode,
  received: readonly (Tensor | undefined)[],
  active: ReadonlySet<Tensor>,
  give: (tensor: Tensor, gradient: Tensor) => void,
): void {
  const rule = operatorOf(node.type)?.gradient;
  if (rule === "zero") return;
  if (rule === undefined) {
    throw new StriateError(`operator ${node.type} has no gradient rule (used ${node.where})`);
  }
  const call: GradientCall = {
    type: node.type,
    inputs: node.inputs,
    attributes: node.attributes,
    outputCount: node.outputs.length,
    outputs: node.outputs,
    gradients: received,
    needs: (i) => {
      const tensor = node.inputs[i];
      return tensor !== undefined && active.has(tensor) && isFloat(tensor.dtype);
    },
  };
  for (const [i, gradient] of rule(call).entries()) {
    const target = node.inputs[i];
    if (gradient === undefined || target === undefined || !call.needs(i)) continue;
    if (gradient.rank !== target.rank || gradient.dtype !== target.dtype) {
      throw new StriateError(
        `gradient rule of ${node.type}: input ${i} is ${String(target)}, its gradient ${gradient.dtype}${showShape(gradient.shape)}`,
      );
    }
    give(target, gradient);
  }
}
