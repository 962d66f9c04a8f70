import type { GraphNode, Tensor } from "../../../graph/index.js";
import type { MergedConvolution } from "../../../graph/quantisation/merged-normalisation.js";
import { mergedNormalisation } from "../../../graph/quantisation/merged-normalisation.js";
import type { Retracing } from "./backbone.js";
import { applyInsteadOf, retrace } from "./backbone.js";

/*
 * A convolution followed by batch normalisation equals one convolution with other weights. ONNX Runtime also
 * merges the two, but it computes new weights for every copy of the node. A network unrolled over timesteps
 * would then hold its weights once per timestep. If the two are merged here, the weights are computed once
 * and shared.
 */

/** Copies a backbone's nodes and merges batch normalisation into the convolutions before it. */
export class MergingRetracer {
  /** Merged convolutions, by the node of the batch normalisation. */
  readonly #merged = new Map<GraphNode, MergedConvolution>();
  readonly #absorbed = new Set<GraphNode>();

  /**
   * @param order all nodes in topological order
   * @param preserved values that must remain in the graph, such as those that PCoders replace
   */
  constructor(order: readonly GraphNode[], preserved: ReadonlySet<Tensor>) {
    const uses = new Map<Tensor, number>();
    for (const { inputs } of order)
      for (const operand of inputs) if (operand) uses.set(operand, (uses.get(operand) ?? 0) + 1);
    for (const node of order) {
      const x = node.inputs[0];
      if (node.type !== "BatchNormalization" || x?.node.type !== "Conv") continue;
      if (uses.get(x) !== 1 || preserved.has(x) || node.outputs.length !== 1) continue;
      const merged = mergedNormalisation(x.node, node);
      if (merged === undefined) continue;
      this.#merged.set(node, merged);
      this.#absorbed.add(x.node);
    }
  }

  /**
   * Copies a node and returns its outputs in the new graph. For a convolution that is merged with the
   * normalisation after it, returns an empty list.
   */
  retrace(node: GraphNode, retracing: Retracing): readonly Tensor[] {
    if (this.#absorbed.has(node)) return [];
    const merged = this.#merged.get(node);
    if (merged === undefined) return retrace(node, retracing);
    const { convolution, weight, bias } = merged;
    const x = convolution.inputs[0]!;
    const { replaced, suffix } = retracing;
    const inputs = [replaced.get(x) ?? x, weight, bias];
    return applyInsteadOf(node, suffix, { type: "Conv", inputs, attributes: convolution.attributes });
  }
}
