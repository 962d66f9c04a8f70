import { describe, expect, it } from "vitest";
import { bicubicResize } from "../../../src/data/images/bicubic.js";
import { scenePictures } from "../../../src/data/scenes/segmented-scenes.js";
import { tetrominoes } from "../../../src/data/scenes/tetrominoes.js";
import { adjustedRandIndex } from "../../../src/metrics/clustering.js";
import { segmentationScores } from "../../../src/metrics/segmentation.js";
import { Random } from "../../../src/util/random.js";
import { interleave, segmentImages, shiftedCopies } from "../../../src/systems/akorn/index.js";

const both = (size: number | readonly [number, number]) =>
  (typeof size === "number" ? [size, size] : size) as [number, number];
const clamp = (i: number, length: number) => Math.min(Math.max(i, 0), length - 1);

describe("bicubic resizing", () => {
  it("keeps constants and straight lines away from the border", () => {
    const constant = bicubicResize(new Float32Array(2 * 5 * 4).fill(0.3), [5, 4], [9, 7]);
    expect(constant).toHaveLength(2 * 9 * 7);
    for (const value of constant) expect(value).toBeCloseTo(0.3, 6);
    // Reversing the image reverses the result.
    const ramp = Float32Array.from({ length: 16 }, (_, i) => i * i);
    const [there, back] = [ramp, ramp.slice().reverse()].map((row) => bicubicResize(row, [1, 16], [1, 33]));
    expect([...back!].reverse().map((v) => v.toFixed(3))).toEqual([...there!].map((v) => v.toFixed(3)));
    // A point half way between two of four: (-a/8)(x0 + x3) + (1/2 + a/8)(x1 + x2) with a = -3/4, signs as in Keys 1981.
    const [, , middle] = bicubicResize(Float32Array.of(1, 2, 4, 8), [1, 4], [1, 5]);
    expect(middle).toBeCloseTo(-0.09375 * 9 + 0.59375 * 6, 5);
  });

  it("refuses numbers that are no planes", () => {
    expect(() => bicubicResize(new Float32Array(7), [2, 3], [4, 6])).toThrow(
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

  it.each([
    { size: [12, 20], patch: 4, factor: 2 },
    { size: [20, 8], patch: 4, factor: [4, 2] },
    { size: [8, 18], patch: [4, 6], factor: [1, 2] },
    { size: [12, 12], patch: [4, 3], factor: [2, 3] },
  ] as const)("samples the enlarged image at shifted pixels: $size, $patch, $factor", (tiling) => {
    const [size, patch, factor] = [tiling.size, both(tiling.patch), both(tiling.factor)];
    const [height, width] = size;
    const images = Random.derive("tiled").fillUniform(new Float32Array(2 * height * width));
    const copies = shiftedCopies(images, tiling);
    expect(copies).toHaveLength(factor[0] * factor[1]);
    const weight = (t: number) => {
      const d = Math.abs(t);
      if (d <= 1) return 1.25 * d ** 3 - 2.25 * d ** 2 + 1;
      return d < 2 ? -0.75 * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
    };
    /** The continuous image at a point of plane p, pixel centres at whole numbers, the border repeated. */
    const sample = (p: number, y: number, x: number) => {
      let sum = 0;
      for (let row = Math.floor(y) - 1; row <= Math.floor(y) + 2; row++)
        for (let column = Math.floor(x) - 1; column <= Math.floor(x) + 2; column++) {
          const [r, c] = [clamp(row, height), clamp(column, width)];
          sum += weight(y - row) * weight(x - column) * images[(p * height + r) * width + c]!;
        }
      return sum;
    };
    copies.forEach((found, copy) => {
      const at = [Math.floor(copy / factor[1]), copy % factor[1]];
      const place = (pixel: number, axis: 0 | 1) => {
        const stride = patch[axis] / factor[axis];
        const length = size[axis];
        return ((pixel + stride * at[axis]! + 0.5) * length) / (length + patch[axis] - stride) - 0.5;
      };
      found.forEach((value, i) => {
        const [p, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
        expect(Math.abs(value - sample(p, place(y, 0), place(x, 1)))).toBeLessThan(1e-6);
      });
    });
  });

  it("joins copies that are not as many along both axes", () => {
    const maps = Array.from({ length: 6 }, (_, copy) =>
      Float32Array.from({ length: 2 * 2 * 3 }, (_, i) => 100 * copy + i),
    );
    const joined = interleave(maps, [2, 2, 3, 1], [2, 3]);
    const wanted = Array.from({ length: 2 * 4 * 9 }, (_, i) => {
      const [n, y, x] = [Math.floor(i / 36), Math.floor(i / 9) % 4, i % 9];
      return 100 * (3 * (y % 2) + (x % 3)) + (n * 2 + Math.floor(y / 2)) * 3 + Math.floor(x / 3);
    });
    expect([...joined]).toEqual(wanted);
    expect(() => interleave(maps, [2, 2, 3, 1], [3, 3])).toThrow(
      "expected 3 x 3 maps of [2, 2, 3, 1], got 6",
    );
    expect(() => interleave(maps, [2, 2, 3, 1])).toThrow("expected r^2 maps");
  });

  it("refuses factors that do not divide the patch, and images of another size", () => {
    expect(() => shiftedCopies(new Float32Array(192), { size: [8, 12], patch: 4, factor: [2, 3] })).toThrow(
      "expected a factor that divides the patch of 4 pixels, got 2 x 3",
    );
    expect(() => shiftedCopies(new Float32Array(192), { size: [8, 10], patch: [4, 4], factor: 2 })).toThrow(
      "expected images of whole patches of 4 pixels, got 8 x 10",
    );
    expect(() => shiftedCopies(new Float32Array(192), { size: [8, 12], patch: [4, 5], factor: 1 })).toThrow(
      "expected images of whole patches of 4 x 5 pixels, got 8 x 12",
    );
    expect(() => shiftedCopies(new Float32Array(100), { size: [8, 12], patch: 4, factor: 2 })).toThrow(
      "expected images of 8 x 12, got 100 numbers",
    );
    expect(() => shiftedCopies(new Float32Array(192), { size: 8, patch: 4, factor: 3 })).toThrow(
      "expected a factor that divides the patch of 4 pixels, got 3",
    );
    expect(() => shiftedCopies(new Float32Array(192), { size: 9, patch: 4, factor: 2 })).toThrow(
      "expected images of whole patches",
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

  it("segments images that are not square, with other shifts down than across", async () => {
    // Red left and blue right below black: edges at row 6 and column 10, no multiples of the patch.
    const size = [12, 20] as const;
    const patch = 4;
    const truth = (y: number, x: number) => (y < 6 ? 0 : x < 10 ? 1 : 2);
    /** Mean colours of patches and one constant channel. */
    const colours =
      ([height, width]: readonly [number, number]) =>
      (input: Float32Array) => {
        const [rows, columns] = [height / patch, width / patch];
        const data = new Float32Array(4 * rows * columns).fill(0.1);
        for (let c = 0; c < 3; c++)
          for (let i = 0; i < height * width; i++) {
            const cell = Math.floor(i / width / patch) * columns + Math.floor((i % width) / patch);
            data[c * rows * columns + cell]! += input[c * height * width + i]! / patch ** 2;
          }
        return Promise.resolve({ data, shape: [1, 4, rows, columns] });
      };
    /** Labels in the order of the image as it is, also where rows and columns were exchanged for the segmentation. */
    const segment = async (factor: readonly [number, number], turned = false) => {
      const turn = ([a, b]: readonly [number, number]) => (turned ? ([b, a] as const) : ([a, b] as const));
      const [height, width] = turn(size);
      const image = new Float32Array(3 * height * width);
      for (let i = 0; i < height * width; i++) {
        const label = truth(...turn([Math.floor(i / width), i % width]));
        if (label > 0) image[(label === 1 ? 0 : 2) * height * width + i] = 1;
      }
      const tiling = { size: [height, width], patch, factor: turn(factor) } as const;
      const labels = await segmentImages(image, colours([height, width]), { tiling, clusters: 3 });
      return Array.from({ length: height * width }, (_, i) => {
        const [row, column] = turn([Math.floor(i / size[1]), i % size[1]]);
        return labels[row * width + column]!;
      });
    };
    const wanted = Array.from({ length: size[0] * size[1] }, (_, i) =>
      truth(Math.floor(i / size[1]), i % size[1]),
    );
    for (const factor of [
      [1, 1],
      [4, 1],
      [2, 4],
    ] as const) {
      const labels = await segment(factor);
      expect(labels).toHaveLength(240);
      // Cells blur the edges; labels in a wrong order would not agree at all.
      expect(adjustedRandIndex(wanted, labels)).toBeGreaterThan(0.3);
      expect(adjustedRandIndex(await segment(factor, true), labels)).toBe(1);
      // Labels change at multiples of s = patch / r along either axis only, and also between whole patches if s is 1.
      const changes = (axis: 0 | 1) =>
        labels.flatMap((label, i) => {
          const at = axis === 0 ? Math.floor(i / size[1]) : i % size[1];
          return at > 0 && label !== labels[i - (axis === 0 ? size[1] : 1)] ? [at] : [];
        });
      for (const axis of [0, 1] as const) {
        expect(changes(axis).every((at) => at % (patch / factor[axis]) === 0)).toBe(true);
        if (factor[axis] === patch) expect(changes(axis).some((at) => at % patch !== 0)).toBe(true);
      }
    }
  });

  it("refuses images of another size and maps of another batch", async () => {
    const options = { tiling: { size: 32, patch: 2, factor: 1 }, clusters: 4 };
    await expect(segmentImages(images.subarray(1), meanColours, options)).rejects.toThrow(
      "expected RGB images of 32 x 32",
    );
    await expect(segmentImages(images.subarray(0, 3072), meanColours, options)).rejects.toThrow(
      "expected feature maps of 1 images, got [6, 4, 16, 16]",
    );
    const oddCopy = (_: Float32Array, copy: number) =>
      Promise.resolve({ data: new Float32Array(8 * 6), shape: copy === 3 ? [6, 1, 4, 2] : [6, 1, 2, 4] });
    await expect(
      segmentImages(images, oddCopy, { tiling: { size: 32, patch: 2, factor: 2 }, clusters: 2 }),
    ).rejects.toThrow("segmentation: feature maps of copy 3: expected [6, 1, 2, 4], got [6, 1, 4, 2]");
  });
});
