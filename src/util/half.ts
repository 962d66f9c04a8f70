const scratch = new DataView(new ArrayBuffer(4));

/** Converts IEEE 754 binary16 numbers, stored as raw 16-bit words, to float32 without loss. */
export function float16ToFloat32(words: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(words, decodeFloat16);
}

/** Converts one IEEE 754 binary16 word to a number. */
export function decodeFloat16(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >> 10) & 0x1f;
  const fraction = word & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * Converts float32 to IEEE 754 binary16 words, rounding to nearest, ties to even. Numbers that are too large
 * become infinity.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, encodeFloat16);
}

function encodeFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // 65520 is half way between the largest binary16 (65504) and the next power of two.
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundHalfToEven(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  const significand = roundHalfToEven(magnitude * 2 ** (10 - exponent));
  // If the significand rounds up to 2048, the addition carries into the exponent, which is the right result.
  return sign | (((exponent + 14) << 10) + significand);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest === 0.5) return floor + (floor & 1);
  return rest > 0.5 ? floor + 1 : floor;
}

/** Converts bfloat16 numbers, stored as raw 16-bit words, to float32 without loss. */
export function bfloat16ToFloat32(words: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = Uint32Array.from(words, (word) => (word << 16) >>> 0);
  return new Float32Array(bits.buffer);
}

/** Converts float32 to bfloat16 words, rounding to nearest, ties to even. */
export function float32ToBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, (value) => {
    if (Number.isNaN(value)) return 0x7fc0;
    scratch.setFloat32(0, value);
    const bits = scratch.getUint32(0);
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  });
}
