import type { Tensor } from "../../../graph/index.js";
import { flatten, relu, scope } from "../../../graph/index.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import { Linear } from "../../../nn/layers/linear.js";
import { InstanceNorm2d, LayerNorm } from "../../../nn/layers/normalisation.js";
import { checkShape } from "../../../util/check.js";
import { FILTERS } from "../config.js";
import { FrontEnd } from "../gabor.js";

/** Options of `RealBaseline`. */
export interface RealBaselineOptions {
  /** Default 10. */
  readonly classes?: number;
  /** Side of the square images in pixels. Default 32. */
  readonly imageSize?: number;
  /** Default 1. */
  readonly inChannels?: number;
  /** Channels of the convolution. Default 9. */
  readonly channels?: number;
  /** Units of the hidden layer. Default 46. */
  readonly hidden?: number;
  /**
   * The first layer: `"gabor"` (default) has 5 x 5 filters that start as Gabor functions; `"conv"` has 3 x 3
   * filters that start at random.
   */
  readonly frontEnd?: "gabor" | "conv";
  /** Whether the filters of the front end are trained. Default true. */
  readonly trainFrontEnd?: boolean;
}

/**
 * The real-valued baseline for KomplexNet (TMLR 2025). It has the same front end, one convolution of stride 2
 * with instance norm, and one hidden layer with layer norm, but no phases and no timesteps. It is slightly
 * wider than KomplexNet, so that both have about the same number of parameters.
 */
export class RealBaseline {
  readonly frontEnd: FrontEnd;
  readonly convolution: Conv2d;
  readonly convolutionNorm: InstanceNorm2d;
  readonly hidden: Linear;
  readonly hiddenNorm: LayerNorm;
  readonly readout: Linear;
  readonly config: Required<RealBaselineOptions>;

  constructor(options: RealBaselineOptions = {}) {
    const config = {
      classes: 10,
      imageSize: 32,
      inChannels: 1,
      channels: 9,
      hidden: 46,
      frontEnd: "gabor",
      trainFrontEnd: true,
      ...options,
    } as const;
    const { classes, imageSize, channels, hidden } = config;
    this.config = config;
    this.frontEnd = new FrontEnd(config, config.trainFrontEnd);
    this.convolution = new Conv2d(FILTERS, channels, 3, { stride: 2, padding: 1 });
    this.convolutionNorm = new InstanceNorm2d(channels, { affine: true });
    this.hidden = new Linear(channels * Math.ceil(imageSize / 2) ** 2, hidden);
    this.hiddenNorm = new LayerNorm(hidden);
    this.readout = new Linear(hidden, classes);
  }

  /**
   * Maps images [batch, inChannels, imageSize, imageSize] to logits [batch, classes]. Throws `StriateError` if the
   * images have the wrong shape.
   */
  forward(images: Tensor): Tensor {
    const { inChannels, imageSize } = this.config;
    checkShape("images", images.shape, ["batch", inChannels, imageSize, imageSize]);
    const features = this.frontEnd.amplitude(images);
    const local = scope("convolution", () =>
      relu(this.convolutionNorm.forward(this.convolution.forward(features))),
    );
    const hidden = scope("hidden", () => relu(this.hiddenNorm.forward(this.hidden.forward(flatten(local)))));
    return scope("readout", () => this.readout.forward(hidden));
  }
}
