import { describe, expect, it } from "vitest";
import type { FamilyScores } from "../../src/experiments/predictive-coding/families.js";
import { familyChanges, FamilyTally } from "../../src/experiments/predictive-coding/families.js";
import { tensorData } from "../../src/graph/index.js";

/** Logits of two timesteps and two classes with these answers. */
const logits = (first: number[], last: number[]) =>
  tensorData(
    [first, last].flat().flatMap((answer) => [1 - answer, answer]),
    [2, first.length, 2],
  );

const LABELS = [1, 1, 1, 1];
const IMAGES = [0, 1, 2, 3];

describe("the change under a family of corruptions", () => {
  it("counts gained and lost answers of each family apart", () => {
    const tally = new FamilyTally();
    tally.add("gaussian_noise", logits([0, 0, 1, 1], [1, 1, 0, 1]), LABELS, IMAGES);
    tally.add("fog", logits([1, 1, 1, 1], [0, 1, 1, 1]), LABELS, IMAGES);
    expect(tally.scores("tuned")).toEqual([
      { setting: "tuned", family: "noise", images: 4, answers: 4, gained: 2, lost: 1, squares: 3 },
      { setting: "tuned", family: "weather", images: 4, answers: 4, gained: 0, lost: 1, squares: 1 },
    ]);
    const [noise, weather] = familyChanges(tally.scores("tuned"));
    // One answer for each image: McNemar's standard score.
    expect(noise!.z).toBeCloseTo((2 - 1) / Math.sqrt(2 + 1), 12);
    expect(noise!.change).toBeCloseTo(1 / 4, 12);
    expect(weather!.z).toBeCloseTo(-1, 12);
  });

  it("gains no certainty from answers that repeat, nor from seeds that agree", () => {
    const once = new FamilyTally();
    const thrice = new FamilyTally();
    const run = logits([0, 0, 1, 1], [1, 1, 0, 1]);
    once.add("gaussian_noise", run, LABELS, IMAGES);
    for (const name of ["gaussian_noise", "shot_noise", "impulse_noise"] as const)
      thrice.add(name, run, LABELS, IMAGES);
    const [one] = familyChanges(once.scores("tuned"));
    const [three] = familyChanges(thrice.scores("tuned"));
    expect(three!.z).toBeCloseTo(one!.z, 12);
    expect(three!.gained).toBe(6);
    const [seeds] = familyChanges([...once.scores("tuned"), ...once.scores("tuned")]);
    expect(seeds!.z).toBeCloseTo(one!.z, 12);
    expect(seeds!.gained).toBe(4);
    expect(seeds!.change).toBeCloseTo(one!.change, 12);
  });

  it("is 0 if no answer changed", () => {
    const none: FamilyScores = {
      setting: "tuned",
      family: "blur",
      images: 4,
      answers: 4,
      gained: 0,
      lost: 0,
      squares: 0,
    };
    expect(familyChanges([none])[0]!.z).toBe(0);
  });
});
