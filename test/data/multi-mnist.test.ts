import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type DigitImages,
  MultiMnist,
  type MultiMnistOptions,
  digitImages,
  overlapRatio,
} from "../../src/data/index.js";
import { loadMnist } from "../../src/data/node.js";
import { range, rectangleDigits, sameBytes } from "./scenes.js";

let mnist: DigitImages;
beforeAll(async () => {
  mnist = await loadMnist("test");
});

const anyOptions = fc.record({
  seed: fc.oneof(fc.integer(), fc.string()),
  digits: fc.constantFrom(2 as const, 3 as const, "23" as const),
  maxOverlap: fc.constantFrom(0, 0.25, 0.5),
  overlapRule: fc.constantFrom("reference" as const, "intersection" as const),
  overlapChannel: fc.boolean(),
});

describe("MultiMnist", () => {
  it("obeys the rules of the generator for every option", () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const scenes = new MultiMnist(mnist, { count: 6, ...options });
        for (const i of range(0, 6)) {
          const placed = scenes.placements(i);
          expect(placed).toHaveLength(options.digits === "23" ? 2 + (i % 2) : options.digits);
          expect(new Set(scenes.digitLabels(i)).size).toBe(placed.length);
          expect(placed[0]!.top).toBeLessThan(22);
          expect(placed[0]!.left).toBeLessThan(22);
          placed.forEach((box, k) => {
            expect(Math.min(box.top, box.left)).toBeGreaterThanOrEqual(0);
            expect(Math.max(box.bottom, box.right)).toBeLessThanOrEqual(50);
            for (const earlier of placed.slice(0, k)) {
              expect(overlapRatio(earlier, box, options.overlapRule)).toBeLessThanOrEqual(options.maxOverlap);
            }
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it("makes scene i from the seed and i alone: any count, order and batching", () => {
    fc.assert(
      fc.property(anyOptions, fc.integer({ min: 1, max: 40 }), (options, count) => {
        const small = new MultiMnist(mnist, { count, ...options });
        const large = new MultiMnist(mnist, { count: 41, ...options });
        for (const i of range(0, 41).reverse()) large.placements(i);
        const [few, many] = [small.toArrays().fields, large.toArrays(0, count).fields];
        for (const name of ["x", "y", "masks"] as const)
          expect(sameBytes(few[name].data, many[name].data)).toBe(true);
        const last = { x: new Float32Array(1024), y: new Float32Array(10) };
        large.fillBatch([count - 1], last);
        expect(sameBytes(last.x, few.x.data.subarray(-1024))).toBe(true);
        expect(sameBytes(last.y, few.y.data.subarray(-10))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("differs between seeds and streams", () => {
    const first = (options: Partial<MultiMnistOptions>): unknown =>
      new MultiMnist(mnist, { count: 3, seed: 1, ...options }).toArrays();
    expect(first({})).toEqual(first({ stream: "train" }));
    expect(first({})).not.toEqual(first({ seed: 2 }));
    expect(first({})).not.toEqual(first({ stream: "test" }));
  });

  it("gives masks that are one-hot and agree with labels, images and the overlap channel", () => {
    for (const overlapChannel of [true, false]) {
      for (const digits of [2, 3, "23"] as const) {
        const count = 60;
        const scenes = new MultiMnist(mnist, { count, seed: 3, digits, maxOverlap: 0.5, overlapChannel });
        const channels = scenes.maskChannels;
        expect(channels).toBe(1 + (digits === 2 ? 2 : 3) + (overlapChannel ? 1 : 0));
        const { x, y, masks } = scenes.toArrays().fields;
        let shared = 0;
        for (const n of range(0, count)) {
          expect(range(0, 10).filter((c) => y.data[n * 10 + c] === 1)).toEqual(
            scenes.digitLabels(n).sort((a, b) => a - b),
          );
          const pixels = new Array<number>(channels).fill(0);
          let notOneHot = 0;
          let markedWithoutInk = 0;
          for (let p = 0; p < 1024; p++) {
            const set = range(0, channels).filter((c) => masks.data[(n * channels + c) * 1024 + p] === 1);
            if (set.length !== 1) notOneHot++;
            pixels[set[0]!]!++;
            // Ink at the nearest canvas pixel always weighs in the bilinear value.
            if (set[0] !== 0 && x.data[n * 1024 + p] === 0) markedWithoutInk++;
          }
          expect([notOneHot, markedWithoutInk]).toEqual([0, 0]);
          const present = scenes.digitCount(n);
          for (const object of range(1, scenes.objects + 1))
            expect(pixels[object]! > 0).toBe(object <= present);
          if (overlapChannel) shared += pixels[channels - 1]!;
        }
        if (overlapChannel) expect(shared).toBeGreaterThan(0);
        expect(x.data.every((value) => value >= 0 && value <= 1)).toBe(true);
      }
    }
  });

  it("has an overlap channel by default exactly when digits may overlap", () => {
    const channels = (maxOverlap: number): number =>
      new MultiMnist(mnist, { count: 1, seed: 1, maxOverlap }).maskChannels;
    expect([0, 0.25, 0.5].map(channels)).toEqual([3, 4, 4]);
  });

  it("never lets digits share ink at overlap 0, under either rule", () => {
    for (const overlapRule of ["reference", "intersection"] as const) {
      const scenes = new MultiMnist(mnist, {
        count: 100,
        seed: 2,
        digits: 3,
        overlapRule,
        overlapChannel: true,
      });
      const { data } = scenes.toArrays().fields.masks;
      for (const n of range(0, 100)) {
        expect(data.subarray((n * 5 + 4) * 1024, (n * 5 + 5) * 1024).every((value) => value === 0)).toBe(
          true,
        );
      }
    }
  });

  it("draws made-up digits as a slow, separate calculation says", () => {
    const digits = rectangleDigits(50);
    const scenes = new MultiMnist(digits, { count: 20, seed: 5, digits: 3, maxOverlap: 0.5 });
    const { x, masks } = scenes.toArrays().fields;
    for (const n of range(0, 20)) {
      const placed = scenes.placements(n);
      const inkOf = (k: number, y: number, xx: number): number => {
        const { digit, top, left, bottom, right } = placed[k]!;
        if (y < top || y >= bottom || xx < left || xx >= right) return 0;
        const picture = digits.images.subarray(digit * 784, (digit + 1) * 784);
        const inked = range(0, 784).filter((p) => picture[p]! > 0);
        const firstRow = Math.min(...inked.map((p) => Math.floor(p / 28)));
        const firstColumn = Math.min(...inked.map((p) => p % 28));
        return picture[(firstRow + y - top) * 28 + firstColumn + xx - left]!;
      };
      const canvas = (y: number, xx: number): number => {
        const sum = inkOf(0, y, xx) + inkOf(1, y, xx) + inkOf(2, y, xx);
        return (sum > 250 ? 255 : sum) / 255;
      };
      for (let p = n % 7; p < 1024; p += 7) {
        const [i, j] = [Math.floor(p / 32), p % 32];
        const sy = (i + 0.5) * 1.5625 - 0.5;
        const sx = (j + 0.5) * 1.5625 - 0.5;
        let expected = 0;
        for (const a of [0, 1]) {
          for (const b of [0, 1]) {
            const [cy, cx] = [Math.floor(sy) + a, Math.floor(sx) + b];
            expected += (1 - Math.abs(sy - cy)) * (1 - Math.abs(sx - cx)) * canvas(cy, cx);
          }
        }
        expect(x.data[n * 1024 + p]).toBeCloseTo(expected, 6);
        const [ny, nx] = [Math.floor((i + 0.5) * 1.5625), Math.floor((j + 0.5) * 1.5625)];
        const owners = [0, 1, 2].filter((k) => inkOf(k, ny, nx) > 0);
        const channel = owners.length === 0 ? 0 : owners.length > 1 ? 4 : owners[0]! + 1;
        expect(masks.data[(n * 5 + channel) * 1024 + p]).toBe(1);
      }
    }
  });

  it("names impossible requests", () => {
    const make =
      (options: Partial<MultiMnistOptions>, digits = mnist) =>
      () =>
        new MultiMnist(digits, { count: 1, seed: 1, ...options });
    expect(make({ count: 0 })).toThrow("Multi-MNIST: count: expected a whole number of at least 1, got 0");
    expect(make({ digits: 4 as never })).toThrow(/expected 2, 3 or "23" digits per scene, got 4/);
    expect(make({ maxOverlap: -1 })).toThrow(
      "Multi-MNIST: maxOverlap: expected a number from 0 to 1, got -1",
    );
    expect(make({ maxOverlap: NaN })).toThrow(
      "Multi-MNIST: maxOverlap: expected a number from 0 to 1, got NaN",
    );
    expect(make({ overlapRule: "none" as never })).toThrow(
      'Multi-MNIST: overlapRule: expected one of reference, intersection, got "none"',
    );
    const pictures = (side: number, labels: number[]): DigitImages =>
      digitImages(
        "d",
        new Uint8Array(labels.length * side * side).fill(9),
        Uint8Array.from(labels),
        side,
        side,
      );
    expect(make({}, pictures(8, [1, 2]))).toThrow(/28x28 .*got 8x8/);
    expect(make({ digits: 3 }, pictures(28, [1, 2, 2]))).toThrow(/at least 3 different labels, got 2/);
    // Digits that fill their 28x28 image cannot stand beside each other on 50x50.
    expect(() => make({}, pictures(28, [1, 2]))().placements(0)).toThrow(/found no layout of 2 digits/);
    const scenes = make({})();
    expect(() => {
      scenes.fillBatch([0], { x: new Float32Array(1023) });
    }).toThrow(/expected room for 1024 numbers in x/);
    expect(() => {
      scenes.fillBatch([1], {});
    }).toThrow("Multi-MNIST batch: sample numbers: expected whole numbers from 0 to 0, got 1 at position 0");
    expect(() => scenes.toArrays(0, 2)).toThrow(/end <= 1, got 0 and 2/);
  });
});

describe("overlapRatio", () => {
  const box = (top: number, left: number, bottom: number, right: number) => ({
    digit: 0,
    top,
    left,
    bottom,
    right,
  });
  const origin = box(0, 0, 10, 10);

  it("reference: twice the earlier area below, positive for diagonal layouts too", () => {
    expect(overlapRatio(origin, box(5, 5, 15, 15), "reference")).toBe(25 / 200);
    expect(overlapRatio(origin, box(12, 13, 20, 20), "reference")).toBe(6 / 200);
    expect(overlapRatio(origin, box(12, 5, 20, 20), "reference")).toBeLessThan(0);
    expect(overlapRatio(origin, box(10, 0, 20, 10), "reference") <= 0).toBe(true);
  });

  it("intersection: shared area over mean area, 0 when apart", () => {
    expect(overlapRatio(origin, box(5, 5, 15, 15), "intersection")).toBe(0.25);
    expect(overlapRatio(origin, box(12, 13, 20, 20), "intersection")).toBe(0);
    expect(overlapRatio(origin, box(10, 0, 20, 10), "intersection")).toBe(0);
    expect(overlapRatio(origin, origin, "intersection")).toBe(1);
  });
});
