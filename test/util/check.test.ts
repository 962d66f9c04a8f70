import { describe, expect, it } from "vitest";
import {
  checkBetween,
  checkFinite,
  checkKeys,
  checkOneOf,
  checkPositive,
  checkWhole,
} from "../../src/util/check.js";
import { StriateError } from "../../src/util/errors.js";

/** What a check says, undefined if it passes. */
function said(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(StriateError);
    return (error as Error).message;
  }
}

describe("checks", () => {
  it("pass what is right", () => {
    checkWhole("n", 1);
    checkWhole("n", 0, { from: 0 });
    checkWhole("n", 5, { from: 2, to: 5 });
    checkFinite("x", -1e9);
    checkPositive("x", 1e-9);
    checkBetween("x", 1, 0, 1);
    checkOneOf("mode", "a", ["a", "b"]);
    checkKeys("options", { a: 1 }, ["a", "b"]);
  });

  it("say what was expected and what came", () => {
    expect(
      said(() => {
        checkWhole("n", 0);
      }),
    ).toBe("n: expected a whole number of at least 1, got 0");
    expect(
      said(() => {
        checkWhole("n", 6, { from: 0, to: 5 });
      }),
    ).toBe("n: expected a whole number from 0 to 5, got 6");
    expect(
      said(() => {
        checkWhole("n", 1.5);
      }),
    ).toContain("got 1.5");
    expect(
      said(() => {
        checkWhole("n", "3" as unknown as number);
      }),
    ).toContain('got "3"');
    expect(
      said(() => {
        checkFinite("x", NaN);
      }),
    ).toBe("x: expected a finite number, got NaN");
    expect(
      said(() => {
        checkFinite("x", "1" as unknown as number);
      }),
    ).toBe('x: expected a finite number, got "1"');
    expect(
      said(() => {
        checkPositive("x", 0);
      }),
    ).toBe("x: expected a number above 0, got 0");
    expect(
      said(() => {
        checkPositive("x", Infinity);
      }),
    ).toContain("got Infinity");
    expect(
      said(() => {
        checkBetween("x", NaN, 0, 1);
      }),
    ).toBe("x: expected a number from 0 to 1, got NaN");
    expect(
      said(() => {
        checkOneOf("mode", "c", ["a", "b"]);
      }),
    ).toBe('mode: expected one of a, b, got "c"');
    expect(
      said(() => {
        checkKeys("options", { stride: 1 }, ["strides"]);
      }),
    ).toBe('options: unknown option "stride": expected one of strides (did you mean strides?)');
    expect(
      said(() => {
        checkKeys("options", null as unknown as object, []);
      }),
    ).toBe("options: expected an object, got null");
  });
});
