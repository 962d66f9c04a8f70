import type { Tensor } from "../../graph/index.js";
import { relu, scope } from "../../graph/index.js";
import { Linear } from "../../nn/layers/linear.js";
import { IterativeObjectNetwork } from "../../systems/akorn/index.js";

export interface VisionTransformerOptions {
  readonly channels: number;
  readonly layers: number;
  readonly heads: number;
  readonly patch: number;
  readonly classes: number;
}

/**
 * The vision transformer that AKOrN's authors compare with in object discovery (patches, position code, pre-norm blocks, global
 * maximum, a hidden layer), with one more linear layer to the classes.
 */
export class VisionTransformer {
  readonly body: IterativeObjectNetwork;
  readonly out: Linear;

  constructor({ channels, layers, heads, patch, classes }: VisionTransformerOptions) {
    this.body = new IterativeObjectNetwork({
      channels,
      layers,
      heads,
      patch,
      timesteps: 1,
      imageSize: 32,
      rescale: false,
    });
    this.out = new Linear(channels, classes);
  }

  /** Images [batch, 3, 32, 32] in [0, 1] to logits. */
  forward(images: Tensor): Tensor {
    const { projection } = this.body.forward({ images });
    return scope("out", () => this.out.forward(relu(projection)));
  }
}
