import { IMAGES, LABELS } from "../../../data/images/prepared-images.js";
import type { Dim, Tensor } from "../../../graph/index.js";
import { cast, input } from "../../../graph/index.js";
import { TrainingPass } from "../../../nn/layers/layer.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, NoiseKind, Task } from "../../../train/task.js";
import type { VOneNet } from "./networks.js";
import { V1_NOISE } from "../v1/vone-block.js";
import type { VOneBlock } from "../v1/vone-block.js";

/** Options of `VOneNetTask`. */
export interface VOneNetTaskOptions {
  /**
   * Whether the outputs of a timestep include V1's "responses", [batch, cells, outputSize, outputSize].
   * Default false.
   */
  readonly responses?: boolean;
}

/**
 * Classification by a network with V1 in front. Data fields: "images" [batch, 3, size, size] with values in
 * [-1, 1] and "labels" [batch] (whole numbers). The loss is the mean cross-entropy. Output: "logits" [batch,
 * classes]. V1's noise is drawn anew for every batch, in training and in inference. V1 is fixed, so no
 * gradients are computed for it. `step` returns the graph of one timestep, which takes one frame with its own
 * noise and has no state.
 */
export class VOneNetTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly network: VOneNet,
    readonly options: VOneNetTaskOptions = {},
  ) {
    this.parameters = namedParameters(network);
  }

  loss(batch: number): LossGraph {
    const { images, noise } = this.#inputs(batch);
    const labels = input(LABELS, [batch]);
    const pass = new TrainingPass();
    const logits = this.network.forward(images, pass, { noise });
    return {
      inputs: [images, labels, ...(noise ? [noise] : []), ...pass.noise],
      noise: { ...this.#noiseKinds(), ...pass.noiseKinds },
      classes: { [LABELS]: logits.shape[1]! },
      loss: crossEntropy(logits, cast(labels, "int32")),
      updates: pass.updates,
    };
  }

  inference(batch: Dim): InferenceGraph {
    const { images, noise } = this.#inputs(batch);
    return {
      inputs: [images, ...(noise ? [noise] : [])],
      noise: this.#noiseKinds(),
      outputs: { logits: this.network.forward(images, undefined, { noise }) },
    };
  }

  step(batch: Dim): StepGraph {
    const { noise, outputs } = this.inference(batch);
    if (this.options.responses !== true) return { state: {}, noise: noise ?? {}, readouts: outputs };
    const { network } = this;
    const frame = frameOf(network.block, batch);
    return {
      ...frame,
      readouts: { ...frame.readouts, logits: network.readOut(frame.readouts.responses) },
    };
  }

  #inputs(batch: Dim): Frame {
    return frameInputs(this.network.block, batch);
  }

  #noiseKinds(): Readonly<Record<string, NoiseKind>> {
    return noiseKinds(this.network.block);
  }
}

/**
 * Makes a model of V1 alone, without a network, that takes one frame at a time. Input: "images" [batch, 3,
 * size, size] with values in [-1, 1]. Output: "responses" [batch, cells, outputSize, outputSize]. If the
 * block has noise, it is drawn anew for every frame.
 */
export function v1Frames(block: VOneBlock): SteppedModel {
  return { parameters: new Map(), step: (batch) => frameOf(block, batch) };
}

function frameOf(block: VOneBlock, batch: Dim) {
  const { images, noise } = frameInputs(block, batch);
  return {
    state: {},
    noise: noiseKinds(block),
    readouts: { responses: block.forward(images, noise) },
  } satisfies StepGraph;
}

interface Frame {
  readonly images: Tensor;
  readonly noise: Tensor | undefined;
}

function frameInputs(block: VOneBlock, batch: Dim): Frame {
  return {
    images: input(IMAGES, [batch, 3, block.imageSize, block.imageSize]),
    noise: block.noiseInput(batch),
  };
}

function noiseKinds({ noise }: VOneBlock): Readonly<Record<string, NoiseKind>> {
  return noise === undefined ? {} : { [V1_NOISE]: "normal" };
}
