import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Shift, shiftImages, shiftMasks } from "../../src/data/index.js";

const size = { height: 3, width: 3 };
const picture = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
const shifted = (shift: Shift): number[] => Array.from(shiftImages(picture, shift, size));

const anyShift = fc.record({
  rotation: fc.integer({ min: -180, max: 180 }),
  scale: fc.double({ min: 0.5, max: 2, noNaN: true }),
  translation: fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 })),
});

describe("shifts", () => {
  it("does nothing by default", () => {
    expect(shifted({})).toEqual(Array.from(picture));
  });

  it("turns counter-clockwise by degrees", () => {
    expect(shifted({ rotation: 90 })).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
    expect(shifted({ rotation: -90 })).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect(shifted({ rotation: 180 })).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it("moves [down, right] and fills with 0", () => {
    expect(shifted({ translation: [1, 0] })).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6]);
    expect(shifted({ translation: [0, -1] })).toEqual([2, 3, 0, 5, 6, 0, 8, 9, 0]);
    expect(shifted({ translation: [0, 0.5] })).toEqual([0.5, 1.5, 2.5, 2, 4.5, 5.5, 3.5, 7.5, 8.5]);
  });

  it("scales about the centre, translation after rotation and scale", () => {
    expect(shifted({ scale: 2 })).toEqual([3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]);
    expect(shifted({ scale: 0.5 })).toEqual([0, 0, 0, 0, 5, 0, 0, 0, 0]);
    expect(shifted({ rotation: 90, translation: [1, 0] })).toEqual([0, 0, 0, 3, 6, 9, 2, 5, 8]);
  });

  it("keeps masks one-hot, with background from outside, where the image goes", () => {
    fc.assert(
      fc.property(anyShift, fc.array(fc.nat(2), { minLength: 72, maxLength: 72 }), (shift, channelOf) => {
        const plane = { height: 6, width: 6 };
        const masks = new Uint8Array(2 * 3 * 36);
        channelOf.forEach((channel, i) => (masks[(Math.floor(i / 36) * 3 + channel) * 36 + (i % 36)] = 1));
        const out = shiftMasks(masks, shift, { ...plane, channels: 3 });
        for (let i = 0; i < 72; i++) {
          const [n, p] = [Math.floor(i / 36), i % 36];
          expect([0, 1, 2].reduce((sum, c) => sum + out[(n * 3 + c) * 36 + p]!, 0)).toBe(1);
        }
        // A pixel that the mask gives to an object has a non-zero bilinear weight in the object's own image.
        const object = shiftImages(Float32Array.from(masks), shift, plane);
        for (const c of [1, 2, 4, 5]) {
          for (let p = 0; p < 36; p++)
            if (out[c * 36 + p] === 1) expect(object[c * 36 + p]).toBeGreaterThan(0.2);
        }
      }),
    );
  });

  it("never leaves the range of the image", () => {
    fc.assert(
      fc.property(
        anyShift,
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 }),
        (shift, values) => {
          const out = shiftImages(Float32Array.from(values), shift, { height: 4, width: 5 });
          expect(out.every((value) => value >= 0 && value <= 1)).toBe(true);
        },
      ),
    );
  });

  it("names what does not fit", () => {
    expect(() => shifted({ scale: 0 })).toThrow(/scale above 0/);
    expect(() => shifted({ rotation: NaN })).toThrow(/finite numbers/);
    expect(() => shiftImages(new Float32Array(10), {}, size)).toThrow(
      /expected whole planes of 3x3, got 10 numbers/,
    );
    expect(() => shiftMasks(new Uint8Array(36), {}, { ...size, channels: 3 })).toThrow(
      /expected whole samples of 3 mask channels, got 4 planes/,
    );
  });
});
