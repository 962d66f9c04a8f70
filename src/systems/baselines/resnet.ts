import type { Tensor } from "../../graph/index.js";
import { add, flatten, globalAveragePool, maxPool, relu, scope, showShape } from "../../graph/index.js";
import { kaimingNormal } from "../../nn/init.js";
import { BatchNorm2d, Conv2d, Linear, Sequential } from "../../nn/layers/index.js";
import type { Layer, TrainingPass } from "../../nn/layers/index.js";
import { checkEveryWhole, checkOneOf, checkPositive } from "../../util/check.js";
import { check } from "../../util/errors.js";

/** Depth of a ResNet: the number of its layers that have weights. */
export type ResNetDepth = 18 | 34 | 50;

/** Options of a ResNet (He et al. 2016). */
export interface ResNetOptions {
  readonly depth: ResNetDepth;
  /** Default 1000. */
  readonly classes?: number;
  /**
   * Number of channels of the input. Default 3, or without a stem the number of channels of the first stage.
   */
  readonly inChannels?: number;
  /**
   * Factor by which all numbers of channels are multiplied. The results are rounded and are at least 4.
   * Default 1, for 64 to 512 channels (times 4 at the outputs of bottlenecks).
   */
  readonly width?: number;
  /**
   * Numbers of channels of the four stages (times 4 at the outputs of bottlenecks). Default: determined by
   * `width`.
   */
  readonly channels?: readonly [number, number, number, number];
  /**
   * The layers before the residual blocks. "imagenet" (default): a 7 x 7 convolution of stride 2 and max
   * pooling. "tiny-imagenet": the same, but the convolution has stride 1; for images of 64 x 64 pixels.
   * "small": a 3 x 3 convolution of stride 1; for sides of 32 to 64 pixels. "none": no layers; for features
   * of another network as the input.
   */
  readonly stem?: ResNetStem;
}

/** The layers before the residual blocks, named after the images for which they are meant. */
export type ResNetStem = "imagenet" | "tiny-imagenet" | "small" | "none";

const BLOCKS: Readonly<Record<ResNetDepth, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
};
const CHANNELS = [64, 128, 256, 512];

/**
 * ResNet (He et al. 2016, arXiv:1512.03385, table 1), with torchvision's structure and parameter names, such
 * as "layer2.0.downsample.0.weight". In bottleneck blocks, the 3 x 3 convolution has the stride.
 */
export class ResNet {
  /** The convolution of the stem, if there is a stem. */
  readonly conv1: Conv2d | undefined;
  readonly bn1: BatchNorm2d | undefined;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly fc: Linear;
  /** Number of channels of the input. */
  readonly inputs: number;
  readonly #pooled: boolean;

  constructor(options: ResNetOptions) {
    const { depth, classes = 1000, width = 1, stem = "imagenet" } = options;
    checkOneOf("ResNet: depth", depth, [18, 34, 50]);
    const blocks = BLOCKS[depth];
    checkPositive("ResNet: width", width);
    const scaled = CHANNELS.map((channels) => Math.max(4, Math.round(channels * width)));
    const sizes = options.channels ?? scaled;
    checkEveryWhole("ResNet: channels", sizes);
    const [first] = sizes as [number];
    const { inChannels = stem === "none" ? first : 3 } = options;
    this.inputs = inChannels;
    this.#pooled = stem === "imagenet" || stem === "tiny-imagenet";
    if (stem !== "none") {
      const [kernel, stride] = this.#pooled ? [7, stem === "imagenet" ? 2 : 1] : [3, 1];
      this.conv1 = convolution(inChannels, first, kernel, stride);
      this.bn1 = new BatchNorm2d(first);
    }
    let channels = stem === "none" ? inChannels : first;
    const layer = (stage: number): Sequential => {
      const made = Array.from({ length: blocks[stage]! }, (_, i) => {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const block =
          depth === 50
            ? new Bottleneck(channels, sizes[stage]!, stride)
            : new BasicBlock(channels, sizes[stage]!, stride);
        channels = block.outputs;
        return block;
      });
      return new Sequential(...made);
    };
    [this.layer1, this.layer2, this.layer3, this.layer4] = [layer(0), layer(1), layer(2), layer(3)];
    this.fc = new Linear(channels, classes);
  }

  /**
   * Maps images or features [batch, inChannels, height, width] to logits [batch, classes]. Images must have
   * sides of at least 32 pixels; features may have any size.
   */
  forward(images: Tensor, pass?: TrainingPass): Tensor {
    const features = this.stages(images, pass).at(-1)!;
    const pooled = scope("avgpool", () => flatten(globalAveragePool(features)));
    return scope("fc", () => this.fc.forward(pooled));
  }

  /** Returns the outputs of the four stages. */
  stages(images: Tensor, pass?: TrainingPass): Tensor[] {
    let x = this.#stem(images, pass);
    return [this.layer1, this.layer2, this.layer3, this.layer4].map((layer, i) => {
      x = scope(`layer${i + 1}`, () => layer.forward(x, pass));
      return x;
    });
  }

  #stem(images: Tensor, pass?: TrainingPass): Tensor {
    const { conv1, bn1 } = this;
    const smallest = conv1 ? 32 : 1;
    check(
      images.rank === 4 && images.shape.slice(2).every((n) => typeof n === "string" || n >= smallest),
      () =>
        `ResNet: expected images [batch, channels, height, width] of at least ${smallest} x ${smallest}, got ${showShape(images.shape)}`,
    );
    if (!conv1 || !bn1) return images;
    const convolved = scope("conv1", () => conv1.forward(images));
    const x = relu(scope("bn1", () => bn1.forward(convolved, pass)));
    return this.#pooled ? scope("maxpool", () => maxPool(x, 3, { stride: 2, padding: 1 })) : x;
  }
}

/** A residual block of two 3 x 3 convolutions. */
class BasicBlock implements Layer {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | undefined;

  constructor(
    inputs: number,
    readonly outputs: number,
    stride: number,
  ) {
    this.conv1 = convolution(inputs, outputs, 3, stride);
    this.bn1 = new BatchNorm2d(outputs);
    this.conv2 = convolution(outputs, outputs, 3);
    this.bn2 = new BatchNorm2d(outputs);
    this.downsample = shortcut(inputs, outputs, stride);
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    const hidden = relu(scope("bn1", () => this.bn1.forward(this.conv1.forward(x), pass)));
    const change = scope("bn2", () => this.bn2.forward(this.conv2.forward(hidden), pass));
    return relu(add(change, beside(this.downsample, x, pass)));
  }
}

/**
 * A bottleneck residual block of 1 x 1, 3 x 3 and 1 x 1 convolutions. The last one has four times as many
 * output channels as the others.
 */
class Bottleneck implements Layer {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Sequential | undefined;
  readonly outputs: number;

  constructor(inputs: number, channels: number, stride: number) {
    this.outputs = 4 * channels;
    this.conv1 = convolution(inputs, channels, 1);
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = convolution(channels, channels, 3, stride);
    this.bn2 = new BatchNorm2d(channels);
    this.conv3 = convolution(channels, this.outputs, 1);
    this.bn3 = new BatchNorm2d(this.outputs);
    this.downsample = shortcut(inputs, this.outputs, stride);
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    const narrow = relu(scope("bn1", () => this.bn1.forward(this.conv1.forward(x), pass)));
    const normalised = relu(scope("bn2", () => this.bn2.forward(this.conv2.forward(narrow), pass)));
    const change = scope("bn3", () => this.bn3.forward(this.conv3.forward(normalised), pass));
    return relu(add(change, beside(this.downsample, x, pass)));
  }
}

function beside(downsample: Sequential | undefined, x: Tensor, pass: TrainingPass | undefined): Tensor {
  return downsample === undefined ? x : scope("downsample", () => downsample.forward(x, pass));
}

function shortcut(inputs: number, outputs: number, stride: number): Sequential | undefined {
  if (inputs === outputs && stride === 1) return undefined;
  return new Sequential(convolution(inputs, outputs, 1, stride), new BatchNorm2d(outputs));
}

function convolution(inputs: number, outputs: number, kernel: number, stride = 1): Conv2d {
  return new Conv2d(inputs, outputs, kernel, {
    stride,
    padding: kernel >> 1,
    bias: false,
    weightInitialiser: kaimingNormal({ mode: "fanOut" }),
  });
}
