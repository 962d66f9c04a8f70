import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { centreCrop, crop } from "../../src/data/images/rgb-image.js";
import { resizeAndCrop, resizeImage, resizeShortSide } from "../../src/data/images/resize.js";
import { correlateDisk, diskKernel, reflect101 } from "../../src/robustness/corruptions/pixels/disk.js";
import { forwardDct, inverseDct } from "../../src/robustness/corruptions/pixels/dct.js";
import { cannyEdges, chamferDistance } from "../../src/robustness/corruptions/pixels/edges.js";
import { indexAt } from "../../src/robustness/corruptions/pixels/border.js";
import { gaussianFilter } from "../../src/robustness/corruptions/pixels/gaussian.js";
import { changeHsv } from "../../src/robustness/corruptions/pixels/hsv.js";
import { jpegRoundTrip } from "../../src/robustness/corruptions/pixels/jpeg.js";
import { PoissonTable } from "../../src/robustness/corruptions/pixels/poisson.js";
import { Random } from "../../src/util/random.js";
import { constantPicture, largestDifference, testPicture } from "./pictures.js";

function noise(count: number): Float64Array {
  return new Float64Array(new Random("noise").fillUniform(new Float32Array(count)));
}

describe("JPEG round trip", () => {
  it.each([
    [16, 16, 50],
    [64, 64, 85],
    [224, 224, 7],
    [40, 24, 30],
    [37, 53, 75],
    [9, 8, 90],
    [33, 1, 60],
    [3, 3, 40],
    [1, 1, 95],
    [48, 31, 100],
  ])("%i x %i at quality %i: the bytes of libjpeg-turbo", async (width, height, quality) => {
    const image = testPicture(width, height);
    const file = await sharp(image.data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer();
    const data = new Uint8Array(await sharp(file).raw().toBuffer());
    expect(largestDifference(jpegRoundTrip(image, quality), { width, height, data })).toBe(0);
  });

  it("transforms there and back, coefficients times 8", () => {
    const samples = Int32Array.from(noise(64), (u) => Math.floor(256 * u) - 128);
    const block = samples.slice();
    forwardDct(block);
    // The first coefficient is the mean times 8, here times 8 again.
    const mean = samples.reduce((a, b) => a + b, 0) / 64;
    expect(Math.abs(block[0]! - 64 * mean)).toBeLessThanOrEqual(1);
    const coefficients = block.map((value) => Math.round(value / 8));
    inverseDct(coefficients);
    coefficients.forEach((value, i) => {
      expect(Math.abs(value - samples[i]!)).toBeLessThanOrEqual(1);
    });
  });

  it("refuses a quality that is none", () => {
    for (const quality of [0, 101, 50.5, NaN])
      expect(() => jpegRoundTrip(constantPicture(8, [1, 2, 3]), quality)).toThrow("JPEG quality: expected");
  });
});

describe("Gaussian filter", () => {
  const [rows, columns, channels] = [9, 14, 2];
  const values = noise(rows * columns * channels);

  it.each([
    [0.4, "edge", 4],
    [1, "mirror", 4],
    [2.3, "edge", 3],
    [7, "mirror", 3],
    [30, "edge", 4],
  ] as const)("sigma %f, %s: as the plain double sum", (sigma, border, truncate) => {
    const radius = Math.floor(truncate * sigma + 0.5);
    const raw = Array.from({ length: 2 * radius + 1 }, (_, i) =>
      Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
    );
    const total = raw.reduce((a, b) => a + b, 0);
    const found = gaussianFilter(values, { rows, columns, channels, sigma, border, truncate });
    for (let y = 0, i = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        for (let c = 0; c < channels; c++, i++) {
          let sum = 0;
          for (let dy = -radius; dy <= radius; dy++) {
            for (let dx = -radius; dx <= radius; dx++) {
              const at = indexAt(y + dy, rows, border) * columns + indexAt(x + dx, columns, border);
              sum += (raw[dy + radius]! / total) * (raw[dx + radius]! / total) * values[at * channels + c]!;
            }
          }
          expect(Math.abs(found[i]! - sum)).toBeLessThan(1e-12);
        }
      }
    }
  });

  it("is the identity where it reaches no neighbour", () => {
    for (const sigma of [0, 0.1])
      expect(gaussianFilter(values, { rows, columns, channels, sigma })).toBe(values);
  });

  it("mirrors as often as it must", () => {
    expect([-3, -2, -1, 0, 1, 2, 3, 4].map((i) => indexAt(i, 2, "mirror"))).toEqual([1, 1, 0, 0, 1, 1, 0, 0]);
    expect([-3, -1, 0, 2, 4].map((i) => reflect101(i, 3))).toEqual([1, 1, 0, 2, 0]);
  });
});

describe("disk", () => {
  it.each([
    [0.5, 0.6],
    [1.5, 0.1],
    [3, 0.1],
    [6, 0.5],
    [8, 0.5],
    [10, 0.5],
  ])("radius %f: as the plain double sum, weights that sum to about 1", (radius, alias) => {
    const { reach, weights } = diskKernel(radius, alias);
    const side = 24;
    const values = noise(side * side * 3);
    const found = correlateDisk(values, side, { reach, weights });
    let total = 0;
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) total += weights[Math.abs(dy) * (reach + 1) + Math.abs(dx)]!;
    }
    // A disk that fills its grid gains a little where its smoothing is mirrored at the grid's edge.
    expect(Math.abs(total - 1)).toBeLessThan(radius < 8 ? 1e-6 : 0.02);
    for (let i = 0; i < values.length; i += 7) {
      const [y, x, c] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side, i % 3];
      let sum = 0;
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          const weight = weights[Math.abs(dy) * (reach + 1) + Math.abs(dx)]!;
          sum += weight * values[(reflect101(y + dy, side) * side + reflect101(x + dx, side)) * 3 + c]!;
        }
      }
      expect(Math.abs(found[i]! - sum)).toBeLessThan(1e-12);
    }
  });
});

describe("Poisson numbers", () => {
  it.each([0, 0.01, 0.7, 3, 12, 60, 500])("mean %f: mean, variance and skewness as they must be", (mean) => {
    const random = new Random("poisson");
    const table = new PoissonTable(mean);
    const n = 100_000;
    const draws = Float64Array.from({ length: n }, () => table.at(random.uniform()));
    const average = draws.reduce((a, b) => a + b, 0) / n;
    const variance = draws.reduce((a, b) => a + (b - average) ** 2, 0) / n;
    const third = draws.reduce((a, b) => a + (b - average) ** 3, 0) / n;
    // Five standard errors; all three moments of a Poisson number are its mean.
    expect(Math.abs(average - mean)).toBeLessThanOrEqual(5 * Math.sqrt(mean / n));
    expect(Math.abs(variance - mean)).toBeLessThanOrEqual(5 * Math.sqrt((mean + 2 * mean ** 2) / n));
    const thirdSpread = Math.sqrt((mean + 25 * mean ** 2 + 15 * mean ** 3 * 6) / n);
    expect(Math.abs(third - mean)).toBeLessThanOrEqual(5 * thirdSpread);
  });

  it("inverts the cumulative distribution exactly", () => {
    const table = new PoissonTable(2);
    let cumulative = 0;
    for (let k = 0, p = Math.exp(-2); k < 12; p *= 2 / ++k) {
      expect(table.at(cumulative + p / 2)).toBe(k);
      cumulative += p;
    }
    expect(table.at(1 - 2 ** -53)).toBeGreaterThan(15);
  });
});

describe("edges", () => {
  it("finds the outline of a square, one pixel thick", () => {
    const side = 20;
    const bytes = new Uint8Array(side * side);
    for (let y = 6; y < 14; y++) bytes.fill(200, y * side + 6, y * side + 14);
    const edges = cannyEdges(bytes, side, 50, 150);
    expect(edges.reduce((a, b) => a + b, 0)).toBeGreaterThan(24);
    for (let y = 0, i = 0; y < side; y++) {
      for (let x = 0; x < side; x++, i++) {
        const near = x >= 5 && x <= 14 && y >= 5 && y <= 14;
        const inside = x >= 8 && x <= 11 && y >= 8 && y <= 11;
        if (!near || inside) expect(edges[i]).toBe(0);
      }
    }
    expect(cannyEdges(new Uint8Array(side * side).fill(90), side, 50, 150).every((e) => e === 0)).toBe(true);
  });

  it("measures distances within the chamfer's error", () => {
    const side = 25;
    const marks = new Uint8Array(side * side);
    marks[12 * side + 12] = 1;
    const found = chamferDistance(marks, side);
    for (let y = 0, i = 0; y < side; y++) {
      for (let x = 0; x < side; x++, i++) {
        const exact = Math.hypot(x - 12, y - 12);
        expect(Math.abs(found[i]! - exact)).toBeLessThanOrEqual(0.025 * exact + 1e-6);
      }
    }
  });
});

describe("HSV", () => {
  it("leaves colours as they are when nothing changes", () => {
    const values = noise(3 * 500);
    const changed = values.slice();
    changeHsv(
      changed,
      (s) => s,
      (v) => v,
    );
    changed.forEach((value, i) => {
      expect(Math.abs(value - values[i]!)).toBeLessThan(1e-14);
    });
  });

  it("takes all colour away", () => {
    const values = Float64Array.of(0.2, 0.9, 0.4);
    changeHsv(
      values,
      () => 0,
      (v) => v,
    );
    expect([...values]).toEqual([0.9, 0.9, 0.9]);
  });
});

describe("resizing", () => {
  it("keeps one colour, averages halves, follows torchvision's sizes", () => {
    const plain = constantPicture(30, [10, 128, 250]);
    for (const filter of ["box", "triangle"] as const) {
      const { data } = resizeImage(plain, 47, 13, filter);
      data.forEach((value, i) => {
        expect(value).toBe([10, 128, 250][i % 3]);
      });
    }
    const pair = { width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 100, 51, 10) };
    expect([...resizeImage(pair, 1, 1).data]).toEqual([50, 26, 5]);
    const wide = resizeShortSide(testPicture(376, 263), 256);
    expect([wide.width, wide.height]).toEqual([365, 256]);
    const square = resizeAndCrop(testPicture(60, 90), 32);
    expect([square.width, square.height]).toEqual([32, 32]);
  });

  it("crops the middle, halves to the even side, and refuses what is outside", () => {
    const image = testPicture(9, 12);
    expect(centreCrop(image, 4)).toEqual(crop(image, 2, 4, 4, 4));
    expect(() => centreCrop(image, 10)).toThrow("expected an image of at least 10 x 10, got 9 x 12");
    expect(() => crop(image, 6, 0, 4, 4)).toThrow("inside an image of 9 x 12, got 4 x 4 at (6, 0)");
    expect(() => resizeImage(image, 0, 4)).toThrow(
      "resize: width: expected a whole number of at least 1, got 0",
    );
    expect(() => resizeAndCrop(image, 8, 6)).toThrow("a short side of at least the crop of 8, got 6");
  });
});
