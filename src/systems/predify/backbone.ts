import type { Preprocessing } from "../../data/preprocessing.js";
import { preprocessingFromMetadata } from "../../data/preprocessing.js";
import type { Dim, GraphNode, Tensor } from "../../graph/index.js";
import { constant, input, showShape, topologicalOrder } from "../../graph/index.js";
import { isStatic, isStaticShape } from "../../graph/dims.js";
import { isFloat } from "../../graph/dtype.js";
import { apply } from "../../graph/operator.js";
import type { ImportedModel } from "../../graph/onnx/read.js";
import { check } from "../../util/errors.js";
import { unknownName } from "../../util/suggest.js";
import type { FeatureShape } from "./decoder-steps.js";

export interface BackboneOptions {
  /** [channels, ...space] of one image; needed where the file leaves space open. */
  readonly inputSize?: readonly number[];
  /** Output that holds the answer; default: the first. */
  readonly output?: string;
}

/** How a node is made again: its operands replaced, its names marked. */
export interface Retracing {
  /** What stands for a tensor in the new graph; undefined: the tensor itself. */
  readonly replaced: Map<Tensor, Tensor>;
  /** Appended to names ("_t3"). */
  readonly suffix: string;
}

/** Makes a node of an imported graph again with other operands. */
export function retrace(node: GraphNode, { replaced, suffix }: Retracing): readonly Tensor[] {
  const inputs = node.inputs.map((operand) => operand && (replaced.get(operand) ?? operand));
  return madeFor(node, suffix, { type: node.type, inputs, attributes: node.attributes });
}

/** Makes a call that stands for a node, whose names are marked. */
export function madeFor(
  node: GraphNode,
  suffix: string,
  { type, inputs, attributes }: Pick<GraphNode, "type" | "inputs" | "attributes">,
): readonly Tensor[] {
  const { importedName, scope, outputs } = node;
  const name = importedName === undefined ? {} : { name: importedName + suffix };
  return node.replaced(
    () => apply(type, inputs, attributes, { outputs: outputs.length, ...name }),
    scope === "" ? suffix.slice(1) : scope + suffix,
  );
}

/**
 * A trained feed-forward network read from ONNX: one image input of fixed space, weights frozen into constants, in
 * evaluation mode by nature of the file.
 */
export class Backbone {
  readonly inputName: string;
  readonly outputName: string;
  /** [channels, ...space] of one image. */
  readonly imageShape: FeatureShape;
  /** Images at once: a name for any number, or the number that the exporter fixed (in the input, or in a Reshape). */
  readonly batch: Dim;
  /** How pixels reach the network, if the file's metadata say so. */
  readonly preprocessing: Preprocessing | undefined;
  readonly image: Tensor;
  /** The answer, usually [batch, classes]. */
  readonly output: Tensor;
  /** Every value that is not a weight, by name in the file's order. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** First results of nodes by the nodes' names. */
  readonly nodes: ReadonlyMap<string, Tensor>;
  /** Names of the weights that a node reads. */
  readonly weightNames: ReadonlyMap<GraphNode, readonly string[]>;

  /** @throws StriateError for a file with several inputs, one that is no image, space left open, or answers of another batch. */
  constructor(
    model: ImportedModel,
    options: BackboneOptions = {},
    readonly what = "the model",
  ) {
    const inputs = Object.entries(model.inputs);
    check(
      inputs.length === 1,
      () =>
        `${what}: expected one input, the image; it has ${inputs.map(([name]) => name).join(", ") || "none"}`,
    );
    const [[inputName, original]] = inputs as [[string, Tensor]];
    this.inputName = inputName;
    const outputNames = Object.keys(model.outputs);
    this.outputName = options.output ?? outputNames[0]!;
    const answer = Object.hasOwn(model.outputs, this.outputName) ? model.outputs[this.outputName] : undefined;
    check(answer, () => `${what}: ${unknownName("output", this.outputName, outputNames)}`);
    check(
      isFloat(answer.dtype),
      () => `${what}: the output "${this.outputName}" holds no floating-point values`,
    );
    this.imageShape = imageShape(original, options.inputSize, `${what}: the input "${inputName}"`);
    this.preprocessing = preprocessingFromMetadata(model.metadata, what);
    this.batch = batchOf(original, answer);
    this.image = input(inputName, [this.batch, ...this.imageShape], original.dtype);

    const replaced = new Map<Tensor, Tensor>([[original, this.image]]);
    const weights = new Map<Tensor, string>();
    for (const [name, { tensor, data }] of model.parameters) {
      weights.set(tensor, name);
      replaced.set(tensor, constant(data));
    }
    const weightNames = new Map<GraphNode, string[]>();
    for (const node of topologicalOrder([...model.values.values()])) {
      if (node.leaf !== undefined) continue;
      const made = retrace(node, { replaced, suffix: "" });
      node.outputs.forEach((output, i) => replaced.set(output, made[i]!));
      const names = node.inputs.flatMap((operand) => (operand && weights.get(operand)) ?? []);
      if (names.length > 0) weightNames.set(made[0]!.node, names);
    }
    const now = (tensor: Tensor): Tensor => replaced.get(tensor) ?? tensor;
    this.output = now(answer);
    const [answered] = this.output.shape;
    check(
      !isStatic(this.batch) || !isStatic(answered ?? "") || answered === this.batch,
      () =>
        `${what}: its output "${this.outputName}" is ${showShape(this.output.shape)} for a batch of ${this.batch}: expected an answer for each image`,
    );
    this.weightNames = weightNames;
    this.values = new Map(
      [...model.values].flatMap(([name, tensor]) =>
        weights.has(tensor) || tensor.node.leaf?.kind === "constant" ? [] : [[name, now(tensor)]],
      ),
    );
    this.nodes = new Map(Array.from(model.nodes, ([name, tensor]) => [name, now(tensor)]));
  }
}

/** The batch of the input; that of the answers if an exporter wrote it into the graph. */
function batchOf({ shape: [batch] }: Tensor, { shape: [answered] }: Tensor): Dim {
  return answered !== undefined && isStatic(answered) && !isStatic(batch!) ? answered : batch!;
}

function imageShape(original: Tensor, given: readonly number[] | undefined, what: string): FeatureShape {
  check(
    (original.rank === 4 || original.rank === 5) && isFloat(original.dtype),
    () =>
      `${what}: expected images [batch, channels, height, width] (or with depth), it is ${original.dtype}${showShape(original.shape)}`,
  );
  const declared = original.shape.slice(1);
  if (given === undefined) {
    check(
      isStaticShape(declared),
      () =>
        `${what} is ${showShape(original.shape)}: channels and space must be fixed; give the size (input_size), such as [3, 224, 224]`,
    );
    return declared;
  }
  check(
    given.length === declared.length &&
      given.every((n, i) => Number.isInteger(n) && n >= 1 && (!isStatic(declared[i]!) || declared[i] === n)),
    () => `${what} is ${showShape(original.shape)}, the size given for it is ${showShape(given)}`,
  );
  return given;
}
