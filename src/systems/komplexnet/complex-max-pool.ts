import type { Tensor } from "../../graph/index.js";
import { constant, greater, pad, slice, where } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import type { Polar } from "./complex-layers.js";
import { polar } from "./complex-layers.js";

/**
 * Takes from each window of size x size the element of largest magnitude, together with its direction. If
 * several elements have the same magnitude, the first one is taken. Windows do not overlap; the last ones may
 * extend beyond the border. `indices`, [batch, channels, ...], are the positions of the elements within their
 * plane, counted as in PyTorch.
 */
export function complexMaxPool(z: Polar, size: number): Polar & { readonly indices: Tensor } {
  const [, , height, width] = z.magnitude.shape;
  check(
    z.magnitude.rank === 4 && typeof height === "number" && typeof width === "number",
    () =>
      `complex max-pool: expected [batch, channels, height, width] of known size, got ${String(z.magnitude)}`,
  );
  const [rows, columns] = [Math.ceil(height / size), Math.ceil(width / size)];
  const after = [0, 0, rows * size - height, columns * size - width];
  const outside = after.map(() => 0);
  const fill = (x: Tensor, value: number) => pad(x, outside, after, { value });
  const [magnitude, cos, sin] = [fill(z.magnitude, -1), fill(z.cos, 0), fill(z.sin, 0)];
  const at = (x: Tensor, row: number, column: number) =>
    slice(x, [
      { axis: 2, start: row, step: size },
      { axis: 3, start: column, step: size },
    ]);
  const candidate = (offset: number) => {
    const [row, column] = [Math.floor(offset / size), offset % size];
    const indices = Array.from({ length: rows * columns }, (_, i) => {
      const y = Math.floor(i / columns) * size + row;
      return y * width + (i % columns) * size + column;
    });
    return {
      magnitude: at(magnitude, row, column),
      cos: at(cos, row, column),
      sin: at(sin, row, column),
      indices: constant(indices, [1, 1, rows, columns], "int64"),
    };
  };
  let best = candidate(0);
  for (let offset = 1; offset < size * size; offset++) {
    const next = candidate(offset);
    const better = greater(next.magnitude, best.magnitude);
    best = {
      magnitude: where(better, next.magnitude, best.magnitude),
      cos: where(better, next.cos, best.cos),
      sin: where(better, next.sin, best.sin),
      indices: where(better, next.indices, best.indices),
    };
  }
  return { ...polar(best.magnitude, best.cos, best.sin), indices: best.indices };
}
