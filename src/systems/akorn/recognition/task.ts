import type { Dim, Tensor } from "../../../graph/index.js";
import { cast, input } from "../../../graph/index.js";
import { IMAGES, LABELS } from "../../../data/dataset.js";
import { TrainingPass } from "../../../nn/layers/layer.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, Task } from "../../../train/task.js";
import { check } from "../../../util/errors.js";
import { energiesOf, stateOf } from "../layer/layers-in-turn.js";
import { NOISE } from "../layer/oscillators.js";
import type { RecognitionNetwork } from "./network.js";
import { ensembleLogits } from "./network.js";

/** Name of the data field with the labels. */
export { LABELS };

/**
 * Image classification by oscillators. Data fields: "images" [batch, 3, height, width] and "labels" [batch].
 * The loss is the mean cross-entropy. Output: "logits" [batch, classes], averaged over `ensemble` passes
 * (default 1), each of which has its own noise. `step` returns the graph of one timestep of a single pass,
 * with outputs "logits" and "energies.LAYER" [batch]; the layers run one after another.
 */
export class RecognitionTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly model: RecognitionNetwork,
    readonly options: { readonly ensemble?: number } = {},
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const images = this.#images(batch);
    const noise = this.model.noiseInput(batch);
    const labels = input(LABELS, [batch]);
    const pass = new TrainingPass();
    const { logits } = this.model.forward({ images, noise }, pass);
    return {
      inputs: [images, labels, noise],
      noise: { [NOISE]: "normal" },
      classes: { [LABELS]: logits.shape[1]! },
      loss: crossEntropy(logits, cast(labels, "int32")),
      updates: pass.updates,
    };
  }

  inference(batch: Dim): InferenceGraph {
    const images = this.#images(batch);
    const names = Array.from({ length: this.options.ensemble ?? 1 }, (_, i) =>
      i === 0 ? NOISE : `${NOISE}:${i}`,
    );
    const noises = names.map((name) => this.model.noiseInput(batch, name));
    return {
      inputs: [images, ...noises],
      noise: Object.fromEntries(names.map((name) => [name, "normal"] as const)),
      outputs: { logits: ensembleLogits(this.model, images, noises) },
    };
  }

  step(batch: Dim): StepGraph {
    const { ensemble = 1 } = this.options;
    check(ensemble === 1, () => `recognition: step: expected an ensemble of 1, got ${ensemble}`);
    const step = this.model.step(this.#images(batch));
    return { ...stateOf(step), readouts: { logits: step.logits, ...energiesOf(step) } };
  }

  #images(batch: Dim): Tensor {
    return input(IMAGES, [batch, 3, ...this.model.imageSize]);
  }
}
