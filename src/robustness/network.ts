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
  /** Whether the user said so. Default false. */
  readonly answersStated?: boolean;
  /** Names of the classes in the order of the scores, if the model's file tells them. */
  readonly classNames?: readonly string[];
  /** Which of the model's timesteps answers; absent if it answers once. */
  readonly timestep?: number;
  /** "several" if the model was trained for images with more than one label. Default "one". */
  readonly labels?: ModelDescription["labels"];
  /** Traces logits of images [batch, channels, height, width] in [0, 1]. */
  trace(images: Tensor): TracedLogits;
  /** Values of the model's parameters. */
  values(parameter: Tensor): TensorData | undefined;
}

/** What a network is like that is traced here. */
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

/** How many classes scores [batch, classes] are of. Throws `StriateError` for scores of another shape. */
export function classesOf(scores: Tensor, name: string): number {
  const lengths = scores.shape.slice(1).filter((dim) => dim !== 1);
  const [classes = 1] = lengths;
  check(
    scores.rank >= 2 && lengths.length <= 1 && isStatic(classes),
    () => `${name}: expected scores [batch, classes], its output is ${showShape(scores.shape)}`,
  );
  check(classes >= 2, () => `${name}: expected at least 2 classes, got ${classes}`);
  return classes;
}
