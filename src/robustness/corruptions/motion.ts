/**
 * Motion blur as in ImageMagick 6 with 16 bits per channel. The filter has 2 ceil(radius) + 1 taps
 * proportional to exp(-i^2 / (2 sigma^2)), i = 0, 1, ... All of them lie on one side of the pixel, in the
 * direction of `angle` (in degrees). Beyond the border, the border pixel is repeated.
 */
export function imageMagickMotionBlur(
  bytes: Uint8Array,
  side: number,
  channels: 1 | 3,
  blur: { readonly radius: number; readonly sigma: number; readonly angle: number },
): Uint8Array {
  const count = 2 * Math.ceil(blur.radius) + 1;
  const taps = Float64Array.from({ length: count }, (_, i) => Math.exp((-i * i) / (2 * blur.sigma ** 2)));
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  for (let i = 0; i < count; i++) taps[i]! /= total;
  const radians = (blur.angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
  const across = Int32Array.from({ length: count }, (_, i) => Math.ceil(i * cos - 0.5));
  const down = Int32Array.from({ length: count }, (_, i) => Math.ceil(i * sin - 0.5));

  const length = side * channels;
  const stride = (side + 2 * count) * channels;
  const values = padded(bytes, side, channels, count);
  const starts = new Int32Array(count);
  const sums = new Float64Array(length);
  const out = new Uint8Array(bytes.length);
  for (let y = 0; y < side; y++) {
    for (let i = 0; i < count; i++) {
      const row = Math.min(Math.max(y + down[i]!, 0), side - 1);
      starts[i] = row * stride + (count + across[i]!) * channels;
    }
    addTaps(sums, values, starts, taps);
    for (let i = 0, o = y * length; i < length; i++, o++) {
      out[o] = Math.floor(Math.floor(sums[i]! + 0.5) / 257);
    }
  }
  return out;
}

/** Rows of 16-bit values, padded on both sides with `margin` copies of the border pixel. */
function padded(bytes: Uint8Array, side: number, channels: number, margin: number): Float64Array {
  const stride = (side + 2 * margin) * channels;
  const out = new Float64Array(side * stride);
  for (let y = 0; y < side; y++) {
    for (let x = -margin, o = y * stride; x < side + margin; x++) {
      const from = (y * side + Math.min(Math.max(x, 0), side - 1)) * channels;
      for (let c = 0; c < channels; c++, o++) out[o] = bytes[from + c]! * 257;
    }
  }
  return out;
}

/**
 * Computes sums[i] as the sum over j, in ascending order, of taps[j] values[starts[j] + i]. For speed, it
 * adds four taps in one pass over the row.
 */
function addTaps(sums: Float64Array, values: Float64Array, starts: Int32Array, taps: Float64Array): void {
  const length = sums.length;
  sums.fill(0);
  let j = 0;
  for (; j + 4 <= taps.length; j += 4) {
    const [a, b, c, d] = [taps[j]!, taps[j + 1]!, taps[j + 2]!, taps[j + 3]!];
    const [sa, sb, sc, sd] = [starts[j]!, starts[j + 1]!, starts[j + 2]!, starts[j + 3]!];
    for (let i = 0; i < length; i++) {
      sums[i] =
        sums[i]! + values[sa + i]! * a + values[sb + i]! * b + values[sc + i]! * c + values[sd + i]! * d;
    }
  }
  for (; j < taps.length; j++) {
    const [a, sa] = [taps[j]!, starts[j]!];
    for (let i = 0; i < length; i++) sums[i] = sums[i]! + values[sa + i]! * a;
  }
}
