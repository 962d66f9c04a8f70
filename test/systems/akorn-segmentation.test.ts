import { describe, expect, it } from "vitest";
import { resizeBicubic } from "../../src/data/bicubic.js";
import { scenePictures } from "../../src/data/segmented-scenes.js";
import { tetrominoes } from "../../src/data/tetrominoes.js";
import { segmentationScores } from "../../src/metrics/segmentation.js";
import { interleave, segmentImages, shiftedCopies } from "../../src/systems/akorn/index.js";

describe("bicubic resizing", () => {
  it("keeps constants and straight lines away from the border", () => {
    const constant = resizeBicubic(new Float32Array(2 * 5 * 4).fill(0.3), [5, 4], [9, 7]);
    expect(constant).toHaveLength(2 * 9 * 7);
    for (const value of constant) expect(value).toBeCloseTo(0.3, 6);
    // Reversing the picture reverses the result.
    const ramp = Float32Array.from({ length: 16 }, (_, i) => i * i);
    const [there, back] = [ramp, ramp.slice().reverse()].map((row) => resizeBicubic(row, [1, 16], [1, 33]));
    expect([...back!].reverse().map((v) => v.toFixed(3))).toEqual([...there!].map((v) => v.toFixed(3)));
    // A point half way between two of four: (-a/8)(x0 + x3) + (1/2 + a/8)(x1 + x2) with a = -3/4, signs as in Keys 1981.
    const [, , middle] = resizeBicubic(Float32Array.of(1, 2, 4, 8), [1, 4], [1, 5]);
    expect(middle).toBeCloseTo(-0.09375 * 9 + 0.59375 * 6, 5);
  });

  it("refuses numbers that are no planes", () => {
    expect(() => resizeBicubic(new Float32Array(7), [2, 3], [4, 6])).toThrow(
      "expected whole planes of 2 x 3",
    );
  });
});

describe("up-tiling", () => {
  it("is the image itself with factor 1", () => {
    const image = Float32Array.from({ length: 3 * 64 }, (_, i) => i);
    expect(shiftedCopies(image, { size: 8, patch: 4, factor: 1 })).toEqual([image]);
  });

  it("puts the vector of copy (i, j) at (r y + i, r x + j)", () => {
    // Every vector says which copy and place it is of.
    const maps = Array.from({ length: 4 }, (_, copy) =>
      Float32Array.from({ length: 2 * 3 * 2 * 2 }, (_, i) => 100 * copy + i),
    );
    const joined = interleave(maps, [2, 3, 2, 2]);
    expect(joined).toHaveLength(4 * 24);
    const vector = (n: number, y: number, x: number) => [
      ...joined.subarray(2 * ((n * 6 + y) * 4 + x), 2 * ((n * 6 + y) * 4 + x) + 2),
    ];
    for (const [n, y, x] of [
      [0, 0, 0],
      [1, 3, 2],
      [0, 5, 3],
      [1, 4, 1],
    ] as const) {
      const copy = 2 * (y % 2) + (x % 2);
      const place = 2 * ((n * 3 + Math.floor(y / 2)) * 2 + Math.floor(x / 2));
      expect(vector(n, y, x)).toEqual([100 * copy + place, 100 * copy + place + 1]);
    }
  });

  it("refuses factors that do not divide the patch, and images of another size", () => {
    expect(() => shiftedCopies(new Float32Array(192), { size: 8, patch: 4, factor: 3 })).toThrow(
      "expected a factor that divides the patch of 4 pixels, got 3",
    );
    expect(() => shiftedCopies(new Float32Array(192), { size: 9, patch: 4, factor: 2 })).toThrow(
      "not whole patches",
    );
    expect(() => shiftedCopies(new Float32Array(190), { size: 8, patch: 4, factor: 2 })).toThrow(
      "expected images of 8 x 8, got 190",
    );
    expect(() => interleave([new Float32Array(4), new Float32Array(4)], [1, 2, 2, 1])).toThrow(
      "expected r^2 maps",
    );
  });
});

describe("segmentation by features", () => {
  const scenes = tetrominoes({ count: 6, seed: 3 });
  const images = scenePictures(scenes, [0, 1, 2, 3, 4, 5]);

  /** A "network" whose features are the mean colours of patches of 2 pixels, and a channel that keeps black from length 0. */
  const meanColours = (input: Float32Array) => {
    const data = new Float32Array(6 * 4 * 256).fill(0.1);
    for (let n = 0; n < 6; n++)
      for (let c = 0; c < 3; c++)
        for (let i = 0; i < 1024; i++) {
          const patch = Math.floor(i / 64) * 16 + Math.floor((i % 32) / 2);
          data[(n * 4 + c) * 256 + patch]! += input[(n * 3 + c) * 1024 + i]! / 4;
        }
    return Promise.resolve({ data, shape: [6, 4, 16, 16] });
  };

  it("finds objects that differ in colour, pixel by pixel with up-tiling", async () => {
    const segment = (factor: number) =>
      segmentImages(images, meanColours, { tiling: { size: 32, patch: 2, factor }, clusters: 4 });
    const [plain, tiled] = [await segment(1), await segment(2)];
    for (const labels of [plain, tiled]) {
      expect(labels).toHaveLength(6 * 1024);
      expect(Math.min(...labels)).toBe(1);
      expect(Math.max(...labels)).toBeLessThanOrEqual(4);
      expect(segmentationScores(scenes.labels, labels, 1024).meanForegroundAri).toBeGreaterThan(0.5);
    }
    /** Whether pixels 2x and 2x + 1 ever differ. */
    const fine = (labels: Int32Array) => labels.some((label, i) => i % 2 === 1 && labels[i - 1] !== label);
    expect([fine(plain), fine(tiled)]).toEqual([false, true]);
  });

  it("gives the same segments through as many principal components as the features span", async () => {
    const tiling = { size: 32, patch: 2, factor: 1 };
    const padded = async (input: Float32Array) => {
      const { data } = await meanColours(input);
      const wide = new Float32Array(6 * 9 * 256);
      for (let n = 0; n < 6; n++) wide.set(data.subarray(n * 1024, (n + 1) * 1024), n * 9 * 256);
      return { data: wide, shape: [6, 9, 16, 16] };
    };
    const plain = await segmentImages(images, meanColours, { tiling, clusters: 4 });
    const projected = await segmentImages(images, padded, { tiling, clusters: 4, components: 5 });
    expect(projected).toEqual(plain);
  });

  it("refuses images of another size and maps of another batch", async () => {
    const options = { tiling: { size: 32, patch: 2, factor: 1 }, clusters: 4 };
    await expect(segmentImages(images.subarray(1), meanColours, options)).rejects.toThrow(
      "expected RGB images of 32 x 32",
    );
    await expect(segmentImages(images.subarray(0, 3072), meanColours, options)).rejects.toThrow(
      "expected feature maps of 1 images, got [6, 4, 16, 16]",
    );
  });
});
