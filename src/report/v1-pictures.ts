import { featureMaps, filterMaps } from "../draw/index.js";
import type { FilterBank } from "../systems/vonenet/index.js";
import { pngDataUri } from "./png.js";

/** Cells sorted for a gallery: rows from low to high spatial frequency, within a row by orientation. */
export function galleryOrder(
  cells: readonly number[],
  columns: number,
  {
    spatialFrequency,
    orientation,
  }: { readonly spatialFrequency: ArrayLike<number>; readonly orientation: ArrayLike<number> },
): number[] {
  const turn = (cell: number): number => ((orientation[cell]! % 180) + 180) % 180;
  const sorted = [...cells].sort((a, b) => spatialFrequency[a]! - spatialFrequency[b]!);
  const rows = Array.from({ length: Math.ceil(cells.length / columns) }, (_, row) =>
    sorted.slice(row * columns, (row + 1) * columns).sort((a, b) => turn(a) - turn(b)),
  );
  return rows.flat();
}

/** Every filter scaled to its own largest weight: mid grey is 0, light is positive, tinted in the colour that it sees. */
export function filterGallery(bank: FilterBank, cells: readonly number[], columns: number): string {
  const { size, kernels, colour } = bank;
  const filters = { count: colour.length, height: size, width: size, kernels };
  return pngDataUri(filterMaps(filters, { filters: cells, columns, seenChannel: colour }));
}

/** Maps [cells, side, side] of one image, each on a scale of its own from 0: dark is silent. */
export function responseGallery(
  responses: ArrayLike<number>,
  side: number,
  cells: readonly number[],
  columns: number,
): string {
  const maps = { channels: responses.length / (side * side), height: side, width: side, values: responses };
  return pngDataUri(featureMaps(maps, { channels: cells, columns, range: "own", low: 0 }));
}
