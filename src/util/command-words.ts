/* Parts of the command lines that Striate prints for users to copy. */

/** The flag that sets an option: `--batch-size` for `batchSize`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The name of an option in a configuration file: `batch-size` for `batchSize`. */
export function wordsOf(key: string): string {
  return flagOf(key).slice(2);
}

/** The command line with these words after "striate", to copy into a shell. */
export function commandLine(words: readonly string[]): string {
  return ["striate", ...words].map(shellWord).join(" ");
}

/** Puts a word into quotes if it has characters that a shell might treat specially. */
export function shellWord(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
