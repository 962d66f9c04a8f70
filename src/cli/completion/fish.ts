import type { CompletedCommand, CompletedOption } from "./offers.js";

/** A text in single quotes, escaped for fish. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

function valueOf({ value }: CompletedOption): string {
  if (value === undefined) return "";
  if (value === "file") return " -r -F";
  if (value === "folder") return " -x -a '(__fish_complete_directories)'";
  return value === "nothing" ? " -x" : ` -x -a ${quoted(value.words.join(" "))}`;
}

/** The completion script for fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => {
    const { words, summary, argument, options } = command;
    const name = words.at(-1)!;
    const above = words.length === 1 ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${words[0]!}`;
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const below = commands.filter(
      (one) => one.words.length === 2 && words.length === 1 && one.words[0] === name,
    );
    const here =
      below.length === 0
        ? seen
        : `${seen}; and not __fish_seen_subcommand_from ${below.map((one) => one.words[1]!).join(" ")}`;
    const offered =
      argument === "file" || argument === "folder"
        ? [`complete -c striate -n ${quoted(here)} -F`]
        : argument === "nothing"
          ? []
          : [`complete -c striate -n ${quoted(here)} -a ${quoted(argument.words.join(" "))}`];
    return [
      `complete -c striate -n ${quoted(above)} -a ${name} -d ${quoted(summary)}`,
      ...offered,
      ...options.map(
        (option) =>
          `complete -c striate -n ${quoted(here)} -l ${option.flag.slice(2)}${valueOf(option)} -d ${quoted(option.help)}`,
      ),
    ];
  });
  return `# Completion of striate for fish, printed by "striate completion fish".
complete -c striate -f
${lines.join("\n")}
`;
}
