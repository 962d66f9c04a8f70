import type { Dim, Tensor } from "../../../graph/index.js";
import { input, slice } from "../../../graph/index.js";
import { IMAGES } from "../../../data/dataset.js";
import { VIEWS } from "../../../data/augmentation/simclr.js";
import type { ContrastiveOptions } from "../../../nn/contrastive-loss.js";
import { contrastiveLoss } from "../../../nn/contrastive-loss.js";
import type { Size } from "../../../nn/layers/convolution.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { overTime } from "../../../train/stack-timesteps.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, Task } from "../../../train/task.js";
import { StriateError } from "../../../util/errors.js";
import { IterativeObjectNetwork } from "../iterative-baselines.js";
import { gridOf } from "../layer/grid.js";
import { energiesOf, stateOf } from "../layer/layers-in-turn.js";
import { NOISE } from "../layer/oscillators.js";
import { ObjectNetwork } from "./network.js";

/** Names of the task's data fields for images and for augmented views. */
export { IMAGES, VIEWS };

/** Options of `ObjectTask`. */
export interface ObjectTaskOptions extends ContrastiveOptions {
  /**
   * Whether outputs include the oscillators after every step, as "states.LAYER" [T, batch, ...]. Default
   * false.
   */
  readonly states?: boolean;
}

/**
 * Object discovery by contrastive learning (arXiv:2410.13821, appendix; SimCLR, Chen et al. 2020). Data field
 * for training: "views" [2 x batch, 3, height, width], with two augmentations of image i at indices 2 i and 2
 * i + 1. Outputs for the field "images" [batch, 3, height, width]: "features" [batch, channels, rows,
 * columns] and, if the network has oscillators, "energies.LAYER" [T + 1, batch]. `step` returns the graph of
 * one timestep, whose outputs lack the time axis; the layers run one after another.
 */
export class ObjectTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly model: ObjectNetwork | IterativeObjectNetwork,
    /** Height and width of the images in pixels, or one number for both. */
    readonly imageSize: Size,
    readonly options: ObjectTaskOptions = {},
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const views = input(VIEWS, [2 * batch, 3, ...gridOf(this.imageSize)]);
    const { inputs, noise, output } = this.#trace(views);
    const of = (view: number) => slice(output.projection, [{ axis: 0, start: view, step: 2 }]);
    return { inputs, noise, loss: contrastiveLoss(of(0), of(1), this.options) };
  }

  inference(batch: Dim): InferenceGraph {
    const images = input(IMAGES, [batch, 3, ...gridOf(this.imageSize)]);
    const { inputs, noise, output } = this.#trace(images);
    const layers = "layers" in output ? output.layers : [];
    const outputs: Record<string, Tensor> = { features: output.features };
    layers.forEach((layer, i) => {
      outputs[`energies.${i}`] = layer.energies;
      if (this.options.states === true) outputs[`states.${i}`] = overTime(layer.states);
    });
    return { inputs, noise, outputs };
  }

  step(batch: Dim): StepGraph {
    const { model } = this;
    if (!(model instanceof ObjectNetwork))
      throw new StriateError("object discovery: step: expected a network with oscillators, got one without");
    const step = model.step(input(IMAGES, [batch, 3, ...gridOf(this.imageSize)]));
    const states = this.options.states === true ? step.states : [];
    return {
      ...stateOf(step),
      readouts: {
        features: step.features,
        ...energiesOf(step),
        ...Object.fromEntries(states.map((state, layer) => [`states.${layer}`, state])),
      },
    };
  }

  #trace(images: Tensor) {
    const { model } = this;
    if (model instanceof IterativeObjectNetwork)
      return { inputs: [images], noise: {}, output: model.forward({ images }) };
    const noise = model.noiseInput(images.shape[0]!, this.imageSize);
    const output = model.forward({ images, noise });
    return { inputs: [images, noise], noise: { [NOISE]: "normal" } as const, output };
  }
}
