import { inputOptions } from "../options/inputs.js";
import type { Parsed } from "../options/option.js";
import { flag, optional, standard } from "../options/option.js";
import { preprocessingOptions } from "../options/preprocessing.js";
import { device, externalData, threads } from "../options/shared.js";
import { choice, file, folder, inputShape, numberWhere, positive, text, whole } from "../options/values.js";
import { command } from "./command.js";

const pcoders = standard(
  positive(),
  4,
  "number of PCoders, spaced evenly over the depth of the network; only without a configuration",
);
const inputSize = optional(inputShape, "shape of the image, such as 3x224x224, if the file leaves it open");

const options = {
  config: optional(
    file,
    "configuration that says which values of the network get PCoders, in the TOML format of the authors' code (predify init writes one)",
  ),
  pcoders,
  inputSize,
  trainOn: optional(
    text("images"),
    "images to train on, without labels: a folder (with its subfolders), mnist or cifar10",
  ),
  weights: optional(
    text("files"),
    "trained decoders to start from, or to export unchanged: a .safetensors file, or the authors' .pth files, one for each PCoder, comma-separated",
  ),
  out: optional(
    file,
    "file for the predified network; the weights of the decoders are written beside it",
    "pMODEL.onnx",
  ),
  timesteps: standard(whole(), 10, "last timestep of the exported graph"),
  step: flag("also write the graph of a single timestep to a .step.onnx file beside the network"),
  constants: flag(
    "write beta, lambda and alpha into the graph as constants; without this option they are inputs",
  ),
  externalData,
  images: optional(positive(), "number of images to train on, drawn at random", "all"),
  validation: standard(whole(), 64, "number of held-out images to measure the reconstruction errors on"),
  epochs: standard(positive(), 1, "passes over the training images"),
  batchSize: optional(positive(), "images per training step", "16, or the batch size that the file fixes"),
  optimizer: standard(
    choice("optimizer", ["sgd", "rmsProp", "adam"]),
    "adam",
    "the optimizer, with a weight decay of 5e-4",
  ),
  learningRate: standard(
    numberWhere("rate", "a number above 0", (value) => value > 0),
    0.001,
    "learning rate, the same for all steps",
  ),
  seed: standard(whole(), 1, "random seed of the decoders and of the order of the images"),
  run: optional(folder, "where checkpoints and logs are written", "a new folder in runs/"),
  resume: flag("continue the run in --run, or else the newest run of this network"),
  device,
  threads,
  ...preprocessingOptions,
  ...inputOptions,
};

const inspectOptions = {
  all: flag("list every feature map, not only those that a PCoder could predict"),
  inputSize,
  ...inputOptions,
};

const initOptions = {
  pcoders,
  inputSize,
  out: standard(file, "predify.toml", "file for the configuration"),
  force: flag("overwrite it if it exists"),
  ...inputOptions,
};

export type PredifyCommandOptions = Parsed<typeof options>;
export type InspectOptions = Parsed<typeof inspectOptions>;
export type InitOptions = Parsed<typeof initOptions>;

const model = { name: "model", help: "an .onnx file of a convolutional network", completes: "file" } as const;

export const predifyCommand = command({
  name: "predify",
  summary: "add predictive-coding feedback to a network in an .onnx file, and train it without labels",
  argument: model,
  options,
  examples: [
    {
      line: "striate predify model.onnx --train-on photos/ --preprocessing imagenet",
      does: "trains four PCoders on the images and writes pmodel.onnx",
    },
  ],
  commands: [
    command({
      name: "inspect",
      summary: "list a network's feature maps with their shapes, and mark those that a PCoder could predict",
      argument: model,
      options: inspectOptions,
      examples: [
        {
          line: "striate predify inspect model.onnx",
          does: "lists the feature maps that PCoders could predict",
        },
      ],
      run: async (given, { argument, streams }) => {
        const { inspectModel } = await import("../predify/inspect.js");
        await inspectModel(argument, given, streams);
      },
    }),
    command({
      name: "init",
      summary: "write a configuration for a network, with the standard decoders and hyper-parameters",
      argument: model,
      options: initOptions,
      examples: [
        {
          line: "striate predify init model.onnx --pcoders 5 --out model.toml",
          does: "writes a configuration with five PCoders",
        },
      ],
      run: async (given, { argument, streams }) => {
        const { initConfig } = await import("../predify/inspect.js");
        await initConfig(argument, given, streams);
      },
    }),
  ],
  run: async (given, { argument, ...invocation }) => {
    const { predifyFile } = await import("../predify/predify.js");
    return predifyFile(argument, given, invocation);
  },
});
