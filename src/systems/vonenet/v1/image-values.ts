import type { TensorData } from "../../../graph/index.js";
import { check } from "../../../util/errors.js";

/**
 * Throws `StriateError` unless all values of images are finite and within a range. `guessOf` says what may be wrong with
 * values from `low` to `high`, such as " (...)".
 */
export function checkImageValues(
  what: string,
  { data }: TensorData,
  [least, most]: readonly [least: number, most: number],
  guessOf: (low: number, high: number) => string,
): void {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data as Float32Array) {
    check(
      Number.isFinite(value),
      () => `${what}: expected image values in [${least}, ${most}], got ${value}`,
    );
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  check(
    low >= least && high <= most,
    () => `${what}: expected image values in [${least}, ${most}], got ${low} to ${high}${guessOf(low, high)}`,
  );
}

/** Whether values look like bytes. */
export const areBytes = (low: number, high: number): boolean => low >= 0 && high > 2 && high <= 255;
