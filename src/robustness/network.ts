import type {
  CompletePreprocessing,
  KnownPreprocessing,
  Preprocessing,
} from "../data/images/preprocessing.js";
import { completePreprocessing } from "../data/images/preprocessing.js";
import { isStatic } from "../graph/dims.js";
import type { Tensor, TensorData } from "../graph/index.js";
import { input, showShape } from "../graph/index.js";
import type { State } from "../nn/module.js";
import { asConstants } from "../nn/training-state.js";
import type { ModelDescription } from "../train/model-description.js";
import type { NoiseKind } from "../train/task.js";
import { check } from "../util/errors.js";
import { applyPreprocessing } from "./preprocess-graph.js";

/** The channels, height and width of a network's images. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** The kind of a model's output: logits, probabilities (their softmax), or logarithms of probabilities. */
export type Answers = "logits" | "probabilities" | "log-probabilities";

/** A traced output: logits [batch, classes], and the kinds of noise of the inputs that take noise. */
export interface TracedLogits {
  readonly logits: Tensor;
  readonly noise?: Readonly<Record<string, NoiseKind>>;
}

/** An image classifier that can be traced into a larger graph, so that attacks can differentiate it. */
export interface Network {
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** The fixed batch size of the model; absent if the model takes any batch size. */
  readonly fixedBatch?: number;
  readonly preprocessing: CompletePreprocessing;
  /** Where the preprocessing comes from: the user, or the file's metadata. */
  readonly preprocessingFrom: KnownPreprocessing["from"];
  /** The kind of the model's own output. */
  readonly answers: string;
  /** Whether the user declared the kind of the output. Default false. */
  readonly answersStated?: boolean;
  /** Names of the classes in the order of the scores, if the model's file contains them. */
  readonly classNames?: readonly string[];
  /** The timestep of this output; absent if the model has no timesteps. */
  readonly timestep?: number;
  /** "several" if the model was trained for images with more than one label. Default "one". */
  readonly labels?: ModelDescription["labels"];
  /** Traces the logits of images in [0, 1], which have the shape [batch, channels, height, width]. */
  trace(images: Tensor): TracedLogits;
  /** Returns the values of a parameter of the model. */
  values(parameter: Tensor): TensorData | undefined;
}

/** Options for a network that Striate traces. */
export interface TracedNetworkOptions {
  readonly name: string;
  readonly imageShape: ImageShape;
  /** Calls the model on preprocessed images. */
  readonly forward: (images: Tensor) => Tensor | TracedLogits;
  readonly state: State;
  readonly preprocessing?: Preprocessing;
}

/**
 * Makes a `Network` of a model that Striate traces. Its parameters must have names (`namedParameters`).
 *
 * @throws StriateError if the model does not give one score for each class.
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
  const values = asConstants(state);
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

/** The number of classes of scores [batch, classes]. Throws `StriateError` for scores of another shape. */
export function classesOf(scores: Tensor, name: string): number {
  const lengths = scores.shape.slice(1).filter((dim) => dim !== 1);
  const [classes = 1] = lengths;
  check(
    scores.rank >= 2 && lengths.length <= 1 && isStatic(classes),
    () => `${name}: expected scores [batch, classes], got ${showShape(scores.shape)}`,
  );
  check(classes >= 2, () => `${name}: expected at least 2 classes, got ${classes}`);
  return classes;
}
