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
import { answerAt } from "../../../train/over-time.js";
import type { NoiseKind } from "../../../train/task.js";
import { check } from "../../../util/errors.js";
import { unknownName } from "../../../util/suggest.js";
import type { FeatureShape } from "../decoder/decoder-steps.js";

/** What must be said of a network if its file does not say it. */
export interface BackboneOptions {
  /** [channels, ...space] of one image; needed where the file leaves space open. */
  readonly inputSize?: readonly number[];
  /** Output that holds the answer; default: the first. */
  readonly output?: string;
  /** Inputs that are noise, besides those that the file says are. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Values of other inputs, instead of those that the file says they have. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
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
  readonly #isBytes: boolean;
  readonly inputName: string;
  readonly outputName: string;
  /** [channels, ...space] of one image. */
  readonly imageShape: FeatureShape;
  /** Images at once: a name for any number, or the number that the exporter fixed (in the input, or in a Reshape). */
  readonly batch: Dim;
  /** What the file's metadata say of the network. */
  readonly description: ModelDescription;
  /** Inputs that are drawn for every image: the same ones at all timesteps. */
  readonly noise: ReadonlyMap<string, { readonly tensor: Tensor; readonly kind: NoiseKind }>;
  /** In single precision, whatever the file takes: bytes are rounded inside of the network. */
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
    this.description = describeModel(model.metadata, what);
    const { timesteps } = this.description;
    const { noise: kinds, values: defaults, others } = inputRoles(model, this.description, what, options);
    const inputs = others.map((name): [string, Tensor] => [name, model.inputs[name]!]);
    check(
      inputs.length === 1,
      () =>
        `${what}: expected one input, the image; it has ${inputs.map(([name]) => name).join(", ") || "none"}; ` +
        `say which of them are noise (--noise NAME=normal) or have fixed values (--input NAME=VALUE)`,
    );
    const [[inputName, original]] = inputs as [[string, Tensor]];
    this.inputName = inputName;
    const outputNames = Object.keys(model.outputs);
    this.outputName = options.output ?? outputNames[0]!;
    const given = Object.hasOwn(model.outputs, this.outputName) ? model.outputs[this.outputName] : undefined;
    check(given, () => `${what}: ${unknownName("output", this.outputName, outputNames)}`);
    const answer =
      timesteps?.output === this.outputName
        ? answerAt(given, timesteps.count - 1, `${what}: the output "${this.outputName}"`)
        : given;
    check(
      isFloat(answer.dtype),
      () => `${what}: the output "${this.outputName}" holds no floating-point values`,
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
        // What the file draws itself may be the same for the whole batch.
        const isShared = model.noise[name] !== undefined && tensor.shape[0] !== original.shape[0];
        const shape = isShared ? tensor.shape : [this.batch, ...tensor.shape.slice(1)];
        const own = input(name, shape, tensor.dtype);
        replaced.set(tensor, own);
        return [[name, { tensor: own, kind }] as const];
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
    const now = (tensor: Tensor): Tensor => shown.get(tensor) ?? replaced.get(tensor) ?? tensor;
    this.output = cast(now(answer), "float32");
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

  /** How pixels reach the network, if the file says it. */
  get preprocessing(): Preprocessing | undefined {
    return this.description.preprocessing ?? (this.#isBytes ? { scale: 255 } : undefined);
  }

  /** Fresh graph inputs for the noise of a batch, by the tensors that they stand for. */
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
 * A feature map in single precision, in which PCoders work, and the same in its own type again for those who read it;
 * undefined for what is in single precision already, and for what cannot become it.
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

/** The batch of the input; that of the answers if an exporter wrote it into the graph. */
function batchOf({ shape: [batch] }: Tensor, { shape: [answered] }: Tensor): Dim {
  return answered !== undefined && isStatic(answered) && !isStatic(batch!) ? answered : batch!;
}

function imageShape(original: Tensor, given: readonly number[] | undefined, what: string): FeatureShape {
  check(
    (original.rank === 4 || original.rank === 5) && (isFloat(original.dtype) || original.dtype === "uint8"),
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
