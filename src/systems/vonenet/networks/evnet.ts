import { IMAGES, LABELS } from "../../../data/images/prepared-images.js";
import type { Dim, Tensor } from "../../../graph/index.js";
import { cast, input, scope } from "../../../graph/index.js";
import { Conv2d, TrainingPass } from "../../../nn/layers/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, NoiseKind, Task } from "../../../train/task.js";
import { check } from "../../../util/errors.js";
import { checkRetinaImages } from "../subcortical/retina-feeds.js";
import type { SubcorticalBlock } from "../subcortical/subcortical-block.js";
import { RETINA_NOISE } from "../subcortical/subcortical-block.js";
import type { VOneBlock } from "../v1/vone-block.js";
import {
  bottleneckOutputs,
  bottleneckStart,
  checkFrontEnd,
  frontEndFeatures,
  frontEndInputs,
  frontEndNoise,
} from "./front-end.js";
import type { FrontEndInputs } from "./front-end.js";
import type { BackEnd } from "./networks.js";

/** The fixed stages of an EVNet. */
export interface EVNetFrontEnd {
  readonly retina: SubcorticalBlock;
  /** V1 for the responses of the retina. Without it, the network behind takes the responses themselves. */
  readonly block?: VOneBlock | undefined;
  /** Whether the retina's responses also bypass V1; see `FrontEnd`. Default false. */
  readonly lgnToV2?: boolean | undefined;
}

/**
 * EVNet (Piper et al. 2025): retina and thalamus, then V1, then a bottleneck, then a back end. Only the
 * bottleneck and the back end are trained. The bottleneck is a 1 x 1 convolution without bias, normalisation
 * or ReLU; its weights start uniformly distributed within 1 / sqrt(cells) of 0. Without V1 there is no
 * bottleneck, and the back end begins with a stem of its own for the channels of the retina.
 *
 * @throws StriateError if V1 does not take the responses of the retina, or the back end not the channels of
 * a front end without V1.
 * @example
 * ```ts
 * import { input } from "striate/graph";
 * import { EVNet, evnetFrontEnd, resNetBackEnd } from "striate/vonenet";
 *
 * const geometry = { imageSize: 64, visualDegrees: 2, simple: 8, complex: 8 };
 * const network = new EVNet(evnetFrontEnd("no-noise", geometry), resNetBackEnd(18, { classes: 10 }));
 * const { images, noise } = network.inputs(1); // V1 has noise in every variant
 * console.log(network.forward({ images, noise }).shape.join(", ")); // 1, 10
 * ```
 */
export class EVNet<B extends BackEnd = BackEnd> {
  readonly frontEnd: EVNetFrontEnd;
  readonly bottleneck: Conv2d | undefined;
  readonly model: B;

  constructor(frontEnd: EVNetFrontEnd, model: B) {
    const { retina, block, lgnToV2 = false } = frontEnd;
    this.frontEnd = frontEnd;
    this.model = model;
    if (block === undefined) {
      check(
        model.inputs === retina.channels && !lgnToV2,
        () =>
          `EVNet without V1: expected a network for the ${retina.channels} channels of the retina${lgnToV2 ? " and no lgnToV2" : ""}, ` +
          `got one for ${model.inputs}`,
      );
      return;
    }
    const stages = { retina, block, lgnToV2 };
    checkFrontEnd(stages);
    this.bottleneck = new Conv2d(block.cells, bottleneckOutputs(stages, model.inputs), 1, {
      bias: false,
      weightInitialiser: bottleneckStart(stages),
    });
  }

  /** The kind of each noise input by name. */
  get noise(): Readonly<Record<string, NoiseKind>> {
    return frontEndNoise(this.frontEnd);
  }

  /** Makes the inputs for a batch: images [batch, 3, size, size] with values in [0, 1], and noise by name. */
  inputs(batch: Dim): FrontEndInputs {
    return frontEndInputs(this.frontEnd, batch, IMAGES);
  }

  /** Computes logits [batch, classes]. */
  forward(inputs: FrontEndInputs, pass?: TrainingPass): Tensor {
    const { retina, block, lgnToV2 } = this.frontEnd;
    const features =
      block && this.bottleneck
        ? frontEndFeatures({ retina, block, lgnToV2 }, inputs, this.bottleneck.weight)
        : retina.forward(inputs.images, inputs.noise[RETINA_NOISE]);
    return scope("model", () => this.model.forward(features, pass));
  }
}

/**
 * Classification by an EVNet. Data fields: "images" [batch, 3, size, size] with values in [0, 1] (in [-1, 1]
 * without light adaptation) and "labels" [batch] (whole numbers). The loss is the mean cross-entropy. Output:
 * "logits" [batch, classes]. Noise is drawn anew for every batch, in training and in inference. The front end
 * is fixed, so no gradients are computed for it. `step` returns the graph of one timestep, which takes one
 * frame with its own noise and has no state.
 */
export class EVNetTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(readonly network: EVNet) {
    this.parameters = namedParameters(network);
  }

  loss(batch: number): LossGraph {
    const inputs = this.network.inputs(batch);
    const labels = input(LABELS, [batch]);
    const pass = new TrainingPass();
    const logits = this.network.forward(inputs, pass);
    return {
      inputs: [inputs.images, labels, ...Object.values(inputs.noise), ...pass.noise],
      noise: { ...this.network.noise, ...pass.noiseKinds },
      loss: crossEntropy(logits, cast(labels, "int32")),
      updates: pass.updates,
    };
  }

  inference(batch: Dim): InferenceGraph {
    const inputs = this.network.inputs(batch);
    return {
      inputs: [inputs.images, ...Object.values(inputs.noise)],
      noise: this.network.noise,
      outputs: { logits: this.network.forward(inputs) },
    };
  }

  step(batch: Dim): StepGraph {
    const { retina } = this.network.frontEnd;
    return {
      state: {},
      noise: this.network.noise,
      readouts: { logits: this.network.forward(this.network.inputs(batch)) },
      checkInputs: ({ [IMAGES]: images }) => {
        if (images) checkRetinaImages(retina, images);
      },
    };
  }
}
