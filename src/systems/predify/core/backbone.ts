import type { Preprocessing } from "../../../data/images/preprocessing.js";
import type { Dim, GraphNode, Tensor } from "../../../graph/index.js";
import {
  cast,
  dequantizeLinear,
  inElementType,
  input,
  quantizeLinear,
  showShape,
  topologicalOrder,
} from "../../../graph/index.js";
import { isStatic, isStaticShape } from "../../../graph/dims.js";
import { isFloat } from "../../../graph/dtype.js";
import { apply } from "../../../graph/operator.js";
import { resultQuantiser } from "../../../graph/quantisation/quantised.js";
import { namedConstant } from "../../../graph/onnx/read/read-graph.js";
import type { ImportedModel } from "../../../graph/onnx/read/read.js";
import type { ModelDescription } from "../../../train/model-description.js";
import { describeModel, inputRoles, inputValue } from "../../../train/model-description.js";
import { answerAt } from "../../../train/stack-timesteps.js";
import type { NoiseKind } from "../../../train/task.js";
import { check } from "../../../util/errors.js";
import { unknownName } from "../../../util/suggest.js";
import type { FeatureShape } from "../decoder/decoder-steps.js";

/** Facts about a network that its file may not contain. */
export interface BackboneOptions {
  /** Shape of one image, [channels, ...space]; required if the file does not fix it. */
  readonly inputSize?: readonly number[];
  /** Name of the output that is the network's answer. Default: the first output. */
  readonly output?: string;
  /** Inputs that are noise, in addition to those that the file declares: the kind of noise by input name. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Values of other inputs, by name. They override the values in the file. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
}

/** How a node is copied into a new graph. */
export interface Retracing {
  /**
   * Maps original tensors to the tensors of the new graph that replace them. A tensor without an entry is
   * used as it is.
   */
  readonly replaced: Map<Tensor, Tensor>;
  /** Suffix of the copied names, such as "_t3". */
  readonly suffix: string;
}

/** Copies a node of an imported graph, with its operands replaced. */
export function retrace(node: GraphNode, { replaced, suffix }: Retracing): readonly Tensor[] {
  const inputs = node.inputs.map((operand) => operand && (replaced.get(operand) ?? operand));
  return applyInsteadOf(node, suffix, { type: node.type, inputs, attributes: node.attributes });
}

/** Applies an operator in place of a node. The results get the node's name followed by the suffix. */
export function applyInsteadOf(
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
 * A trained feed-forward network read from ONNX. It has one input for images of fixed size. Its weights are
 * constants, and it runs in evaluation mode, as exported files do.
 */
export class Backbone {
  readonly #isBytes: boolean;
  readonly inputName: string;
  readonly outputName: string;
  /** Shape of one image: [channels, ...space]. */
  readonly imageShape: FeatureShape;
  /**
   * Batch size: a name if it may vary, or a number if the exporter fixed it (in the input or in a Reshape).
   */
  readonly batch: Dim;
  /** What the file's metadata say about the network. */
  readonly description: ModelDescription;
  /** Noise inputs by name. Each image gets its own random draw, which is the same at all timesteps. */
  readonly noise: ReadonlyMap<string, { readonly tensor: Tensor; readonly kind: NoiseKind }>;
  /**
   * The input for images. It is in single precision even if the file's input takes bytes; the graph then
   * rounds pixels to bytes.
   */
  readonly image: Tensor;
  /** The network's answer, usually logits [batch, classes]. */
  readonly output: Tensor;
  /** Every value that is not a weight, by name, in the file's order. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** The first output of each node, by the name of the node. */
  readonly nodes: ReadonlyMap<string, Tensor>;
  /** Names of the weights that each node reads. */
  readonly weightNames: ReadonlyMap<GraphNode, readonly string[]>;

  /**
   * @throws StriateError if the file has several inputs for images, if that input is not an image or its size
   * is not fixed, or if the batch size of the output differs from that of the input.
   */
  constructor(
    model: ImportedModel,
    options: BackboneOptions = {},
    readonly what = "the model",
  ) {
    this.description = describeModel(model.metadata, what);
    const { timesteps } = this.description;
    const { noise: kinds, values: defaults, others } = inputRoles(model, this.description, what, options);
    const inputs = others.map((name): [string, Tensor] => [name, model.inputs[name]!]);
    check(
      inputs.length === 1,
      () =>
        `${what}: expected one input for images, got ${inputs.map(([name]) => name).join(", ") || "none"}; ` +
        `declare the others as noise (--noise NAME=normal) or give them fixed values (--input NAME=VALUE)`,
    );
    const [[inputName, original]] = inputs as [[string, Tensor]];
    this.inputName = inputName;
    const outputNames = Object.keys(model.outputs);
    this.outputName = options.output ?? outputNames[0]!;
    const chosen = Object.hasOwn(model.outputs, this.outputName) ? model.outputs[this.outputName] : undefined;
    check(chosen, () => `${what}: ${unknownName("output", this.outputName, outputNames)}`);
    const answer =
      timesteps?.output === this.outputName
        ? answerAt(chosen, timesteps.count - 1, `${what}: the output "${this.outputName}"`)
        : chosen;
    check(
      isFloat(answer.dtype),
      () => `${what}: the output "${this.outputName}": expected floating-point values, got ${answer.dtype}`,
    );
    this.imageShape = imageShape(original, options.inputSize, `${what}: the input "${inputName}"`);
    this.batch = batchOf(original, answer);
    this.#isBytes = original.dtype === "uint8";
    this.image = input(inputName, [this.batch, ...this.imageShape]);

    const pixels = inElementType(this.image, original.dtype);
    const replaced = new Map<Tensor, Tensor>([[original, pixels]]);
    const shown = new Map<Tensor, Tensor>([[original, this.image]]);
    for (const [name, values] of Object.entries(defaults)) {
      const tensor = model.inputs[name];
      if (tensor) replaced.set(tensor, inputValue(tensor, values, `${what}: the input "${name}"`));
    }
    this.noise = new Map(
      Object.entries(kinds).flatMap(([name, kind]) => {
        const tensor = model.inputs[name];
        if (!tensor) return [];
        // A file may declare noise that is shared by all images of a batch.
        const isShared = model.noise[name] !== undefined && tensor.shape[0] !== original.shape[0];
        const shape = isShared ? tensor.shape : [this.batch, ...tensor.shape.slice(1)];
        const noiseInput = input(name, shape, tensor.dtype);
        replaced.set(tensor, noiseInput);
        return [[name, { tensor: noiseInput, kind }] as const];
      }),
    );
    const weights = new Map<Tensor, string>();
    for (const [name, { tensor, data }] of model.parameters) {
      weights.set(tensor, name);
      replaced.set(tensor, namedConstant(data, name));
    }
    const weightNames = new Map<GraphNode, string[]>();
    for (const node of topologicalOrder([...model.values.values()])) {
      if (node.leaf !== undefined) continue;
      const made = retrace(node, { replaced, suffix: "" });
      node.outputs.forEach((output, i) => {
        const view = output.rank === original.rank ? singlePrecision(made[i]!) : undefined;
        replaced.set(output, view?.back ?? made[i]!);
        if (view !== undefined) shown.set(output, view.shown);
      });
      const names = node.inputs.flatMap((operand) => (operand && weights.get(operand)) ?? []);
      if (names.length > 0) weightNames.set(made[0]!.node, names);
    }
    const inNewGraph = (tensor: Tensor): Tensor => shown.get(tensor) ?? replaced.get(tensor) ?? tensor;
    this.output = cast(inNewGraph(answer), "float32");
    const [answered] = this.output.shape;
    check(
      !isStatic(this.batch) || !isStatic(answered ?? "") || answered === this.batch,
      () =>
        `${what}: the output "${this.outputName}": expected one answer for each of the ${this.batch} images, got ${showShape(this.output.shape)}`,
    );
    this.weightNames = weightNames;
    this.values = new Map(
      [...model.values].flatMap(([name, tensor]) =>
        weights.has(tensor) || tensor.node.leaf?.kind === "constant" ? [] : [[name, inNewGraph(tensor)]],
      ),
    );
    this.nodes = new Map(Array.from(model.nodes, ([name, tensor]) => [name, inNewGraph(tensor)]));
  }

  /** How pixels are prepared for the network, or undefined if the file contains no information about it. */
  get preprocessing(): Preprocessing | undefined {
    return this.description.preprocessing ?? (this.#isBytes ? { scale: 255 } : undefined);
  }

  /**
   * Makes new graph inputs for the noise of a batch. Returns them by the backbone's noise tensors that they
   * replace.
   */
  noiseInputs(batch: Dim): ReadonlyMap<Tensor, Tensor> {
    return new Map(
      Array.from(this.noise, ([name, { tensor }]) => [
        tensor,
        input(
          name,
          tensor.shape.map((dim, axis) => (axis === 0 && dim === this.batch ? batch : dim)),
          tensor.dtype,
        ),
      ]),
    );
  }
}

/**
 * Converts a feature map to single precision, the type with which PCoders work. `shown` is the converted
 * feature map. `back` is `shown` in the original type again, for the nodes that read the feature map. Returns
 * undefined if the feature map is in single precision already or cannot be converted.
 */
function singlePrecision(made: Tensor): { readonly shown: Tensor; readonly back: Tensor } | undefined {
  if (made.dtype === "float16" || made.dtype === "bfloat16") {
    const shown = cast(made, "float32");
    return { shown, back: cast(shown, made.dtype) };
  }
  const { scale, zero } = resultQuantiser(made.node) ?? {};
  if (scale?.dtype !== "float32" || zero === undefined) return undefined;
  const shown = dequantizeLinear(made, scale, zero);
  return { shown, back: quantizeLinear(shown, scale, zero) };
}

/** Returns the batch size of the input, or that of the output if only the output has a fixed one. */
function batchOf({ shape: [batch] }: Tensor, { shape: [answered] }: Tensor): Dim {
  return answered !== undefined && isStatic(answered) && !isStatic(batch!) ? answered : batch!;
}

function imageShape(original: Tensor, given: readonly number[] | undefined, what: string): FeatureShape {
  check(
    (original.rank === 4 || original.rank === 5) && (isFloat(original.dtype) || original.dtype === "uint8"),
    () =>
      `${what}: expected images [batch, channels, height, width] or [batch, channels, depth, height, width], got ${original.dtype}${showShape(original.shape)}`,
  );
  const declared = original.shape.slice(1);
  if (given === undefined) {
    check(
      isStaticShape(declared),
      () =>
        `${what}: expected fixed channels and size, got ${showShape(original.shape)}; give input_size, such as [3, 224, 224]`,
    );
    return declared;
  }
  check(
    given.length === declared.length &&
      given.every((n, i) => Number.isInteger(n) && n >= 1 && (!isStatic(declared[i]!) || declared[i] === n)),
    () =>
      `${what}: input_size: expected a size that fits ${showShape(original.shape)}, got ${showShape(given)}`,
  );
  return given;
}
