import { check } from "../../../util/errors.js";

/** Throws `StriateError` unless every size is a positive whole number. */
export function positiveSizes(
  what: string,
  sizes: Readonly<Record<string, number | readonly number[]>>,
): void {
  for (const [name, size] of Object.entries(sizes)) {
    const list = typeof size === "number" ? [size] : size;
    check(
      list.every((one) => Number.isInteger(one) && one > 0),
      () => `${what}: ${name}: expected positive whole numbers, got ${list.join(", ")}`,
    );
  }
}
