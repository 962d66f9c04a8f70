import { describe, expect, it } from "vitest";
import type { CorruptionRow, TimestepCounts } from "../../src/experiments/predictive-coding/results.js";
import { changeOverTime, mcePerTimestep } from "../../src/experiments/predictive-coding/results.js";

/** `images` images of which `gained` and `lost` changed their answers at the last timestep. */
const counts = (
  seed: number,
  images: number,
  gained: number,
  lost: number,
): TimestepCounts & { seed: number } => ({
  seed,
  images,
  accuracy: [0.5, 0.5 + (gained - lost) / images],
  gained: [0, gained],
  lost: [0, lost],
});

describe("whether the dynamics help", () => {
  it("is decided by images whose answers changed, over several seeds", () => {
    const both = changeOverTime([counts(1, 1000, 58, 10), counts(2, 1000, 52, 4)]);
    expect(both.status).toBe("holds");
    expect(both.mean).toBeCloseTo(0.048, 10);
    // 62 changed answers of 1000 on average: sqrt(0.062 - 0.048^2) / sqrt(1000), times 1.96; the seeds agree.
    expect(both.margin).toBeCloseTo(1.95996 * Math.sqrt((0.062 - 0.048 ** 2) / 1000), 6);
    expect(changeOverTime([counts(1, 1000, 10, 58), counts(2, 1000, 4, 52)]).status).toBe("reversed");
    expect(changeOverTime([counts(1, 1000, 60, 10)]).status).toBe("undecided");
    expect(changeOverTime([counts(1, 1000, 60, 10), counts(2, 1000, 10, 60)]).status).toBe("undecided");
    // As large, but out of as many answers that changed for the worse.
    expect(changeOverTime([counts(1, 1000, 310, 290), counts(2, 1000, 312, 290)]).status).toBe("undecided");
    expect(() => changeOverTime([])).toThrow("at least one seed");
  });

  it("counts corruption errors relative to timestep 0", () => {
    const row = (corruption: string, severity: number, accuracy: number[]): CorruptionRow => ({
      setting: "tuned",
      corruption,
      severity,
      seed: 1,
      images: 10,
      accuracy,
      gained: [],
      lost: [],
    });
    const rows = [
      row("fog", 1, [0.9, 0.8]),
      row("fog", 3, [0.7, 0.8]),
      row("snow", 1, [0.8, 0.9]),
      row("snow", 3, [0.6, 0.9]),
    ];
    const [first, second] = mcePerTimestep(rows) as [number, number];
    expect(first).toBe(1);
    // Errors summed over severities: 0.4 and 0.6 become 0.4 and 0.2.
    expect(second).toBeCloseTo(0.6, 10);
  });
});
