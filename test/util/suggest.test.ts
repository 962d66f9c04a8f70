import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closest, editDistance, unknownName } from "../../src/util/suggest.js";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["kitten", "sitting", 3],
    ["laptop", "lpatop", 1],
    ["", "abc", 3],
  ])("%j to %j takes %i edits", (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
  });

  it("is symmetric, zero only for equal words, and at most the longer length", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe("suggestions", () => {
  it("come for near words only", () => {
    expect(closest("Laptpo", ["smoke", "laptop", "paper"])).toBe("laptop");
    expect(closest("desktop", ["smoke", "paper"])).toBeUndefined();
    expect(unknownName("scale", "papr", ["smoke", "paper"])).toBe(
      'unknown scale "papr": expected one of smoke, paper (did you mean paper?)',
    );
    expect(unknownName("experiment", "x", [])).toBe('unknown experiment "x": none exists yet');
  });
});
