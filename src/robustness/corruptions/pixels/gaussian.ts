import type { Border } from "./border.js";
import { indexAt } from "./border.js";
import { denseFilter } from "./dense-filter.js";

export interface GaussianOptions {
  readonly rows: number;
  readonly columns: number;
  /** Number of channels, which are blurred separately. Default 1. */
  readonly channels?: number;
  /** Standard deviation in pixels. */
  readonly sigma: number;
  readonly border?: Border;
  /** The filter reaches floor(truncate sigma + 0.5) pixels to each side. Default 4. */
  readonly truncate?: number;
  /** Whether to round to float32 after filtering along each direction. Default false. */
  readonly single?: boolean;
}

/**
 * Applies a Gaussian filter along the columns, then along the rows. Its taps are proportional to exp(-j^2 /
 * (2 sigma^2)) and sum to 1. Returns a new array, or the given one if the filter reaches no neighbour.
 */
export function gaussianFilter(values: Float64Array, options: GaussianOptions): Float64Array {
  const { rows, columns, channels = 1, sigma, border = "edge", truncate = 4, single = false } = options;
  const radius = Math.floor(truncate * sigma + 0.5);
  if (sigma === 0 || radius === 0) return values;
  const taps = gaussianTaps(sigma, radius);
  const length = columns * channels;

  const down = new Float64Array(values.length);
  if (isDense(radius, rows)) denseFilter(down, values, rows, length, taps, border);
  else {
    const low = new Int32Array(radius + 1);
    const high = new Int32Array(radius + 1);
    for (let y = 0; y < rows; y++) {
      for (let j = 0; j <= radius; j++) {
        low[j] = indexAt(y - j, rows, border) * length;
        high[j] = indexAt(y + j, rows, border) * length;
      }
      addPairs(down, y * length, length, values, low, high, taps);
    }
  }
  if (single) roundToSingle(down);

  const out = new Float64Array(values.length);
  if (isDense(radius, columns)) {
    const turned = transpose(down, rows, columns, channels);
    const filtered = new Float64Array(values.length);
    denseFilter(filtered, turned, columns, rows * channels, taps, border);
    out.set(transpose(filtered, columns, rows, channels));
  } else {
    const padded = new Float64Array(length + 2 * radius * channels);
    const low = Int32Array.from({ length: radius + 1 }, (_, j) => (radius - j) * channels);
    const high = Int32Array.from({ length: radius + 1 }, (_, j) => (radius + j) * channels);
    const outside = Int32Array.from(
      { length: 2 * radius },
      (_, i) => indexAt(i < radius ? i - radius : columns + i - radius, columns, border) * channels,
    );
    for (let y = 0; y < rows; y++) {
      const at = y * length;
      padded.set(down.subarray(at, at + length), radius * channels);
      for (let i = 0; i < 2 * radius; i++) {
        const to = (i < radius ? i : columns + i) * channels;
        for (let c = 0; c < channels; c++) padded[to + c] = down[at + outside[i]! + c]!;
      }
      addPairs(out, at, length, padded, low, high, taps);
    }
  }
  if (single) roundToSingle(out);
  return out;
}

/**
 * Whether to filter by a matrix product. This is faster for long filters, and it is correct even for filters
 * so long that the line must be mirrored more than once.
 */
function isDense(radius: number, length: number): boolean {
  return radius >= length / 4;
}

/** The centre tap and the taps of one side. */
function gaussianTaps(sigma: number, radius: number): Float64Array {
  const taps = Float64Array.from({ length: radius + 1 }, (_, j) =>
    Math.exp((-0.5 / (sigma * sigma)) * j * j),
  );
  let sum = 0;
  for (let j = -radius; j <= radius; j++) sum += taps[Math.abs(j)]!;
  return taps.map((tap) => tap / sum);
}

/**
 * Computes out[at + i] as taps[0] src[low[0] + i] plus the sum over j, largest j first, of taps[j]
 * (src[low[j] + i] + src[high[j] + i]). For speed, three pairs are added in one pass, which does not change
 * the order of the additions.
 */
function addPairs(
  out: Float64Array,
  at: number,
  length: number,
  src: Float64Array,
  low: Int32Array,
  high: Int32Array,
  taps: Float64Array,
): void {
  const middle = low[0]!;
  const tap = taps[0]!;
  let j = taps.length - 1;
  for (let i = 0; i < length; i++) out[at + i] = src[middle + i]! * tap;
  for (; j >= 3; j -= 3) {
    const [a, b, c] = [taps[j]!, taps[j - 1]!, taps[j - 2]!];
    const [la, lb, lc] = [low[j]!, low[j - 1]!, low[j - 2]!];
    const [ha, hb, hc] = [high[j]!, high[j - 1]!, high[j - 2]!];
    for (let i = 0; i < length; i++) {
      out[at + i] =
        out[at + i]! +
        (src[la + i]! + src[ha + i]!) * a +
        (src[lb + i]! + src[hb + i]!) * b +
        (src[lc + i]! + src[hc + i]!) * c;
    }
  }
  for (; j >= 1; j--) {
    const [a, la, ha] = [taps[j]!, low[j]!, high[j]!];
    for (let i = 0; i < length; i++) out[at + i] = out[at + i]! + (src[la + i]! + src[ha + i]!) * a;
  }
}

function transpose(values: Float64Array, rows: number, columns: number, channels: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let c = 0; c < channels; c++, i++) out[(x * rows + y) * channels + c] = values[i]!;
    }
  }
  return out;
}

function roundToSingle(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i]!);
}
