import { isFloat } from "./dtype.js";
import { applyAgain } from "./operator.js";
import { cast, less, where } from "./operators/elementwise/elementwise.js";
import { sum } from "./operators/reduce/reduce.js";
import { concat } from "./operators/shape/join.js";
import { reshape } from "./operators/shape/shape.js";
import { slice } from "./operators/shape/slice-pad.js";
import type { GraphNode, Tensor } from "./tensor.js";
import { topologicalOrder } from "./topological-order.js";

/**
 * What the gradients of a segment's nodes read in place of results that are not kept: the results of the same nodes,
 * repeated.
 *
 * A graph does not say when a node runs, and equal calls are merged. The repeated nodes of a segment therefore read the
 * states that other segments hand over through a gate: a choice between the state and itself, by a condition that is
 * known only when the gradients of all segments behind it are. Without gates, everything would be computed before the
 * first gradient, and kept.
 */
export class Recomputation {
  /** Results of nodes in segments that nodes in other segments read, with these segments. These results are kept. */
  readonly #handedOver = new Map<Tensor, Set<number>>();
  #last: number | undefined;
  readonly #repeated = new Map<Tensor, Tensor>();
  readonly #gates = new Map<number, (tensor: Tensor) => Tensor>();
  /** The gradients that have left or entered a segment since a gate was last made, by their tensor. */
  readonly #arrived = new Map<Tensor, Tensor>();

  /** @param order the nodes of the forward pass */
  constructor(order: readonly GraphNode[]) {
    for (const { segment, inputs } of order) {
      if (segment === undefined) continue;
      for (const x of inputs) {
        if (x?.node.segment === undefined || x.node.segment === segment) continue;
        const readers = this.#handedOver.get(x) ?? new Set();
        this.#handedOver.set(x, readers.add(segment));
      }
    }
  }

  /** Whether the gradient that `node` gives to `tensor` leaves or enters a segment. */
  static crosses(node: GraphNode, tensor: Tensor): boolean {
    return node.segment !== tensor.node.segment;
  }

  /** Tells that `total` is now the gradient of `tensor`, which it got across the border of a segment. */
  arrived(tensor: Tensor, total: Tensor): void {
    this.#arrived.set(tensor, total);
  }

  /**
   * What the gradient of a node in `segment` reads in place of an operand or result of the node. The segment that is
   * first asked for is the last of the forward pass; its results have just been computed.
   */
  seen(tensor: Tensor, segment: number | undefined): Tensor {
    const { node } = tensor;
    if (segment === undefined || node.segment === undefined) return tensor;
    this.#last ??= segment;
    if (segment === this.#last) return tensor;
    if (!this.#isRepeated(tensor, segment)) return this.#gate(segment)(tensor);
    const known = this.#repeated.get(tensor);
    if (known !== undefined) return known;
    const isBeyond = (other: GraphNode) =>
      other.segment !== segment || other.outputs.every((output) => !this.#isRepeated(output, segment));
    for (const inside of topologicalOrder([tensor], (other) => isBeyond(other) || this.#isDone(other))) {
      const inputs = inside.inputs.map((x) => x && (this.#repeated.get(x) ?? this.seen(x, segment)));
      const made = inside.repeated(() => applyAgain(inside, inputs));
      inside.outputs.forEach((output, i) => this.#repeated.set(output, made[i]!));
    }
    return this.#repeated.get(tensor)!;
  }

  #isRepeated(tensor: Tensor, segment: number): boolean {
    return tensor.node.segment === segment && !this.#handedOver.has(tensor);
  }

  #isDone({ outputs }: GraphNode): boolean {
    return this.#repeated.has(outputs[0]!);
  }

  #gate(segment: number): (tensor: Tensor) => Tensor {
    const known = this.#gates.get(segment);
    if (known !== undefined) return known;
    const firsts = [...this.#arrived.values()].map(firstElement);
    this.#arrived.clear();
    const condition = less(sum(concat(firsts, 0)), 0);
    const passed = new Map<Tensor, Tensor>();
    const gate = (tensor: Tensor) => {
      // What many segments read is no state, but computed once for all of them.
      const readers = this.#handedOver.get(tensor)?.size ?? 0;
      if (!isFloat(tensor.dtype) || readers > 2) return tensor;
      const through = passed.get(tensor) ?? where(condition, tensor, tensor);
      passed.set(tensor, through);
      return through;
    };
    this.#gates.set(segment, gate);
    return gate;
  }
}

/** The first element of a tensor, float32 [1]. */
function firstElement(tensor: Tensor): Tensor {
  const first =
    tensor.rank === 0
      ? tensor
      : slice(
          tensor,
          tensor.shape.map((_, axis) => ({ axis, end: 1 })),
        );
  return reshape(cast(first, "float32"), [1]);
}
