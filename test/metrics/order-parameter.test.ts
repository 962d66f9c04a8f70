import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderParameters } from "../../src/metrics/index.js";

describe("order parameters", () => {
  it("are 1 for equal phases, 0 for opposite ones, with whole turns left out", () => {
    expect(orderParameters([1, 1 + 2 * Math.PI])[0]!.length).toBeCloseTo(1, 12);
    expect(orderParameters([1, 1 + 2 * Math.PI])[0]!.angle).toBeCloseTo(1, 12);
    expect(orderParameters([0, Math.PI])[0]!.length).toBeCloseTo(0, 12);
  });

  it("weigh phases, for each group on its own", () => {
    const found = orderParameters([0, Math.PI / 2, 3, 2], {
      weights: [3, 4, 1, 0],
      groups: [1, 1, 2, 2],
      groupCount: 4,
    });
    expect(found).toHaveLength(4);
    expect(found[0]).toEqual({ length: 0, angle: 0 });
    expect(found[1]!.length).toBeCloseTo(5 / 7, 12);
    expect(found[1]!.angle).toBeCloseTo(Math.atan2(4, 3), 12);
    expect(found[2]!.angle).toBeCloseTo(3, 12);
    expect(found[3]!.length).toBe(0);
  });

  it("turn with the phases and keep their length", () => {
    const phases = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(phases, fc.double({ min: -3, max: 3, noNaN: true }), (list, turn) => {
        const [still] = orderParameters(list);
        const [turned] = orderParameters(list.map((phase) => phase + turn));
        expect(turned!.length).toBeCloseTo(still!.length, 9);
        if (still!.length > 1e-6) expect(Math.cos(turned!.angle - still!.angle - turn)).toBeCloseTo(1, 6);
      }),
    );
  });

  it("refuse what does not fit", () => {
    expect(() => orderParameters([1, 2], { weights: [1] })).toThrow(
      "order parameters: weights: expected 2 values, got 1",
    );
    expect(() => orderParameters([NaN])).toThrow(
      "order parameters: phases: expected finite numbers, got NaN at position 0",
    );
    expect(() => orderParameters([1], { weights: [-1] })).toThrow(/weight 0: .* got -1/);
    expect(() => orderParameters([1], { groups: [2], groupCount: 2 })).toThrow(/groups 0 to 1, got 2/);
  });
});
