import { isStatic } from "../graph/dims.js";
import type { Dim, Shape, Tensor, TensorData } from "../graph/index.js";
import { clip, input, log, reshape, showShape } from "../graph/index.js";
import type { ImportedModel } from "../graph/onnx/read.js";
import { readOnnx } from "../graph/onnx/read.js";
import { substitute } from "../graph/substitute.js";
import type { State } from "../nn/module.js";
import { baked } from "../nn/training-state.js";
import type { NoiseKind } from "../train/task.js";
import { StriateError, check } from "../util/errors.js";
import type { Preprocessing } from "./preprocessing.js";
import { applyPreprocessing, checkPreprocessing } from "./preprocessing.js";

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
  /** Batch that the model was exported for; absent where it takes any. */
  readonly fixedBatch?: number;
  readonly preprocessing: Preprocessing;
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
  const { name, imageShape, forward, state, preprocessing = {} } = options;
  checkPreprocessing(preprocessing, imageShape[0]);
  const trace = (images: Tensor): TracedLogits => {
    const answer = forward(applyPreprocessing(images, preprocessing));
    return "logits" in answer ? answer : { logits: answer };
  };
  const { logits } = trace(input("images", ["batch", ...imageShape]));
  const classes = classesOf(logits, name);
  return { name, imageShape, classes, preprocessing, answers: "logits", trace, values: baked(state) };
}

export interface OnnxNetworkOptions {
  /** How messages and reports call the model, default "ONNX model". */
  readonly name?: string;
  readonly preprocessing: Preprocessing;
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
 * Any classifier read from an ONNX file: [batch, channels, height, width] or channels last, free or fixed batch.
 *
 * @throws StriateError for a file that cannot be imported, a layout that contradicts the preprocessing, an open size
 * that is not given, or answers that are not one score for each class.
 */
export function onnxNetwork(bytes: Uint8Array, options: OnnxNetworkOptions): Network {
  const { name = "ONNX model", preprocessing, noise = {} } = options;
  const model = readOnnx(bytes, { what: name, inputShapes: imageShapeFor(bytes, options) });
  const [inputName, x] = imageInput(model, name, noise);
  const { layout, imageShape, batch } = imageAxes(x, inputName, name, preprocessing);
  const complete: Preprocessing = { ...preprocessing, layout };
  checkPreprocessing(complete, imageShape[0]);
  const output = pickOutput(model, name, options.output);
  const { scores, answers } = scoresOf(output, options.answers, name);
  const classes = classesOf(scores, name);
  return {
    name,
    imageShape,
    classes,
    ...(batch !== undefined && { fixedBatch: batch }),
    preprocessing: complete,
    answers,
    trace: (images) => {
      const fed = new Map([[x, applyPreprocessing(images, complete)]]);
      const { logits } = substitute({ logits: scores }, fed);
      return { logits: flatScores(logits!), noise };
    },
    values: baked(new Map([...model.parameters].map(([key, { data }]) => [key, data]))),
  };
}

function imageInput(
  model: ImportedModel,
  name: string,
  noise: Readonly<Record<string, NoiseKind>>,
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

/** The shape to read the file with: a batch of any size where it is open, and the size given for open axes. */
function imageShapeFor(bytes: Uint8Array, options: OnnxNetworkOptions): Record<string, Shape> {
  const { name = "ONNX model", noise = {} } = options;
  const [key, { shape }] = imageInput(readOnnx(bytes, { what: name }), name, noise);
  const [height, width] =
    typeof options.size === "number" ? [options.size, options.size] : (options.size ?? []);
  const last = layoutOf(shape, options.preprocessing.layout, key, name) === "NHWC";
  const [rowAxis, columnAxis] = last ? [1, 2] : [2, 3];
  return {
    [key]: shape.map((dim, axis): Dim => {
      if (isStatic(dim)) return dim;
      if (axis === 0) return "batch";
      const given = axis === rowAxis ? height : axis === columnAxis ? width : undefined;
      check(given, () => `${name}: its input "${key}" is ${showShape(shape)}; say which image size to use`);
      return given;
    }),
  };
}

const CHANNELS: readonly Dim[] = [1, 3];

function layoutOf(
  shape: Shape,
  stated: Preprocessing["layout"],
  input: string,
  name: string,
): "NCHW" | "NHWC" {
  const [first, last] = [CHANNELS.includes(shape[1]!), CHANNELS.includes(shape[3]!)];
  const layout = first ? "NCHW" : last ? "NHWC" : stated;
  check(layout !== undefined && (stated === undefined || stated === layout || (first && last)), () =>
    stated === undefined
      ? `${name}: cannot tell where the channels of its input "${input}" ${showShape(shape)} are: state the layout`
      : `${name}: the layout ${stated} was stated, its input "${input}" is ${showShape(shape)}`,
  );
  return stated ?? layout;
}

interface ImageAxes {
  readonly layout: "NCHW" | "NHWC";
  readonly imageShape: ImageShape;
  readonly batch?: number;
}

function imageAxes(x: Tensor, input: string, name: string, { layout: stated }: Preprocessing): ImageAxes {
  const layout = layoutOf(x.shape, stated, input, name);
  const [batch, ...rest] = x.shape;
  const [a, b, c] = rest as [Dim, Dim, Dim];
  const image = layout === "NCHW" ? [a, b, c] : [c, a, b];
  check(
    image.every(isStatic),
    () => `${name}: its input "${input}" ${showShape(x.shape)} leaves the image's shape open`,
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

/** Values that keep the order and number of scores. */
const PASSES = new Set(["Identity", "Flatten", "Reshape", "Squeeze", "Dropout", "Cast"]);

function scoresOf(
  output: Tensor,
  stated: Answers | undefined,
  name: string,
): { readonly scores: Tensor; readonly answers: string } {
  if (stated === "logits" || stated === "log-probabilities") return { scores: output, answers: stated };
  const end = endingOf(output);
  if (stated === undefined && end === undefined) return { scores: output, answers: "logits" };
  if (end?.node.type === "Softmax")
    return { scores: end.node.inputs[0]!, answers: "logits (before the model's softmax)" };
  if (end?.node.type === "LogSoftmax") return { scores: output, answers: "log-probabilities" };
  if (end?.node.type === "Sigmoid") {
    throw new StriateError(
      `${name}: its output goes through a sigmoid: labels that do not exclude each other are not supported`,
    );
  }
  return { scores: log(clip(output, 1e-30)), answers: "logarithms of the model's probabilities" };
}

/** The squashing function at the end of a model, if there is one; also where it is written out. */
function endingOf(output: Tensor): Tensor | undefined {
  let tensor = output;
  while (PASSES.has(tensor.node.type)) {
    const [inner] = tensor.node.inputs;
    if (inner?.dtype !== output.dtype) return undefined;
    tensor = inner;
  }
  return ["Softmax", "LogSoftmax", "Sigmoid"].includes(tensor.node.type) ? tensor : undefined;
}

function classesOf(scores: Tensor, name: string): number {
  const [, ...rest] = scores.shape;
  const classes = rest[0] ?? "";
  check(
    isStatic(classes) && rest.slice(1).every((dim) => dim === 1),
    () => `${name}: expected scores [batch, classes], its output is ${showShape(scores.shape)}`,
  );
  check(classes >= 2, () => `${name}: expected at least 2 classes, got ${classes}`);
  return classes;
}

function flatScores(scores: Tensor): Tensor {
  return scores.rank === 2 ? scores : reshape(scores, [-1, scores.shape[1]!]);
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
