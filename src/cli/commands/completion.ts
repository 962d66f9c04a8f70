import { SHELLS } from "../completion/shells.js";
import type { Command } from "./command.js";
import { command } from "./command.js";

/** Makes the `completion` command. It covers all other commands and itself. */
export function completionCommand(all: () => readonly Command[]): Command {
  return command({
    name: "completion",
    summary: "print a script that completes commands and options in a shell",
    argument: { name: "shell", help: SHELLS.join(", "), completes: "shell" },
    options: {},
    examples: [
      {
        line: "striate completion bash",
        does: 'prints a script for ~/.bashrc, to be read with eval "$(striate completion bash)"',
      },
      {
        line: "striate completion fish",
        does: "prints the script to save as ~/.config/fish/completions/striate.fish",
      },
    ],
    run: async (_options, { argument, streams }) => {
      const { completionFor } = await import("../completion/completion.js");
      streams.out.write(completionFor(argument, all()));
    },
  });
}
