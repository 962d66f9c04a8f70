// Generates docs/cli.md from the tables of the code.
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import type { Command } from "../src/cli/commands/command.js";
import { commands } from "../src/cli/commands/index.js";
import { ownOptions } from "../src/cli/experiments.js";
import { absenceOf, helpOf, usageOf } from "../src/cli/options/option.js";
import { flagOf } from "../src/util/command-words.js";
import { SCALES } from "../src/experiments/options.js";
import { experiments } from "../src/experiments/registry.js";

export const CLI_PAGE = fileURLToPath(new URL("../docs/cli.md", import.meta.url));

export async function cliPage(): Promise<string> {
  const text = `# Commands

\`npm run docs:cli\` writes this page from the options in \`src/cli/commands/\`; a test compares the two.
\`striate COMMAND --help\` prints the same.

| command | what it does |
| --- | --- |
${commands.map(({ name, summary }) => `| [\`${name}\`](#striate-${name}) | ${cell(sentence(summary))} |`).join("\n")}

Every command prints results to the standard output and everything else to the standard error. The exit status is 0 if all
went well, 1 after an error, and 130 if Ctrl-C stopped the command. It is also 1 if \`striate doctor\` finds that networks
cannot be trained, if \`striate cache verify\` finds a damaged file, and if \`striate models\` does. \`--debug\` (or \`STRIATE_DEBUG=1\`) prints the stacks of
errors; \`NO_COLOR=1\` turns colours off.

\`striate completion bash\` (or \`zsh\`, \`fish\`) prints a script that completes commands, options and values in that shell.

${commands.map((command) => section(command, "striate", 2)).join("\n\n")}
`;
  return format(text, { ...(await resolveConfig(CLI_PAGE)), filepath: CLI_PAGE });
}

function section(command: Command, above: string, depth: number): string {
  const { name, summary, argument, options, examples, commands: below = [] } = command;
  const path = `${above} ${name}`;
  const rows = [
    ...(argument ? [`| \`<${argument.name}>\` | ${cell(argument.help)} | required |`] : []),
    ...Object.entries(options).map(
      ([key, option]) =>
        `| \`${usageOf(key, option)}\` | ${cell(helpOf(option))} | ${cell(absenceOf(option).replace("default: ", ""))} |`,
    ),
  ];
  const hasOptions = Object.keys(options).length > 0;
  const usage = [path, argument && `<${argument.name}>`, hasOptions && "[options]"].filter(Boolean).join(" ");
  return [
    `${"#".repeat(depth)} ${path}`,
    sentence(summary),
    `\`\`\`text\n${usage}\n\`\`\``,
    rows.length > 0 &&
      `| argument or option | what it does | if absent |\n| --- | --- | --- |\n${rows.join("\n")}`,
    name === "run" && experimentTables(),
    examples.map(({ line, does }) => `\`${line}\` ${does}.`).join("\n\n"),
    ...below.map((one) => section(one, path, depth + 1)),
  ]
    .filter(Boolean)
    .join("\n\n");
}

function experimentTables(): string {
  const scales = experiments.flatMap(({ name, scales }) =>
    SCALES.map(
      (scale) =>
        `| ${scale === "smoke" ? `\`${name}\`` : ""} | ${scale} | ${cell(scales[scale].summary)} | ${scales[scale].seeds} |`,
    ),
  );
  const taken = experiments.map(
    (one) =>
      `| \`${one.name}\` | ${cell(one.summary)} | ${ownOptions(one)
        .map((key) => `\`${flagOf(key)}\``)
        .join(", ")} |`,
  );
  return `| experiment | question | options that not every experiment takes |
| --- | --- | --- |
${taken.join("\n")}

| experiment | scale | what is run | seeds |
| --- | --- | --- | ---: |
${scales.join("\n")}`;
}

function sentence(phrase: string): string {
  return `${phrase.slice(0, 1).toUpperCase()}${phrase.slice(1)}.`;
}

/** Escapes text for a cell of a table. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<").replaceAll("*", "\\*");
}
