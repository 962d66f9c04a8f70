/**
 * The only error class that Striate throws for bad input. The message names the thing, what was expected and what came.
 */
export class StriateError extends Error {
  override name = "StriateError";
}

/** Throws a {@link StriateError} unless `condition` holds. */
export function check(condition: unknown, message: () => string): asserts condition {
  if (!condition) throw new StriateError(message());
}

/** A number of things in a message: `1 image`, `2 images`. `plural` is for words that do not just take an s. */
export function counted(count: number, thing: string, plural = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : plural}`;
}
