import type { Tensor } from "../src/graph/index.js";
import { input, lower, writeOnnx } from "../src/graph/index.js";
import type { ImportedModel } from "../src/graph/onnx/read/read.js";
import { readOnnx } from "../src/graph/onnx/read/read.js";
import { initialState, namedParameters } from "../src/nn/module.js";
import { sgd } from "../src/nn/optimizers.js";
import { asConstants } from "../src/nn/training-state.js";
import { nodeRuntime } from "../src/runtime/node.js";
import { EfficientNet, Vgg } from "../src/systems/baselines/index.js";
import type { PredictiveNetwork } from "../src/systems/predify/index.js";
import {
  FeedbackTask,
  IMAGES,
  freshValues,
  openPredictive,
  pEfficientNetB0,
  predify,
  pvgg16,
  writeUnrolled,
} from "../src/systems/predify/index.js";
import { Trainer } from "../src/train/trainer.js";
import { Random } from "../src/util/random.js";
import { noise } from "./convolution.js";
import type { BenchCase } from "./measure.js";

const TIMESTEPS = 4;

/** A network as if it were read from a file that somebody exported. */
function asFile(model: { forward(images: Tensor): Tensor }, side: number): ImportedModel {
  const parameters = namedParameters(model);
  const state = initialState(parameters, (name) => Random.derive(1, name));
  const logits = model.forward(input("input", ["batch", 3, side, side]));
  return readOnnx(writeOnnx(lower({ logits }, "portable"), { values: asConstants(state) }).bytes);
}

/** VGG11 with batch normalisation on 32 x 32 images, PCoders after the last ReLU of the first four stages. */
function smallVgg(): PredictiveNetwork {
  const model = asFile(new Vgg({ depth: 11, batchNorm: true, classes: 10, hidden: 512, grid: 1 }), 32);
  const pcoders = [2, 6, 13, 20].map((module) => ({ after: `features[${module}]` }));
  return predify(model, { pcoders, feedforward: 0.4, feedback: 0.1, error: 0.01 });
}

function inference(network: PredictiveNetwork, batch: number): BenchCase["open"] {
  return async () => {
    const runner = await openPredictive(network, freshValues(network, 1), nodeRuntime, {
      timesteps: TIMESTEPS,
      batch,
      hyperparameters: "inputs",
      threads: 2,
    });
    const images = noise([batch, ...network.backbone.imageShape]);
    return { run: () => runner.run(images), close: () => runner.close() };
  };
}

export function predifyCases(): BenchCase[] {
  const [small, large] = [64, 4];
  return [
    {
      name: `PVGG16 224, T = ${TIMESTEPS}, batch ${large}, inference`,
      amount: large,
      unit: "images/s",
      bar: 1.5,
      rounds: 2,
      peer: { name: "predify", options: { net: "vgg16", batch: large, steps: TIMESTEPS, train: false } },
      open: () => inference(predify(asFile(new Vgg({ depth: 16 }), 224), pvgg16()), large)(),
    },
    {
      name: `VGG11-BN 32, 4 PCoders, T = ${TIMESTEPS}, batch ${small}, inference`,
      amount: small,
      unit: "images/s",
      bar: 3,
      peer: { name: "predify", options: { net: "vgg11_bn", batch: small, steps: TIMESTEPS, train: false } },
      open: () => inference(smallVgg(), small)(),
    },
    {
      name: `VGG11-BN 32, 4 PCoders, batch ${small}, feedback-training step`,
      amount: small,
      unit: "images/s",
      bar: 2,
      peer: { name: "predify", options: { net: "vgg11_bn", batch: small, steps: 0, train: true } },
      open: async () => {
        const network = smallVgg();
        const images = noise([small, 3, 32, 32]).data as Float32Array;
        const data = {
          count: small,
          fill: (_: ArrayLike<number>, fields: Readonly<Record<string, Float32Array>>) => {
            fields[IMAGES]?.set(images);
          },
        };
        const recipe = {
          batchSize: small,
          seed: 1,
          learningRate: 0.001,
          optimizer: sgd({ weightDecay: 5e-4 }),
        };
        const trainer = await Trainer.open(new FeedbackTask(network), data, recipe, nodeRuntime, {
          threads: 2,
        });
        return { run: () => trainer.advance(), close: () => trainer.close() };
      },
    },
    {
      name: "PEfficientNetB0, 8 PCoders, T = 10: graph and session (0.2 graphs/s are 5 s)",
      amount: 1,
      unit: "graphs/s",
      open: () => {
        const model = asFile(new EfficientNet(), 224);
        return Promise.resolve({
          run: async () => {
            const network = predify(model, pEfficientNetB0());
            const { bytes } = writeUnrolled(network, freshValues(network, 1), {
              timesteps: 10,
              target: "cpu",
            });
            await (await nodeRuntime.createSession(bytes, { threads: 2 })).close();
          },
          close: () => Promise.resolve(),
        });
      },
    },
  ];
}
