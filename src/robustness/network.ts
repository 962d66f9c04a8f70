import type { CompletePreprocessing, KnownPreprocessing, Preprocessing } from "../data/preprocessing.js";
import {
  PREPROCESSING_NAMES,
  completePreprocessing,
  knownPreprocessing,
  preprocessingFromMetadata,
} from "../data/preprocessing.js";
import { isStatic } from "../graph/dims.js";
import { isFloat } from "../graph/dtype.js";
import type { Dim, Shape, Tensor, TensorData } from "../graph/index.js";
import { clip, input, log, reshape, showShape } from "../graph/index.js";
import { intAttribute } from "../graph/operator.js";
import type { ImportedModel } from "../graph/onnx/read.js";
import { OnnxFile } from "../graph/onnx/read.js";
import { substitute } from "../graph/substitute.js";
import type { State } from "../nn/module.js";
import { baked } from "../nn/training-state.js";
import type { NoiseKind } from "../train/task.js";
import { StriateError, check } from "../util/errors.js";
import { applyPreprocessing } from "./preprocess-graph.js";

/** Channels, height and width of the images that a network classifies. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** What a model's answers are: scores, or probabilities (their softmax), or logarithms of these. */
export type Answers = "logits" | "probabilities" | "log-probabilities";

/** A traced answer: logits [batch, classes], and the inputs that stand for randomness. */
export interface TracedLogits {
  readonly logits: Tensor;
  readonly noise?: Readonly<Record<string, NoiseKind>>;
}

/** An image classifier as a graph that can be written into larger ones: attacks differentiate it. */
export interface Network {
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** Number of images that the model takes at once; absent if it takes any number. */
  readonly fixedBatch?: number;
  readonly preprocessing: CompletePreprocessing;
  /** Who said so. */
  readonly preprocessingFrom: KnownPreprocessing["from"];
  /** How the model's own output was understood. */
  readonly answers: string;
  /** Traces logits of images [batch, channels, height, width] in [0, 1]. */
  trace(images: Tensor): TracedLogits;
  /** Values of the model's parameters. */
  values(parameter: Tensor): TensorData | undefined;
}

export interface TracedNetworkOptions {
  readonly name: string;
  readonly imageShape: ImageShape;
  /** Calls the model on preprocessed images. */
  readonly forward: (images: Tensor) => Tensor | TracedLogits;
  readonly state: State;
  readonly preprocessing?: Preprocessing;
}

/**
 * A model traced here. Its parameters must be named (`namedParameters`).
 *
 * @throws StriateError where the model does not give one score for each class.
 */
export function tracedNetwork(options: TracedNetworkOptions): Network {
  const { name, imageShape, forward, state } = options;
  const preprocessing = completePreprocessing(options.preprocessing ?? {}, imageShape[0]);
  const trace = (images: Tensor): TracedLogits => {
    const answer = forward(applyPreprocessing(images, preprocessing));
    return "logits" in answer ? answer : { logits: answer };
  };
  const { logits } = trace(input("images", ["batch", ...imageShape]));
  const classes = classesOf(logits, name);
  const values = baked(state);
  return {
    name,
    imageShape,
    classes,
    preprocessing,
    preprocessingFrom: "stated",
    answers: "logits",
    trace,
    values,
  };
}

export interface OnnxNetworkOptions {
  /** How messages and reports call the model, default "ONNX model". */
  readonly name?: string;
  /** How pixels reach the model; needed unless the file's metadata say so. */
  readonly preprocessing?: Preprocessing;
  /** Height and width, for a model that leaves them open. */
  readonly size?: number | readonly [height: number, width: number];
  /** The output that holds the scores, where there are several. */
  readonly output?: string;
  /**
   * What that output holds. By default logits, unless the model ends in a softmax (then the scores before it are
   * taken) or its answers turn out to be probabilities (refused: say so here, and logarithms are taken).
   */
  readonly answers?: Answers;
  /** Inputs that stand for randomness. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
}

/**
 * Any classifier read from an ONNX file (its bytes, or in Node what `openOnnx` gives): [batch, channels, height, width] or channels last, any batch or a fixed one. A
 * model into which an exporter wrote its batch (in a Reshape, say) runs with as many images at once as it was exported for.
 *
 * @throws StriateError for a file that cannot be imported, a layout or size that contradicts what is stated, a
 * preprocessing that nobody states, or answers that are not one score for each class.
 */
export function onnxNetwork(source: Uint8Array | OnnxFile, options: OnnxNetworkOptions): Network {
  const given = source instanceof OnnxFile ? source : undefined;
  const { name = given?.what ?? "ONNX model", noise = {} } = options;
  const file = given ?? new OnnxFile(source as Uint8Array, name);
  const { model, images: x, scores, answers } = readClassifier(file, options, name);
  const stored = preprocessingFromMetadata(model.metadata, name);
  const { layout, imageShape, batch } = imageAxes(x, name, statedLayout(options, stored));
  const known = knownPreprocessing(options.preprocessing, stored, imageShape, name);
  check(
    known,
    () =>
      `${name}: say how pixels reach the model: --preprocessing with one of ${PREPROCESSING_NAMES.join(", ")}, ` +
      `or --scale, --mean and --std (the option "preprocessing" in a program); its file does not say it`,
  );
  const preprocessing: CompletePreprocessing = { ...known.preprocessing, layout };
  return {
    name,
    imageShape,
    classes: classesOf(scores, name),
    ...(batch !== undefined && { fixedBatch: batch }),
    preprocessing,
    preprocessingFrom: known.from,
    answers,
    trace: (images) => {
      const fed = new Map([[x, applyPreprocessing(images, preprocessing)]]);
      const { logits } = substitute({ logits: scores }, fed);
      return { logits: flatScores(logits!, name), noise };
    },
    values: baked(new Map([...model.parameters].map(([key, { data }]) => [key, data]))),
  };
}

interface ReadClassifier {
  readonly model: ImportedModel;
  readonly images: Tensor;
  readonly scores: Tensor;
  readonly answers: string;
}

/** Reads a file with the image size that is stated, and with the batch that its answers have if it does not take any. */
function readClassifier(file: OnnxFile, options: OnnxNetworkOptions, name: string): ReadClassifier {
  const read = (inputShapes: Record<string, Shape> = {}): ReadClassifier => {
    const model = file.read({ inputShapes });
    const [, images] = imageInput(model, name, options.noise);
    return { model, images, ...scoresOf(pickOutput(model, name, options.output), options.answers, name) };
  };
  const first = read();
  const [key] = imageInput(first.model, name, options.noise);
  const stored = preprocessingFromMetadata(first.model.metadata, name);
  const shape = sizedShape(first.images, options.size, statedLayout(options, stored), name);
  const sized = shape === undefined ? first : read({ [key]: shape });
  const [batch, answered] = [sized.images.shape[0]!, sized.scores.shape[0]!];
  if (batch === answered) return sized;
  check(
    !isStatic(batch),
    () =>
      `${name}: it takes a batch of ${batch} images, its scores are ${showShape(sized.scores.shape)}: expected a row for each`,
  );
  const fixed = isStatic(answered) ? answered : 1;
  const again = read({ [key]: [fixed, ...sized.images.shape.slice(1)] });
  check(
    again.scores.shape[0] === fixed,
    () =>
      `${name}: expected a row of scores for each image, its output is ${showShape(sized.scores.shape)} for a batch of "${batch}"`,
  );
  return again;
}

function statedLayout({ preprocessing }: OnnxNetworkOptions, stored: Preprocessing | undefined) {
  return preprocessing?.layout ?? stored?.layout;
}

function imageInput(
  model: ImportedModel,
  name: string,
  noise: Readonly<Record<string, NoiseKind>> = {},
): readonly [string, Tensor] {
  const images = Object.entries(model.inputs).filter(([key]) => noise[key] === undefined);
  const [first] = images;
  check(first && images.length === 1, () => {
    const names = images.map(([key, tensor]) => `${key} ${showShape(tensor.shape)}`).join(", ");
    return `${name}: expected one input for the images, got ${names || "none"}; name inputs that are noise as such`;
  });
  check(
    first[1].rank === 4 && first[1].dtype === "float32",
    () =>
      `${name}: expected images as float32 with 4 axes, its input "${first[0]}" is ${first[1].dtype}${showShape(first[1].shape)}`,
  );
  return first;
}

/** The shape to read a file with that leaves the image size open; undefined if it is fixed. */
function sizedShape(
  images: Tensor,
  size: OnnxNetworkOptions["size"],
  stated: Preprocessing["layout"],
  name: string,
): Shape | undefined {
  const { shape } = images;
  const [height, width] = typeof size === "number" ? [size, size] : (size ?? []);
  const last = layoutOf(images, stated, name) === "NHWC";
  const [rowAxis, columnAxis] = last ? [1, 2] : [2, 3];
  const fixed = [shape[rowAxis]!, shape[columnAxis]!];
  check(
    size === undefined ||
      ((!isStatic(fixed[0]!) || fixed[0] === height) && (!isStatic(fixed[1]!) || fixed[1] === width)),
    () => `${name}: ${described(images)}, which fixes the image size; stated was ${height} x ${width}`,
  );
  if (fixed.every(isStatic)) return undefined;
  check(
    height !== undefined && width !== undefined,
    () => `${name}: ${described(images)}; say which image size to use`,
  );
  return shape.with(rowAxis, height).with(columnAxis, width);
}

/** 'its input "pixels" is [N, 3, 224, 224]'. */
function described({ node, shape }: Tensor): string {
  const name = node.leaf?.kind === "input" ? `"${node.leaf.name}" ` : "";
  return `its input ${name}is ${showShape(shape)}`;
}

const CHANNELS: readonly Dim[] = [1, 3];

function layoutOf(images: Tensor, stated: Preprocessing["layout"], name: string): "NCHW" | "NHWC" {
  const { shape } = images;
  const [first, last] = [CHANNELS.includes(shape[1]!), CHANNELS.includes(shape[3]!)];
  const layout = first ? "NCHW" : last ? "NHWC" : stated;
  check(layout !== undefined && (stated === undefined || stated === layout || (first && last)), () =>
    stated === undefined
      ? `${name}: cannot tell which axis the channels are, ${described(images)}: state the layout`
      : `${name}: the layout ${stated} was stated, ${described(images)}`,
  );
  return stated ?? layout;
}

interface ImageAxes {
  readonly layout: "NCHW" | "NHWC";
  readonly imageShape: ImageShape;
  readonly batch?: number;
}

function imageAxes(images: Tensor, name: string, stated: Preprocessing["layout"]): ImageAxes {
  const layout = layoutOf(images, stated, name);
  const [batch, ...rest] = images.shape;
  const [a, b, c] = rest as [Dim, Dim, Dim];
  const image = layout === "NCHW" ? [a, b, c] : [c, a, b];
  check(
    image.every(isStatic) && CHANNELS.includes(image[0]!),
    () => `${name}: expected images of 1 or 3 channels and a fixed size, ${described(images)}`,
  );
  const imageShape = image as unknown as ImageShape;
  return isStatic(batch!) ? { layout, imageShape, batch } : { layout, imageShape };
}

function pickOutput(model: ImportedModel, name: string, wanted: string | undefined): Tensor {
  const outputs = Object.entries(model.outputs);
  const names = outputs.map(([key]) => key).join(", ");
  const found = wanted === undefined ? outputs[0]?.[1] : model.outputs[wanted];
  check(found, () => `${name}: there is no output "${wanted ?? ""}", its outputs are ${names}`);
  check(
    wanted !== undefined || outputs.length === 1,
    () => `${name}: it has ${outputs.length} outputs (${names}): name the one that holds the scores`,
  );
  return found;
}

/** Operators that keep the scores as they are, in other shapes, orders of axes or float types. */
const PASSES = new Set([
  "Identity",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "Dropout",
  "Cast",
]);

function scoresOf(
  output: Tensor,
  stated: Answers | undefined,
  name: string,
): { readonly scores: Tensor; readonly answers: string } {
  if (stated === "logits" || stated === "log-probabilities") return { scores: output, answers: stated };
  const end = endingOf(output, classesOf(output, name));
  if (stated === undefined && end === undefined) return { scores: output, answers: "logits" };
  if (end?.node.type === "Softmax") {
    // What follows the softmax is done to the scores before it.
    const { scores } = substitute({ scores: output }, new Map([[end, end.node.inputs[0]!]]));
    return { scores: scores!, answers: "logits (before the model's softmax)" };
  }
  if (end?.node.type === "LogSoftmax") return { scores: output, answers: "log-probabilities" };
  if (end?.node.type === "Sigmoid") {
    throw new StriateError(
      `${name}: its output goes through a sigmoid: labels that do not exclude each other are not supported`,
    );
  }
  return { scores: log(clip(output, 1e-30)), answers: "logarithms of the model's probabilities" };
}

/** The function of all classes at the end of a model, if there is one. */
function endingOf(output: Tensor, classes: number): Tensor | undefined {
  let tensor = output;
  while (PASSES.has(tensor.node.type)) {
    const [inner] = tensor.node.inputs;
    if (inner === undefined || !isFloat(inner.dtype)) return undefined;
    tensor = inner;
  }
  if (tensor.node.type === "Sigmoid") return tensor;
  if (tensor.node.type !== "Softmax" && tensor.node.type !== "LogSoftmax") return undefined;
  return tensor.shape.at(intAttribute(tensor.node.attributes, "axis", -1)) === classes ? tensor : undefined;
}

function classesOf(scores: Tensor, name: string): number {
  const lengths = scores.shape.slice(1).filter((dim) => dim !== 1);
  const [classes = 1] = lengths;
  check(
    scores.rank >= 2 && lengths.length <= 1 && isStatic(classes),
    () => `${name}: expected scores [batch, classes], its output is ${showShape(scores.shape)}`,
  );
  check(classes >= 2, () => `${name}: expected at least 2 classes, got ${classes}`);
  return classes;
}

function flatScores(scores: Tensor, name: string): Tensor {
  return scores.rank === 2 ? scores : reshape(scores, [-1, classesOf(scores, name)]);
}

/**
 * Refuses answers that are probabilities where logits were expected: losses and confidences of them would be wrong.
 *
 * @throws StriateError where every row is a distribution.
 */
export function checkLogits(network: Network, logits: Float32Array, count: number): void {
  if (network.answers !== "logits") return;
  const classes = logits.length / count;
  for (let row = 0; row < count; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const total = scores.reduce((a, b) => a + b, 0);
    if (Math.abs(total - 1) > 1e-3 || scores.some((value) => value < 0 || value > 1)) return;
  }
  throw new StriateError(
    `${network.name}: its answers look like probabilities (every row sums to 1), expected logits; say that they are ` +
      `probabilities, or name the output that holds logits`,
  );
}
