import type { Size } from "../../../nn/layers/convolution.js";

/** Numbers of rows and columns, of positions or of pixels. */
export type Grid = readonly [height: number, width: number];

/** Converts a size to [height, width]. */
export function gridOf(size: Size): Grid {
  return typeof size === "number" ? [size, size] : size;
}

/** Formats a size for messages: as "4" if both lengths are equal, otherwise as "4 x 6". */
export function showSize(size: Size): string {
  const [height, width] = gridOf(size);
  return height === width ? String(height) : `${height} x ${width}`;
}
