import { describe, expect, it } from "vitest";
import type { RgbImage } from "../../src/data/images/rgb-image.js";
import type { CorruptionName, CorruptOptions, Severity } from "../../src/robustness/corruptions/index.js";
import {
  BENCHMARK_CORRUPTIONS,
  CONSTANT_SETS,
  CORRUPTIONS,
  SEVERITIES,
  corrupt,
  corruptBatch,
  corruptionGroup,
  corruptionName,
  frostTexture,
  isStochastic,
  jpegRoundTrip,
} from "../../src/robustness/corruptions/index.js";
import { constantPicture, distance, largestDifference, testPicture } from "./pictures.js";

const picture = testPicture(32);

describe("corruptions", () => {
  it("are 19, of which 15 count for the benchmark, in its order", () => {
    expect(CORRUPTIONS).toHaveLength(19);
    expect(BENCHMARK_CORRUPTIONS).toEqual(CORRUPTIONS.slice(0, 15));
    const groups = BENCHMARK_CORRUPTIONS.map(corruptionGroup);
    expect(["noise", "blur", "weather", "digital"].map((g) => groups.filter((x) => x === g).length)).toEqual([
      3, 4, 4, 4,
    ]);
  });

  it.each(CORRUPTIONS)("%s: the same bytes for the same seed and index, others otherwise", (name) => {
    for (const severity of [1, 4] as const) {
      const options = { seed: "a", index: 7 };
      const before = picture.data.slice();
      const first = corrupt(picture, name, severity, options);
      // Something else in between must not matter.
      corrupt(picture, "gaussian_noise", 2, options);
      expect(corrupt(picture, name, severity, options)).toEqual(first);
      expect(picture.data).toEqual(before);
      for (const other of [
        { seed: "a", index: 8 },
        { seed: "b", index: 7 },
      ]) {
        const same = distance(corrupt(picture, name, severity, other), first) === 0;
        expect(same).toBe(!isStochastic(name));
      }
    }
  });

  it.each([64, 224] as const)("all work on %i pixels", (side) => {
    const large = testPicture(side);
    for (const name of CORRUPTIONS) {
      const result = corrupt(large, name, 5);
      expect([result.width, result.height, result.data.length]).toEqual([side, side, side * side * 3]);
      expect(distance(result, large)).toBeGreaterThan(5);
    }
  });

  it("take other sides with stated constants", () => {
    const odd = testPicture(45);
    for (const name of CORRUPTIONS) {
      for (const constants of CONSTANT_SETS) {
        const { data } = corrupt(odd, name, 3, { constants });
        expect(data).toHaveLength(45 * 45 * 3);
      }
    }
  });
});

/** Distance from the original at every severity, averaged over a few draws. */
function distances(image: RgbImage, name: CorruptionName): number[] {
  const draws = isStochastic(name) ? 8 : 1;
  return SEVERITIES.map((severity) => {
    let sum = 0;
    for (let index = 0; index < draws; index++) {
      sum += distance(corrupt(image, name, severity, { index, reencode: false }), image);
    }
    return sum / draws;
  });
}

describe("severity", () => {
  const growing = [
    "gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "gaussian_blur", "defocus_blur", "motion_blur",
    "zoom_blur", "snow", "brightness", "contrast", "jpeg_compression",
  ] as const; // prettier-ignore
  it.each(growing)("%s: farther from the original at every step", (name) => {
    for (const side of [32, 64]) {
      const found = distances(testPicture(side), name);
      expect(found).toEqual([...found].sort((a, b) => a - b));
      expect(found[4]).toBeGreaterThan(1.5 * found[0]!);
    }
  });

  it.each(["glass_blur", "fog", "pixelate", "spatter"] as const)(
    "%s: farther at the last step than at the first",
    (name) => {
      const found = distances(testPicture(64), name);
      expect(found[4]).toBeGreaterThan(found[0]!);
    },
  );

  it("saturate: less and less colour, then more and more", () => {
    const [one, two, three, four, five] = distances(testPicture(64), "saturate") as [
      number,
      number,
      number,
      number,
      number,
    ];
    expect(two).toBeGreaterThan(one);
    expect(five).toBeGreaterThan(four);
    expect(four).toBeGreaterThan(three);
  });
});

describe("what corruptions leave alone", () => {
  const grey = constantPicture(64, [100, 150, 200]);

  it.each([
    "gaussian_blur",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "contrast",
    "pixelate",
    "elastic_transform",
  ] as const)("%s: an image of one colour, to the last but one bit", (name) => {
    for (const severity of SEVERITIES) {
      expect(largestDifference(corrupt(grey, name, severity, { reencode: false }), grey)).toBeLessThanOrEqual(
        2,
      );
    }
  });

  it("spatter without a single drop is the image itself", () => {
    const draws = { layer: new Float32Array(64 * 64) };
    expect(corrupt(grey, "spatter", 1, { draws, reencode: false }).data).toEqual(grey.data);
  });

  it("motion blur shifts to one side only", () => {
    const dot = constantPicture(32, [0, 0, 0]);
    dot.data.fill(255, (16 * 32 + 16) * 3, (16 * 32 + 16) * 3 + 3);
    const { data } = corrupt(dot, "motion_blur", 3, { draws: { angle: 0 } });
    const row = Array.from({ length: 32 }, (_, x) => data[(16 * 32 + x) * 3]!);
    expect(row.slice(17).every((value) => value === 0)).toBe(true);
    expect(row[16]).toBeGreaterThan(row[15]!);
    expect(row[15]).toBeGreaterThan(row[14]!);
    expect(row[14]).toBeGreaterThan(0);
  });
});

describe("batches", () => {
  it("give the same bytes however a data set is cut", () => {
    const images = [32, 33, 34].map((value) => constantPicture(32, [value, 100, 200]));
    const whole = corruptBatch(images, "snow", 2, { seed: 3 });
    const [first, ...rest] = images as [RgbImage, RgbImage, RgbImage];
    const cut = [
      ...corruptBatch([first], "snow", 2, { seed: 3 }),
      ...corruptBatch(rest, "snow", 2, { seed: 3, firstIndex: 1 }),
    ];
    expect(cut).toEqual(whole);
    expect(distance(whole[0]!, whole[1]!)).toBeGreaterThan(1);
  });
});

describe("re-encoding", () => {
  it("is what the published sets had: JPEG 85 for 224 and 64 pixels, nothing for 32", () => {
    for (const side of [64, 224]) {
      const image = testPicture(side);
      const plain = corrupt(image, "brightness", 2, { reencode: false });
      expect(corrupt(image, "brightness", 2)).toEqual(jpegRoundTrip(plain, 85));
    }
    expect(corrupt(picture, "fog", 2)).toEqual(corrupt(picture, "fog", 2, { reencode: false }));
    const strong = corrupt(picture, "fog", 2, { reencode: 20 });
    expect(distance(strong, corrupt(picture, "fog", 2))).toBeGreaterThan(1);
  });
});

describe("frost", () => {
  it("takes images of the user's own", () => {
    const white = constantPicture(400, [255, 255, 255]);
    const black = constantPicture(32, [0, 0, 0]);
    const { data } = corrupt(black, "frost", 3, { frost: [white] });
    expect(new Set(data)).toEqual(new Set([102])); // 0.4 x 255
    expect(() => corrupt(testPicture(224), "frost", 1, { frost: [testPicture(100)] })).toThrow(
      "frost: expected textures larger than the 224 x 224 image, got 100 x 100 pixels for texture 0 with the constants for 224-pixel images",
    );
  });

  it("has the colours of the benchmark's photographs", () => {
    const { data } = frostTexture(4);
    const means = [0, 1, 2].map((c) => {
      let sum = 0;
      for (let i = c; i < data.length; i += 3) sum += data[i]!;
      return sum / (data.length / 3);
    });
    [112, 123, 135].forEach((mean, c) => {
      expect(Math.abs(means[c]! - mean)).toBeLessThan(1);
    });
  });
});

describe("bad input", () => {
  const run =
    (image: RgbImage, name = "fog", severity = 1, options: CorruptOptions = {}) =>
    () =>
      corrupt(image, name as CorruptionName, severity as Severity, options as object);

  it("is refused by name", () => {
    expect(run(testPicture(64, 32))).toThrow("expected a square of 16 to 1024 pixels, got 64 x 32");
    expect(run(testPicture(65))).toThrow(
      "constants were published for images of 224, 64, 32 pixels, not for 65: say which constants to use",
    );
    expect(run({ ...picture, data: picture.data.subarray(1) })).toThrow(
      "expected 3072 bytes of RGB for 32 x 32 pixels, got 3071",
    );
    expect(run({ ...picture, width: 0 })).toThrow("width: expected a whole number of at least 1, got 0");
    expect(run(picture, "fogg")).toThrow('unknown corruption "fogg"');
    expect(() => corruptionName("motion-blur")).toThrow("did you mean motion_blur?");
    for (const severity of [0, 6, 2.5, NaN]) {
      expect(run(picture, "fog", severity)).toThrow(
        `corruption severity: expected one of 1, 2, 3, 4, 5, got ${severity}`,
      );
    }
    expect(run(picture, "fog", 1, { reencode: 101 })).toThrow(
      "expected a whole number from 1 to 100, got 101",
    );
    expect(run(picture, "fog", 1, { seed: NaN })).toThrow("expected a finite number");
  });
});
