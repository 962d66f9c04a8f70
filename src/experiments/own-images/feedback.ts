import { dirname, join } from "node:path";
import type { TrainingParts } from "../../data/sets/training-parts-node.js";
import { loadOnnx } from "../../graph/onnx/read/open-node.js";
import { saveOnnx } from "../../graph/onnx/write/save-node.js";
import { adam } from "../../nn/optimizers.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { predify, writeUnrolled } from "../../systems/predify/index.js";
import { trainFeedback } from "../../systems/predify/training/train-node.js";
import type { TrainOptions } from "../../train/run/run-node.js";
import { describeModel } from "../../train/model-description.js";
import type { TrainingRecipe } from "./recipe.js";
import { openLoader } from "./train-network.js";

/** Options of `addFeedback`. */
export interface AddFeedbackOptions
  extends SessionOptions, Pick<TrainOptions, "resume" | "signal" | "onProgress" | "onWarning"> {
  readonly recipe: Pick<TrainingRecipe, "batchSize">;
  readonly seed: number;
  /** Number of PCoders. */
  readonly pcoders: number;
  /** Last timestep of the exported network. */
  readonly timesteps: number;
  /** Folder of the run that trains the decoders. */
  readonly folder: string;
  /** Passes over the training images. Default 5. */
  readonly epochs?: number;
  readonly loaders?: number;
  /** File for the predified network. Default: "predified.onnx" beside the network. */
  readonly out?: string;
}

const EPOCHS = 5;
const WEIGHT_DECAY = 5e-4;

/**
 * Adds predictive feedback to a trained network in an .onnx file, and trains its decoders on the training images without
 * their labels. Returns the path of the predified network, beside the file, or undefined if the run was stopped.
 *
 * @throws StriateError if the network has fewer feature maps than PCoders
 */
export async function addFeedback(
  file: string,
  { train }: Pick<TrainingParts, "train">,
  options: AddFeedbackOptions,
): Promise<string | undefined> {
  const { recipe, seed, pcoders, timesteps, folder, resume = false, epochs = EPOCHS } = options;
  const model = await loadOnnx(file);
  const network = predify(model, { pcoders });
  const { preprocessing = {} } = describeModel(model.metadata, file);
  const { imageShape } = network.backbone;
  const loader = openLoader(train, { imageShape, preprocessing }, undefined, options.loaders);
  try {
    const run = await trainFeedback(network, loader, {
      ...sessionOptionsOf(options),
      folder,
      resume,
      seed,
      batchSize: recipe.batchSize,
      epochs,
      optimizer: adam({ weightDecay: WEIGHT_DECAY }),
      config: { pcoders, epochs },
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
      ...(options.onWarning && { onWarning: options.onWarning }),
    });
    if (!run.finished) return undefined;
    const { out = join(dirname(file), "predified.onnx") } = options;
    await saveOnnx(out, writeUnrolled(network, run.values, { timesteps, preprocessing }));
    return out;
  } finally {
    await loader.close();
  }
}
