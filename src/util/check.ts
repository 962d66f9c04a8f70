import { StriateError, check } from "./errors.js";
import { unknownName } from "./suggest.js";

/*
 * Checks that most options need, each with the same wording everywhere. `what` names the checked thing, such as
 * "KomplexNet: timesteps".
 */

/** Bounds of a whole number, both included. */
export interface WholeRange {
  /** Lower bound. Default 1. */
  readonly from?: number;
  /** Upper bound. Default: none. */
  readonly to?: number;
}

/**
 * Throws unless the value is a whole number within bounds.
 *
 * @throws StriateError such as `timesteps: expected a whole number of at least 1, got 0`.
 */
export function checkWhole(what: string, value: number, { from = 1, to = Infinity }: WholeRange = {}): void {
  const range = to === Infinity ? `of at least ${from}` : `from ${from} to ${to}`;
  check(
    Number.isInteger(value) && value >= from && value <= to,
    () => `${what}: expected a whole number ${range}, got ${shown(value)}`,
  );
}

/** Throws {@link StriateError} unless the value is a finite number. */
export function checkFinite(what: string, value: number): void {
  check(Number.isFinite(value), () => `${what}: expected a finite number, got ${shown(value)}`);
}

/** Throws {@link StriateError} unless the value is a finite number above 0. */
export function checkPositive(what: string, value: number): void {
  check(Number.isFinite(value) && value > 0, () => `${what}: expected a number above 0, got ${shown(value)}`);
}

/** Throws {@link StriateError} unless the value is a number from `low` to `high`, both included. */
export function checkBetween(what: string, value: number, low: number, high: number): void {
  check(
    value >= low && value <= high,
    () => `${what}: expected a number from ${low} to ${high}, got ${shown(value)}`,
  );
}

/** Throws {@link StriateError} unless the value is one of the given words. */
export function checkOneOf<const T extends string>(
  what: string,
  value: string,
  choices: readonly T[],
): asserts value is T {
  if ((choices as readonly string[]).includes(value)) return;
  throw new StriateError(`${what}: expected one of ${choices.join(", ")}, got ${shown(value)}`);
}

/** Throws {@link StriateError} unless `given` is an object whose keys are all known. */
export function checkKeys(what: string, given: object, known: readonly string[]): void {
  check(isRecord(given), () => `${what}: expected an object, got ${shown(given)}`);
  for (const key of Object.keys(given))
    check(known.includes(key), () => `${what}: ${unknownName("option", key, known)}`);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Formats a value for a message; JavaScript callers may pass anything. */
function shown(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
