import { describe, expect, it } from "vitest";
import { BACKGROUND, distance, IGNORED, labelColour, rgbToOklab, SHARED } from "../../src/draw/index.js";

describe("label colours", () => {
  it("stay apart from one another, from the background and from shared and ignored pixels", () => {
    const colours = [...Array.from({ length: 8 }, (_, i) => labelColour(i + 1)), BACKGROUND, SHARED];
    const lab = [...colours, IGNORED].map(rgbToOklab);
    for (let i = 0; i < lab.length; i++)
      for (let j = 0; j < i; j++) expect(distance(lab[i]!, lab[j]!), `${i}, ${j}`).toBeGreaterThan(0.09);
  });

  it("go on beyond the named ones, neighbours far apart", () => {
    for (let label = 9; label < 40; label++) {
      const [one, next] = [label, label + 1].map((k) => rgbToOklab(labelColour(k)));
      expect(distance(one!, next!)).toBeGreaterThan(0.1);
    }
    expect(labelColour(0)).toEqual(BACKGROUND);
    expect(labelColour(-1)).toEqual(IGNORED);
  });
});
