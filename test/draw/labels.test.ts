import { describe, expect, it } from "vitest";
import {
  BACKGROUND,
  fromRgb,
  labelColour,
  labelMap,
  labelsOfMasks,
  maskOverlay,
  matchLabels,
} from "../../src/draw/index.js";

const pixel = ({ width, data }: { width: number; data: ArrayLike<number> }, x: number, y: number) =>
  Array.from({ length: 4 }, (_, c) => data[4 * (y * width + x) + c]);

describe("label map", () => {
  it("gives every label its colour", () => {
    const picture = labelMap({ height: 1, width: 3, labels: [0, 2, -1] }, { scale: 2 });
    expect([picture.width, picture.height]).toEqual([6, 2]);
    expect(pixel(picture, 1, 1)).toEqual([...BACKGROUND, 255]);
    expect(pixel(picture, 2, 0)).toEqual([...labelColour(2), 255]);
    expect(pixel(picture, 5, 1)).toEqual([...labelColour(-1), 255]);
  });

  it("leaves labels without a colour transparent, in a reused image as well", () => {
    const plane = { height: 1, width: 2, labels: [1, 1] };
    const picture = labelMap(plane);
    labelMap({ ...plane, labels: [0, 1] }, { into: picture, colourOf: (k) => (k === 0 ? null : [1, 2, 3]) });
    expect([...picture.data]).toEqual([0, 0, 0, 0, 1, 2, 3, 255]);
  });

  it("refuses what does not fit", () => {
    expect(() => labelMap({ height: 2, width: 2, labels: [1] })).toThrow(
      "label map labels: expected 4 values, got 1",
    );
    expect(() => labelMap({ height: 1, width: 2, labels: [1, 0.5] })).toThrow(
      "label map labels: expected whole numbers, got 0.5 at position 1",
    );
  });
});

describe("masks over an image", () => {
  const picture = fromRgb({ height: 2, width: 2, data: new Uint8Array(12).fill(100) });
  const plane = { height: 2, width: 2, labels: [0, 1, 0, 1] };

  it("tint objects and leave the background as it is", () => {
    const shown = maskOverlay(picture, plane, { opacity: 0.5, boundary: null });
    expect(pixel(shown, 0, 0)).toEqual([100, 100, 100, 255]);
    labelColour(1).forEach((c, i) => {
      expect(Math.abs(pixel(shown, 1, 1)[i]! - (50 + c / 2))).toBeLessThanOrEqual(0.5);
    });
  });

  it("have lines of one pixel where labels change, at any scale", () => {
    const shown = maskOverlay(picture, plane, { scale: 4, boundary: [9, 8, 7], opacity: 0 });
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 8; x++)
        expect(pixel(shown, x, y)).toEqual(x === 3 ? [9, 8, 7, 255] : [100, 100, 100, 255]);
  });

  it("refuse images of another size", () => {
    expect(() => maskOverlay(picture, { height: 1, width: 4, labels: [0, 1, 0, 1] })).toThrow(
      "mask overlay: labels: expected 2 x 2 pixels, got 4 x 1",
    );
    expect(() => maskOverlay(picture, plane, { opacity: 2 })).toThrow(/from 0 to 1, got 2/);
    expect(() => fromRgb({ height: 2, width: 2, data: [1, 2] })).toThrow(/expected 12 values, got 2/);
  });
});

describe("labels of masks", () => {
  it("tell objects and their overlap apart", () => {
    const labels = labelsOfMasks(
      [
        [0, 1, 1],
        [0, 0, 1],
      ],
      3,
    );
    expect([...labels]).toEqual([0, 1, 3]);
    expect(() => labelsOfMasks([[0, 1]], 3)).toThrow("mask 1: expected 3 values, got 2");
  });
});

describe("matched labels", () => {
  const truth = [0, 0, 0, 1, 1, 2, 2, -1];

  it("are matched by overlap whatever they are called, background included", () => {
    expect(matchLabels(truth, [7, 7, 7, 9, 9, 4, 4, 4])).toEqual(
      new Map([
        [7, 0],
        [9, 1],
        [4, 2],
      ]),
    );
  });

  it("get numbers of their own if the truth has no partner, the largest first", () => {
    const partners = matchLabels([0, 0, 0, 0, 0, 0, 1, 1], [1, 1, 1, 2, 3, 3, 4, 4]);
    expect(partners).toEqual(
      new Map([
        [4, 1],
        [1, 0],
        [3, 2],
        [2, 3],
      ]),
    );
  });

  it("refuse masks of different sizes", () => {
    expect(() => matchLabels(truth, [1])).toThrow(/8 true and 1 found/);
  });
});
