import type { CompletePreprocessing, Preprocessing } from "../data/images/preprocessing.js";
import {
  PREPROCESSING_NAMES,
  completePreprocessing,
  describePreprocessing,
  knownPreprocessing,
} from "../data/images/preprocessing.js";
import { isStatic } from "../graph/dims.js";
import { isFloat } from "../graph/dtype.js";
import type { Dim, Shape, Tensor } from "../graph/index.js";
import { cast, clip, inElementType, input, log, reshape, showShape } from "../graph/index.js";
import { intAttribute } from "../graph/operator.js";
import type { ImportedModel } from "../graph/onnx/read/read.js";
import { OnnxFile } from "../graph/onnx/read/read.js";
import { substitute } from "../graph/substitute.js";
import { asConstants } from "../nn/training-state.js";
import type { InputRoles, ModelDescription } from "../train/model-description.js";
import { describeModel, inputRoles, inputValue } from "../train/model-description.js";
import { answerAt } from "../train/stack-timesteps.js";
import type { NoiseKind } from "../train/task.js";
import { StriateError, check } from "../util/errors.js";
import type { Answers, ImageShape, Network } from "./network.js";
import { classesOf } from "./network.js";
import { applyPreprocessing } from "./preprocess-graph.js";

/**
 * Options for a classifier in an ONNX file. They are needed only for facts that the file does not contain.
 */
export interface OnnxNetworkOptions {
  /** Name of the model in messages and reports. Default "ONNX model". */
  readonly name?: string;
  /** Preprocessing of the images. Required unless the file's metadata contain it. */
  readonly preprocessing?: Preprocessing;
  /** Height and width of the images, for a model that leaves them open. */
  readonly size?: number | readonly [height: number, width: number];
  /** Name of the output with the scores, if there are several outputs. */
  readonly output?: string;
  /**
   * The kind of that output. Default: logits. If the model ends in a softmax, the scores before it are used.
   * If the output turns out to be probabilities, it is refused unless this option declares it; its logarithms
   * are then used.
   */
  readonly answers?: Answers;
  /** Inputs that take noise, in addition to those that the file names. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /**
   * Constant values of other inputs, which replace those in the file: one number for all elements, or one for
   * each.
   */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /**
   * The timestep to use, for a model whose output is [timesteps, batch, classes]. Files of Striate say that
   * the first axis is time; for other files, giving this option says so. Default: the last timestep.
   */
  readonly timestep?: number;
}

/**
 * Reads a classifier from an ONNX file (its bytes, or in Node the result of `openOnnx`). The model's images
 * are [batch, channels, height, width] or have their channels last, with any batch size or a fixed one; they
 * are floats of any width, or bytes. For a model that takes bytes, images x in [0, 1] become round(255 x),
 * and gradients are computed as if they became 255 x. If an exporter wrote a batch size into the model (in a
 * Reshape, for example), the model runs with that batch size.
 *
 * @throws StriateError for a file that cannot be imported, a layout or size that contradicts the options, an
 * unknown preprocessing, inputs of unknown purpose, or an output that does not have one score for each class.
 */
export function onnxNetwork(source: Uint8Array | OnnxFile, options: OnnxNetworkOptions): Network {
  const { timestep } = options;
  const networks = onnxNetworkOverTime(source, { ...options, overTime: timestep !== undefined });
  const found = timestep === undefined ? networks.at(-1) : networks[timestep];
  check(
    found,
    () =>
      `${networks[0]!.name}: expected a timestep from 0 to ${networks.length - 1}, got ${String(timestep)}`,
  );
  return found;
}

/** Options for a classifier that gives an output at several timesteps. */
export interface OverTimeOptions extends Omit<OnnxNetworkOptions, "timestep"> {
  /** Whether the first axis of the output is time, for a file that does not say so. Default false. */
  readonly overTime?: boolean;
}

/**
 * Reads one classifier for each timestep of a model, in order; a model without timesteps gives one
 * classifier. Apart from this, the function works like {@link onnxNetwork}.
 */
export function onnxNetworkOverTime(
  source: Uint8Array | OnnxFile,
  options: OverTimeOptions,
): readonly Network[] {
  const given = source instanceof OnnxFile ? source : undefined;
  const { name = given?.what ?? "ONNX model" } = options;
  const read = readClassifier(given ?? new OnnxFile(source as Uint8Array, name), options, name);
  const { model, images, description, answers, noise } = read;
  const { layout, imageShape, batch } = imageAxes(images, name, statedLayout(options, description));
  const isBytes = images.dtype === "uint8";
  const known =
    knownPreprocessing(options.preprocessing, description.preprocessing, imageShape, name) ??
    (isBytes
      ? { preprocessing: completePreprocessing(BYTES, imageShape[0]), from: "the file" as const }
      : undefined);
  check(
    known,
    () =>
      `${name}: its file does not state the preprocessing: give --preprocessing with one of ${PREPROCESSING_NAMES.join(", ")}, ` +
      `or --scale, --mean and --std (in a program: the option "preprocessing")`,
  );
  const preprocessing: CompletePreprocessing = { ...known.preprocessing, layout };
  if (isBytes) checkBytes(preprocessing, name);
  const values = asConstants(new Map([...model.parameters].map(([key, { data }]) => [key, data])));
  const { classes: classNames, labels } = description;
  return answers.map((answer, timestep) => ({
    name,
    imageShape,
    classes: namedClasses(classesOf(answer.scores, name), classNames, name),
    ...(classNames && { classNames }),
    ...(batch !== undefined && { fixedBatch: batch }),
    preprocessing,
    preprocessingFrom: known.from,
    answers: answer.kind,
    ...(options.answers !== undefined && { answersStated: true }),
    ...(read.overTime && { timestep }),
    ...(labels && { labels }),
    trace: (x) => {
      const pixels = inElementType(applyPreprocessing(x, preprocessing), images.dtype);
      const fed = new Map([[images, pixels], ...noiseOf(read, x.shape[0]!)]);
      const { logits } = substitute({ logits: answer.scores }, fed);
      return { logits: flatScores(logits!, name), noise };
    },
    values,
  }));
}

/** The preprocessing of a network that takes bytes. */
const BYTES = { scale: 255 } as const;

function checkBytes(preprocessing: CompletePreprocessing, name: string): void {
  const { scale, mean, std } = preprocessing;
  check(
    scale === BYTES.scale && mean.every((value) => value === 0) && std.every((value) => value === 1),
    () =>
      `${name}: its images are bytes from 0 to 255: expected --preprocessing raw, got ` +
      describePreprocessing(preprocessing),
  );
}

/** Returns the number of classes. Throws {@link StriateError} if the file's metadata name another number. */
function namedClasses(classes: number, names: readonly string[] | undefined, model: string): number {
  check(
    names === undefined || names.length === classes,
    () =>
      `${model}: its metadata "striate.classes" name ${names!.length} classes, but it has ${classes} outputs`,
  );
  return classes;
}

/** Makes noise inputs for a batch, which replace the file's inputs. */
function noiseOf({ model, images, noise }: ReadClassifier, batch: Dim): (readonly [Tensor, Tensor])[] {
  return Object.keys(noise).flatMap((key) => {
    const tensor = model.inputs[key];
    if (tensor === undefined) return [];
    const shape = tensor.shape.map((dim) => (dim === images.shape[0] ? batch : dim));
    return [[tensor, cast(input(key, shape), tensor.dtype)] as const];
  });
}

interface Answer {
  readonly scores: Tensor;
  /** The kind of the model's own output. */
  readonly kind: string;
}

interface ReadClassifier {
  readonly model: ImportedModel;
  readonly description: ModelDescription;
  readonly images: Tensor;
  readonly noise: Readonly<Record<string, NoiseKind>>;
  /** The scores at each timestep. */
  readonly answers: readonly Answer[];
  readonly overTime: boolean;
}

/**
 * Reads a file with the image size that the user gave. If the output shows that the model has a fixed batch
 * size, the file is read with that batch size.
 */
function readClassifier(file: OnnxFile, options: OverTimeOptions, name: string): ReadClassifier {
  const plain = file.read();
  const description = describeModel(plain.metadata, name);
  const roles = rolesOf(plain, description, options, name);
  const read = (shape?: Shape): ReadClassifier => {
    const model = shape === undefined ? plain : file.read({ inputShapes: shapesFor(plain, roles, shape) });
    const output = pickOutput(model, name, options.output ?? description.timesteps?.output);
    const overTime = options.overTime === true || description.timesteps?.output === output.name;
    const { scores } = substitute({ scores: cast(output.tensor, "float32") }, stated(model, roles, name));
    return {
      model,
      description,
      images: model.inputs[roles.images]!,
      noise: roles.noise,
      answers: scoresOverTime(scores!, overTime ? (description.timesteps ?? {}) : undefined, name).map(
        (one) => scoresOf(one, options.answers, name),
      ),
      overTime,
    };
  };
  const first = read();
  const shape = sizedShape(first.images, options.size, statedLayout(options, description), name);
  const sized = shape === undefined ? first : read(shape);
  const rows = ({ answers }: ReadClassifier) => answers[0]!.scores.shape;
  const [batch, answered] = [sized.images.shape[0]!, rows(sized)[0]!];
  if (batch === answered) return sized;
  check(
    !isStatic(batch),
    () =>
      `${name}: expected a row of scores for each of the ${batch} images of a batch, got ${showShape(rows(sized))}`,
  );
  const fixed = isStatic(answered) ? answered : 1;
  const again = read([fixed, ...sized.images.shape.slice(1)]);
  check(
    rows(again)[0] === fixed,
    () =>
      `${name}: expected a row of scores for each image, got ${showShape(rows(sized))} for a batch of "${batch}"`,
  );
  return again;
}

/** The purposes of a model's inputs. */
interface Roles extends Omit<InputRoles, "others"> {
  readonly images: string;
}

function rolesOf(
  model: ImportedModel,
  description: ModelDescription,
  options: OverTimeOptions,
  name: string,
): Roles {
  const { noise, values, others: images } = inputRoles(model, description, name, options);
  const [first] = images;
  check(first !== undefined && images.length === 1, () => {
    const shown = images.map((key) => `${key} ${showShape(model.inputs[key]!.shape)}`).join(", ");
    return (
      `${name}: expected one input for the images, got ${shown || "none"}; say which inputs take noise ` +
      `(--noise NAME=normal) or constant values (--input NAME=VALUE)`
    );
  });
  const { rank, dtype, shape } = model.inputs[first]!;
  check(
    rank === 4 && (isFloat(dtype) || dtype === "uint8"),
    () =>
      `${name}: expected images as floats or bytes (uint8) with 4 axes, got the input "${first}" as ${dtype}${showShape(shape)}`,
  );
  return { images: first, noise, values };
}

/** The shapes of images and noise with which to read a model. */
function shapesFor(model: ImportedModel, { images, noise }: Roles, shape: Shape): Record<string, Shape> {
  const batch = model.inputs[images]!.shape[0]!;
  const drawn = Object.keys(noise).flatMap((key) => {
    const tensor = model.inputs[key];
    return tensor === undefined
      ? []
      : [[key, tensor.shape.map((dim) => (dim === batch ? shape[0]! : dim))] as const];
  });
  return { ...Object.fromEntries(drawn), [images]: shape };
}

/** Constants for the inputs whose values the user or the file gives. */
function stated(model: ImportedModel, { values }: Roles, name: string): Map<Tensor, Tensor> {
  return new Map(
    Object.entries(values).flatMap(([key, numbers]) => {
      const tensor = model.inputs[key];
      return tensor === undefined
        ? []
        : [[tensor, inputValue(tensor, numbers, `${name}: the input "${key}"`)] as const];
    }),
  );
}

/**
 * The scores at each timestep. `time` is what the file says about timesteps; undefined for a model without
 * timesteps.
 */
function scoresOverTime(
  scores: Tensor,
  time: { readonly count?: number } | undefined,
  name: string,
): readonly Tensor[] {
  if (time === undefined) return [scores];
  const [count] = scores.shape;
  check(
    scores.rank >= 3 && isStatic(count!),
    () =>
      `${name}: expected scores [timesteps, batch, classes] with a known number of timesteps, got ${showShape(scores.shape)}`,
  );
  check(
    time.count === undefined || time.count === count,
    () => `${name}: its metadata state ${time.count!} "striate.timesteps", but its output has ${count}`,
  );
  return Array.from({ length: count }, (_, t) => answerAt(scores, t, name));
}

function statedLayout({ preprocessing }: OverTimeOptions, description: ModelDescription) {
  return preprocessing?.layout ?? description.preprocessing?.layout;
}

/**
 * The image shape with which to read a file that leaves the size open; undefined if the file fixes the size.
 */
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
    () =>
      `${name}: ${described(images)}, which fixes the image size, but the given size is ${height} x ${width}`,
  );
  if (fixed.every(isStatic)) return undefined;
  check(
    height !== undefined && width !== undefined,
    () => `${name}: ${described(images)}; give the image size`,
  );
  return shape.with(rowAxis, height).with(columnAxis, width);
}

/** Describes the input, as in 'its input "pixels" is [N, 3, 224, 224]'. */
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
      ? `${name}: cannot tell which axis has the channels, because ${described(images)}: give the layout`
      : `${name}: the given layout is ${stated}, but ${described(images)}`,
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
    () => `${name}: expected images with 1 or 3 channels and a fixed size, but ${described(images)}`,
  );
  const imageShape = image as unknown as ImageShape;
  return isStatic(batch!) ? { layout, imageShape, batch } : { layout, imageShape };
}

function pickOutput(
  model: ImportedModel,
  name: string,
  wanted: string | undefined,
): { readonly name: string; readonly tensor: Tensor } {
  const names = Object.keys(model.outputs);
  check(
    wanted !== undefined || names.length === 1,
    () =>
      `${name}: expected the name of the output with the scores, because the model has ${names.length} outputs (${names.join(", ")})`,
  );
  const key = wanted ?? names[0]!;
  const tensor = Object.hasOwn(model.outputs, key) ? model.outputs[key] : undefined;
  check(tensor, () => `${name}: expected one of the outputs ${names.join(", ")}, got "${key}"`);
  return { name: key, tensor };
}

/** Operators that only change the shape, the order of axes or the float type of the scores. */
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

function scoresOf(output: Tensor, stated: Answers | undefined, name: string): Answer {
  check(
    isFloat(output.dtype),
    () => `${name}: expected floating-point scores, got ${output.dtype}${showShape(output.shape)}`,
  );
  if (stated === "logits" || stated === "log-probabilities") return { scores: output, kind: stated };
  const end = endingOf(output, classesOf(output, name));
  if (stated === undefined && end === undefined) return { scores: output, kind: "logits" };
  if (end?.node.type === "Softmax") {
    // Applies the operators that follow the softmax to the scores before it instead.
    const { scores } = substitute({ scores: output }, new Map([[end, end.node.inputs[0]!]]));
    return { scores: scores!, kind: "logits (before the model's softmax)" };
  }
  if (end?.node.type === "LogSoftmax") return { scores: output, kind: "log-probabilities" };
  if (end?.node.type === "Sigmoid") {
    throw new StriateError(
      `${name}: its output goes through a sigmoid, and multi-label classifiers are not supported`,
    );
  }
  return { scores: log(clip(output, 1e-30)), kind: "logarithms of the model's probabilities" };
}

/** The softmax or similar function at the end of a model, if there is one. */
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

function flatScores(scores: Tensor, name: string): Tensor {
  const flat = scores.rank === 2 ? scores : reshape(scores, [-1, classesOf(scores, name)]);
  return flat.dtype === "float32" ? flat : cast(flat, "float32");
}
