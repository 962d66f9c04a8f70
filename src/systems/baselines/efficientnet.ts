import type { Tensor } from "../../graph/index.js";
import { add, flatten, floor, globalAveragePool, mul, scope, sigmoid, silu } from "../../graph/index.js";
import { kaimingNormal, uniform, zeros } from "../../nn/init.js";
import { BatchNorm2d, Conv2d, Dropout, Linear, Sequential } from "../../nn/layers/index.js";
import type { Layer, TrainingPass } from "../../nn/layers/index.js";
import { checkPositive } from "../../util/check.js";

/** Options of an EfficientNet (Tan & Le 2019). */
export interface EfficientNetOptions {
  /** Default 1000. */
  readonly classes?: number;
  /**
   * Factor by which all numbers of channels are multiplied. The results are rounded to multiples of 8.
   * Default 1.
   */
  readonly width?: number;
  /**
   * Factor by which the number of blocks in each stage is multiplied. The result is rounded up. Default 1.
   */
  readonly depth?: number;
  /** Dropout probability before the read-out. Default 0.2. */
  readonly dropout?: number;
  /**
   * Stochastic depth: each block is skipped in training with a probability that increases linearly with its
   * position, from 0 at the first block towards this value. Default 0.2.
   */
  readonly stochasticDepth?: number;
}

/** The stages of B0: [expansion, kernel, stride, channels in, channels out, blocks]. */
const STAGES = [
  [1, 3, 1, 32, 16, 1],
  [6, 3, 2, 16, 24, 2],
  [6, 5, 2, 24, 40, 2],
  [6, 3, 2, 40, 80, 3],
  [6, 5, 1, 80, 112, 3],
  [6, 5, 2, 112, 192, 4],
  [6, 3, 1, 192, 320, 1],
] as const;

/**
 * Rounds `value` to the nearest multiple of 8, or to the next larger one if the nearest is more than a tenth
 * below `value`.
 */
function roundChannels(value: number): number {
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}

/**
 * EfficientNet-B0 (Tan & Le 2019, arXiv:1905.11946), with torchvision's structure and parameter names, such
 * as "features.1.0.block.0.0.weight". `features[0]` is the stem, and `features[1]` to `features[7]` are the
 * stages.
 */
export class EfficientNet {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(options: EfficientNetOptions = {}) {
    const { classes = 1000, width = 1, depth = 1, dropout = 0.2, stochasticDepth = 0.2 } = options;
    checkPositive("EfficientNet: width", width);
    checkPositive("EfficientNet: depth", depth);
    const channels = (value: number) => roundChannels(value * width);
    const counts = STAGES.map(([, , , , , count]) => Math.ceil(count * depth));
    const total = counts.reduce((a, b) => a + b, 0);
    let block = 0;
    const stages = STAGES.map(([expansion, kernel, stride, into, out], stage) => {
      const blocks = Array.from({ length: counts[stage]! }, (_, i) => {
        const skip = (stochasticDepth * block++) / total;
        const first = i === 0;
        return new InvertedResidual(
          channels(first ? into : out),
          channels(out),
          kernel,
          first ? stride : 1,
          expansion,
          skip,
        );
      });
      return new Sequential(...blocks);
    });
    const last = 4 * channels(320);
    this.features = new Sequential(
      normalised(3, channels(32), 3, { stride: 2, activation: true }),
      ...stages,
      normalised(channels(320), last, 1, { activation: true }),
    );
    const bound = 1 / Math.sqrt(classes);
    this.classifier = new Sequential(
      new Dropout(dropout),
      new Linear(last, classes, { weightInitialiser: uniform(-bound, bound), biasInitialiser: zeros }),
    );
  }

  /** Maps images [batch, 3, height, width] to logits [batch, classes]. */
  forward(images: Tensor, pass?: TrainingPass): Tensor {
    const features = scope("features", () => this.features.forward(images, pass));
    const pooled = scope("avgpool", () => globalAveragePool(features));
    return scope("classifier", () => this.classifier.forward(flatten(pooled), pass));
  }
}

interface NormalisedOptions {
  readonly stride?: number;
  readonly groups?: number;
  readonly activation?: boolean;
}

/** Makes a convolution without bias, followed by batch normalisation and optionally SiLU. */
function normalised(inputs: number, outputs: number, kernel: number, options: NormalisedOptions): Sequential {
  const { stride = 1, groups = 1, activation = false } = options;
  const convolution = new Conv2d(inputs, outputs, kernel, {
    stride,
    groups,
    padding: (kernel - 1) / 2,
    bias: false,
    weightInitialiser: kaimingNormal({ mode: "fanOut" }),
  });
  return new Sequential(convolution, new BatchNorm2d(outputs), ...(activation ? [silu] : []));
}

/**
 * Squeeze-and-excitation: x times s(fc2(silu(fc1(mean(x))))), where the mean is over positions and s is the
 * logistic function.
 */
class SqueezeExcitation implements Layer {
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;

  constructor(channels: number, squeezed: number) {
    const initialisers = {
      weightInitialiser: kaimingNormal({ mode: "fanOut" }),
      biasInitialiser: zeros,
    } as const;
    this.fc1 = new Conv2d(channels, squeezed, 1, initialisers);
    this.fc2 = new Conv2d(squeezed, channels, 1, initialisers);
  }

  forward(x: Tensor): Tensor {
    const squeezed = scope("fc1", () => silu(this.fc1.forward(globalAveragePool(x))));
    return mul(
      x,
      scope("fc2", () => sigmoid(this.fc2.forward(squeezed))),
    );
  }
}

/**
 * An inverted residual block: expansion, depthwise convolution, squeeze-and-excitation and projection. If
 * input and output have the same shape, the input is added to the result.
 */
class InvertedResidual implements Layer {
  readonly block: Sequential;
  readonly residual: boolean;

  constructor(
    inputs: number,
    outputs: number,
    kernel: number,
    stride: number,
    expansion: number,
    readonly skip: number,
  ) {
    const wide = expansion === 1 ? inputs : roundChannels(inputs * expansion);
    this.residual = stride === 1 && inputs === outputs;
    this.block = new Sequential(
      ...(wide === inputs ? [] : [normalised(inputs, wide, 1, { activation: true })]),
      normalised(wide, wide, kernel, { stride, groups: wide, activation: true }),
      new SqueezeExcitation(wide, Math.max(1, Math.floor(inputs / 4))),
      normalised(wide, outputs, 1, {}),
    );
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    const residual = scope("block", () => this.block.forward(x, pass));
    if (!this.residual) return residual;
    return add(
      scope("stochastic_depth", () => this.#dropped(residual, pass)),
      x,
    );
  }

  /**
   * Stochastic depth (Huang et al. 2016): in training, drops the branch for randomly chosen images of the
   * batch.
   */
  #dropped(branch: Tensor, pass: TrainingPass | undefined): Tensor {
    if (pass === undefined || this.skip === 0) return branch;
    const keepMask = floor(add(pass.uniform([branch.shape[0]!, 1, 1, 1]), 1 - this.skip));
    return mul(branch, mul(keepMask, 1 / (1 - this.skip)));
  }
}
