import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { SCALES } from "../experiments/experiment.js";
import { DEVICES } from "../runtime/runtime.js";
import { explain, wantsStack } from "./errors.js";
import { choice, positive, whole } from "./options.js";
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
    .showHelpAfterError("(striate --help lists everything)")
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
    .command("devices")
    .description("list where models can run on this machine")
    .action(async () => {
      const { printDevices } = await import("./devices.js");
      await printDevices(streams);
    });

  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
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
