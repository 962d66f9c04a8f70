import pc from "picocolors";
import { StriateError } from "../../util/errors.js";

export function wantsStack(args: readonly string[], environment = process.env): boolean {
  return args.includes("--debug") || !["", "0", undefined].includes(environment.STRIATE_DEBUG);
}

/** The text of an error for the user: one line, which says if the error is a bug in Striate. */
export function explain(error: unknown, stack: boolean): string {
  const known = error instanceof StriateError;
  const message = error instanceof Error ? error.message : String(error);
  const line = `${pc.red("error:")} ${known ? message : `${message} (unexpected: this is a bug in Striate)`}`;
  if (stack) return `${line}\n${error instanceof Error ? stackOf(error) : ""}`;
  return known ? line : `${line}\nRun again with --debug to see where it happened.`;
}

/** The stack of an error and of everything that caused it. */
function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
