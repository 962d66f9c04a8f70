import type { Tensor } from "../../graph/index.js";
import { add, flatten, globalAveragePool, maxPool, relu, scope, showShape } from "../../graph/index.js";
import { kaimingNormal } from "../../nn/init.js";
import { BatchNorm2d, Conv2d, Linear, Sequential } from "../../nn/layers/index.js";
import type { Layer, TrainingPass } from "../../nn/layers/index.js";
import { check } from "../../util/errors.js";

export type ResNetDepth = 18 | 34 | 50;

export interface ResNetOptions {
  readonly depth: ResNetDepth;
  /** Default 1000. */
  readonly classes?: number;
  /** Default 3. */
  readonly inChannels?: number;
  /** Factor of all channel numbers (default 1: 64 to 512, times 4 in bottlenecks), rounded, at least 4. */
  readonly width?: number;
  /**
   * How images are taken in: 7 x 7 convolution of stride 2 and max pooling ("imagenet", default), or a 3 x 3 convolution
   * that keeps the size ("small", for images of 32 to 64 pixels).
   */
  readonly stem?: "imagenet" | "small";
}

const BLOCKS: Readonly<Record<ResNetDepth, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
};
const CHANNELS = [64, 128, 256, 512];

/**
 * ResNet (He et al. 2016, arXiv:1512.03385, table 1), laid out and named as torchvision's: parameters
 * "layer2.0.downsample.0.weight"; in bottlenecks the 3 x 3 convolution has the stride.
 */
export class ResNet {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly fc: Linear;
  readonly #pooled: boolean;

  constructor(options: ResNetOptions) {
    const { depth, classes = 1000, inChannels = 3, width = 1, stem = "imagenet" } = options;
    const blocks: readonly number[] | undefined = BLOCKS[depth];
    check(blocks, () => `ResNet: depth: expected 18, 34 or 50, got ${String(depth)}`);
    check(width > 0, () => `ResNet: width: expected a number above 0, got ${width}`);
    const sizes = CHANNELS.map((channels) => Math.max(4, Math.round(channels * width)));
    const [first] = sizes as [number];
    this.#pooled = stem === "imagenet";
    this.conv1 = this.#pooled ? convolution(inChannels, first, 7, 2) : convolution(inChannels, first, 3);
    this.bn1 = new BatchNorm2d(first);
    let channels = first;
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

  /** [batch, inChannels, height, width], sides of at least 32, to logits [batch, classes]. */
  forward(images: Tensor, pass?: TrainingPass): Tensor {
    check(
      images.rank === 4 && images.shape.slice(2).every((n) => typeof n === "string" || n >= 32),
      () =>
        `ResNet: expected images [batch, channels, height, width] of at least 32 x 32, got ${showShape(images.shape)}`,
    );
    let x = scope("conv1", () => this.conv1.forward(images));
    x = relu(scope("bn1", () => this.bn1.forward(x, pass)));
    if (this.#pooled) x = scope("maxpool", () => maxPool(x, 3, { stride: 2, padding: 1 }));
    const layers = [this.layer1, this.layer2, this.layer3, this.layer4];
    layers.forEach((layer, i) => {
      x = scope(`layer${i + 1}`, () => layer.forward(x, pass));
    });
    const pooled = scope("avgpool", () => flatten(globalAveragePool(x)));
    return scope("fc", () => this.fc.forward(pooled));
  }
}

/** Two 3 x 3 convolutions beside the identity. */
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

/** 1 x 1, 3 x 3 and 1 x 1 convolutions, the last to four times the channels, beside the identity. */
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
    const seen = relu(scope("bn2", () => this.bn2.forward(this.conv2.forward(narrow), pass)));
    const change = scope("bn3", () => this.bn3.forward(this.conv3.forward(seen), pass));
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
