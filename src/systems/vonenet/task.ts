import { IMAGES, LABELS } from "../../data/prepared-images.js";
import type { Dim, Tensor } from "../../graph/index.js";
import { cast, input } from "../../graph/index.js";
import { TrainingPass } from "../../nn/layers/layer.js";
import { crossEntropy } from "../../nn/losses.js";
import type { NamedParameters } from "../../nn/module.js";
import { namedParameters } from "../../nn/module.js";
import type { InferenceGraph, LossGraph, NoiseKind, Task } from "../../train/task.js";
import type { VOneNet } from "./networks.js";
import { V1_NOISE } from "./vone-block.js";

/**
 * Classification with V1 in front: reads "images" [batch, 3, size, size] in [-1, 1] and "labels" [batch] (whole numbers).
 * Loss: mean cross-entropy. Answers: "logits" [batch, classes]. V1's noise is drawn afresh in training and in use; nothing is
 * propagated back into V1, which is fixed.
 */
export class VOneNetTask implements Task {
  readonly parameters: NamedParameters;

  constructor(readonly network: VOneNet) {
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
      loss: crossEntropy(logits, cast(labels, "int64")),
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

  #inputs(batch: Dim): { readonly images: Tensor; readonly noise: Tensor | undefined } {
    const { block } = this.network;
    return {
      images: input(IMAGES, [batch, 3, block.imageSize, block.imageSize]),
      noise: block.noiseInput(batch),
    };
  }

  #noiseKinds(): Readonly<Record<string, NoiseKind>> {
    return this.network.block.noise === undefined ? {} : { [V1_NOISE]: "normal" };
  }
}
