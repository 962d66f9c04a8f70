import type { Tensor } from "../../graph/index.js";
import { adaptiveAveragePool, flatten, maxPool, relu, scope, showShape } from "../../graph/index.js";
import { kaimingNormal, normal, zeros } from "../../nn/init.js";
import { BatchNorm2d, Conv2d, Dropout, Linear, Sequential } from "../../nn/layers/index.js";
import type { Layer, TrainingPass } from "../../nn/layers/index.js";
import { checkOneOf, checkPositive } from "../../util/check.js";
import { check } from "../../util/errors.js";

/** Depth of a VGG: the number of its layers that have weights. */
export type VggDepth = 11 | 13 | 16;

/** Options of a VGG (Simonyan & Zisserman 2015). */
export interface VggOptions {
  readonly depth: VggDepth;
  /** Whether batch normalisation follows every convolution. Default false. */
  readonly batchNorm?: boolean;
  /** Default 1000. */
  readonly classes?: number;
  /** Default 3. */
  readonly inChannels?: number;
  /**
   * Factor by which all numbers of channels are multiplied. The results are rounded and are at least 4.
   * Default 1, for 64 to 512 channels.
   */
  readonly width?: number;
  /** Number of units in each of the two hidden layers (default 4096). */
  readonly hidden?: number;
  /** Side of the grid to which average pooling reduces the map before the hidden layers. Default 7. */
  readonly grid?: number;
  /** Default 0.5. */
  readonly dropout?: number;
}

/** Number of convolutions in each stage. Pooling follows each stage. */
const STAGES: Readonly<Record<VggDepth, readonly number[]>> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
};
const CHANNELS = [64, 128, 256, 512, 512];

/**
 * VGG (Simonyan & Zisserman 2015, arXiv:1409.1556, table 1, configurations A, B and D), with torchvision's
 * structure and parameter names, such as "features.0.weight". In an exported file, the names of values that
 * module `features[3]` computes begin with "features/3". For small images, choose `grid` 1.
 */
export class Vgg {
  readonly features: Sequential;
  readonly classifier: Sequential;
  readonly grid: number;

  constructor(options: VggOptions) {
    const {
      depth,
      batchNorm = false,
      classes = 1000,
      width = 1,
      hidden = 4096,
      grid = 7,
      dropout = 0.5,
    } = options;
    checkOneOf("VGG: depth", depth, [11, 13, 16]);
    const stages = STAGES[depth];
    checkPositive("VGG: width", width);
    const steps: (Layer | ((x: Tensor) => Tensor))[] = [];
    let channels = options.inChannels ?? 3;
    stages.forEach((count, stage) => {
      const out = Math.max(4, Math.round(CHANNELS[stage]! * width));
      for (let i = 0; i < count; i++) {
        steps.push(convolution(channels, out));
        if (batchNorm) steps.push(new BatchNorm2d(out));
        steps.push(relu);
        channels = out;
      }
      steps.push((x) => maxPool(x, 2, { stride: 2 }));
    });
    this.features = new Sequential(...steps);
    this.grid = grid;
    this.classifier = new Sequential(
      dense(channels * grid * grid, hidden),
      relu,
      new Dropout(dropout),
      dense(hidden, hidden),
      relu,
      new Dropout(dropout),
      dense(hidden, classes),
    );
  }

  /** Maps images [batch, inChannels, height, width], with sides of at least 32, to logits [batch, classes]. */
  forward(images: Tensor, pass?: TrainingPass): Tensor {
    check(
      images.rank === 4 && images.shape.slice(2).every((n) => typeof n === "string" || n >= 32),
      () =>
        `VGG: expected images [batch, channels, height, width] of at least 32 x 32, got ${showShape(images.shape)}`,
    );
    const features = scope("features", () => this.features.forward(images, pass));
    const pooled = scope("avgpool", () => adaptiveAveragePool(features, this.grid));
    return scope("classifier", () => this.classifier.forward(flatten(pooled), pass));
  }
}

function convolution(inputs: number, outputs: number): Conv2d {
  return new Conv2d(inputs, outputs, 3, {
    padding: 1,
    weightInitialiser: kaimingNormal({ mode: "fanOut" }),
    biasInitialiser: zeros,
  });
}

function dense(inputs: number, outputs: number): Linear {
  return new Linear(inputs, outputs, { weightInitialiser: normal(0, 0.01), biasInitialiser: zeros });
}
