/**
 * Motion blur as in ImageMagick 6 with 16 bits a channel: 2 ceil(radius) + 1 taps exp(-i^2 / (2 sigma^2)), all on one
 * side of the pixel, in the direction of `angle` (degrees); the border pixel goes on beyond the border.
 */
export function motionBlur(
  bytes: Uint8Array,
  side: number,
  channels: 1 | 3,
  blur: { readonly radius: number; readonly sigma: number; readonly angle: number },
): Uint8Array {
  const count = 2 * Math.ceil(blur.radius) + 1;
  const taps = Float64Array.from({ length: count }, (_, i) => Math.exp((-i * i) / (2 * blur.sigma ** 2)));
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  const radians = (blur.angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
  const length = side * channels;
  const values = new Float64Array(bytes.length);
  for (let i = 0; i < values.length; i++) values[i] = bytes[i]! * 257;
  const sums = new Float64Array(length);
  const out = new Uint8Array(bytes.length);
  for (let y = 0; y < side; y++) {
    sums.fill(0);
    for (let i = 0; i < count; i++) {
      const dx = Math.ceil(i * cos - 0.5);
      const dy = Math.ceil(i * sin - 0.5);
      const row = Math.min(Math.max(y + dy, 0), side - 1) * length;
      addShifted(sums, values, row, side, channels, dx, taps[i]! / total);
    }
    for (let i = 0, o = y * length; i < length; i++, o++) {
      out[o] = Math.floor(Math.floor(sums[i]! + 0.5) / 257);
    }
  }
  return out;
}

function addShifted(
  sums: Float64Array,
  values: Float64Array,
  row: number,
  side: number,
  channels: number,
  dx: number,
  weight: number,
): void {
  const length = side * channels;
  const shift = dx * channels;
  const from = Math.min(Math.max(-shift, 0), length);
  const to = Math.max(Math.min(length - shift, length), 0);
  for (let i = 0; i < from; i++) sums[i]! += values[row + (i % channels)]! * weight;
  for (let i = from; i < to; i++) sums[i]! += values[row + shift + i]! * weight;
  const last = row + length - channels;
  for (let i = Math.max(to, from); i < length; i++) sums[i]! += values[last + (i % channels)]! * weight;
}
