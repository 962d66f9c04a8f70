import { roundHalfEven } from "../../data/images/rgb-image.js";

/**
 * One axis of a clipped zoom. The middle n = ceil(side / factor) pixels are stretched to round(n factor)
 * samples, so that the first and last samples lie on the first and last pixels; halves are rounded to even.
 * Of these samples, the middle `side` remain. Sample i lies between the pixels low[i] and high[i]; part[i] is
 * its distance from low[i], from 0 to 1.
 */
interface ZoomAxis {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly part: Float64Array;
}

function zoomAxis(side: number, factor: number): ZoomAxis {
  const crop = Math.ceil(side / factor);
  const top = Math.floor((side - crop) / 2);
  const samples = roundHalfEven(crop * factor);
  const trim = Math.floor((samples - side) / 2);
  const step = samples > 1 ? (crop - 1) / (samples - 1) : 0;
  const low = new Int32Array(side);
  const high = new Int32Array(side);
  const part = new Float64Array(side);
  for (let i = 0; i < side; i++) {
    const position = Math.min((i + trim) * step, crop - 1);
    const below = Math.floor(position);
    low[i] = top + below;
    high[i] = top + Math.min(below + 1, crop - 1);
    part[i] = position - below;
  }
  return { low, high, part };
}

/**
 * Adds a clipped zoom of an image to `sum`. The zoom is bilinear, works for any number of channels, and
 * rounds each value to float32 before it is added.
 */
export function addClippedZoom(
  sum: Float32Array,
  values: Float32Array,
  side: number,
  channels: number,
  factor: number,
): void {
  const { low, high, part } = zoomAxis(side, factor);
  const length = side * channels;
  const row = new Float64Array(length);
  const [from, to] = [low[0]! * channels, (high[side - 1]! + 1) * channels];
  for (let y = 0; y < side; y++) {
    const [above, below] = [low[y]! * length, high[y]! * length];
    const t = part[y]!;
    const s = 1 - t;
    for (let i = from; i < to; i++) row[i] = values[above + i]! * s + values[below + i]! * t;
    let o = y * length;
    if (channels === 3) {
      for (let x = 0; x < side; x++, o += 3) {
        const [l, r] = [low[x]! * 3, high[x]! * 3];
        const u = part[x]!;
        const v = 1 - u;
        sum[o] = sum[o]! + Math.fround(row[l]! * v + row[r]! * u);
        sum[o + 1] = sum[o + 1]! + Math.fround(row[l + 1]! * v + row[r + 1]! * u);
        sum[o + 2] = sum[o + 2]! + Math.fround(row[l + 2]! * v + row[r + 2]! * u);
      }
      continue;
    }
    for (let x = 0; x < side; x++) {
      const u = part[x]!;
      for (let c = 0; c < channels; c++, o++) {
        const [l, r] = [low[x]! * channels + c, high[x]! * channels + c];
        sum[o] = sum[o]! + Math.fround(row[l]! * (1 - u) + row[r]! * u);
      }
    }
  }
}

/** Computes the clipped zoom of one channel, in float64. */
export function clippedZoom(values: Float64Array | Float32Array, side: number, factor: number): Float64Array {
  const { low, high, part } = zoomAxis(side, factor);
  const out = new Float64Array(side * side);
  for (let y = 0, o = 0; y < side; y++) {
    const [above, below] = [low[y]! * side, high[y]! * side];
    const t = part[y]!;
    for (let x = 0; x < side; x++, o++) {
      const [l, r, u] = [low[x]!, high[x]!, part[x]!];
      out[o] =
        values[above + l]! * (1 - t) * (1 - u) +
        values[above + r]! * (1 - t) * u +
        values[below + l]! * t * (1 - u) +
        values[below + r]! * t * u;
    }
  }
  return out;
}
