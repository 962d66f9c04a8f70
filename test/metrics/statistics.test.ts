import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { summarise, wilsonInterval } from "../../src/metrics/index.js";

describe("summarise", () => {
  it("gives the textbook numbers", () => {
    const { count, mean, standardDeviation, standardError } = summarise([2, 4, 4, 4, 5, 5, 7, 9]);
    expect([count, mean]).toEqual([8, 5]);
    expect(standardDeviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(standardError).toBeCloseTo(Math.sqrt(32 / 7 / 8), 12);
    expect(summarise([3])).toEqual({ count: 1, mean: 3, standardDeviation: NaN, standardError: NaN });
  });

  it("moves and scales with the values, also far from 0", () => {
    const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.integer({ min: -1e6, max: 1e6 }), (array, shift) => {
        const [plain, moved] = [summarise(array), summarise(array.map((value) => 3 * value + shift))];
        expect(moved.mean).toBeCloseTo(3 * plain.mean + shift, 6);
        expect(moved.standardDeviation).toBeCloseTo(3 * plain.standardDeviation, 6);
      }),
    );
  });

  it("refuses nothing and what is not finite", () => {
    expect(() => summarise([])).toThrow(/at least one value/);
    expect(() => summarise([1, NaN])).toThrow(/finite numbers, got NaN at position 1/);
  });
});

describe("wilsonInterval", () => {
  it("gives published values", () => {
    // Newcombe 1998, Statistics in Medicine 17, table I, method 3.
    for (const [successes, trials, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = wilsonInterval(successes, trials);
      expect(interval.low).toBeCloseTo(low, 4);
      expect(interval.high).toBeCloseTo(high, 4);
    }
  });

  it("holds the proportion, lies in [0, 1], mirrors and narrows", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (trials, part) => {
          const successes = Math.round(part * trials);
          const { low, high } = wilsonInterval(successes, trials);
          const p = successes / trials;
          expect(low >= 0 && low <= p && p <= high && high <= 1).toBe(true);
          const mirrored = wilsonInterval(trials - successes, trials);
          expect(mirrored.low).toBeCloseTo(1 - high, 9);
          expect(
            wilsonInterval(successes * 4, trials * 4).high - wilsonInterval(successes * 4, trials * 4).low,
          ).toBeLessThan(high - low);
        },
      ),
    );
  });

  it("refuses impossible counts", () => {
    expect(() => wilsonInterval(3, 2)).toThrow(
      "Wilson interval: successes: expected a whole number from 0 to 2, got 3",
    );
    expect(() => wilsonInterval(0, 0)).toThrow(
      "Wilson interval: trials: expected a whole number of at least 1, got 0",
    );
    expect(() => wilsonInterval(1, 2, 0)).toThrow(/quantile z: expected a number above 0, got 0/);
  });
});
