import { describe, expect, it } from "vitest";
import { type PixelNoise, DEFAULT_NOISE, REFERENCE_NOISE, addPixelNoise } from "../../src/data/index.js";

const grey = (count: number, size: number, value = 0.5): Float32Array =>
  new Float32Array(count * size).fill(value);
const kinds: PixelNoise[] = [
  { kind: "gaussian", variance: 0.01 },
  { kind: "saltAndPepper", amount: 0.1 },
];

describe("corrupt", () => {
  it("adds normal noise of the stated variance, clipped to [0, 1]", () => {
    const values = addPixelNoise(grey(1, 100_000), kinds[0]!, { seed: 1, sampleSize: 100_000 });
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(Math.abs(variance - 0.01)).toBeLessThan(0.0003);
    const black = addPixelNoise(grey(1, 10_000, 0), DEFAULT_NOISE, { seed: 1, sampleSize: 10_000 });
    expect(black.every((value) => value >= 0 && value <= 1)).toBe(true);
    const zeros = black.filter((value) => value === 0).length;
    expect(Math.abs(zeros - 5000)).toBeLessThan(250);
  });

  it("sets the stated part of the pixels to 1 and 0 in equal shares, leaving the others", () => {
    const values = addPixelNoise(grey(1, 100_000), kinds[1]!, { seed: 1, sampleSize: 100_000 });
    const share = (wanted: number): number =>
      values.filter((value) => value === wanted).length / values.length;
    expect(Math.abs(share(1) - 0.05)).toBeLessThan(0.003);
    expect(Math.abs(share(0) - 0.05)).toBeLessThan(0.003);
    expect(share(0) + share(1) + share(0.5)).toBeCloseTo(1, 10);
  });

  it.each(kinds)("gives an image the same noise in every batch: $kind", (corruption) => {
    const run = (indices: number[], seed: number | string = 1): Float32Array[] => {
      const all = addPixelNoise(grey(indices.length, 64), corruption, { seed, sampleSize: 64, indices });
      return indices.map((_, i) => all.slice(i * 64, (i + 1) * 64));
    };
    const [a, b, c] = run([5, 9, 2]);
    expect(run([2, 5])).toEqual([c, a]);
    expect(a).not.toEqual(b);
    expect(run([5], 2)[0]).not.toEqual(a);
    expect(addPixelNoise(grey(3, 64), corruption, { seed: 1, sampleSize: 64 }).slice(128)).toEqual(
      run([2])[0],
    );
  });

  it("leaves images as they are at amount 0", () => {
    for (const none of [
      { kind: "gaussian", variance: 0 },
      { kind: "saltAndPepper", amount: 0 },
    ] as const) {
      expect(addPixelNoise(grey(2, 16), none, { seed: 1, sampleSize: 16 })).toEqual(grey(2, 16));
    }
  });

  it("keeps the reference's own amounts as presets", () => {
    const amounts = Object.entries(REFERENCE_NOISE).map(
      ([model, { digits, colouredBackground, saltAndPepper }]) =>
        [model, digits, colouredBackground, saltAndPepper].map((part) =>
          typeof part === "string" ? part : part.kind === "gaussian" ? part.variance : part.amount,
        ),
    );
    expect(amounts).toEqual([
      ["feedforward", 0.1, 0.05, 0.05],
      ["feedback", 0.1, 0.01, 0.05],
      ["baseline", 0.05, 0.05, 0.1],
    ]);
  });

  it("names what does not fit", () => {
    const options = { seed: 1, sampleSize: 4 };
    expect(() => addPixelNoise(grey(1, 5), kinds[0]!, options)).toThrow(
      /expected whole images of 4 numbers, got 5/,
    );
    expect(() => addPixelNoise(grey(2, 4), kinds[0]!, { ...options, indices: [1] })).toThrow(
      "noise: indices: expected 2 values, got 1",
    );
    expect(() => addPixelNoise(grey(1, 4), { kind: "gaussian", variance: -1 }, options)).toThrow(
      /at least 0, got -1/,
    );
    expect(() => addPixelNoise(grey(1, 4), { kind: "saltAndPepper", amount: 2 }, options)).toThrow(
      /from 0 to 1, got 2/,
    );
    expect(() => addPixelNoise(grey(1, 4), { kind: "fog" } as never, options)).toThrow(
      /got \{"kind":"fog"\}/,
    );
  });
});
