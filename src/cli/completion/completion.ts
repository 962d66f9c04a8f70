import { StriateError } from "../../util/errors.js";
import { unknownName } from "../../util/suggest.js";
import { experiments } from "../../experiments/registry.js";
import type { Command } from "../commands/command.js";
import type { OptionSpec } from "../options/option.js";
import { flagOf } from "../../util/command-words.js";
import { helpOf } from "../options/option.js";
import { bashScript } from "./bash.js";
import { fishScript } from "./fish.js";
import type { CompletedCommand, CompletedOption, Offer } from "./offers.js";
import { SHELLS, type Shell } from "./shells.js";
import { zshScript } from "./zsh.js";

const SCRIPTS: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** @throws StriateError for a shell that is not one of {@link SHELLS}. */
export function completionFor(shell: string, commands: readonly Command[]): string {
  const known = SHELLS.find((one) => one === shell);
  if (known === undefined) throw new StriateError(unknownName("shell", shell, SHELLS));
  return SCRIPTS[known](commands.flatMap((command) => completed(command, [])));
}

function completed(command: Command, above: readonly string[]): CompletedCommand[] {
  const words = [...above, command.name];
  const { argument, options, commands = [] } = command;
  const offered = Object.entries(options).map(([key, option]) => completedOption(key, option));
  const help = { flag: "--help", help: "print the help of this command" };
  return [
    { words, summary: command.summary, argument: offerOf(argument?.completes), options: [...offered, help] },
    ...commands.flatMap((below) => completed(below, words)),
  ];
}

function completedOption(key: string, option: OptionSpec): CompletedOption {
  const described = { flag: flagOf(key), help: helpOf(option) };
  if (option.kind === "flag") return described;
  const { choices, completes = "nothing" } = option.type;
  return { ...described, value: choices === undefined ? completes : { words: choices } };
}

function offerOf(completes: "file" | "experiment" | "shell" | undefined): Offer {
  if (completes === "experiment") return { words: experiments.map(({ name }) => name) };
  if (completes === "shell") return { words: SHELLS };
  return completes ?? "nothing";
}
