import { changedModel } from "../graph/onnx/changed-model.js";
import type { ImportedModel } from "../graph/onnx/read/read.js";
import { intAttribute } from "../graph/operator.js";
import type { Tensor } from "../graph/index.js";
import { parameter, showShape, topologicalOrder } from "../graph/index.js";
import { torchDefault, zeros } from "../nn/init.js";
import { initialState } from "../nn/module.js";
import { StriateError, check } from "../util/errors.js";
import { Random } from "../util/random.js";
import { describeModel, withDescription } from "./model-description.js";

/** Options of `withHead`. */
export interface HeadOptions {
  /** Names of the new classes, in the order of the scores. At least two. */
  readonly classes: readonly string[];
  /** Name of the output with the scores. Required if the model has several outputs. */
  readonly output?: string;
  /** Random seed of the new weights. Default 0. */
  readonly seed?: number;
}

/** Name of the only output of a model with a new head: logits, [batch, classes]. */
export const LOGITS = "logits";

const PRODUCTS = new Set(["Gemm", "MatMul", "Conv"]);
const SOFTMAX = new Set(["Softmax", "LogSoftmax"]);

/**
 * Replaces the last layer of a classifier, so that the classifier gives one score for each of other classes. The last
 * layer is the last product with trained weights before the scores (`Gemm`, `MatMul` or `Conv`), with its bias. The new
 * weights are drawn as PyTorch draws those of a linear layer, and have the names of the old ones; the bias is 0. A
 * softmax at the end is removed. All other parameters keep their values.
 *
 * @returns a model with the single output "logits", [batch, classes], whose metadata name the classes
 * @throws StriateError if the model's output is not [batch, classes], or no last layer can be found; the error lists
 * the layers that were looked at
 * @example
 * ```ts
 * import { init, readOnnx, withHead } from "striate";
 * import { input, lower, matmul, parameter, writeOnnx } from "striate/graph";
 *
 * const weight = parameter([8, 1000], init.zeros, { name: "fc.weight" });
 * const scores = matmul(input("features", ["batch", 8]), weight);
 * const value = { dtype: "float32", shape: [8, 1000], data: new Float32Array(8000) } as const;
 * const { bytes } = writeOnnx(lower({ scores }, "portable"), { values: () => value });
 * const model = withHead(readOnnx(bytes), { classes: ["cat", "dog"] });
 * console.log(model.outputs["logits"]!.shape.join(", ")); // batch, 2
 * ```
 */
export function withHead(model: ImportedModel, options: HeadOptions): ImportedModel {
  const { classes, seed = 0 } = options;
  check(classes.length > 1, () => `head: expected at least two classes, got ${classes.length}`);
  const scores = beforeSoftmax(scoresOf(model, options.output));
  const outputs = scores.shape[1];
  check(
    scores.rank === 2 && typeof outputs === "number",
    () => `head: expected scores [batch, classes], got ${showShape(scores.shape)}`,
  );
  const head = findHead(scores, outputs);
  const made = head.map(({ tensor, axis, name, isBias }) => {
    const shape = tensor.shape.map((length, i) => (i === axis ? classes.length : (length as number)));
    const fanIn = shape.reduce((a, b) => a * b, 1) / classes.length;
    return [tensor, parameter(shape, isBias ? zeros : torchDefault(fanIn), { name }), name] as const;
  });
  const named = new Map(made.map(([, fresh, name]) => [name, fresh]));
  const values = initialState(named, (name) => Random.derive(seed, "head", name));
  const { timesteps: _removed, ...description } = describeModel(model.metadata, "head");
  return changedModel(model, {
    replacements: new Map(made.map(([old, fresh]) => [old, fresh])),
    outputs: { [LOGITS]: scores },
    parameters: new Map(made.map(([, tensor, name]) => [name, { tensor, data: values.get(name)! }])),
    metadata: withDescription(model.metadata, { ...description, classes }),
  });
}

/** The output with the scores: the stated one, or the only one. */
export function scoresOf({ outputs }: Pick<ImportedModel, "outputs">, stated: string | undefined): Tensor {
  const names = Object.keys(outputs);
  const name = stated ?? (names.length === 1 ? names[0]! : undefined);
  const found = name === undefined ? undefined : outputs[name];
  if (found !== undefined) return found;
  throw new StriateError(
    name === undefined
      ? `head: the model has the outputs ${names.join(", ")}: say which one holds the scores (--output)`
      : `head: expected one of the outputs ${names.join(", ")}, got "${name}"`,
  );
}

/** The scores before a softmax at the end of the model. */
export function beforeSoftmax(scores: Tensor): Tensor {
  return SOFTMAX.has(scores.node.type) ? scores.node.inputs[0]! : scores;
}

/** A parameter of the last layer. */
interface HeadParameter {
  readonly tensor: Tensor;
  readonly name: string;
  /** The axis of the classes. */
  readonly axis: number;
  readonly isBias: boolean;
}

function findHead(scores: Tensor, outputs: number): HeadParameter[] {
  const order = topologicalOrder([scores]);
  const products = order.filter(
    ({ type, inputs }) => PRODUCTS.has(type) && weightOf(inputs[1]) !== undefined,
  );
  const last = products.at(-1);
  const fail = (why: string): never => {
    const shown = products
      .slice(-3)
      .map(({ inputs }) => `"${weightOf(inputs[1])!.name}" ${showShape(weightOf(inputs[1])!.tensor.shape)}`);
    throw new StriateError(
      `head: no last layer found: ${why}; the last layers with trained weights are ${shown.join(", ") || "none"}`,
    );
  };
  if (last === undefined)
    return fail("expected a Gemm, MatMul or Conv with a trained weight before the scores");
  const weight = weightOf(last.inputs[1])!;
  const rank = weight.tensor.rank;
  const outputAxis =
    last.type === "Conv"
      ? 0
      : last.type === "Gemm" && intAttribute(last.attributes, "transB", 0) === 1
        ? 0
        : 1;
  const axis = weight.axes(rank)[last.type === "MatMul" ? rank - 1 : outputAxis]!;
  if (weight.tensor.shape[axis] !== outputs)
    return fail(`"${weight.name}" has ${String(weight.tensor.shape[axis])} outputs, the model ${outputs}`);
  const after = new Set([last]);
  for (const node of order)
    if (node.inputs.some((operand) => operand && after.has(operand.node))) after.add(node);
  const biases = [...after].flatMap((node) =>
    node.inputs.flatMap((operand, place): HeadParameter[] => {
      const leaf = operand?.node.leaf;
      if (operand === undefined || leaf?.kind !== "parameter" || operand === weight.tensor) return [];
      const along = operand.shape.findIndex((length) => length === outputs);
      const adds = node.type === "Add" || ((node.type === "Gemm" || node.type === "Conv") && place === 2);
      if (!adds || along < 0 || operand.shape.some((length, i) => i !== along && length !== 1))
        return fail(`"${leaf.name ?? "a parameter"}" after "${weight.name}" is no bias`);
      return [{ tensor: operand, name: leaf.name!, axis: along, isBias: true }];
    }),
  );
  return [{ tensor: weight.tensor, name: weight.name, axis, isBias: false }, ...biases];
}

interface Weight {
  readonly tensor: Tensor;
  readonly name: string;
  /** For each axis of the operand, the axis of the stored weight from which it comes. */
  readonly axes: (rank: number) => readonly number[];
}

/** The parameter behind an operand, which may be transposed. */
function weightOf(operand: Tensor | undefined): Weight | undefined {
  if (operand === undefined) return undefined;
  const { node } = operand;
  if (node.leaf?.kind === "parameter" && node.leaf.name !== undefined)
    return {
      tensor: operand,
      name: node.leaf.name,
      axes: (rank) => Array.from({ length: rank }, (_, i) => i),
    };
  if (node.type !== "Transpose") return undefined;
  const behind = weightOf(node.inputs[0]);
  if (behind === undefined) return undefined;
  const order = node.attributes.perm;
  return {
    ...behind,
    axes: (rank) => {
      const inner = behind.axes(rank);
      return Array.isArray(order) ? order.map((axis) => inner[axis as number]!) : [...inner].reverse();
    },
  };
}
