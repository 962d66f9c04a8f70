import { CALIBRATIONS, DEFAULT_CALIBRATION } from "../../nn/index.js";
import { inputOptions } from "../options/inputs.js";
import type { Parsed } from "../options/option.js";
import { flag, optional, mandatory, standard } from "../options/option.js";
import { preprocessingOptions } from "../options/preprocessing.js";
import { classifierPorts, externalData, labelledImages, threads } from "../options/shared.js";
import { choice, file, numberWhere, positive, text, texts, whole } from "../options/values.js";
import { command } from "./command.js";

const options = {
  data: mandatory(text("data"), "images: a folder (labelled or not), cifar10 or mnist"),
  ...labelledImages,
  out: optional(file, "the quantised network", "MODEL-int8.onnx"),
  externalData,
  calibration: standard(
    choice("calibration", CALIBRATIONS, "method"),
    DEFAULT_CALIBRATION,
    "method that sets each value's range from what the network computes on the calibration images",
  ),
  percentile: standard(
    numberWhere("percent", "a percentage above 50 and up to 100", (value) => value > 50 && value <= 100),
    99.99,
    "percentage of the numbers that a range includes, for percentile calibration",
  ),
  calibrationImages: standard(positive(), 64, "number of images to calibrate on, drawn at random"),
  images: standard(positive(), 1000, "largest number of further images to compare the two networks on"),
  keep: optional(texts("name"), "name of a node or value that stays float32"),
  reduceRange: flag("use weights of 7 bits, for x64 processors without VNNI"),
  ...classifierPorts,
  batch: standard(positive(), 16, "images per run of the network"),
  seed: standard(whole(), 1, "random seed that chooses the images"),
  threads,
  ...preprocessingOptions,
  ...inputOptions,
};

export type QuantizeCommandOptions = Parsed<typeof options>;

export const quantizeCommand = command({
  name: "quantize",
  summary: "write an int8 version of a classifier, calibrated on images, and compare the two",
  argument: { name: "model", help: "an .onnx file in float32", completes: "file" },
  options,
  examples: [
    {
      line: "striate quantize model.onnx --data photos/ --preprocessing imagenet",
      does: "writes model-int8.onnx and prints the accuracy and speed of both",
    },
  ],
  run: async (given, { argument, streams }) => {
    const { quantizeFile } = await import("../quantize.js");
    await quantizeFile(argument, given, streams);
  },
});
