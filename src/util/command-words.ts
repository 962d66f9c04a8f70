/*
 * Words of the command lines that Striate prints for its users to type.
 */

/** The flag that sets an option: `--batch-size` for `batchSize`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The word in quotes if a shell would not read it as it is. */
export function shellWord(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
