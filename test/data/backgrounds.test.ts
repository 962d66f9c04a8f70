import { describe, expect, it } from "vitest";
import { BackgroundScenes, MultiMnist, backgroundImages } from "../../src/data/index.js";
import { Random } from "../../src/util/random.js";
import { range, rectangleDigits } from "./scenes.js";

const digits = rectangleDigits(200);
const scenes = (more = {}) => new MultiMnist(digits, { count: 8, seed: 5, maskSampling: "floor", ...more });
const pictures = (count: number) => {
  const random = new Random(3);
  return {
    count,
    images: Uint8Array.from({ length: count * 3072 }, () => random.integer(0, 256)),
  };
};

describe("scenes with backgrounds", () => {
  it("add the digits to every channel of image i, counted round, and keep labels and masks", () => {
    const backgrounds = pictures(3);
    const own = scenes();
    const made = new BackgroundScenes(own, backgrounds);
    expect([made.channels, made.maskChannels, made.objects]).toEqual([3, 3, 2]);
    const indices = [4, 0, 7];
    const [x, y, masks] = [new Float32Array(3 * 3072), new Float32Array(30), new Float32Array(9 * 1024)];
    made.fillBatch(indices, { x, y, masks });
    const plain = { x: new Float32Array(3072), y: new Float32Array(30), masks: new Float32Array(9 * 1024) };
    own.fillBatch(indices, plain);
    expect(y).toEqual(plain.y);
    expect(masks).toEqual(plain.masks);
    let clipped = 0;
    indices.forEach((index, n) => {
      for (const i of range(0, 3072)) {
        const sum = backgrounds.images[(index % 3) * 3072 + i]! / 255 + plain.x[n * 1024 + (i % 1024)]!;
        if (sum > 1) clipped++;
        if (Math.abs(x[n * 3072 + i]! - Math.min(1, sum)) > 1e-6) throw new Error(`pixel ${i} of ${n}`);
      }
    });
    expect(clipped).toBeGreaterThan(100);
  });

  it("are grey by luminance", () => {
    const images = new Uint8Array(3072).fill(0);
    images.fill(200, 1024, 2048);
    const own = scenes();
    const made = new BackgroundScenes(own, { count: 1, images }, { grey: true });
    const [x, plain] = [new Float32Array(1024), new Float32Array(1024)];
    made.fillBatch([2], { x });
    own.fillBatch([2], { x: plain });
    for (const i of range(0, 1024)) {
      expect(x[i]).toBeCloseTo(Math.min(1, (0.587 * 200) / 255 + plain[i]!), 5);
    }
  });

  it("sample masks by the floor rule, which differs from the exact one", () => {
    const masks = (sampling: string) => {
      const out = new Float32Array(3 * 1024);
      scenes({ maskSampling: sampling }).fillBatch([1], { masks: out });
      return out;
    };
    const [exact, floor] = [masks("exact"), masks("floor")];
    // Pixel i looks at floor(1.5625 i), against floor(1.5625 i + 0.78125).
    expect(floor).not.toEqual(exact);
    for (const i of range(0, 1024)) expect(floor[i]! + floor[1024 + i]! + floor[2048 + i]!).toBe(1);
  });

  it("come from a source of images, plane by plane", async () => {
    const data = Uint8Array.from({ length: 3072 }, (_, i) => (i % 3) * 80 + (i % 7));
    const source = {
      name: "two",
      count: 2,
      classes: ["a"],
      labels: new Int32Array(2),
      nameOf: String,
      read: (n: number) => Promise.resolve({ width: n === 0 ? 32 : 16, height: n === 0 ? 32 : 16, data }),
    };
    const { count, images } = await backgroundImages(source, 1);
    expect([count, images.length]).toEqual([1, 3072]);
    for (const i of range(0, 3072)) expect(images[(i % 3) * 1024 + Math.floor(i / 3)]).toBe(data[i]);
    await expect(backgroundImages(source)).rejects.toThrow(
      "backgrounds: two, 1: expected 32 x 32 pixels, got 16 x 16",
    );
  });

  it("refuse images of another size and scenes that have colour", () => {
    expect(() => new BackgroundScenes(scenes(), { count: 2, images: new Uint8Array(3072) })).toThrow(
      /2 images of 3 x 32 x 32 bytes, got 3072/,
    );
    const colour = new BackgroundScenes(scenes(), pictures(1));
    expect(() => new BackgroundScenes(colour, pictures(1))).toThrow(/grey scenes, got 3/);
    expect(() => {
      colour.fillBatch([0], { x: new Float32Array(1024) });
    }).toThrow(/room for 3072/);
    expect(() => scenes({ maskSampling: "nearest" })).toThrow(
      'Multi-MNIST: maskSampling: expected one of exact, floor, got "nearest"',
    );
  });
});
