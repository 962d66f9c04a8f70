import type { Dim, Tensor } from "../../graph/index.js";
import { cast, input } from "../../graph/index.js";
import { TrainingPass } from "../../nn/layers/layer.js";
import { crossEntropy } from "../../nn/losses.js";
import type { NamedParameters } from "../../nn/module.js";
import { namedParameters } from "../../nn/module.js";
import type { InferenceGraph, LossGraph, Task } from "../../train/task.js";

/** A network that maps images to logits. */
export interface ClassifierModel {
  forward(images: Tensor, pass?: TrainingPass): Tensor;
}

/**
 * Image classification. Data fields: "images" [batch, ...imageShape] and "labels" [batch] (whole numbers).
 * The loss is the mean cross-entropy. Output: "logits" [batch, classes]. In training, dropout is active, and
 * batch normalisation uses batch statistics and updates its running averages.
 */
export class ClassificationTask implements Task {
  readonly parameters: NamedParameters;

  constructor(
    readonly model: ClassifierModel & object,
    /** Shape of one image: [channels, height, width]. */
    readonly imageShape: readonly number[],
    readonly options: { readonly labelSmoothing?: number } = {},
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const images = input("images", [batch, ...this.imageShape]);
    const labels = input("labels", [batch]);
    const pass = new TrainingPass();
    const logits = this.model.forward(images, pass);
    return {
      inputs: [images, labels, ...pass.noise],
      noise: Object.fromEntries(pass.noise.map((_, i) => [`noise:${i}`, "uniform"])),
      classes: { labels: logits.shape[1]! },
      loss: crossEntropy(logits, cast(labels, "int32"), this.options),
      updates: pass.updates,
    };
  }

  inference(batch: Dim): InferenceGraph {
    const images = input("images", [batch, ...this.imageShape]);
    return { inputs: [images], outputs: { logits: this.model.forward(images) } };
  }
}
