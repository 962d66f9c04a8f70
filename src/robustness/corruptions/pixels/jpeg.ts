import type { RgbImage } from "../../../data/images/rgb-image.js";
import { checkImage } from "../../../data/images/rgb-image.js";
import { checkWhole } from "../../../util/check.js";
import { forwardDct, inverseDct } from "./dct.js";

// prettier-ignore
const LUMINANCE = [
  16, 11, 10, 16, 24, 40, 51, 61,
  12, 12, 14, 19, 26, 58, 60, 55,
  14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77,
  24, 35, 55, 64, 81, 104, 113, 92,
  49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];

// prettier-ignore
const CHROMINANCE = [
  17, 18, 24, 47, 99, 99, 99, 99,
  18, 21, 26, 66, 99, 99, 99, 99,
  24, 26, 56, 99, 99, 99, 99, 99,
  47, 66, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99,
];

/**
 * Simulates saving an image as baseline JPEG (ITU-T T.81, tables of Annex K, chroma at half the resolution)
 * and reading it again, with the integer arithmetic of libjpeg. Entropy coding is left out because it is
 * lossless; only colour conversion, subsampling, transform and quantisation are computed. `quality` is a
 * whole number from 1 to 100.
 */
export function jpegRoundTrip(image: RgbImage, quality: number): RgbImage {
  checkImage(image, "JPEG round trip");
  checkWhole("JPEG quality", quality, { to: 100 });
  const { width, height } = image;
  const [luma, blue, red] = toPlanes(image);
  const [luminance, chrominance] = [LUMINANCE, CHROMINANCE].map((table) => scaleTable(table, quality));
  quantisePlane(luma, luminance!);
  const halfWidth = (width + 1) >> 1;
  const halfHeight = (height + 1) >> 1;
  const chroma = [blue, red].map((plane) => {
    const half = halve(plane, halfWidth, halfHeight);
    quantisePlane(half, chrominance!);
    return double(half, halfWidth, halfHeight);
  });
  return fromPlanes(luma, chroma[0]!, chroma[1]!, width, height);
}

function scaleTable(table: readonly number[], quality: number): Int32Array {
  const factor = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return Int32Array.from(table, (entry) =>
    Math.min(Math.max(Math.floor((entry * factor + 50) / 100), 1), 255),
  );
}

/**
 * Samples of one colour component, padded to whole blocks (or whole pairs of blocks) by repeating the last
 * column and row.
 */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

function emptyPlane(width: number, height: number, multiple: number): Plane {
  const round = (length: number) => Math.ceil(length / multiple) * multiple;
  const [w, h] = [round(width), round(height)];
  return { width: w, height: h, data: new Uint8Array(w * h) };
}

const fixed = (value: number): number => Math.round(value * 65536);

function toPlanes({ width, height, data }: RgbImage): [Plane, Plane, Plane] {
  const planes = [0, 1, 2].map(() => emptyPlane(width, height, 16)) as [Plane, Plane, Plane];
  const [{ data: luma, width: stride }, { data: blue }, { data: red }] = planes;
  const [yr, yg, yb] = [fixed(0.299), fixed(0.587), fixed(0.114)] as const;
  const [br, bg, rg, rb] = [
    fixed(0.168735892),
    fixed(0.331264108),
    fixed(0.418687589),
    fixed(0.081312411),
  ] as const;
  const half = 1 << 15;
  const offset = (128 << 16) + half - 1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0, o = y * stride; x < width; x++, o++, i += 3) {
      const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!];
      luma[o] = (yr * r + yg * g + yb * b + half) >> 16;
      blue[o] = (half * b - br * r - bg * g + offset) >> 16;
      red[o] = (half * r - rg * g - rb * b + offset) >> 16;
    }
  }
  for (const plane of planes) repeatBorder(plane, width, height);
  return planes;
}

function repeatBorder(plane: Plane, width: number, height: number): void {
  const { data, width: stride } = plane;
  for (let y = 0; y < height; y++)
    data.fill(data[y * stride + width - 1]!, y * stride + width, (y + 1) * stride);
  for (let y = height; y < plane.height; y++)
    data.copyWithin(y * stride, (height - 1) * stride, height * stride);
}

/** Halves the size: computes means of 2 x 2 samples, rounding halves alternately down and up along a row. */
function halve(plane: Plane, width: number, height: number): Plane {
  const out = emptyPlane(width, height, 8);
  const { data, width: stride } = plane;
  for (let y = 0; y < height; y++) {
    for (let x = 0, i = 2 * y * stride, o = y * out.width; x < out.width; x++, i += 2, o++) {
      const sum = data[i]! + data[i + 1]! + data[i + stride]! + data[i + stride + 1]!;
      out.data[o] = (sum + 1 + (x & 1)) >> 2;
    }
  }
  repeatBorder(out, out.width, height);
  return out;
}

/**
 * Doubles the size by a triangle filter: 3/4 of the nearer sample plus 1/4 of the farther one, in both
 * directions.
 */
function double(plane: Plane, width: number, height: number): Plane {
  const out = emptyPlane(2 * width, 2 * height, 1);
  const sums = new Int32Array(width);
  // In components of at most two columns, samples are only repeated.
  const smooth = width > 2;
  for (let y = 0; y < out.height; y++) {
    const near = y >> 1;
    const far = Math.min(Math.max(y & 1 ? near + 1 : near - 1, 0), height - 1);
    const [a, b, o] = [near * plane.width, far * plane.width, y * out.width];
    for (let x = 0; x < width; x++) sums[x] = 3 * plane.data[a + x]! + plane.data[b + x]!;
    for (let x = 0; x < width; x++) {
      const own = 3 * sums[x]!;
      const left = sums[x === 0 ? 0 : x - 1]!;
      const right = sums[x === width - 1 ? x : x + 1]!;
      out.data[o + 2 * x] = smooth ? (own + left + 8) >> 4 : plane.data[a + x]!;
      out.data[o + 2 * x + 1] = smooth ? (own + right + 7) >> 4 : plane.data[a + x]!;
    }
  }
  return out;
}

/** Transforms each 8 x 8 block to coefficients, quantises these with the table, and transforms them back. */
function quantisePlane({ width, height, data }: Plane, table: Int32Array): void {
  const block = new Int32Array(64);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      const at = top * width + left;
      for (let y = 0, i = 0; y < 8; y++) {
        for (let x = 0, o = at + y * width; x < 8; x++, i++, o++) block[i] = data[o]! - 128;
      }
      forwardDct(block);
      for (let i = 0; i < 64; i++) {
        const entry = table[i]!;
        const value = block[i]!;
        const size = value < 0 ? -value : value;
        const level = ((size + 4 * entry) / (8 * entry)) | 0;
        block[i] = (value < 0 ? -level : level) * entry;
      }
      inverseDct(block);
      for (let y = 0, i = 0; y < 8; y++) {
        for (let x = 0, o = at + y * width; x < 8; x++, i++, o++) data[o] = clampByte(block[i]! + 128);
      }
    }
  }
}

function fromPlanes(luma: Plane, blue: Plane, red: Plane, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  const [rr, bb, gb, gr] = [fixed(1.402), fixed(1.772), fixed(0.34414), fixed(0.71414)] as const;
  const half = 1 << 15;
  for (let y = 0, i = 0; y < height; y++) {
    const chroma = y * blue.width;
    for (let x = 0, o = y * luma.width; x < width; x++, o++, i += 3) {
      const value = luma.data[o]!;
      const cb = blue.data[chroma + x]! - 128;
      const cr = red.data[chroma + x]! - 128;
      data[i] = clampByte(value + ((rr * cr + half) >> 16));
      data[i + 1] = clampByte(value + ((half - gb * cb - gr * cr) >> 16));
      data[i + 2] = clampByte(value + ((bb * cb + half) >> 16));
    }
  }
  return { width, height, data };
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
