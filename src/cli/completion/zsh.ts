import type { CompletedCommand, CompletedOption, Offer } from "./offers.js";

/** A text in single quotes, escaped for zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A text escaped for the brackets of an _arguments specification. */
function inBrackets(text: string): string {
  return text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
}

function action(offer: Offer): string {
  if (offer === "file") return "_files";
  if (offer === "folder") return "_files -/";
  return offer === "nothing" ? " " : `(${offer.words.join(" ")})`;
}

function optionSpecification({ flag, help, value }: CompletedOption): string {
  const described = `${flag}[${inBrackets(help)}]`;
  return quoted(value === undefined ? described : `${described}:value:${action(value)}`);
}

/** The completion script for zsh, to be read by eval or saved as _striate in a folder of $fpath. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const list = (chosen: readonly CompletedCommand[]): string =>
    chosen
      .map(({ words, summary }) => `      ${quoted(`${words.at(-1)!}:${summary.replaceAll(":", "\\:")}`)}`)
      .join("\n");
  const below = ({ words }: CompletedCommand): CompletedCommand[] =>
    commands.filter((one) => one.words.length === words.length + 1 && one.words[0] === words[0]);
  const argumentsOf = (command: CompletedCommand, indent: string): string =>
    [
      `_arguments ${quoted(`:argument:${action(command.argument)}`)}`,
      ...command.options.map(optionSpecification),
    ].join(` \\\n${indent}  `);
  const cases = commands
    .filter(({ words }) => words.length === 1)
    .map((command) => {
      const nested = below(command).map(
        (one) =>
          `        ${one.words[1]!})\n          shift words; (( CURRENT-- ))\n          ${argumentsOf(one, "          ")}\n          return ;;`,
      );
      const inner = nested.length === 0 ? "" : `      case $words[2] in\n${nested.join("\n")}\n      esac\n`;
      return `    ${command.words[0]!})\n${inner}      ${argumentsOf(command, "      ")} ;;`;
    });
  return `#compdef striate
# Completion of striate for zsh, printed by "striate completion zsh".
_striate() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${list(commands.filter(({ words }) => words.length === 1))}
    )
    _describe command commands
    return
  fi
  shift words; (( CURRENT-- ))
  case $words[1] in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _striate ]]; then _striate "$@"; else compdef _striate striate; fi
`;
}
