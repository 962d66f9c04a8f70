import type { Parts } from "../util/slices.js";
import { atOnce } from "../util/slices.js";
import { attributed } from "./error-place.js";
import type { TensorData } from "./dtype.js";
import type { Target } from "./operator.js";
import { applyAgain, operatorOf } from "./operator.js";
import "./core-operators.js";
import type { Attribute, GraphNode, Tensor } from "./tensor.js";
import { constantData } from "./tensor.js";
import { topologicalOrder } from "./topological-order.js";

export interface LowerOptions {
  /**
   * Values of parameters, as in the options of `writeOnnx`, which writes such parameters as constants. Most
   * operators with constant weights are left as they are, because the runtime optimises them itself.
   */
  readonly values?: (parameter: Tensor) => TensorData | undefined;
}

/**
 * Rewrites a graph for a target: replaces operators that ONNX lacks or that run slowly on the target, and
 * merges equal calls into one. The outputs keep their types.
 *
 * @example
 * ```ts
 * import { input, logSoftmax, lower, topologicalOrder } from "striate/graph";
 *
 * const { y } = lower({ y: logSoftmax(input("x", ["batch", 10])) }, "portable");
 * console.log(topologicalOrder([y!]).length > 0); // true
 * ```
 */
export function lower(
  outputs: Readonly<Record<string, Tensor>>,
  target: Target,
  options: LowerOptions = {},
): Record<string, Tensor> {
  return atOnce(lowerInParts(outputs, target, options));
}

/** Like `lower`, but in parts, between which other work can run. */
export function* lowerInParts(
  outputs: Readonly<Record<string, Tensor>>,
  target: Target,
  options: LowerOptions = {},
): Parts<Record<string, Tensor>> {
  const rewriter = new Rewriter(target, options);
  const lowered: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(outputs))
    lowered[name] = yield* rewriter.rewriteInParts(tensor);
  return lowered;
}

class Rewriter {
  readonly #replaced = new Map<Tensor, Tensor>();
  readonly #calls = new Map<string, GraphNode>();
  readonly #ids = new Map<Tensor, number>();
  readonly #fixed = new Set<Tensor>();
  readonly #context = { isFixed: (tensor: Tensor) => this.#fixed.has(tensor) };

  constructor(
    readonly target: Target,
    readonly options: LowerOptions,
  ) {}

  *rewriteInParts(root: Tensor): Parts<Tensor> {
    for (const node of topologicalOrder([root], (known) => this.#replaced.has(known.outputs[0]!))) {
      yield;
      const made = this.#node(node);
      node.outputs.forEach((output, i) => this.#replaced.set(output, made[i]!));
      if (this.#isFixed(node)) for (const output of made) this.#fixed.add(output);
    }
    return this.#replaced.get(root)!;
  }

  #isFixed({ leaf, inputs, outputs }: GraphNode): boolean {
    if (leaf?.kind === "parameter") return this.options.values?.(outputs[0]!) !== undefined;
    if (leaf !== undefined) return leaf.kind === "constant";
    const given = inputs.flatMap((input) => (input ? [this.#replaced.get(input)!] : []));
    return given.length > 0 && given.every((input) => this.#fixed.has(input));
  }

  #node(node: GraphNode): readonly Tensor[] {
    if (node.leaf?.kind === "constant") return this.#constant(node);
    if (node.leaf !== undefined) return node.outputs;
    const inputs = node.inputs.map((input) => input && this.#replaced.get(input)!);
    const rule = operatorOf(node.type)?.lower;
    const call = { type: node.type, inputs, attributes: node.attributes, outputCount: node.outputs.length };
    const lowered =
      rule &&
      attributed(node, `lowered for ${this.target}:`, () =>
        node.replaced(() => rule(call, this.target, this.#context)),
      );
    // The result of a rule may need lowering itself. Its operands are already lowered.
    if (lowered !== undefined) return lowered.map((tensor) => atOnce(this.rewriteInParts(tensor)));
    return this.#once(node, inputs);
  }

  /** The outputs of an equal earlier call, or else of this call with its new inputs. */
  #once(node: GraphNode, inputs: readonly (Tensor | undefined)[]): readonly Tensor[] {
    const operands = inputs.map((input) => (input === undefined ? "-" : this.#id(input)));
    const key = `${node.type}(${operands.join()})${node.outputs.length}${attributeKey(node.attributes)}`;
    const same = this.#calls.get(key);
    if (same !== undefined) return same.outputs;
    const unchanged = inputs.every((input, i) => input === node.inputs[i]);
    const made = unchanged ? node : applyAgain(node, inputs)[0]!.node;
    this.#calls.set(key, made);
    for (const output of made.outputs) this.#replaced.set(output, output);
    return made.outputs;
  }

  #constant(node: GraphNode): readonly Tensor[] {
    const data = constantData(node.outputs[0]!)!;
    if (data.data.length > 64) return node.outputs;
    const key = `constant ${data.dtype}[${data.shape.join()}] ${data.data.join()}`;
    const same = this.#calls.get(key) ?? node;
    this.#calls.set(key, same);
    return same.outputs;
  }

  #id(tensor: Tensor): number {
    const id = this.#ids.get(tensor) ?? this.#ids.size;
    this.#ids.set(tensor, id);
    return id;
  }
}

function attributeKey(attributes: Readonly<Record<string, Attribute>>): string {
  return JSON.stringify(attributes, (_key, value: unknown) => {
    if (typeof value === "bigint") return String(value);
    if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, String);
    return value;
  });
}
