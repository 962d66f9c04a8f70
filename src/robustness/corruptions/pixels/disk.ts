/**
 * The kernel of a defocused lens. It is symmetric, so weights are stored by the distance, in rows and in
 * columns, from the centre.
 */
export interface Disk {
  readonly reach: number;
  /** (reach + 1) x (reach + 1) weights in row-major order. */
  readonly weights: Float64Array;
}

/**
 * Makes a disk of equal weights, smoothed by a small Gaussian of standard deviation `alias`, in float32. Up
 * to radius 8, the grid has 17 x 17 weights and the Gaussian 3 x 3; for larger radii, the Gaussian has 5 x 5.
 */
export function diskKernel(radius: number, alias: number): Disk {
  const grid = radius <= 8 ? 8 : radius;
  const size = 2 * grid + 1;
  const inside = new Float64Array(size * size);
  let count = 0;
  for (let y = -grid; y <= grid; y++) {
    for (let x = -grid; x <= grid; x++) {
      if (x * x + y * y > radius * radius) continue;
      inside[(y + grid) * size + x + grid] = 1;
      count++;
    }
  }
  const share = Math.fround(1 / count);
  for (let i = 0; i < inside.length; i++) inside[i]! *= share;
  const taps = smoothingTaps(radius <= 8 ? 3 : 5, alias);
  const smooth = smoothColumns(smoothRows(inside, size, taps), size, taps);

  const weights = new Float64Array((grid + 1) ** 2);
  let reach = 0;
  for (let y = 0; y <= grid; y++) {
    for (let x = 0; x <= grid; x++) {
      const weight = smooth[(y + grid) * size + x + grid]!;
      // Weights this small do not affect a float64 sum.
      if (weight < 1e-18) continue;
      weights[y * (grid + 1) + x] = weight;
      reach = Math.max(reach, x, y);
    }
  }
  const cut = new Float64Array((reach + 1) ** 2);
  for (let y = 0; y <= reach; y++) {
    for (let x = 0; x <= reach; x++) cut[y * (reach + 1) + x] = weights[y * (grid + 1) + x]!;
  }
  return { reach, weights: cut };
}

/** The centre tap and the taps of one side, in float32. */
function smoothingTaps(size: number, sigma: number): Float64Array {
  const reach = (size - 1) / 2;
  const taps = Float64Array.from({ length: reach + 1 }, (_, j) => Math.exp((-j * j) / (2 * sigma * sigma)));
  const sum = taps.reduce((total, tap, j) => total + (j === 0 ? tap : 2 * tap), 0);
  return taps.map((tap) => Math.fround(tap / sum));
}

function smoothRows(values: Float64Array, size: number, taps: Float64Array): Float64Array {
  return values.map((value, i) => {
    const [y, x] = [Math.floor(i / size), i % size];
    let sum = value * taps[0]!;
    for (let j = 1; j < taps.length; j++) {
      sum +=
        (values[y * size + reflect101(x - j, size)]! + values[y * size + reflect101(x + j, size)]!) *
        taps[j]!;
    }
    return Math.fround(sum);
  });
}

function smoothColumns(values: Float64Array, size: number, taps: Float64Array): Float64Array {
  return values.map((value, i) => {
    const [y, x] = [Math.floor(i / size), i % size];
    let sum = value * taps[0]!;
    for (let j = 1; j < taps.length; j++) {
      sum +=
        (values[reflect101(y - j, size) * size + x]! + values[reflect101(y + j, size) * size + x]!) *
        taps[j]!;
    }
    return Math.fround(sum);
  });
}

/** Mirrors an index at the border without repeating the border pixel: ..2 1 | 0 1 2.. */
export function reflect101(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const k = ((i % period) + period) % period;
  return k < length ? k : period - k;
}

/**
 * Correlates interleaved RGB values with a disk; {@link reflect101} extends the image beyond its border. For
 * speed, rows at equal distances above and below are added first. Where neighbouring weights in a row of the
 * disk are equal, their part of the result is then a difference of two running sums.
 */
export function correlateDisk(values: Float64Array, side: number, { reach, weights }: Disk): Float64Array {
  const length = side * 3;
  const out = new Float64Array(values.length);
  const width = side + 2 * reach;
  const row = new Float64Array(width * 3);
  // running[3 (x + 1) + c] is the sum of channel c of `row` up to and including pixel x.
  const running = new Float64Array((width + 1) * 3);
  const columns = Int32Array.from({ length: width }, (_, x) => reflect101(x - reach, side) * 3);
  const shapes = Array.from({ length: reach + 1 }, (_, dy) =>
    rowShape(weights.subarray(dy * (reach + 1), (dy + 1) * (reach + 1))),
  );
  for (let y = 0; y < side; y++) {
    const at = y * length;
    for (let dy = 0; dy <= reach; dy++) {
      const shape = shapes[dy]!;
      if (shape.last < 0) continue;
      const above = reflect101(y - dy, side) * length;
      const below = reflect101(y + dy, side) * length;
      for (let i = 0, o = reach * 3; i < length; i++, o++) {
        row[o] = dy === 0 ? values[at + i]! : values[above + i]! + values[below + i]!;
      }
      for (let x = 0; x < reach; x++) {
        const [left, right] = [columns[x]! + reach * 3, columns[width - 1 - x]! + reach * 3];
        for (let c = 0; c < 3; c++) {
          row[x * 3 + c] = row[left + c]!;
          row[(width - 1 - x) * 3 + c] = row[right + c]!;
        }
      }
      addRow(out, at, length, row, running, reach, shape);
    }
  }
  return out;
}

/** One row of the disk: equal weights up to `flat` pixels from the centre, then separate weights up to `last`. */
interface RowShape {
  readonly weights: Float64Array;
  readonly flat: number;
  readonly last: number;
}

function rowShape(weights: Float64Array): RowShape {
  let flat = 0;
  while (flat + 1 < weights.length && weights[flat + 1] === weights[0]) flat++;
  let last = weights.length - 1;
  while (last >= 0 && weights[last] === 0) last--;
  return { weights, flat, last };
}

function addRow(
  out: Float64Array,
  at: number,
  length: number,
  row: Float64Array,
  running: Float64Array,
  reach: number,
  { weights, flat, last }: RowShape,
): void {
  const middle = reach * 3;
  let x = 0;
  if (flat >= 2) {
    for (let i = 0; i < row.length; i++) running[i + 3] = running[i]! + row[i]!;
    const weight = weights[0]!;
    const [low, high] = [middle - flat * 3, middle + (flat + 1) * 3];
    for (let i = 0; i < length; i++) out[at + i]! += (running[high + i]! - running[low + i]!) * weight;
    x = flat + 1;
  } else {
    const weight = weights[0]!;
    for (let i = 0; i < length; i++) out[at + i]! += row[middle + i]! * weight;
    x = 1;
  }
  for (; x + 1 <= last; x += 2) {
    const [a, b] = [weights[x]!, weights[x + 1]!];
    const [low, high] = [middle - x * 3, middle + x * 3];
    for (let i = 0; i < length; i++) {
      out[at + i]! += (row[low + i]! + row[high + i]!) * a + (row[low - 3 + i]! + row[high + 3 + i]!) * b;
    }
  }
  if (x <= last) {
    const weight = weights[x]!;
    const [low, high] = [middle - x * 3, middle + x * 3];
    for (let i = 0; i < length; i++) out[at + i]! += (row[low + i]! + row[high + i]!) * weight;
  }
}
