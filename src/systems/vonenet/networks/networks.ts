import type { Tensor } from "../../../graph/index.js";
import { scope } from "../../../graph/index.js";
import { kaimingNormal } from "../../../nn/init.js";
import { Conv2d } from "../../../nn/layers/index.js";
import type { TrainingPass } from "../../../nn/layers/index.js";
import { checkOneOf } from "../../../util/check.js";
import type { ResNetOptions } from "../../baselines/resnet.js";
import { ResNet } from "../../baselines/resnet.js";
import type { AlexNetOptions } from "./alexnet.js";
import { AlexNetBackEnd } from "./alexnet.js";
import type { CornetOptions } from "./cornet.js";
import { CornetBackEnd } from "./cornet.js";
import type { VOneBlock } from "../v1/vone-block.js";

/** A back end, that is, a network without its first stage. It follows V1. */
export interface BackEnd {
  /** Number of channels of its input features. */
  readonly inputs: number;
  forward(features: Tensor, pass?: TrainingPass): Tensor;
}

/** Options of a forward pass, for experiments on trained networks. */
export interface ForwardOptions {
  /** Standard-normal draws for V1's noise, which are required if the block has noise. */
  readonly noise?: Tensor | undefined;
  /** A function that is applied to the responses of V1 before the bottleneck. */
  readonly responses?: (responses: Tensor) => Tensor;
}

/**
 * VOneNet (Dapello et al. 2020): V1 as a fixed first stage, then a bottleneck, then a back end. The
 * bottleneck is a learned 1 x 1 convolution to the back end's input channels, without bias, normalisation or
 * ReLU. Its weights start normally distributed with standard deviation sqrt(2 / outputs). The network maps
 * images [batch, 3, size, size] with values in [-1, 1], at the block's pixels per degree, to logits [batch,
 * classes].
 */
export class VOneNet<B extends BackEnd = BackEnd> {
  readonly block: VOneBlock;
  readonly bottleneck: Conv2d;
  readonly model: B;

  constructor(block: VOneBlock, model: B) {
    this.block = block;
    this.model = model;
    this.bottleneck = new Conv2d(block.cells, model.inputs, 1, {
      bias: false,
      weightInitialiser: kaimingNormal({ mode: "fanOut" }),
    });
  }

  forward(images: Tensor, pass?: TrainingPass, options: ForwardOptions = {}): Tensor {
    const { noise, responses } = options;
    if (responses !== undefined) return this.readOut(this.block.forward(images, noise), pass, options);
    const features = scope("bottleneck", () => this.block.project(images, this.bottleneck.weight, noise));
    return scope("model", () => this.model.forward(features, pass));
  }

  /** Computes logits from responses of V1. */
  readOut(v1: Tensor, pass?: TrainingPass, { responses = (x) => x }: ForwardOptions = {}): Tensor {
    const features = scope("bottleneck", () => this.bottleneck.forward(responses(v1)));
    return scope("model", () => this.model.forward(features, pass));
  }
}

/**
 * A network without V1. All parameter names begin with "model", as in the baseline of Barbulescu et al. 2023.
 */
export class PlainNet<B extends BackEnd = BackEnd> {
  constructor(readonly model: B) {}

  forward(images: Tensor, pass?: TrainingPass): Tensor {
    return scope("model", () => this.model.forward(images, pass));
  }
}

/**
 * Names of the back ends. ResNet-18 is from Barbulescu et al. 2023, the others are from Dapello et al. 2020.
 */
export const BACK_ENDS = ["resnet18", "resnet50", "cornet-s", "alexnet"] as const;
/** Name of a back end. */
export type BackEndName = (typeof BACK_ENDS)[number];

type ResNetSizes = Pick<ResNetOptions, "classes" | "width" | "channels">;

/**
 * Makes a ResNet-18 or ResNet-50 as a back end, without its stem and first pooling. The four stages start at
 * V1's grid of positions.
 */
export function resNetBackEnd(depth: 18 | 50, sizes: ResNetSizes = {}): ResNet {
  return new ResNet({ classes: depth === 18 ? 200 : 1000, ...sizes, depth, stem: "none" });
}

/** Makes a VOneResNet-18 (Barbulescu et al. 2023, for images of 64 x 64 pixels). Default: 200 classes. */
export function voneResNet18(block: VOneBlock, sizes: ResNetSizes = {}): VOneNet<ResNet> {
  return new VOneNet(block, resNetBackEnd(18, sizes));
}

/** Makes a VOneResNet-50 (Dapello et al. 2020). Default: 1000 classes. */
export function voneResNet50(block: VOneBlock, sizes: ResNetSizes = {}): VOneNet<ResNet> {
  return new VOneNet(block, resNetBackEnd(50, sizes));
}

/** Makes a VOneAlexNet (Dapello et al. 2020). Default: 1000 classes. */
export function voneAlexNet(block: VOneBlock, options: AlexNetOptions = {}): VOneNet<AlexNetBackEnd> {
  return new VOneNet(block, new AlexNetBackEnd(options));
}

/** Makes a VOneCORnet-S (Dapello et al. 2020). Default: 1000 classes. */
export function voneCornetS(block: VOneBlock, options: CornetOptions = {}): VOneNet<CornetBackEnd> {
  return new VOneNet(block, new CornetBackEnd(options));
}

/**
 * Makes the back end of the given name. It has the published size, except for the number of classes if that
 * is given. Throws `StriateError` if the name is unknown.
 */
export function backEnd(name: BackEndName, classes?: number): BackEnd {
  const sizes = classes === undefined ? {} : { classes };
  checkOneOf("VOneNet: back end", name, BACK_ENDS);
  switch (name) {
    case "resnet18":
      return resNetBackEnd(18, sizes);
    case "resnet50":
      return resNetBackEnd(50, sizes);
    case "cornet-s":
      return new CornetBackEnd(sizes);
    case "alexnet":
      return new AlexNetBackEnd(sizes);
  }
}

/**
 * Makes a VOneNet with the back end of the given name. It has the published size, except for the number of
 * classes if that is given. Throws `StriateError` if the name is unknown.
 */
export function voneNet(block: VOneBlock, name: BackEndName, classes?: number): VOneNet {
  return new VOneNet(block, backEnd(name, classes));
}

/**
 * Makes the baseline without V1 of Barbulescu et al. 2023: a ResNet-18 whose 7 x 7 convolution has stride 1,
 * so that its stages start at 32 x 32 positions as in VOneResNet-18. It takes images [batch, 3, 64, 64].
 * Default: 200 classes.
 */
export function plainResNet18(sizes: ResNetSizes = {}): PlainNet<ResNet> {
  return new PlainNet(new ResNet({ classes: 200, ...sizes, depth: 18, stem: "tiny-imagenet" }));
}
