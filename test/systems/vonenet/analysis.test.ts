import { describe, expect, it } from "vitest";
import {
  ResponseStatistics,
  downstreamWeights,
  groupMeans,
  matchCells,
  overlap,
  sampleReceptiveFields,
  subPopulations,
} from "../../../src/systems/vonenet/index.js";
import { correlation, median } from "../../../src/metrics/statistics.js";

const populations = (variant: "biol" | "unif1" | "unif2" | "unif3") =>
  subPopulations(sampleReceptiveFields({ variant, simple: 256, complex: 256, seed: 0 }));

describe("sub-populations", () => {
  it("of the full-size banks have the published counts and overlaps", () => {
    const counts = populations("biol").map(({ cells }) => cells.length);
    expect(counts.slice(0, 12)).toEqual([8, 18, 1, 0, 0, 71, 84, 4, 0, 5, 48, 17]);
    expect(counts.slice(12)).toEqual([6, 19, 4, 0, 1, 35, 27, 0, 0, 28, 103, 33]);
    const published = { unif1: [0.5039, 0.543], unif2: [0.5039, 0.543], unif3: [0.5508, 0.6172] } as const;
    for (const variant of ["unif1", "unif2", "unif3"] as const) {
      const { simple, complex } = overlap(populations("biol"), populations(variant));
      expect(simple).toBeCloseTo(published[variant][0], 4);
      expect(complex).toBeCloseTo(published[variant][1], 4);
    }
    expect(overlap(populations("biol"), populations("biol"))).toEqual({ simple: 1, complex: 1 });
  });

  it("have means that leave out what is no number, and none where they are empty", () => {
    const groups = subPopulations({
      simple: 3,
      complex: 1,
      spatialFrequency: Float64Array.of(1, 1, 1, 5),
      nx: Float64Array.of(0.2, 0.2, 0.2, 0.9),
    });
    const means = groupMeans(groups, [1, NaN, 3, 7]);
    expect(means.filter(Number.isFinite)).toEqual([2, 7]);
    expect(means).toHaveLength(24);
  });

  it("are weighed by the bottleneck's rows", () => {
    expect([...downstreamWeights([1, -2, 3, 4, 5, -6], 3)]).toEqual([2.5, 3.5, 4.5]);
    expect(() => downstreamWeights([1, 2, 3], 2)).toThrow(/whole rows of 2 cells/);
  });
});

describe("matched cells", () => {
  it("of a population with itself are the same cells", () => {
    const fields = sampleReceptiveFields({ simple: 12, complex: 9, seed: 3 });
    const pairs = matchCells(fields, fields);
    expect(pairs).toHaveLength(21);
    for (const { one, other, distance } of pairs) {
      expect(other).toBe(one);
      expect(distance).toBe(0);
    }
  });

  it("minimise the sum of distances, one partner each, within type and colour", () => {
    const one = sampleReceptiveFields({ variant: "biol", simple: 6, complex: 0, seed: 1 });
    const other = sampleReceptiveFields({ variant: "unif1", simple: 6, complex: 0, seed: 2 });
    const pairs = matchCells(one, other, { largestDistance: 100 });
    expect(new Set(pairs.map(({ other: cell }) => cell)).size).toBe(6);
    for (const pair of matchCells(one, other, { sameColour: true, largestDistance: 100 }))
      expect(one.colour[pair.one]).toBe(other.colour[pair.other]);
    expect(matchCells(one, other, { largestDistance: 1e-9 })).toEqual([]);
    expect(() => matchCells(one, other, { largestDistance: 0 })).toThrow(
      "largestDistance: expected a number above 0, got 0",
    );
  });
});

describe("responses", () => {
  it("give mean, deviation, variation and sparseness; silent positions are counted and left out", () => {
    const statistics = new ResponseStatistics(2, 2);
    // Cell 0 answers 1, 3 and 0, 0; cell 1 to one image only.
    statistics.add([1, 0, 4, 0]);
    statistics.add([3, 0, 0, 0]);
    const [first, second] = statistics.result();
    expect(first!.mean).toBe(1);
    expect(first!.deviation).toBeCloseTo(Math.SQRT2 / 2, 12);
    expect(first!.variation).toBeCloseTo(Math.SQRT2 / 2, 12);
    expect(first!.sparseness).toBeCloseTo((1 - 4 / 5) / 0.5, 12);
    expect(first!.silent).toBe(1);
    expect(second!.sparseness).toBe(1);
    expect(() => new ResponseStatistics(2, 2).result()).toThrow(/at least two images/);
    expect(() => {
      statistics.add([1]);
    }).toThrow(/2 cells x 2 positions/);
  });

  it("are compared by correlation and median", () => {
    expect(correlation([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12);
    expect(correlation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
    expect(correlation([1, 1], [1, 2])).toBeNaN();
    expect([median([3, 1, 2]), median([4, 1]), median([])]).toEqual([2, 2.5, NaN]);
  });
});
