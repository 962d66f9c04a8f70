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

/** A traced output: logits [batch, classes], and the noise inputs. */
export interface TracedLogits {
  readonly logits: Tensor;
  readonly noise?: Readonly<Record<string, NoiseKind>>;
}

/** An image classifier as a function that traces it into larger graphs, where attacks differentiate it. */
export interface Network {
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** The fixed batch size of the model; absent if it takes any. */
  readonly fixedBatch?: number;
  readonly preprocessing: CompletePreprocessing;
  /** Source of the preprocessing: the user, or the file's metadata. */
  readonly preprocessingFrom: KnownPreprocessing["from"];
  /** The kind of the model's own output. */
  readonly answers: string;
  /** Whether the user stated the kind of the output. Default false. */
  readonly answersStated?: boolean;
  /** Names of the classes in the order of the scores, if the model's file contains them. */
  readonly classNames?: readonly string[];
  /** The timestep of this output; absent if the model has no timesteps. */
  readonly timestep?: number;
  /** "several" if the model was trained for images with more than one label. Default "one". */
  readonly labels?: ModelDescription["labels"];
  /** Traces logits of images [batch, channels, height, width] in [0, 1]. */
  trace(images: Tensor): TracedLogits;
  /** Values of the model's parameters. */
  values(parameter: Tensor): TensorData | undefined;
}

/** Options of a network traced by Striate. */
export interface TracedNetworkOptions {
  readonly name: string;
  readonly imageShape: ImageShape;
  /** Calls the model on preprocessed images. */
  readonly forward: (images: Tensor) => Tensor | TracedLogits;
  readonly state: State;
  readonly preprocessing?: Preprocessing;
}

/**
 * Makes a network of a model traced by Striate. Its parameters must have names (`namedParameters`).
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
