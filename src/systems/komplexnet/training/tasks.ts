import { IMAGES } from "../../../data/dataset.js";
import { PREPROCESSINGS } from "../../../data/images/preprocessing.js";
import type { Scenes } from "../../../data/scenes/multi-mnist.js";
import type { Dim, Tensor } from "../../../graph/index.js";
import { input, unsqueeze } from "../../../graph/index.js";
import { binaryCrossEntropyWithLogits } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { TrainingPass } from "../../../nn/layers/layer.js";
import { namedParameters } from "../../../nn/module.js";
import { overTime } from "../../../train/stack-timesteps.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, NoiseKind, Task, MemoryData } from "../../../train/task.js";
import { endToEndLoss, lastStepLoss } from "./losses.js";
import type { KomplexNet } from "../model.js";
import type { Polar } from "../complex-layers.js";
import type { StageOutputs } from "../stages.js";
import type { RealBaseline } from "../baselines/real-baseline.js";
import type { TransformerBaseline } from "../baselines/transformer-baseline.js";
import { komplexNetStep } from "../step.js";
import { synchronyLoss } from "./synchrony-loss.js";

/** Name of the data field with the images. */
export { IMAGES };
/**
 * Name of the data field with the classes of each scene: [batch, classes], with 1 for each class that occurs
 * and 0 for the others.
 */
export const TARGETS = "targets";
/** Name of the data field with the masks of the objects. */
export const MASKS = "masks";

/** How the tasks' logits are to be read: they have an axis of timesteps, and a sample has several labels. */
const ANSWERS = { overTime: "logits", labels: "several" } as const;

/** Makes training data for the tasks from scenes of digits. */
export function sceneData(scenes: Scenes): MemoryData {
  return {
    count: scenes.count,
    preprocessing: PREPROCESSINGS.unit,
    fill: (indices, { [IMAGES]: x, [TARGETS]: y, [MASKS]: masks }) => {
      scenes.fillBatch(indices, { ...(x && { x }), ...(y && { y }), ...(masks && { masks }) });
    },
  };
}

/** Options of `KomplexNetTask`, which select its loss and its outputs. */
export interface KomplexNetTaskOptions {
  /** Weight of the synchrony loss in end-to-end training. Default 1. */
  readonly synchronyWeight?: number;
  /**
   * The loss. `"endToEnd"` is the cross-entropy averaged over timesteps plus the weighted synchrony loss;
   * `"lastStep"` is the cross-entropy of the last timestep alone. Default: `"lastStep"` if the dynamics are
   * frozen and there is no feedback, otherwise `"endToEnd"`.
   */
  readonly loss?: "endToEnd" | "lastStep";
  /** Whether outputs include the amplitudes, and the phases after every timestep. Default false. */
  readonly phases?: boolean;
  /** Whether outputs include the synchrony loss at every timestep, which needs masks as inputs. Default false. */
  readonly synchrony?: boolean;
  /** Whether outputs include the complex outputs of the deeper layers at the last timestep. Default false. */
  readonly layers?: boolean;
}

/**
 * The deeper layers whose complex outputs a task can return. Output "layer.NAME" has the shape [2, batch,
 * ...] and holds the real part, then the imaginary part.
 */
export const COMPLEX_LAYERS = ["convolution", "hidden", "readout"] as const;

/**
 * Multi-label classification by KomplexNet. Data fields: "images" [batch, channels, size, size], k-hot
 * "targets" [batch, classes] and, if needed, "masks" [batch, 1 + objects (+ overlap), 1, size, size].
 *
 * By default, the loss with trained dynamics or with feedback is the cross-entropy averaged over timesteps
 * plus the synchrony loss; otherwise it is the cross-entropy of the last timestep. Output: "logits"
 * [timesteps, batch, classes]. `step` returns the graph of a single timestep, whose outputs lack the axis of
 * timesteps.
 */
export class KomplexNetTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly model: KomplexNet,
    readonly options: KomplexNetTaskOptions = {},
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const { config } = this.model;
    const traced = this.#trace(batch);
    const targets = input(TARGETS, [batch, config.classes]);
    const inputs = [...traced.inputs, targets];
    const frozen = config.kuramotoMode !== "endtoend" && config.feedback === undefined;
    if ((this.options.loss ?? (frozen ? "lastStep" : "endToEnd")) === "lastStep") {
      return { inputs, noise: traced.noise, loss: lastStepLoss(traced.output, targets) };
    }
    const weight = this.options.synchronyWeight ?? 1;
    const { total, crossEntropy, synchrony } = endToEndLoss(
      traced.output,
      targets,
      traced.masks,
      config,
      weight,
    );
    return {
      inputs,
      noise: traced.noise,
      loss: total,
      metrics: { crossEntropy, synchronyLoss: synchrony.loss },
    };
  }

  inference(batch: Dim): InferenceGraph {
    const { inputs, masks, noise, output } = this.#trace(batch);
    const { amplitude, logits, phases } = output;
    const { background, overlapChannel } = this.model.config;
    const perStep = phases.map(
      (step) => synchronyLoss({ phases: step, amplitude, masks, background, overlapChannel }).loss,
    );
    return {
      inputs,
      noise,
      outputs: {
        logits: overTime(logits),
        ...(this.options.phases && { phases: overTime(phases), amplitude }),
        ...(this.options.synchrony && {
          synchronyLoss: overTime(perStep.map((loss) => unsqueeze(loss, [0]))),
        }),
        ...(this.options.layers && layerParts(output.final)),
      },
      ...ANSWERS,
    };
  }

  step(batch: Dim): StepGraph {
    const { images, masks } = this.#inputs(batch);
    const { phases, amplitude, stages, ...rest } = komplexNetStep(this.model, images, masks);
    const { background, overlapChannel } = this.model.config;
    const { options } = this;
    return {
      ...rest,
      readouts: {
        logits: stages.logits,
        ...(options.phases && { phases, amplitude }),
        ...(options.synchrony && {
          synchronyLoss: unsqueeze(
            synchronyLoss({ phases, amplitude, masks, background, overlapChannel }).loss,
            [0],
          ),
        }),
        ...(options.layers && layerParts(stages)),
      },
      labels: ANSWERS.labels,
    };
  }

  #inputs(batch: Dim): { readonly images: Tensor; readonly masks: Tensor } {
    const { inChannels, imageSize, objects, overlapChannel } = this.model.config;
    return {
      images: input(IMAGES, [batch, inChannels, imageSize, imageSize]),
      masks: input(MASKS, [batch, 1 + objects + (overlapChannel ? 1 : 0), 1, imageSize, imageSize]),
    };
  }

  #trace(batch: Dim) {
    const { images, masks } = this.#inputs(batch);
    const draws = this.model.noiseInputs(batch);
    const noise: Record<string, NoiseKind> = Object.fromEntries(
      Object.keys(draws).map((name) => [name, "uniform"]),
    );
    const output = this.model.forward({ images, noise: draws, masks });
    return { inputs: [images, masks, ...Object.values(draws)], masks, noise, output };
  }
}

/**
 * The same task for the real-valued baseline, with the cross-entropy as loss. Output: "logits" [1, batch,
 * classes].
 */
export class RealBaselineTask implements Task {
  readonly parameters: NamedParameters;

  constructor(readonly model: RealBaseline) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const { images, logits } = this.#trace(batch);
    const targets = input(TARGETS, [batch, this.model.config.classes]);
    return { inputs: [images, targets], loss: binaryCrossEntropyWithLogits(logits, targets) };
  }

  inference(batch: Dim): InferenceGraph {
    const { images, logits } = this.#trace(batch);
    return { inputs: [images], outputs: { logits: overTime([logits]) }, ...ANSWERS };
  }

  #trace(batch: Dim) {
    const { inChannels, imageSize } = this.model.config;
    const images = input(IMAGES, [batch, inChannels, imageSize, imageSize]);
    return { images, logits: this.model.forward(images) };
  }
}

/**
 * The same task for the transformer baseline, with the cross-entropy as loss. Output: "logits" [1, batch,
 * classes].
 */
export class TransformerBaselineTask implements Task {
  readonly parameters: NamedParameters;

  constructor(readonly model: TransformerBaseline) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const pass = new TrainingPass();
    const images = this.#images(batch);
    const targets = input(TARGETS, [batch, this.model.config.classes]);
    const loss = binaryCrossEntropyWithLogits(this.model.forward(images, pass), targets);
    return { inputs: [images, targets, ...pass.noise], noise: pass.noiseKinds, loss };
  }

  inference(batch: Dim): InferenceGraph {
    const images = this.#images(batch);
    return { inputs: [images], outputs: { logits: overTime([this.model.forward(images)]) }, ...ANSWERS };
  }

  #images(batch: Dim): Tensor {
    const { inChannels, imageSize } = this.model.config;
    return input(IMAGES, [batch, inChannels, imageSize, imageSize]);
  }
}

function layerParts(stages: StageOutputs): Record<string, Tensor> {
  return Object.fromEntries(COMPLEX_LAYERS.map((name) => [`layer.${name}`, parts(stages[name])]));
}

function parts({ real, imaginary }: Polar): Tensor {
  return overTime([real, imaginary]);
}
