import { POLICIES } from "../../data/images/transform.js";
import { BACKBONES, OPTIMIZERS } from "../../experiments/own-images/choices.js";
import { EVNET_VARIANTS } from "../../systems/vonenet/networks/evnet-variant-names.js";
import { VARIANTS } from "../../systems/vonenet/v1/sampling-options.js";
import type { Parsed } from "../options/option.js";
import { flag, optional, standard } from "../options/option.js";
import { preprocessingOptions } from "../options/preprocessing.js";
import { device, threads } from "../options/shared.js";
import { choice, file, folder, numberWhere, positive, text, whole } from "../options/values.js";
import { command } from "./command.js";

const atLeast0 = numberWhere("x", "a number of at least 0", (value) => value >= 0);
const above0 = numberWhere("x", "a number above 0", (value) => value > 0);
const share = numberWhere("share", "a number from 0 to 1", (value) => value >= 0 && value <= 1);

/** Options about the images, which `striate train` and `striate study` share. */
export const dataOptions = {
  config: optional(
    file,
    "values of these options in a TOML file; options on the command line come before it",
  ),
  data: optional(
    text("images"),
    "labelled images: a folder with one subfolder per class, a list, tar shards, Parquet files, cifar10, mnist or tiny-imagenet",
  ),
  validation: standard(
    share,
    0.1,
    "share of the training images for validation, above 0, if the data have no such part",
  ),
};

/** Options about V1 and oscillators, which `striate train` and `striate study` share. */
export const additionOptions = {
  v1Cells: standard(positive(), 512, "number of V1's cells"),
  v1Noise: flag("give V1's responses noise like that of cortical cells, in training and afterwards"),
  visualDegrees: optional(above0, "visual angle of an image in degrees, for V1", "pixels / 32"),
  kuramotoSteps: standard(positive(), 4, "number of Kuramoto steps"),
};

/** Options about the network, which `striate train` and `striate study` share. */
export const networkOptions = {
  model: optional(text("network"), `network: ${BACKBONES.join(", ")} with random weights, or an .onnx file`),
  size: optional(positive("pixels"), "height and width of the images, if the network leaves them open", "64"),
  width: optional(above0, "factor of the numbers of channels of a network with random weights", "1"),
  output: optional(text("name"), "name of the output with the scores, if the file has several outputs"),
};

/** Options of the recipe, which `striate train` and `striate study` share. */
export const recipeOptions = {
  epochs: optional(positive(), "passes over the training images", "30, or 10 for a network from a file"),
  batchSize: standard(positive(), 32, "images that the network gets at once"),
  accumulate: optional(
    positive(),
    "batches whose gradients are averaged for one training step, which takes no more memory than one batch",
    "1",
  ),
  optimizer: optional(
    choice("optimizer", OPTIMIZERS),
    "the optimizer",
    "sgd, or adamw for a network from a file",
  ),
  learningRate: optional(
    above0,
    "greatest learning rate, which falls along a cosine",
    "sgd: 0.1 x images per step / 256; adamw: 0.001, or 0.0003 for a network from a file",
  ),
  weightDecay: optional(
    atLeast0,
    "weight decay of weights, not of biases and normalisations",
    "sgd: 0.0005; adamw: 0.05",
  ),
  warmUp: optional(atLeast0, "epochs in which the learning rate rises", "1"),
  labelSmoothing: optional(share, "share of the target that is spread over all classes", "0.1"),
  mixup: optional(atLeast0, "alpha of mixup", "0, none"),
  cutmix: optional(atLeast0, "alpha of CutMix", "0, none"),
  cropScale: optional(share, "smallest share of the area in a random crop; 1 crops the centre", "0.35"),
  flip: optional(share, "probability of mirroring an image left to right", "0.5"),
  policy: optional(choice("policy", POLICIES), "further augmentation", "none"),
  ema: optional(
    share,
    "decay of a moving average of the weights, which is then measured and exported",
    "0, none",
  ),
  clipNorm: optional(atLeast0, "largest global norm of the gradients", "0, no limit"),
  trains: standard(
    text("names"),
    "all",
    "parameters to train: all, added (only those with random values, such as a new last layer), or comma-separated names with * for any text",
  ),
};

const options = {
  ...dataOptions,
  ...networkOptions,
  v1: optional(
    choice("variant", VARIANTS),
    "put V1 before the network, with receptive fields drawn in this way",
  ),
  retina: optional(
    choice("variant", EVNET_VARIANTS, "variant"),
    "put the retina and V1 of EVNet before the network instead",
  ),
  v1At: optional(
    text("value"),
    "name of the value that V1 replaces",
    "the first feature map of the size of V1's responses that a convolution reads",
  ),
  kuramoto: optional(
    text("value"),
    "add a layer of oscillators at this feature map; auto chooses the last one of at least 7 x 7 positions",
  ),
  ...additionOptions,
  predify: optional(
    positive(),
    "after training, add this number of PCoders and train their decoders on the same images",
  ),
  timesteps: standard(positive(), 4, "last timestep of the predified network"),
  ...recipeOptions,
  patience: optional(
    positive(),
    "end after this number of epochs without a better validation accuracy",
    "never",
  ),
  findRate: flag(
    "try learning rates from small to large on a few batches, and write a plot instead of training",
  ),
  seed: standard(whole(), 1, "random seed of the new weights, the order of the images, and the augmentation"),
  out: optional(folder, "where the run is written", "a new folder in runs/"),
  resume: flag("continue the run in --out, or else the newest run of this network"),
  force: flag("start over; the run in --out is renamed, not deleted"),
  device,
  threads,
  loaders: optional(positive(), "threads that decode and augment images", "one per core, at most 8"),
  ...preprocessingOptions,
};

export type TrainCommandOptions = Parsed<typeof options>;

export const trainCommand = command({
  name: "train",
  summary: "train or fine-tune a classifier on your own images, with V1, oscillators or predictive feedback",
  options,
  readsOptionsFile: true,
  examples: [
    {
      line: "striate train --data photos/ --model resnet18 --epochs 30",
      does: "trains a ResNet-18 and writes model.onnx and report.html",
    },
    {
      line: "striate train --data photos/ --model mobilenet.onnx --preprocessing imagenet --trains added",
      does: "replaces the last layer of a network, and trains only the new one",
    },
    {
      line: "striate train --data photos/ --model resnet18 --v1 biol --kuramoto auto",
      does: "puts V1 before the network and oscillators inside it",
    },
  ],
  run: async (values, { given, words, streams }) => {
    const { trainClassifier } = await import("../train/train.js");
    return trainClassifier(values, { given, words, streams });
  },
});
