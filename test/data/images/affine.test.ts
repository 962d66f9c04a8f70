import { describe, expect, it } from "vitest";
import { affineImage, affineSources, drawAffine } from "../../../src/data/images/affine.js";
import type { PreparedImages } from "../../../src/data/images/prepared-images.js";
import { imageData, pictureOf } from "../../../src/data/images/prepared-images.js";
import { Random } from "../../../src/util/random.js";

const size = { width: 4, height: 4 };

describe("affine changes", () => {
  it("turn, move, scale and mirror whole pixels", () => {
    const plain = Array.from({ length: 16 }, (_, i) => i);
    expect([...affineSources({}, size)]).toEqual(plain);
    expect([...affineSources({ flip: true }, size)].slice(0, 4)).toEqual([3, 2, 1, 0]);
    expect([...affineSources({ translate: [1, 0] }, size)].slice(0, 4)).toEqual([-1, 0, 1, 2]);
    expect([...affineSources({ translate: [0, -1] }, size)].slice(12)).toEqual([-1, -1, -1, -1]);
    // A quarter turn clockwise brings the lower left corner to the upper left.
    expect(affineSources({ angle: 90 }, size)[0]).toBe(12);
    expect([...affineSources({ scale: 2 }, size)].slice(0, 4)).toEqual([5, 5, 6, 6]);
    const image = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) };
    expect([...affineImage(image, { translate: [1, 0] }).data]).toEqual([0, 0, 0]);
    expect(() => affineSources({ scale: 0 }, size)).toThrow(/scale above 0/);
  });

  it("are drawn within the study's ranges", () => {
    const random = new Random(1);
    const draws = Array.from({ length: 500 }, () => drawAffine(random, { width: 64, height: 64 }));
    const largest = (pick: (draw: (typeof draws)[number]) => number) => Math.max(...draws.map(pick));
    expect(largest(({ angle }) => Math.abs(angle))).toBeLessThanOrEqual(30);
    expect(largest(({ angle }) => Math.abs(angle))).toBeGreaterThan(28);
    expect(largest(({ translate }) => Math.abs(translate[0]))).toBe(3);
    expect(largest(({ scale }) => scale)).toBeLessThanOrEqual(1.2);
    const flips = draws.filter(({ flip }) => flip).length;
    expect(flips).toBeGreaterThan(200);
    expect(flips).toBeLessThan(300);
    expect(() => drawAffine(random, size, { scale: [2, 1] })).toThrow(/expected ranges/);
  });

  it("of training data follow from the labels of the draw alone", () => {
    const images: PreparedImages = {
      count: 2,
      shape: [3, 4, 4],
      pixels: Uint8Array.from({ length: 96 }, (_, i) => 2 * i),
      labels: Int32Array.of(0, 1),
      classes: ["a", "b"],
    };
    const data = imageData(images, {}, { augmentation: {} });
    const take = (step: number) => {
      const fields = { images: new Float32Array(96), labels: new Float32Array(2) };
      data.fill([1, 0], fields, [7, step]);
      return fields;
    };
    expect(take(3)).toEqual(take(3));
    expect(take(3).images).not.toEqual(take(4).images);
    expect([...take(3).labels]).toEqual([1, 0]);
    expect(pictureOf(images, 1).data.slice(0, 3)).toEqual(Uint8Array.of(96, 128, 160));
  });
});
