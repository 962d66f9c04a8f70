import type { Border } from "./border.js";

/**
 * Applies a long symmetric filter along the columns as one matrix product. Because the filter is symmetric,
 * the matrix does not change if the orders of its rows and of its columns are both reversed. So the even and
 * odd parts of the columns can be multiplied separately, which halves the work. `taps` holds the middle tap
 * and the taps of one side. Writes rows x length values into `out`.
 */
export function denseFilter(
  out: Float64Array,
  src: Float64Array,
  rows: number,
  length: number,
  taps: Float64Array,
  border: Border,
): void {
  const half = (rows + 1) >> 1;
  const matrix = border === "mirror" ? mirrorMatrix(rows, half, taps) : edgeMatrix(rows, half, taps);
  const even = new PackedMatrix(half);
  const odd = new PackedMatrix(half);
  for (let y = 0; y < half; y++) {
    for (let k = 0; k < half; k++) {
      const [a, b] = [matrix[y * rows + k]!, matrix[y * rows + rows - 1 - k]!];
      const middle = k === rows - 1 - k;
      even.set(y, k, middle ? a : (a + b) / 2);
      odd.set(y, k, middle ? 0 : (a - b) / 2);
    }
  }
  const evenPanel = new Float64Array(half * 4);
  const oddPanel = new Float64Array(half * 4);
  const evenResult = new Float64Array((half + 1) * 4);
  const oddResult = new Float64Array((half + 1) * 4);
  for (let left = 0; left < length; left += 4) {
    const width = Math.min(4, length - left);
    for (let k = 0; k < half; k++) {
      const [upper, lower] = [k * length + left, (rows - 1 - k) * length + left];
      const middle = upper === lower;
      for (let x = 0; x < width; x++) {
        const [a, b] = [src[upper + x]!, src[lower + x]!];
        evenPanel[4 * k + x] = middle ? a : a + b;
        oddPanel[4 * k + x] = a - b;
      }
    }
    even.times(evenPanel, evenResult);
    odd.times(oddPanel, oddResult);
    for (let y = 0; y < half; y++) {
      const [upper, lower] = [y * length + left, (rows - 1 - y) * length + left];
      for (let x = 0; x < width; x++) {
        const [a, b] = [evenResult[4 * y + x]!, oddResult[4 * y + x]!];
        out[lower + x] = a - b;
        out[upper + x] = a + b;
      }
    }
  }
}

/**
 * A square matrix that is stored with pairs of rows interleaved. If the number of rows is odd, the last one
 * is paired with zeros.
 */
class PackedMatrix {
  readonly #size: number;
  readonly #values: Float64Array;

  constructor(size: number) {
    this.#size = size;
    this.#values = new Float64Array((size + (size & 1)) * size);
  }

  set(y: number, k: number, value: number): void {
    this.#values[((y >> 1) * this.#size + k) * 2 + (y & 1)] = value;
  }

  /**
   * Multiplies the matrix by four columns; input and output are stored in rows of four values. The eight sums
   * of a pair of rows stay in registers.
   */
  times(panel: Float64Array, result: Float64Array): void {
    const values = this.#values;
    const size = this.#size;
    for (let y = 0, m = 0; y < size; y += 2) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      for (let k = 0; k < 4 * size; k += 4, m += 2) {
        const a = values[m]!;
        const b = values[m + 1]!;
        const s0 = panel[k]!;
        const s1 = panel[k + 1]!;
        const s2 = panel[k + 2]!;
        const s3 = panel[k + 3]!;
        a0 += a * s0;
        a1 += a * s1;
        a2 += a * s2;
        a3 += a * s3;
        b0 += b * s0;
        b1 += b * s1;
        b2 += b * s2;
        b3 += b * s3;
      }
      const o = 4 * y;
      result[o] = a0;
      result[o + 1] = a1;
      result[o + 2] = a2;
      result[o + 3] = a3;
      result[o + 4] = b0;
      result[o + 5] = b1;
      result[o + 6] = b2;
      result[o + 7] = b3;
    }
  }
}

/** The upper half of the filter's matrix for a mirrored line, which repeats after twice its length. */
function mirrorMatrix(rows: number, half: number, taps: Float64Array): Float64Array {
  const period = 2 * rows;
  const wrapped = new Float64Array(period);
  for (let j = 1 - taps.length; j < taps.length; j++) {
    wrapped[((j % period) + period) % period]! += taps[Math.abs(j)]!;
  }
  const matrix = new Float64Array(half * rows);
  for (let y = 0; y < half; y++) {
    for (let k = 0; k < rows; k++) {
      matrix[y * rows + k] = wrapped[(k - y + period) % period]! + wrapped[(period - 1 - k - y) % period]!;
    }
  }
  return matrix;
}

/**
 * The upper half of the filter's matrix for a line whose border pixels are repeated: a border pixel gets the
 * weights of all taps beyond the border.
 */
function edgeMatrix(rows: number, half: number, taps: Float64Array): Float64Array {
  // beyond[d] is the sum of the taps at distance d or more.
  const beyond = new Float64Array(Math.max(rows, taps.length) + 1);
  for (let d = taps.length - 1; d >= 0; d--) beyond[d] = beyond[d + 1]! + taps[d]!;
  const all = 2 * beyond[0]! - taps[0]!;
  const matrix = new Float64Array(half * rows);
  for (let y = 0; y < half; y++) {
    for (let k = 1; k < rows - 1; k++) matrix[y * rows + k] = taps[Math.abs(k - y)] ?? 0;
    matrix[y * rows] = rows === 1 ? all : beyond[y]!;
    if (rows > 1) matrix[y * rows + rows - 1] = beyond[rows - 1 - y]!;
  }
  return matrix;
}
