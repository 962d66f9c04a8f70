import type { CompletedCommand, Offer } from "./offers.js";

/** The line of bash that fills COMPREPLY with the offered words or files. */
function reply(offer: Offer): string {
  if (offer === "file") return 'COMPREPLY=($(compgen -f -- "$current"))';
  if (offer === "folder") return 'COMPREPLY=($(compgen -d -- "$current"))';
  return `COMPREPLY=($(compgen -W "${offer === "nothing" ? "" : offer.words.join(" ")}" -- "$current"))`;
}

/**
 * The completion script for bash. Names and choices need no quotes: they contain no character that is special
 * to bash.
 */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const top = commands.filter(({ words }) => words.length === 1).map(({ words }) => words[0]!);
  const nested = commands.filter(({ words }) => words.length === 2);
  const values = commands.flatMap(({ words, options }) =>
    options.flatMap(({ flag, value }) =>
      value === undefined ? [] : [`    "${words.join(" ")} ${flag}") ${reply(value)}; return ;;`],
    ),
  );
  const rest = commands.map(({ words, options, argument }) => {
    const flags = options.map(({ flag }) => flag).join(" ");
    const below = nested.filter((one) => one.words[0] === words[0] && words.length === 1);
    const also =
      below.length === 0
        ? ""
        : `; COMPREPLY+=($(compgen -W "${below.map((one) => one.words[1]).join(" ")}" -- "$current"))`;
    return [
      `    "${words.join(" ")}")`,
      `      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "${flags}" -- "$current"))`,
      `      else ${reply(argument)}${also}; fi ;;`,
    ].join("\n");
  });
  return `# Completion of striate for bash, printed by "striate completion bash".
_striate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then COMPREPLY=($(compgen -W "${top.join(" ")} help" -- "$current")); return; fi
  case "$command \${COMP_WORDS[2]}" in
${nested.map(({ words }) => `    "${words.join(" ")}") [[ $COMP_CWORD -gt 2 ]] && command="${words.join(" ")}" ;;`).join("\n")}
  esac
  case "$command $before" in
${values.join("\n")}
  esac
  case "$command" in
${rest.join("\n")}
  esac
}
complete -o filenames -F _striate striate
`;
}
