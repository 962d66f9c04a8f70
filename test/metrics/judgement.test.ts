import { describe, expect, it } from "vitest";
import { errorOverImages, judgeDifferences } from "../../src/metrics/judgement.js";
import { Random } from "../../src/util/random.js";

describe("the judgement of paired differences", () => {
  it("uses Student's t over seeds and adds the error over images as squares", () => {
    // Standard deviation 0.01 of four seeds: 3.1824 * 0.005.
    const four = judgeDifferences([0.04, 0.06, 0.05, 0.05 + 0.01 * Math.sqrt(1)]);
    expect(four.seeds).toBe(4);
    expect(four.mean).toBeCloseTo(0.0525, 12);
    const deviation = Math.sqrt((0.0125 ** 2 + 2 * 0.0075 ** 2 + 0.0025 ** 2) / 3);
    expect(four.margin).toBeCloseTo((3.1824 * deviation) / 2, 8);
    expect(four.status).toBe("holds");
    expect(judgeDifferences([0.05, 0.05, 0.05], 0.02).margin).toBeCloseTo(1.959964 * 0.02, 6);
    expect(judgeDifferences([-0.05, -0.05, -0.05], 0.02).status).toBe("reversed");
  });

  it("leaves a claim undecided for one seed, whatever its size", () => {
    expect(judgeDifferences([0.9], 0.01)).toEqual({
      status: "undecided",
      seeds: 1,
      mean: 0.9,
      margin: expect.closeTo(0.0196, 4) as number,
    });
    expect(judgeDifferences([0.9]).margin).toBeNaN();
  });

  it("says how many seeds would decide it, if any number would", () => {
    // Mean 0.06, standard deviation 0.02828: two seeds give 12.7 * 0.02, four 3.18 * 0.01414 < 0.06.
    expect(judgeDifferences([0.04, 0.08])).toMatchObject({ status: "undecided", seedsNeeded: 4 });
    expect(judgeDifferences([0.04, 0.08], 0.05).seedsNeeded).toBeUndefined();
    expect(judgeDifferences([0.05, -0.05]).seedsNeeded).toBeUndefined();
    expect(judgeDifferences([0.05, 0.05]).seedsNeeded).toBeUndefined();
  });

  it("has an interval that holds the true difference in at least 95 of 100 studies", () => {
    const random = Random.derive(3, "studies");
    const values = new Float32Array(3 + 2 * 200);
    const studies = 400;
    let held = 0;
    for (let study = 0; study < studies; study++) {
      random.fillNormal(values);
      // Seeds with a spread of 0.02, and images whose difference, the same for all seeds, has a spread of 0.5.
      const images = Array.from({ length: 200 }, (_, i) => 0.5 * values[3 + i]!);
      const perSeed = [0, 1, 2].map((s) => images.map((image) => image + 0.03 + 0.02 * values[s]!));
      const means = perSeed.map((one) => one.reduce((a, b) => a + b, 0) / one.length);
      const { mean, margin } = judgeDifferences(means, errorOverImages(perSeed));
      if (Math.abs(mean - 0.03) <= margin) held++;
    }
    expect(held / studies).toBeGreaterThanOrEqual(0.95);
    expect(held / studies).toBeLessThan(1);
  });

  it("averages an image over seeds before it takes the error over images", () => {
    // Both seeds: 1, -1, 0, 0. Mean over seeds the same: deviation sqrt(2 / 3), error sqrt(2 / 3) / 2.
    expect(
      errorOverImages([
        [1, -1, 0, 0],
        [1, -1, 0, 0],
      ]),
    ).toBeCloseTo(Math.sqrt(2 / 3) / 2, 12);
    expect(
      errorOverImages([
        [1, -1, 0, 0],
        [-1, 1, 0, 0],
      ]),
    ).toBe(0);
  });

  it("refuses what it cannot judge", () => {
    expect(() => judgeDifferences([])).toThrow("at least one difference");
    expect(() => judgeDifferences([NaN])).toThrow("judgement");
    expect(() => judgeDifferences([1], -1)).toThrow("error over images");
    expect(() => errorOverImages([[1]])).toThrow("number of images");
    expect(() => errorOverImages([[1, 2], [1]])).toThrow("error over images");
  });
});
