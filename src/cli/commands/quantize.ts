import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { CALIBRATIONS, DEFAULT_CALIBRATION } from "../../nn/index.js";
import { addInputOptions, imageSize } from "../options/inputs.js";
import { EXTERNAL_DATA, choice, positive, whole } from "../options/values.js";
import { addPreprocessingOptions } from "../options/preprocessing.js";
import type { QuantizeCommandOptions } from "../quantize.js";
import type { Streams } from "../terminal/streams.js";

/** `striate quantize`: an int8 version of a file, and how it compares. */
export function addQuantizeCommand(program: Command, streams: Streams): void {
  const calibration = new Option(
    "--calibration <how>",
    `how ranges follow from what the network computes: ${CALIBRATIONS.join(", ")}`,
  )
    .argParser(choice("calibration", CALIBRATIONS))
    .default(DEFAULT_CALIBRATION);
  const command = program
    .command("quantize")
    .description("write an int8 version of a classifier, calibrated on pictures, and compare the two")
    .argument("<model>", "an .onnx file in float32")
    .requiredOption("--data <what>", "pictures: a folder (labelled or not), cifar10 or mnist")
    .option("--out <file>", "the quantised network (default: MODEL-int8.onnx)")
    .option("--external-data", EXTERNAL_DATA)
    .addOption(calibration)
    .option("--percentile <share>", "of numbers that a range holds, for that calibration", percent, 99.99)
    .option("--calibration-images <n>", "pictures to calibrate on, drawn at random", positive, 64)
    .option("--images <n>", "others to compare on, at most", positive, 1000)
    .option("--keep <name>", "a node or value that stays float32; again for another one", another)
    .option("--reduce-range", "weights of 7 bits, for x64 processors without VNNI", false)
    .option("--split <name>", "part of the data set (default: its test or validation part)")
    .option(
      "--classes <file>",
      "names or WordNet ids of the classes in the order of the model's outputs (text or JSON), or imagenet",
    )
    .option("--size <pixels>", "image size, for models that leave it open", imageSize)
    .option("--output <name>", "the model's output that holds the scores, where there are several")
    .option("--batch <n>", "pictures in one run", positive, 16)
    .option("--seed <n>", "of the choice of pictures", whole, 1)
    .option("--threads <n>", "threads (default: all cores)", positive)
    .action(async (model: string, options: QuantizeCommandOptions) => {
      const { quantizeFile } = await import("../quantize.js");
      await quantizeFile(model, options, streams);
    });
  addPreprocessingOptions(command);
  addInputOptions(command);
}

function another(name: string, before: readonly string[] = []): readonly string[] {
  return [...before, name];
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 50 && value <= 100) return value;
  throw new InvalidArgumentError("Expected a share in percent, above 50 and up to 100.");
}
