import { Command as Commander, CommanderError } from "commander";
import type { Command } from "./commands/command.js";
import { commands } from "./commands/index.js";
import { commanderOption, withStandards } from "./options/option.js";
import { packageFacts } from "../util/package-facts-node.js";
import { explain, wantsStack } from "./terminal/errors.js";
import type { Streams } from "./terminal/streams.js";

/** Runs one command line and returns the exit status of the process. */
export async function runCommandLine(
  args: readonly string[],
  streams: Streams = { out: process.stdout, err: process.stderr },
): Promise<number> {
  let status = 0;
  const program = createProgram(args, streams, (code) => (status = code));
  try {
    await addMoreHelp(program, args);
    await program.parseAsync([...args], { from: "user" });
    return status;
  } catch (error) {
    // Commander has already printed its own message.
    if (error instanceof CommanderError) return error.exitCode;
    streams.err.write(`${explain(error, wantsStack(args))}\n`);
    return 1;
  }
}

function createProgram(args: readonly string[], streams: Streams, exit: (status: number) => void): Commander {
  const program = new Commander("striate")
    .description("Train, probe and ship brain-inspired vision networks.")
    .version(packageFacts().version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .option("--debug", "print the stacks of errors (or set STRIATE_DEBUG=1)")
    .showHelpAfterError("(striate --help lists the commands)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    });
  for (const spec of commands) addCommand(program, spec, "striate", { args, streams, exit });
  return program;
}

interface Surroundings {
  readonly args: readonly string[];
  readonly streams: Streams;
  readonly exit: (status: number) => void;
}

function addCommand(parent: Commander, spec: Command, path: string, surroundings: Surroundings): void {
  const own = `${path} ${spec.name}`;
  const added = parent
    .command(spec.name)
    .description(spec.summary)
    .copyInheritedSettings(parent)
    .helpOption("-h, --help", "print this help")
    .showHelpAfterError(`(${own} --help lists its options)`)
    .addHelpText("after", examplesOf(spec));
  if (spec.argument) added.argument(argumentText(spec.argument), spec.argument.help);
  for (const [key, option] of Object.entries(spec.options)) added.addOption(commanderOption(key, option));
  added.action(async () => {
    // If a command and its parent have the same option, commander gives the value to the parent, so it is read from
    // there.
    const all = added.optsWithGlobals<Record<string, unknown>>();
    const typed = Object.fromEntries(Object.entries(all).filter(([key]) => key in spec.options));
    const given = { ...(await valuesInFile(spec, typed)), ...typed };
    const { args, streams, exit } = surroundings;
    const invocation = { argument: added.args[0] ?? "", all: added.args, given, words: args, streams };
    exit((await spec.run(withStandards(spec.options, given), invocation)) ?? 0);
  });
  for (const below of spec.commands ?? []) addCommand(added, below, own, surroundings);
}

/** The values in the configuration file that the options name, for a command that reads one. */
async function valuesInFile(
  { readsOptionsFile = false, options }: Command,
  { config }: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  if (!readsOptionsFile || typeof config !== "string") return {};
  const { readOptionsFile } = await import("./options/config-file.js");
  return readOptionsFile(config, options);
}

function examplesOf({ examples }: Command): string {
  const lines = examples.map(({ line, does }) => `  ${line}\n      ${does}`);
  return `\n${examples.length === 1 ? "Example" : "Examples"}:\n${lines.join("\n")}`;
}

/** The text below the options of some commands has to be loaded, which is done only when help is printed. */
async function addMoreHelp(program: Commander, args: readonly string[]): Promise<void> {
  if (!args.some((word) => word === "--help" || word === "-h" || word === "help")) return;
  for (const { name, more } of commands) {
    if (more === undefined || !args.includes(name)) continue;
    const text = await more();
    program.commands.find((one) => one.name() === name)?.addHelpText("after", `\n${text}`);
  }
}

/** An argument as usage lines show it. */
function argumentText({ name, several, optional }: NonNullable<Command["argument"]>): string {
  const text = `${name}${several === true ? "..." : ""}`;
  return optional === true ? `[${text}]` : `<${text}>`;
}
