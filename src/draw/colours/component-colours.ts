import { checkMultiple } from "../../util/check.js";

/** Share of the values at each end of the range that are clipped to black or to full colour. */
const CLIPPED = 0.01;

/**
 * Draws three numbers for each pixel, such as principal components, as red, green and blue. Each of the three is
 * scaled by itself; 1 % of its values are clipped at each end.
 *
 * @param components [count, 3]
 * @returns [count, 3], bytes
 * @throws StriateError if the number of values is not a multiple of 3
 * @example
 * ```ts
 * import { componentColours } from "striate/draw";
 *
 * console.log(componentColours([0, 5, 1, 1, 5, 3]).join()); // 0,128,0,255,128,255
 * ```
 */
export function componentColours(components: ArrayLike<number>): Uint8Array {
  checkMultiple("component colours: number of values", components.length, 3);
  const count = components.length / 3;
  const out = new Uint8Array(3 * count);
  for (let c = 0; c < 3; c++) {
    const sorted = Float64Array.from({ length: count }, (_, i) => components[3 * i + c]!).sort();
    const low = sorted[Math.floor(CLIPPED * (count - 1))]!;
    const high = sorted[Math.ceil((1 - CLIPPED) * (count - 1))]!;
    for (let i = 0; i < count; i++) {
      const part = high > low ? (components[3 * i + c]! - low) / (high - low) : 0.5;
      out[3 * i + c] = Math.round(255 * Math.min(1, Math.max(0, part)));
    }
  }
  return out;
}
