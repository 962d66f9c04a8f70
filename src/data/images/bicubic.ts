import { check } from "../../util/errors.js";

/** The parameter a of PyTorch's bicubic interpolation (Keys 1981 uses -0.5). */
const A = -0.75;

/**
 * Resizes planes `[planes, height, width]` to `[planes, toHeight, toWidth]` as PyTorch's
 * `interpolate(mode="bicubic")` does: by cubic convolution with a = -0.75, half-pixel centres and repeated
 * border pixels, and without antialiasing.
 *
 * @throws StriateError for sizes that are not positive or data that are not whole planes.
 */
export function bicubicResize(
  planes: Float32Array,
  [height, width]: readonly [number, number],
  [toHeight, toWidth]: readonly [number, number],
): Float32Array {
  check(
    [height, width, toHeight, toWidth].every((side) => Number.isInteger(side) && side > 0) &&
      planes.length % (height * width) === 0,
    () =>
      `bicubic: expected whole planes of ${height} x ${width} for ${toHeight} x ${toWidth}, got ${planes.length} numbers`,
  );
  if (height === toHeight && width === toWidth) return planes.slice();
  const count = planes.length / (height * width);
  const [rows, columns] = [taps(height, toHeight), taps(width, toWidth)];
  const out = new Float32Array(count * toHeight * toWidth);
  for (let plane = 0; plane < count; plane++) {
    for (let y = 0; y < toHeight; y++) {
      for (let x = 0; x < toWidth; x++) {
        let sum = 0;
        for (let i = 4 * y; i < 4 * y + 4; i++) {
          const row = (plane * height + rows.at[i]!) * width;
          let inRow = 0;
          for (let j = 4 * x; j < 4 * x + 4; j++) inRow += columns.weight[j]! * planes[row + columns.at[j]!]!;
          sum += rows.weight[i]! * inRow;
        }
        out[(plane * toHeight + y) * toWidth + x] = sum;
      }
    }
  }
  return out;
}

/** For each position of the result, four source positions and their weights. */
function taps(from: number, to: number): { readonly at: Int32Array; readonly weight: Float64Array } {
  const at = new Int32Array(4 * to);
  const weight = new Float64Array(4 * to);
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    for (let k = 0; k < 4; k++) {
      at[4 * i + k] = Math.min(Math.max(first + k, 0), from - 1);
      weight[4 * i + k] = cubic(Math.abs(centre - first - k));
    }
  }
  return { at, weight };
}

function cubic(distance: number): number {
  if (distance <= 1) return ((A + 2) * distance - (A + 3)) * distance * distance + 1;
  if (distance < 2) return ((distance - 5) * distance + 8) * distance * A - 4 * A;
  return 0;
}
