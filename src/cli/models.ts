import type { Tensor } from "../graph/index.js";
import { cast, input } from "../graph/index.js";
import { namedParameters } from "../nn/module.js";
import { ObjectNetwork, RecognitionNetwork, SudokuNetwork } from "../systems/akorn/index.js";
import { KomplexNet, RealBaseline, TransformerBaseline } from "../systems/komplexnet/index.js";
import { VOneBlock, sampleReceptiveFields, voneResNet18 } from "../systems/vonenet/index.js";

/** A built-in model in its default size. */
export interface BuiltInModel {
  readonly name: string;
  readonly summary: string;
  /** Traces the model for batches of any size, with named parameters. */
  trace(): Record<string, Tensor>;
}

interface ImageConfig {
  readonly inChannels: number;
  readonly imageSize: number;
}

const imagesOf = ({ inChannels, imageSize }: ImageConfig): Tensor =>
  input("images", ["batch", inChannels, imageSize, imageSize]);

function komplexNet(model: KomplexNet): Record<string, Tensor> {
  namedParameters(model);
  const inputs = { images: imagesOf(model.config), noise: model.noiseInputs("batch") };
  return { logits: model.forward(inputs).logits.at(-1)! };
}

function feedForward(model: {
  readonly config: ImageConfig;
  forward(images: Tensor): Tensor;
}): Record<string, Tensor> {
  namedParameters(model);
  return { logits: model.forward(imagesOf(model.config)) };
}

export const builtInModels: readonly BuiltInModel[] = [
  {
    name: "komplexnet",
    summary: "KomplexNet on grey 32 x 32 images, 15 timesteps of Kuramoto synchronisation",
    trace: () => komplexNet(new KomplexNet()),
  },
  {
    name: "komplexnet-feedback",
    summary: "KomplexNet with feedback from its deeper layers to the phases",
    trace: () => komplexNet(new KomplexNet({ feedback: {} })),
  },
  {
    name: "real-baseline",
    summary: "the real-valued network that KomplexNet is compared with, on grey 32 x 32 images",
    trace: () => feedForward(new RealBaseline()),
  },
  {
    name: "transformer-baseline",
    summary: "the small transformer that KomplexNet is compared with, on grey 32 x 32 images",
    trace: () => feedForward(new TransformerBaseline()),
  },
  {
    name: "akorn-objects",
    summary: "AKOrN for object discovery on Tetrominoes: 32 x 32 pixels, 128 channels, 8 timesteps",
    trace: () => {
      const model = new ObjectNetwork({ channels: 128, imageSize: 32, stimulusNorm: "none" });
      namedParameters(model);
      const images = input("images", ["batch", 3, 32, 32]);
      const { features } = model.forward({ images, noise: model.noiseInput("batch") });
      return { features };
    },
  },
  {
    name: "akorn-sudoku",
    summary: "AKOrN for Sudoku: 512 channels, 16 timesteps",
    trace: () => {
      const model = new SudokuNetwork({ channels: 512, omega: { initial: 0.5, shared: true } });
      namedParameters(model);
      const tokens = cast(input("puzzle", ["batch", 9, 9]), "int64");
      const { logits } = model.forward({ tokens, noise: model.noiseInput("batch") });
      return { logits };
    },
  },
  {
    name: "akorn-recognition",
    summary: "AKOrN for CIFAR-10: 32 x 32 pixels, three layers of 64 to 256 channels, 3 timesteps each",
    trace: () => {
      const model = new RecognitionNetwork({ rotatingDimensions: 2 });
      namedParameters(model);
      const images = input("images", ["batch", 3, 32, 32]);
      return { logits: model.forward({ images, noise: model.noiseInput("batch") }).logits };
    },
  },
  {
    name: "voneresnet18",
    summary:
      "VOneResNet-18: 512 V1 channels fitted to macaque data, then a ResNet-18; 64 x 64 images over 2 degrees, 200 classes",
    trace: () => {
      const fields = sampleReceptiveFields();
      const network = voneResNet18(new VOneBlock({ fields, imageSize: 64, visualDegrees: 2 }));
      namedParameters(network);
      return { logits: network.forward(input("images", ["batch", 3, 64, 64])) };
    },
  },
];
