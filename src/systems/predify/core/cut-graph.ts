import type { GraphNode, Tensor } from "../../../graph/index.js";
import { topologicalOrder } from "../../../graph/index.js";
import { MergingRetracer } from "./merged-normalisation.js";

/**
 * The graph of a backbone, cut at the values that PCoders take over. It can be copied into a new graph any
 * number of times, once for each timestep. The nodes before all cuts are copied once and shared. This class
 * knows nothing about predictions.
 */
export class CutGraph {
  readonly #output: Tensor;
  readonly #cuts: ReadonlyMap<Tensor, number>;
  /** Nodes that compute or depend on a cut value, in topological order. */
  readonly #repeated: readonly GraphNode[];
  /**
   * Maps those tensors of the backbone that do not depend on a cut to the tensors of the new graph that
   * replace them.
   */
  readonly #shared: ReadonlyMap<Tensor, Tensor>;
  readonly #retracer: MergingRetracer;

  /**
   * @param output the backbone's answer
   * @param cuts the values that PCoders take over, lowest first
   * @param inputs maps the inputs of the backbone to the tensors of the new graph that replace them
   */
  constructor(output: Tensor, cuts: readonly Tensor[], inputs: ReadonlyMap<Tensor, Tensor>) {
    this.#output = output;
    this.#cuts = new Map(cuts.map((tensor, i) => [tensor, i]));
    const order = topologicalOrder([...cuts, output]).filter(({ leaf }) => leaf === undefined);
    this.#retracer = new MergingRetracer(order, new Set([...cuts, output]));
    const shared = new Map(inputs);
    const dependent = new Set(cuts);
    const repeated: GraphNode[] = [];
    for (const node of order) {
      if (node.inputs.some((operand) => operand && dependent.has(operand))) {
        for (const made of node.outputs) dependent.add(made);
        repeated.push(node);
        continue;
      }
      this.#retrace(node, shared, "");
      if (node.outputs.some((made) => this.#cuts.has(made))) repeated.push(node);
    }
    this.#repeated = repeated;
    this.#shared = shared;
  }

  /**
   * Copies the graph into the new graph once more and returns the output of the copy.
   *
   * @param suffix is added to the names of the new values
   * @param takeOver is called once for each cut, in topological order. It gets the index of the cut and the
   * value computed there, and returns the tensor that replaces this value for all nodes that read it.
   */
  trace(suffix: string, takeOver: (cut: number, value: Tensor) => Tensor): Tensor {
    const replaced = new Map(this.#shared);
    for (const node of this.#repeated) {
      if (!node.outputs.every((output) => this.#shared.has(output))) this.#retrace(node, replaced, suffix);
      for (const output of node.outputs) {
        const cut = this.#cuts.get(output);
        if (cut !== undefined) replaced.set(output, takeOver(cut, replaced.get(output)!));
      }
    }
    return replaced.get(this.#output)!;
  }

  #retrace(node: GraphNode, replaced: Map<Tensor, Tensor>, suffix: string): void {
    const made = this.#retracer.retrace(node, { replaced, suffix });
    made.forEach((tensor, i) => replaced.set(node.outputs[i]!, tensor));
  }
}
