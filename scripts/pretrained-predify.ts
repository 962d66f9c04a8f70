// npm run pretrained:predify: trains the network "predify-digits" and publishes it as a trained network of Striate. A small
// VGG learns MNIST's digits, then decoders learn without labels to predict its feature maps, then beta, lambda and alpha are
// tuned on noisy digits. About 15 minutes on 2 cores.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adam, adamW } from "../src/nn/optimizers.js";
import { cosineRate, withWarmUp } from "../src/nn/schedules.js";
import { nodeRuntime } from "../src/runtime/node.js";
import {
  BACKBONE,
  HYPERPARAMETERS,
  digitsClassifier,
  digitsPredify,
} from "../src/pretrained/predify-digits.js";
import type { Hyperparameters, PreparedImages } from "../src/systems/predify/index.js";
import {
  EVALUATION_VALUES,
  IMAGES,
  PREPROCESSINGS,
  imageBatch,
  imageData,
  measureTimesteps,
  openPredictive,
  prepareImages,
  sliceImages,
  withGaussianNoise,
} from "../src/systems/predify/index.js";
import { openImages } from "../src/systems/predify/training/image-sources-node.js";
import { trainFeedback, tuneHyperparameters } from "../src/systems/predify/training/train-node.js";
import type { MemoryData } from "../src/train/task.js";
import type { TrainOptions } from "../src/train/run/run-node.js";
import { train } from "../src/train/run/run-node.js";
import { Random } from "../src/util/random.js";
import type { StoredTensor } from "../src/util/safetensors.js";
import { storedFloats } from "../src/util/safetensors.js";
import { publish } from "./publish-pretrained.js";

const NAME = "predify-digits";
const SEED = 1;
const SHAPE = [1, 32, 32];
const BATCH = 64;
const TIMESTEPS = 8;
const STEPS = { classifier: 2000, decoders: 1500, tuning: 120 };
/** Largest standard deviation of the noise in tuning, on pixels from 0 to 1. */
const LARGEST_NOISE = 0.8;
const TESTED_NOISE = [0, 0.4, 0.6];
const TEST_IMAGES = 1000;
const PREPROCESSING = PREPROCESSINGS.mnist;
const STD = PREPROCESSING.std[0];
/** The digits that the explorer draws may be moved, turned and resized. */
const AUGMENTATION = { degrees: 15, translate: 0.1, scale: [0.7, 1.1], flip: 0 } as const;

const folder = await mkdtemp(join(tmpdir(), "predify-digits-"));
const all = await prepareImages(await openImages("mnist"), SHAPE);
const test = await prepareImages(await openImages("mnist", "test"), SHAPE, { most: TEST_IMAGES, seed: SEED });
const training = imageData(sliceImages(all, 0, all.count - 1000), PREPROCESSING, {
  augmentation: AUGMENTATION,
});
const validation = imageData(sliceImages(all, all.count - 1000, all.count), PREPROCESSING);
const common = (part: keyof typeof STEPS) =>
  ({
    steps: STEPS[part],
    batchSize: BATCH,
    seed: SEED,
    folder: join(folder, part),
    logEvery: 100,
    onProgress: ({ step, loss }) => {
      if (step % 100 === 0) console.log(part, step, loss);
    },
  }) satisfies Partial<TrainOptions>;

const classifier = await train(digitsClassifier(), training, {
  ...common("classifier"),
  optimizer: adamW({ weightDecay: 0.05 }),
  learningRate: withWarmUp(cosineRate({ rate: 0.003, steps: STEPS.classifier }), 100),
});
const network = digitsPredify(classifier.values);
const { values: decoders } = await trainFeedback(network, training, {
  ...common("decoders"),
  optimizer: adam(),
  learningRate: cosineRate({ rate: 0.003, steps: STEPS.decoders }),
  validation,
});
const { hyperparameters } = await tuneHyperparameters(network, noisy(training), {
  ...common("tuning"),
  timesteps: TIMESTEPS,
  values: decoders,
  optimizer: adam(),
  learningRate: cosineRate({ rate: 0.03, steps: STEPS.tuning }),
});
console.log(hyperparameters);

const figures = [];
for (const noise of TESTED_NOISE) {
  const how = noise === 0 ? "clean digits" : `Gaussian noise of standard deviation ${noise}`;
  const tuned = await accuracies(hyperparameters, noise, test);
  const authors = await accuracies(
    network.pcoders.map(() => EVALUATION_VALUES),
    noise,
    test,
  );
  console.log(how, tuned.map(percent).join(" "), "| authors' values:", authors.map(percent).join(" "));
  figures.push(
    {
      name: `correct, ${how}, classifier alone`,
      value: percent(tuned[0]!),
      unit: "percent",
      images: TEST_IMAGES,
    },
    {
      name: `correct, ${how}, after ${TIMESTEPS} timesteps`,
      value: percent(tuned.at(-1)!),
      unit: "percent",
      images: TEST_IMAGES,
    },
  );
}

await publish(
  {
    name: NAME,
    system: "Predify",
    summary: `Names a digit in ${TIMESTEPS} timesteps; decoders of four layers predict the layer below and correct it.`,
    input: "grey images [batch, 1, 32, 32], (pixel - 0.1307) / 0.3081 for pixels from 0 to 1, white on black",
    command: "npm run pretrained:predify",
    seed: SEED,
    trainingImages: BATCH * (STEPS.classifier + STEPS.decoders + STEPS.tuning),
    figures,
    licence: "weights: MIT; trained on MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
  },
  new Map([
    ...storedFloats(classifier.values, BACKBONE),
    ...storedFloats(decoders),
    hyperparameterTensor(hyperparameters),
  ]),
);

function percent(share: number): number {
  return Math.round(1000 * share) / 10;
}

/** The training images with Gaussian noise whose standard deviation is drawn uniformly for each image. */
function noisy(data: MemoryData): MemoryData {
  const size = SHAPE.reduce((a, b) => a * b, 1);
  return {
    count: data.count,
    fill: (indices, fields, draw = ["images"]) => {
      data.fill(indices, fields, draw);
      const out = fields[IMAGES];
      for (let n = 0; out !== undefined && n < indices.length; n++) {
        const random = Random.derive(SEED, "noise", ...draw, n);
        const sigma = random.uniformRange(0, LARGEST_NOISE / STD);
        const noise = random.fillNormal(new Float32Array(size), 0, sigma);
        for (let i = 0; i < size; i++) out[n * size + i]! += noise[i]!;
      }
    },
  };
}

/** Share of correct answers at each timestep. */
async function accuracies(
  values: readonly Hyperparameters[],
  noise: number,
  images: PreparedImages,
): Promise<readonly number[]> {
  const runner = await openPredictive(network, decoders, nodeRuntime, { timesteps: TIMESTEPS });
  const batches = Array.from({ length: images.count / 100 }, (_, b) => {
    const indices = Array.from({ length: 100 }, (_, n) => 100 * b + n);
    const clean = imageBatch(images, PREPROCESSING, indices);
    return {
      images: noise === 0 ? clean : withGaussianNoise(clean, noise / STD, b),
      labels: indices.map((i) => images.labels[i]!),
    };
  });
  const { accuracy } = await measureTimesteps(runner, batches, { hyperparameters: values });
  await runner.close();
  return accuracy;
}

function hyperparameterTensor(values: readonly Hyperparameters[]): [string, StoredTensor] {
  const data = Float32Array.from(
    values.flatMap(({ feedforward, feedback, error }) => [feedforward, feedback, error]),
  );
  return [HYPERPARAMETERS, { dtype: "F32", shape: [values.length, 3], data }];
}
