import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { DEVICES } from "../../runtime/runtime.js";
import { addInputOptions } from "../options/inputs.js";
import type { InitOptions, InspectOptions } from "../predify/inspect.js";
import { EXTERNAL_DATA, choice, positive, whole } from "../options/values.js";
import type { PredifyCommandOptions } from "../predify/predify.js";
import { addPreprocessingOptions } from "../options/preprocessing.js";
import type { Streams } from "../terminal/streams.js";

const OPTIMIZERS = ["sgd", "rmsProp", "adam"] as const;

/** `striate predify`: look at a file, write a configuration for it, train its feedback. */
export function addPredifyCommand(program: Command, streams: Streams, exit: (status: number) => void): void {
  const predify = program
    .command("predify")
    .description("add predictive-coding feedback to a network in an .onnx file, trained without labels")
    .argument("<model>", "an .onnx file of a convolutional network")
    .option("--config <file>", "which values get PCoders, in the original's TOML (see: predify init)")
    .option("--pcoders <n>", "without --config: how many, placed by the automatic rule", positive, 4)
    .option("--input-size <sizes>", "such as 3x224x224, where the file leaves it open", sizes)
    .option(
      "--train-on <images>",
      "folder of images, also one with a folder for each class; or mnist, cifar10",
    )
    .option(
      "--weights <file>",
      "decoders trained before, to go on from or to export as they are: .safetensors, or the authors' .pth files, one for each PCoder with commas between",
    )
    .option(
      "--out <file>",
      "the predified network (default: pMODEL.onnx); weights go beside it (.safetensors)",
    )
    .option("--timesteps <n>", "last timestep in the exported graph", whole, 10)
    .option("--step", "also write the single-step graph, beside --out as .step.onnx", false)
    .option(
      "--constants",
      "write beta, lambda and alpha into the graph instead of leaving them inputs",
      false,
    )
    .option("--external-data", EXTERNAL_DATA)
    .option("--images <n>", "train on a random choice of at most so many", positive)
    .option("--validation <n>", "images set aside to measure the errors on", whole, 64)
    .option("--epochs <n>", "passes over the images", positive, 1)
    .option("--batch-size <n>", "images at once (default: 16, or what the file fixes)", positive)
    .addOption(choices("--optimizer <name>", "weight decay 5e-4", OPTIMIZERS, "adam"))
    .option("--learning-rate <rate>", "constant", rate, 0.001)
    .option("--seed <n>", "of decoders and order", whole, 1)
    .option("--run <folder>", "checkpoints and logs (default: a new folder in runs/)")
    .option("--resume", "go on with the run in --run, or with the newest one of this model", false)
    .addOption(choices("--device <device>", "where ONNX Runtime computes", DEVICES, "cpu"))
    .option("--threads <n>", "threads inside one operator (default: all cores)", positive)
    .action(async (model: string, options: PredifyCommandOptions) => {
      const { predifyFile } = await import("../predify/predify.js");
      exit(await predifyFile(model, options, streams));
    });

  // An option that both know is taken by the command above: its value counts here too.
  predify
    .command("inspect")
    .description("list a file's feature maps: shapes, and where PCoders could go")
    .argument("<model>", "an .onnx file")
    .option("--all", "every feature map, not only the candidates", false)
    .option("--input-size <sizes>", "such as 3x224x224, where the file leaves it open", sizes)
    .action(async (model: string, _options: object, command: Command) => {
      const { inspectModel } = await import("../predify/inspect.js");
      await inspectModel(model, command.optsWithGlobals<InspectOptions>(), streams);
    });

  predify
    .command("init")
    .description("write a configuration for a file, with default decoders and values")
    .argument("<model>", "an .onnx file")
    .option("--pcoders <n>", "how many, placed by the automatic rule", positive, 4)
    .option("--input-size <sizes>", "such as 3x224x224, where the file leaves it open", sizes)
    .option("--out <file>", "where to write it", "predify.toml")
    .option("--force", "overwrite it", false)
    .action(async (model: string, _options: object, command: Command) => {
      const { initConfig } = await import("../predify/inspect.js");
      await initConfig(model, command.optsWithGlobals<InitOptions>(), streams);
    });
  addPreprocessingOptions(predify);
  addInputOptions(predify);
}

function choices(flags: string, description: string, among: readonly string[], standard: string): Option {
  const option = new Option(flags, `${description}: ${among.join(", ")}`);
  return option.argParser(choice(option.name(), among)).default(standard);
}

/** "3x224x224". */
function sizes(text: string): number[] {
  const numbers = text.split(/[x,]/).map(Number);
  if (numbers.length >= 3 && numbers.length <= 4 && numbers.every((n) => Number.isInteger(n) && n > 0))
    return numbers;
  throw new InvalidArgumentError("Expected channels and space, such as 3x224x224.");
}

function rate(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}
