import { StriateError, check, counted } from "./errors.js";
import { unknownName } from "./suggest.js";

/*
 * Common checks of options, so that their messages have the same wording everywhere. `what` names the checked
 * thing, such as "KomplexNet: timesteps". If a check fails, it throws StriateError.
 */

/** Bounds of a whole number; both bounds are allowed values. */
export interface WholeRange {
  /** Lower bound, -Infinity for none. Default 1. */
  readonly from?: number;
  /** Upper bound. Default: none. */
  readonly to?: number;
}

/**
 * Throws unless the value is a whole number within the bounds.
 *
 * @throws StriateError such as `timesteps: expected a whole number of at least 1, got 0`.
 */
export function checkWhole(what: string, value: number, range: WholeRange = {}): void {
  check(
    isWholeWithin(value, range),
    () => `${what}: expected a whole number${showRange(range)}, got ${shown(value)}`,
  );
}

/**
 * Throws {@link StriateError} unless all values are whole numbers within the bounds. The message names the
 * first value that is not.
 */
export function checkEveryWhole(what: string, values: ArrayLike<number>, range: WholeRange = {}): void {
  for (let i = 0; i < values.length; i++) {
    if (isWholeWithin(values[i]!, range)) continue;
    throw new StriateError(
      `${what}: expected whole numbers${showRange(range)}, got ${shown(values[i])} at position ${i}`,
    );
  }
}

function isWholeWithin(value: number, { from = 1, to = Infinity }: WholeRange): boolean {
  return Number.isInteger(value) && value >= from && value <= to;
}

function showRange({ from = 1, to = Infinity }: WholeRange): string {
  if (to !== Infinity) return ` from ${from} to ${to}`;
  return from === -Infinity ? "" : ` of at least ${from}`;
}

/**
 * Throws {@link StriateError} unless every size is a whole number of at least 1. `sizes` has numbers, or
 * lists of numbers, by name.
 */
export function checkSizes(what: string, sizes: Readonly<Record<string, number | readonly number[]>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (typeof size === "number") checkWhole(`${what}: ${name}`, size);
    else checkEveryWhole(`${what}: ${name}`, size);
  }
}

/** Throws {@link StriateError} unless the value is an odd whole number of at least 1. */
export function checkOdd(what: string, value: number): void {
  check(
    Number.isInteger(value) && value > 0 && value % 2 === 1,
    () => `${what}: expected an odd whole number of at least 1, got ${shown(value)}`,
  );
}

/** Throws {@link StriateError} unless `value / unit` is a whole number. */
export function checkMultiple(what: string, value: number, unit: number): void {
  check(Number.isInteger(value / unit), () => `${what}: expected a multiple of ${unit}, got ${shown(value)}`);
}

/** Throws {@link StriateError} unless `0 <= start <= end <= count`, with whole numbers `start` and `end`. */
export function checkSlice(what: string, start: number, end: number, count: number): void {
  check(
    Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= count,
    () => `${what}: expected 0 <= start <= end <= ${count}, got ${shown(start)} and ${shown(end)}`,
  );
}

/** Throws {@link StriateError} unless the value is a finite number. */
export function checkFinite(what: string, value: number): void {
  check(Number.isFinite(value), () => `${what}: expected a finite number, got ${shown(value)}`);
}

/**
 * Throws {@link StriateError} unless all values are finite numbers. The message names the first value that is
 * not.
 */
export function checkEveryFinite(what: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new StriateError(`${what}: expected finite numbers, got ${shown(values[i])} at position ${i}`);
  }
}

/** Throws {@link StriateError} unless the value is a finite number above 0. */
export function checkPositive(what: string, value: number): void {
  check(Number.isFinite(value) && value > 0, () => `${what}: expected a number above 0, got ${shown(value)}`);
}

/** Throws {@link StriateError} unless the value is a finite number of at least `least`. */
export function checkAtLeast(what: string, value: number, least: number): void {
  check(
    Number.isFinite(value) && value >= least,
    () => `${what}: expected a number of at least ${least}, got ${shown(value)}`,
  );
}

/** Throws {@link StriateError} unless the value is a number from `low` to `high`, both included. */
export function checkBetween(what: string, value: number, low: number, high: number): void {
  check(
    value >= low && value <= high,
    () => `${what}: expected a number from ${low} to ${high}, got ${shown(value)}`,
  );
}

/** Throws {@link StriateError} unless the value is at least `low` and less than `below`. */
export function checkHalfOpen(what: string, value: number, low: number, below: number): void {
  check(
    value >= low && value < below,
    () => `${what}: expected a number in [${low}, ${below}), got ${shown(value)}`,
  );
}

/** Throws {@link StriateError} unless the value is one of the choices. */
export function checkOneOf<const T>(what: string, value: unknown, choices: readonly T[]): asserts value is T {
  if ((choices as readonly unknown[]).includes(value)) return;
  throw new StriateError(`${what}: expected one of ${choices.join(", ")}, got ${shown(value)}`);
}

/** Throws {@link StriateError} unless `given` is an object whose keys are all known. */
export function checkKeys(what: string, given: object, known: readonly string[]): void {
  check(isRecord(given), () => `${what}: expected an object, got ${shown(given)}`);
  for (const key of Object.keys(given))
    check(known.includes(key), () => `${what}: ${unknownName("option", key, known)}`);
}

/** Throws {@link StriateError} if there is none of something, such as "image". */
export function checkSome(what: string, count: number, thing: string): void {
  check(count > 0, () => `${what}: expected at least one ${thing}, got none`);
}

/** Throws {@link StriateError} unless there are exactly `expected` values. */
export function checkLength(what: string, values: ArrayLike<unknown>, expected: number): void {
  check(
    values.length === expected,
    () => `${what}: expected ${counted(expected, "value")}, got ${values.length}`,
  );
}

/** Throws {@link StriateError} unless an image, a mask or a map has the expected size in pixels. */
export function checkPixels(
  what: string,
  size: { readonly width: number; readonly height: number },
  width: number,
  height: number,
): void {
  check(
    size.width === width && size.height === height,
    () => `${what}: expected ${width} x ${height} pixels, got ${size.width} x ${size.height}`,
  );
}

/**
 * Throws {@link StriateError} unless a shape has the expected axes. In `expected`, a number is the length of
 * an axis, and a text names an axis of any length: `["batch", 3, 32, 32]`.
 *
 * @throws StriateError such as `images: expected [batch, 3, 32, 32], got [1, 3, 28, 28]`.
 */
export function checkShape(
  what: string,
  shape: readonly (number | string)[],
  expected: readonly (number | string)[],
): void {
  check(fits(shape, expected), () => `${what}: expected [${expected.join(", ")}], got [${shape.join(", ")}]`);
}

/**
 * Throws {@link StriateError} unless a tensor has the expected element type and shape; see {@link checkShape}
 * for the form of the shape.
 */
export function checkTensor(
  what: string,
  tensor: { readonly dtype: string; readonly shape: readonly (number | string)[] },
  dtype: string,
  shape: readonly (number | string)[],
): void {
  check(
    tensor.dtype === dtype && fits(tensor.shape, shape),
    () => `${what}: expected ${dtype}[${shape.join(", ")}], got ${tensor.dtype}[${tensor.shape.join(", ")}]`,
  );
}

function fits(shape: readonly (number | string)[], expected: readonly (number | string)[]): boolean {
  return (
    shape.length === expected.length &&
    expected.every((length, axis) => typeof length === "string" || length === shape[axis])
  );
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Formats a value for a message. Callers in JavaScript may pass any type. */
function shown(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** The first tensor that holds NaN or an infinity, with that value; undefined if all numbers are finite. */
export function nonFiniteTensor(
  tensors: ReadonlyMap<string, { readonly data: ArrayLike<number | bigint> }>,
): { readonly name: string; readonly value: number } | undefined {
  for (const [name, { data }] of tensors) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    const value = data.find((one) => !Number.isFinite(one));
    if (value !== undefined) return { name, value };
  }
  return undefined;
}
