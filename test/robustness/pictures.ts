import type { RgbImage } from "../../src/data/images/rgb-image.js";
import { Random } from "../../src/util/random.js";

/** An image with edges, colours, smooth parts and fine texture, made by rule. */
export function testPicture(side: number, height = side): RgbImage {
  const random = new Random("test image");
  const data = new Uint8Array(side * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = [x / side, y / height];
      const disk = (u - 0.55) ** 2 + (v - 0.45) ** 2 < 0.08;
      const stripes = Math.sin(40 * u + 12 * v) > 0.3 && v > 0.6;
      const texture = 12 * (random.uniform() - 0.5);
      const base = [60 + 90 * u, 90 + 60 * v, 130 - 70 * u * v];
      const colour = disk ? [210, 120 + 60 * v, 40] : stripes ? [40, 50, 70] : base;
      for (let c = 0; c < 3; c++, i++) data[i] = Math.max(0, Math.min(255, colour[c]! + texture));
    }
  }
  return { width: side, height, data };
}

export function constantPicture(side: number, colour: readonly [number, number, number]): RgbImage {
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3]!;
  return { width: side, height: side, data };
}

/** Mean squared difference of two images' bytes. */
export function distance(a: RgbImage, b: RgbImage): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
  return sum / a.data.length;
}

/** Largest difference of two images' bytes. */
export function largestDifference(a: RgbImage, b: RgbImage): number {
  let most = 0;
  for (let i = 0; i < a.data.length; i++) most = Math.max(most, Math.abs(a.data[i]! - b.data[i]!));
  return most;
}
