import type { Tensor } from "../graph/index.js";
import { input } from "../graph/index.js";
import { namedParameters } from "../nn/module.js";
import { KomplexNet, RealBaseline } from "../systems/komplexnet/index.js";

/** A model that comes with Striate, in its default size. */
export interface BuiltInModel {
  readonly name: string;
  readonly summary: string;
  /** Traces it for batches of any size, parameters named. */
  trace(): Record<string, Tensor>;
}

export const builtInModels: readonly BuiltInModel[] = [
  {
    name: "komplexnet",
    summary: "KomplexNet on grey 32 x 32 images, 15 timesteps of Kuramoto synchronisation",
    trace: () => {
      const model = new KomplexNet();
      namedParameters(model);
      const { imageSize, inChannels } = model.config;
      const images = input("images", ["batch", inChannels, imageSize, imageSize]);
      const { logits } = model.forward({ images, noise: model.noiseInputs("batch") });
      return { logits: logits.at(-1)! };
    },
  },
  {
    name: "real-baseline",
    summary: "the real-valued network that KomplexNet is compared with, on grey 32 x 32 images",
    trace: () => {
      const model = new RealBaseline();
      namedParameters(model);
      const { imageSize, inChannels } = model.config;
      return { logits: model.forward(input("images", ["batch", inChannels, imageSize, imageSize])) };
    },
  },
];
