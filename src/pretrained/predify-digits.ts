import type { TensorData } from "../graph/index.js";
import { readOnnx } from "../graph/onnx/read/read.js";
import type { State } from "../nn/module.js";
import { ClassificationTask } from "../systems/baselines/classification-task.js";
import { Vgg } from "../systems/baselines/vgg.js";
import { candidates } from "../systems/predify/core/cut-points.js";
import { Backbone } from "../systems/predify/core/backbone.js";
import type { Hyperparameters } from "../systems/predify/core/hyperparameters.js";
import type { PredictiveNetwork } from "../systems/predify/core/network.js";
import { predify } from "../systems/predify/core/predify.js";
import { FeedbackTask } from "../systems/predify/training/tasks.js";
import { exportOnnx } from "../train/export.js";

/** Name of the tensor with beta, lambda and alpha of each PCoder, [PCoders, 3]. */
export const HYPERPARAMETERS = "hyperparameters";
/** What the names of the classifier's weights start with; the names of the decoders' weights start with "pcoder". */
export const BACKBONE = "backbone.";
const PCODERS = 4;
const IMAGE = [1, 32, 32] as const;

/** The classifier for digits: VGG11 with an eighth of its channels. */
export function digitsClassifier(): ClassificationTask {
  const network = new Vgg({
    depth: 11,
    batchNorm: true,
    classes: 10,
    inChannels: 1,
    width: 1 / 8,
    hidden: 32,
    grid: 1,
    dropout: 0.1,
  });
  return new ClassificationTask(network, IMAGE);
}

/** Adds PCoders to a trained classifier for digits, one at each of the four largest resolutions. */
export function digitsPredify(
  classifier: State,
  hyperparameters?: readonly Hyperparameters[],
): PredictiveNetwork {
  const model = readOnnx(exportOnnx(digitsClassifier(), classifier).bytes);
  const places = candidates(new Backbone(model)).filter(({ beforeChange }) => beforeChange);
  return predify(model, {
    units: "authors",
    pcoders: places.slice(0, PCODERS).map(({ name }, i) => ({ after: name, ...hyperparameters?.[i] })),
  });
}

/** Builds the network from the stored tensors, with all that the explorer shows as its outputs. */
export function storedDigitsPredify(stored: ReadonlyMap<string, TensorData>): FeedbackTask {
  const classifier: State = new Map(
    Array.from(digitsClassifier().parameters.keys(), (name) => [name, stored.get(BACKBONE + name)!]),
  );
  const { data } = stored.get(HYPERPARAMETERS)!;
  const hyperparameters = Array.from({ length: PCODERS }, (_, i) => {
    const [feedforward, feedback, error] = Array.from(data.slice(3 * i, 3 * i + 3), Number);
    return { feedforward: feedforward!, feedback: feedback!, error: error! };
  });
  return new FeedbackTask(digitsPredify(classifier, hyperparameters), {
    timesteps: 8,
    reconstructions: true,
    errors: true,
  });
}
