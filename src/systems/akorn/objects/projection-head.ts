import type { Tensor } from "../../../graph/index.js";
import { max, mean, relu, reshape, scope } from "../../../graph/index.js";
import { Linear } from "../../../nn/layers/linear.js";

/**
 * Pools features [batch, channels, height, width] over space and maps them to [batch, channels] by an MLP
 * with 4 x channels hidden units and ReLU.
 */
export class ProjectionHead {
  readonly expand: Linear;
  readonly contract: Linear;

  constructor(
    channels: number,
    readonly pool: "max" | "average" = "max",
  ) {
    this.expand = new Linear(channels, 4 * channels);
    this.contract = new Linear(4 * channels, channels);
  }

  forward(features: Tensor): Tensor {
    return scope("head", () => {
      const flat = reshape(features, [features.shape[0]!, features.shape[1]!, -1]);
      const pooled = this.pool === "max" ? max(flat, 2) : mean(flat, 2);
      return this.contract.forward(relu(this.expand.forward(pooled)));
    });
  }
}
