import type { GraphNode, Tensor } from "../../../graph/index.js";
import type { MergedConvolution } from "../../../graph/quantisation/merged-normalisation.js";
import { mergedNormalisation } from "../../../graph/quantisation/merged-normalisation.js";
import type { Retracing } from "./backbone.js";
import { madeFor, retrace } from "./backbone.js";

/*
 * A convolution and the batch normalisation after it are one convolution with other weights. ONNX Runtime merges them
 * too, but with new weights for every copy of the node: a network unrolled over timesteps would hold its weights once for
 * each. Merged here they are computed once and shared.
 */

/** Makes a backbone's nodes again, convolutions merged with the normalisation after them. */
export class MergingRetracer {
  /** By the normalisation's node. */
  readonly #merged = new Map<GraphNode, MergedConvolution>();
  readonly #left = new Set<GraphNode>();

  /**
   * @param order all nodes, operands before users
   * @param kept values that must stay, such as those that PCoders take over
   */
  constructor(order: readonly GraphNode[], kept: ReadonlySet<Tensor>) {
    const uses = new Map<Tensor, number>();
    for (const { inputs } of order)
      for (const operand of inputs) if (operand) uses.set(operand, (uses.get(operand) ?? 0) + 1);
    for (const node of order) {
      const x = node.inputs[0];
      if (node.type !== "BatchNormalization" || x?.node.type !== "Conv") continue;
      if (uses.get(x) !== 1 || kept.has(x) || node.outputs.length !== 1) continue;
      const merged = mergedNormalisation(x.node, node);
      if (merged === undefined) continue;
      this.#merged.set(node, merged);
      this.#left.add(x.node);
    }
  }

  /** The node's results in the new graph; none for a convolution that is made together with its normalisation. */
  retrace(node: GraphNode, retracing: Retracing): readonly Tensor[] {
    if (this.#left.has(node)) return [];
    const merged = this.#merged.get(node);
    if (merged === undefined) return retrace(node, retracing);
    const { convolution, weight, bias } = merged;
    const x = convolution.inputs[0]!;
    const { replaced, suffix } = retracing;
    const inputs = [replaced.get(x) ?? x, weight, bias];
    return madeFor(node, suffix, { type: "Conv", inputs, attributes: convolution.attributes });
  }
}
