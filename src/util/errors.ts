/**
 * The error that Striate throws for bad input. Its message names what was wrong, what was expected and what
 * was found.
 */
export class StriateError extends Error {
  override name = "StriateError";
}

/** Throws a {@link StriateError} unless `condition` holds. */
export function check(condition: unknown, message: () => string): asserts condition {
  if (!condition) throw new StriateError(message());
}

/**
 * Formats a number of things for a message: `1 image`, `2 images`. `plural` is needed for words whose plural
 * is not formed by adding an s.
 */
export function counted(count: number, thing: string, plural = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : plural}`;
}
