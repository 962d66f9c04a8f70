import type { RgbImage } from "../images/rgb-image.js";

/* Operations of AutoAugment (Cubuk et al. 2019) on 8-bit images, with the same results as in torchvision. */

/**
 * A 2 x 3 affine matrix, row by row. The result at (x, y) shows the original image at the matrix times (x, y,
 * 1), in pixels from the upper left corner.
 */
export type Sampling = readonly [number, number, number, number, number, number];

/** Warps an image by bilinear interpolation; pixels outside the image count as black. */
export function sample({ width, height, data }: RgbImage, [a, b, c, d, e, f]: Sampling): RgbImage {
  const out = new Uint8Array(data.length);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o += 3) {
      const u = a * (x + 0.5) + b * (y + 0.5) + c - 0.5;
      const v = d * (x + 0.5) + e * (y + 0.5) + f - 0.5;
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [p, q] = [u - left, v - top];
      let [red, green, blue] = [0, 0, 0];
      for (let dy = 0; dy < 2; dy++) {
        const row = top + dy;
        if (row < 0 || row >= height) continue;
        for (let dx = 0; dx < 2; dx++) {
          const column = left + dx;
          if (column < 0 || column >= width) continue;
          const weight = (dx === 0 ? 1 - p : p) * (dy === 0 ? 1 - q : q);
          const at = 3 * (row * width + column);
          red += weight * data[at]!;
          green += weight * data[at + 1]!;
          blue += weight * data[at + 2]!;
        }
      }
      out[o] = Math.round(red);
      out[o + 1] = Math.round(green);
      out[o + 2] = Math.round(blue);
    }
  }
  return { width, height, data: out };
}

/** A shear that shifts each row to the left by `slope` times its distance from the upper edge. */
export function shearX(slope: number): Sampling {
  return [1, slope, 0, 0, 1, 0];
}

/** A shear that shifts each column up by `slope` times its distance from the left edge. */
export function shearY(slope: number): Sampling {
  return [1, 0, 0, slope, 1, 0];
}

/** A counter-clockwise rotation about the image's centre. */
export function rotation(degrees: number, width: number, height: number): Sampling {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [width / 2, height / 2];
  return [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y];
}

/** Keeps the `bits` highest bits of every value, in place. */
export function posterise(data: Uint8Array, bits: number): void {
  const mask = 0xff & (0xff << (8 - bits));
  for (let i = 0; i < data.length; i++) data[i]! &= mask;
}

/** Inverts all values of at least `threshold`, in place. */
export function solarise(data: Uint8Array, threshold: number): void {
  for (let i = 0; i < data.length; i++) if (data[i]! >= threshold) data[i] = 255 - data[i]!;
}

/** Stretches each channel's values linearly to the range 0 to 255, in place. */
export function autoContrast(data: Uint8Array): void {
  for (let c = 0; c < 3; c++) {
    let [low, high] = [255, 0];
    for (let i = c; i < data.length; i += 3) {
      low = Math.min(low, data[i]!);
      high = Math.max(high, data[i]!);
    }
    if (high === low) continue;
    const scale = Math.fround(255 / (high - low));
    for (let i = c; i < data.length; i += 3) data[i] = Math.min(255, Math.fround((data[i]! - low) * scale));
  }
}

/** Equalises the histogram of each channel as Pillow does, in place. */
export function equalise(data: Uint8Array): void {
  const histogram = new Int32Array(256);
  const table = new Uint8Array(256);
  for (let c = 0; c < 3; c++) {
    histogram.fill(0);
    let highest = 0;
    for (let i = c; i < data.length; i += 3) {
      histogram[data[i]!]!++;
      highest = Math.max(highest, data[i]!);
    }
    const step = Math.floor((data.length / 3 - histogram[highest]!) / 255);
    if (step === 0) continue;
    let below = Math.floor(step / 2);
    for (let value = 0; value < 256; value++) {
      table[value] = Math.min(255, Math.floor(below / step));
      below += histogram[value]!;
    }
    for (let i = c; i < data.length; i += 3) data[i] = table[data[i]!]!;
  }
}

/**
 * Changes the sharpness: moves every value away from its smoothed value (factor above 1) or towards it
 * (factor below 1). The smoothing kernel is [1 1 1; 1 5 1; 1 1 1] / 13; border pixels stay unchanged.
 */
export function changeSharpness({ width, height, data }: RgbImage, factor: number): RgbImage {
  const out = data.slice();
  const row = 3 * width;
  const [weight, smoothWeight] = [Math.fround(factor), Math.fround(1 - factor)];
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + 3; i < (y + 1) * row - 3; i++) {
      const around =
        data[i - row - 3]! +
        data[i - row]! +
        data[i - row + 3]! +
        data[i - 3]! +
        data[i + 3]! +
        data[i + row - 3]! +
        data[i + row]! +
        data[i + row + 3]!;
      const smooth = Math.round((around + 5 * data[i]!) / 13);
      const value = Math.fround(Math.fround(weight * data[i]!) + Math.fround(smoothWeight * smooth));
      out[i] = Math.min(255, Math.max(0, value));
    }
  }
  return { width, height, data: out };
}
