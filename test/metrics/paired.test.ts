import { describe, expect, it } from "vitest";
import { pairedDifference } from "../../src/metrics/paired.js";
import { tQuantile } from "../../src/metrics/statistics.js";

/** Lists with the given numbers of images on which both, the second, the first and neither is right. */
function lists(both: number, second: number, first: number, neither: number): [number[], number[]] {
  const rows = [
    ...Array<[number, number]>(both).fill([1, 1]),
    ...Array<[number, number]>(second).fill([0, 1]),
    ...Array<[number, number]>(first).fill([1, 0]),
    ...Array<[number, number]>(neither).fill([0, 0]),
  ];
  return [rows.map(([a]) => a), rows.map(([, b]) => b)];
}

describe("paired differences", () => {
  it("have the p-value of the exact binomial test", () => {
    // scipy.stats.binomtest(5, 20).pvalue and binomtest(1, 8).pvalue
    expect(pairedDifference(...lists(10, 15, 5, 10)).p).toBeCloseTo(0.04138946533203125, 12);
    expect(pairedDifference(...lists(0, 1, 7, 3)).p).toBeCloseTo(0.0703125, 12);
    expect(pairedDifference(...lists(3, 0, 0, 3)).p).toBe(1);
    expect(pairedDifference(...lists(0, 2000, 2000, 0)).p).toBeCloseTo(1, 6);
  });

  it("have the adjusted Wald interval for paired proportions", () => {
    // By hand from Bonett and Price 2012: (15 + 1, 5 + 1) of 40 + 2.
    const { difference, low, high, gained, lost } = pairedDifference(...lists(10, 15, 5, 10));
    const [up, down] = [16 / 42, 6 / 42];
    const half = 1.959963984540054 * Math.sqrt((up + down - (up - down) ** 2) / 42);
    expect({ difference, gained, lost }).toEqual({ difference: 0.25, gained: 15, lost: 5 });
    expect(low).toBeCloseTo(up - down - half, 12);
    expect(high).toBeCloseTo(up - down + half, 12);
  });

  it("of a network with itself are 0, within their interval", () => {
    const [right] = lists(4, 3, 2, 1);
    const { difference, low, high, p } = pairedDifference(right, right);
    expect(difference).toBe(0);
    expect(p).toBe(1);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
  });

  it("of means over conditions have the interval of judgeDifferences and no p-value", () => {
    const found = pairedDifference([0.5, 0, 1, 0.25], [1, 0.5, 1, 0.25]);
    expect(found.difference).toBe(0.25);
    expect(found.p).toBeUndefined();
    const deviation = Math.sqrt((4 * 0.25 ** 2) / 3);
    // scipy.stats.t.ppf(0.975, 3)
    expect(found.high - found.difference).toBeCloseTo((3.182446 * deviation) / 2, 4);
    expect(found.status).toBe("undecided");
    expect(found.method).toContain("Student");
    const decided = pairedDifference([0.5, 0.5, 0.5, 0.25], [0, 0.25, 0, 0]);
    expect(decided.status).toBe("reversed");
    expect(decided.high).toBeLessThan(0);
    expect(pairedDifference([0.5], [1])).toMatchObject({ low: -1, high: 1, status: "undecided" });
  });

  it("refuse lists that are no shares of the same images", () => {
    expect(() => pairedDifference([1, 0], [1])).toThrow(/expected 2 values, got 1/);
    expect(() => pairedDifference([], [])).toThrow(/at least one image/);
    expect(() => pairedDifference([1], [2])).toThrow(/shares from 0 to 1, got 1 and 2/);
    expect(() => pairedDifference([1], [NaN])).toThrow(/finite/);
  });
});

describe("quantiles of Student's t", () => {
  it("are those of the tables, and meet the normal distribution", () => {
    // scipy.stats.t.ppf(0.975, degrees)
    for (const [degrees, expected] of [
      [1, 12.706205],
      [2, 4.302653],
      [10, 2.228139],
      [30, 2.042272],
      [31, 2.039513],
      [60, 2.000298],
      [1000, 1.962339],
    ] as const)
      expect(tQuantile(degrees)).toBeCloseTo(expected, 3);
    expect(() => tQuantile(0)).toThrow(/degrees of freedom/);
  });
});
