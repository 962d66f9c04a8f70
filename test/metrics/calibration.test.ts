import { describe, expect, it } from "vitest";
import { adaptiveEce, calibration, reliability } from "../../src/metrics/calibration.js";
import { StriateError } from "../../src/util/errors.js";

/** The bins that samples of these confidences fall in. */
function binsOf(confidences: readonly number[], bins: number): number[] {
  return confidences.map((confidence) =>
    reliability([confidence], [1], bins).bins.findIndex(({ count }) => count === 1),
  );
}

describe("bins of confidences", () => {
  it("hold every sample: 0 is in the first", () => {
    expect(reliability([0, 0], [1, 1])).toMatchObject({ ece: 1, mce: 1, rms: 1 });
    expect(adaptiveEce([0, 0], [1, 1])).toBe(1);
    expect(reliability([0, 0.5, 1], [0, 1, 1], 2).bins.map(({ count }) => count)).toEqual([2, 1]);
    expect(reliability([0, 0, 0, 1], [1, 0, 0, 1]).ece).toBeCloseTo(0.25, 12);
  });

  it("end at their upper border, whatever a product rounds to", () => {
    for (const bins of [3, 7, 10, 15, 49, 100]) {
      const borders = Array.from({ length: bins }, (_, i) => (i + 1) / bins);
      expect(binsOf(borders, bins)).toEqual(borders.map((_, i) => i));
      // The next number above a border belongs to the next bin.
      const above = borders.slice(0, -1).map((border) => border * (1 + 2 ** -52));
      expect(binsOf(above, bins)).toEqual(above.map((_, i) => i + 1));
    }
    expect(binsOf([0, 1e-300, 1], 15)).toEqual([0, 0, 14]);
  });

  it("of equal size may be more than there are samples", () => {
    expect(adaptiveEce([0.25, 0.75], [0, 1], 15)).toBeCloseTo(0.25, 12);
  });
});

describe("what is no set of confidences", () => {
  it.each([
    [[NaN], [1]],
    [[1.5], [1]],
    [[-0.1], [1]],
    [[], []],
    [[0.5], [1, 0]],
  ])("%j with answers %j is refused", (confidences, correct) => {
    expect(() => reliability(confidences, correct)).toThrow(StriateError);
    expect(() => adaptiveEce(confidences, correct)).toThrow(StriateError);
  });

  it.each([0, -1, 2.5, NaN])("%d bins are refused", (bins) => {
    expect(() => reliability([0.5], [1], bins)).toThrow(/bins: expected a whole number of at least 1/);
    expect(() => adaptiveEce([0.5], [1], bins)).toThrow(/bins: expected a whole number of at least 1/);
  });

  it("logits that are not numbers are refused, -Infinity is one", () => {
    expect(() => calibration(Float32Array.of(NaN, 0), [0])).toThrow(
      "calibration: confidence: expected a number from 0 to 1, got NaN",
    );
    expect(calibration(Float32Array.of(0, -Infinity), [0])).toMatchObject({
      accuracy: 1,
      nll: 0,
      ece: 0,
      brier: 0,
    });
  });
});
