const TANGENT = 13573; // tan(22.5 degrees) times 2^15
const [NONE, WEAK, STRONG] = [0, 1, 2] as const;

/**
 * Finds edges in a square image of bytes by the method of Canny (1986). The gradient (gx, gy) comes from 3 x
 * 3 Sobel filters, with border pixels repeated; its magnitude |gx| + |gy| is thinned along four directions.
 * The edges are the pixels above `low` that are connected, through such pixels, with one above `high`.
 * Returns 1 on edges and 0 elsewhere.
 */
export function cannyEdges(bytes: Uint8Array, side: number, low: number, high: number): Uint8Array {
  const [gx, gy] = sobel(bytes, side);
  // A frame of zeros around the magnitudes.
  const width = side + 2;
  const magnitude = new Int32Array(width * width);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      magnitude[(y + 1) * width + x + 1] = Math.abs(gx[i]!) + Math.abs(gy[i]!);
    }
  }
  const state = new Uint8Array(width * width);
  const seeds: number[] = [];
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      const at = (y + 1) * width + x + 1;
      if (magnitude[at]! <= low || !isPeak(magnitude, at, width, gx[i]!, gy[i]!)) continue;
      state[at] = WEAK;
      if (magnitude[at]! > high) seeds.push(at);
    }
  }
  for (const seed of seeds) state[seed] = STRONG;
  while (seeds.length > 0) {
    const at = seeds.pop()!;
    for (const step of [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1]) {
      if (state[at + step] !== WEAK) continue;
      state[at + step] = STRONG;
      seeds.push(at + step);
    }
  }
  const edges = new Uint8Array(side * side);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      edges[i] = state[(y + 1) * width + x + 1] === STRONG ? 1 : NONE;
    }
  }
  return edges;
}

/**
 * Whether a magnitude is a peak along the gradient. It must be greater than the left or upper neighbour in
 * this direction, and at least equal to the opposite neighbour; on diagonals, it must be greater than both.
 */
function isPeak(magnitude: Int32Array, at: number, width: number, gx: number, gy: number): boolean {
  const m = magnitude[at]!;
  const x = Math.abs(gx);
  const y = Math.abs(gy) * 32768;
  if (y < TANGENT * x) return m > magnitude[at - 1]! && m >= magnitude[at + 1]!;
  if (y > (TANGENT + 65536) * x) return m > magnitude[at - width]! && m >= magnitude[at + width]!;
  const slope = (gx ^ gy) < 0 ? -1 : 1;
  return m > magnitude[at - width - slope]! && m > magnitude[at + width + slope]!;
}

function sobel(bytes: Uint8Array, side: number): [Int16Array, Int16Array] {
  const gx = new Int16Array(bytes.length);
  const gy = new Int16Array(bytes.length);
  for (let y = 0, i = 0; y < side; y++) {
    const above = Math.max(y - 1, 0) * side;
    const row = y * side;
    const below = Math.min(y + 1, side - 1) * side;
    for (let x = 0; x < side; x++, i++) {
      const [left, right] = [Math.max(x - 1, 0), Math.min(x + 1, side - 1)];
      const [nw, n, ne] = [bytes[above + left]!, bytes[above + x]!, bytes[above + right]!];
      const [w, e] = [bytes[row + left]!, bytes[row + right]!];
      const [sw, s, se] = [bytes[below + left]!, bytes[below + x]!, bytes[below + right]!];
      gx[i] = ne + 2 * e + se - (nw + 2 * w + sw);
      gy[i] = sw + 2 * s + se - (nw + 2 * n + ne);
    }
  }
  return [gx, gy];
}

const FAR = 2 ** 30;
/**
 * Distances to a direct neighbour, to a diagonal neighbour and by a knight's move: 1, 1.4 and 2.1969, each
 * times 2^16.
 */
const [STRAIGHT, DIAGONAL, KNIGHT] = [65536, 91750, 143976] as const;

/**
 * The distance of every pixel from the nearest marked one, computed in two passes by the 5 x 5 chamfer of
 * Borgefors (1986). If no pixel is marked, all distances are very large.
 */
export function chamferDistance(marks: Uint8Array, side: number): Float64Array {
  const width = side + 4;
  const far = new Int32Array(width * width).fill(FAR);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0, at = (y + 2) * width + 2; x < side; x++, i++, at++) {
      far[at] = marks[i] === 0 ? nearestBefore(far, at, -width, -1) : 0;
    }
  }
  const out = new Float64Array(side * side);
  for (let y = side - 1, i = side * side - 1; y >= 0; y--) {
    for (let x = side - 1, at = (y + 2) * width + 2 + x; x >= 0; x--, i--, at--) {
      const nearest = Math.min(far[at]!, nearestBefore(far, at, width, 1));
      far[at] = nearest;
      out[i] = nearest / 65536;
    }
  }
  return out;
}

/**
 * The shortest distance through the eight neighbours that a pass has already visited; `row` and `step` are
 * the offsets to the row and to the pixel that the pass visited before.
 */
function nearestBefore(far: Int32Array, at: number, row: number, step: number): number {
  const knight = Math.min(
    far[at + 2 * row - 1]!,
    far[at + 2 * row + 1]!,
    far[at + row - 2]!,
    far[at + row + 2]!,
  );
  const diagonal = Math.min(far[at + row - 1]!, far[at + row + 1]!);
  const straight = Math.min(far[at + row]!, far[at + step]!);
  return Math.min(knight + KNIGHT, diagonal + DIAGONAL, straight + STRAIGHT, FAR);
}
