import { commandLine } from "../util/command-words.js";

/**
 * Returns the command line that continues a run: the line that started it, with `--resume` and the run's folder.
 *
 * @param words the command line without "striate"
 * @param flag the option that names the folder of a run
 */
export function resumingCommand(words: readonly string[], folder: string, flag = "--out"): string {
  const kept = words.filter((word, i) => {
    if (word === "--resume" || word === "--force" || word === flag) return false;
    return words[i - 1] !== flag && !word.startsWith(`${flag}=`);
  });
  return commandLine([...kept, "--resume", flag, folder]);
}
