import type { Tensor } from "../../../graph/index.js";
import { scope } from "../../../graph/index.js";
import { kaimingNormal } from "../../../nn/init.js";
import { Conv2d } from "../../../nn/layers/index.js";
import type { TrainingPass } from "../../../nn/layers/index.js";
import { StriateError } from "../../../util/errors.js";
import type { ResNetOptions } from "../../baselines/resnet.js";
import { ResNet } from "../../baselines/resnet.js";
import type { AlexNetOptions } from "./alexnet.js";
import { AlexNetBackEnd } from "./alexnet.js";
import type { CornetOptions } from "./cornet.js";
import { CornetBackEnd } from "./cornet.js";
import type { VOneBlock } from "../v1/vone-block.js";

/** What stands behind V1: a network without its first stage. */
export interface BackEnd {
  /** Channels of the features that it takes. */
  readonly inputs: number;
  forward(features: Tensor, pass?: TrainingPass): Tensor;
}

/** Where a network of the study may be changed on its way; for experiments on trained networks. */
export interface ForwardOptions {
  /** Standard normal numbers for a block with noise. */
  readonly noise?: Tensor | undefined;
  /** Changes the responses of V1 on their way to the bottleneck. */
  readonly responses?: (responses: Tensor) => Tensor;
}

/**
 * VOneNet (Dapello et al. 2020): V1 as a fixed first stage, a learned 1 x 1 convolution (no bias, no normalisation, no
 * rectification) to as many channels as the back end takes, and the back end. Images [batch, 3, size, size] in [-1, 1], at
 * the block's pixels per degree; logits [batch, classes]. The bottleneck starts normal with deviation sqrt(2 / outputs).
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

  /** Logits from responses of V1. */
  readOut(v1: Tensor, pass?: TrainingPass, { responses = (x) => x }: ForwardOptions = {}): Tensor {
    const features = scope("bottleneck", () => this.bottleneck.forward(responses(v1)));
    return scope("model", () => this.model.forward(features, pass));
  }
}

/** A network without V1, named as the study's baseline: everything below "model". */
export class PlainNet<B extends BackEnd = BackEnd> {
  constructor(readonly model: B) {}

  forward(images: Tensor, pass?: TrainingPass): Tensor {
    return scope("model", () => this.model.forward(images, pass));
  }
}

/** Back ends by name: ResNet-18 is that of the 2023 study, the others are those of the 2020 paper. */
export const BACK_ENDS = ["resnet18", "resnet50", "cornet-s", "alexnet"] as const;
/** Name of a network that can stand behind V1. */
export type BackEndName = (typeof BACK_ENDS)[number];

type ResNetSizes = Pick<ResNetOptions, "classes" | "width" | "channels">;

/** ResNet-18 or -50 behind V1: no stem, no pooling; the four stages see V1's grid. */
export function resNetBackEnd(depth: 18 | 50, sizes: ResNetSizes = {}): ResNet {
  return new ResNet({ classes: depth === 18 ? 200 : 1000, ...sizes, depth, stem: "none" });
}

/** VOneResNet-18 (Barbulescu et al. 2023, for 64-pixel images). Default 200 classes. */
export function voneResNet18(block: VOneBlock, sizes: ResNetSizes = {}): VOneNet<ResNet> {
  return new VOneNet(block, resNetBackEnd(18, sizes));
}

/** VOneResNet-50 (Dapello et al. 2020). Default 1000 classes. */
export function voneResNet50(block: VOneBlock, sizes: ResNetSizes = {}): VOneNet<ResNet> {
  return new VOneNet(block, resNetBackEnd(50, sizes));
}

/** VOneAlexNet (Dapello et al. 2020). Default 1000 classes. */
export function voneAlexNet(block: VOneBlock, options: AlexNetOptions = {}): VOneNet<AlexNetBackEnd> {
  return new VOneNet(block, new AlexNetBackEnd(options));
}

/** VOneCORnet-S (Dapello et al. 2020). Default 1000 classes. */
export function voneCornetS(block: VOneBlock, options: CornetOptions = {}): VOneNet<CornetBackEnd> {
  return new VOneNet(block, new CornetBackEnd(options));
}

/** A network by the name of its back end, in the published size but for the classes. Throws {@link StriateError}. */
export function voneNet(block: VOneBlock, name: BackEndName, classes?: number): VOneNet {
  const sizes = classes === undefined ? {} : { classes };
  switch (name) {
    case "resnet18":
      return voneResNet18(block, sizes);
    case "resnet50":
      return voneResNet50(block, sizes);
    case "cornet-s":
      return voneCornetS(block, sizes);
    case "alexnet":
      return voneAlexNet(block, sizes);
    default:
      throw new StriateError(`VOneNet: expected a back end of ${BACK_ENDS.join(", ")}, got ${String(name)}`);
  }
}

/**
 * The study's baseline without V1: ResNet-18 whose 7 x 7 convolution has stride 1, so that its stages see 32 x 32 as those
 * of VOneResNet-18 do. Images [batch, 3, 64, 64]. Default 200 classes.
 */
export function plainResNet18(sizes: ResNetSizes = {}): PlainNet<ResNet> {
  return new PlainNet(new ResNet({ classes: 200, ...sizes, depth: 18, stem: "tiny-imagenet" }));
}
