import type { FilterBank } from "../systems/vonenet/index.js";
import type { RgbImage } from "../data/rgb-image.js";
import { sequentialColour } from "./colour.js";
import { pngDataUri } from "./phase-map.js";

/** Small square pictures in rows. */
interface Tiles {
  readonly count: number;
  readonly side: number;
  readonly columns: number;
  /** Colour of a pixel of a tile, 0..255. */
  readonly colour: (tile: number, x: number, y: number) => readonly [number, number, number];
}

/** Pixels between tiles. */
const GAP = 2;

function tiles({ count, side, columns, colour }: Tiles): string {
  const rows = Math.ceil(count / columns);
  const [width, height] = [columns * (side + GAP) - GAP, rows * (side + GAP) - GAP];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let tile = 0; tile < count; tile++) {
    const left = (tile % columns) * (side + GAP);
    const top = Math.floor(tile / columns) * (side + GAP);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        data.set([...colour(tile, x, y), 255], 4 * ((top + y) * width + left + x));
  }
  return pngDataUri({ width, height, data });
}

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

/** Every filter scaled to its own largest value: mid grey is 0, light is positive, tinted in the colour that it sees. */
export function filterGallery(bank: FilterBank, cells: readonly number[], columns: number): string {
  const area = bank.size * bank.size;
  const largest = cells.map((cell) => {
    const kernel = bank.kernels.subarray(cell * area, (cell + 1) * area);
    return kernel.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  });
  return tiles({
    count: cells.length,
    side: bank.size,
    columns,
    colour: (tile, x, y) => {
      const cell = cells[tile]!;
      const value = bank.kernels[cell * area + y * bank.size + x]! / largest[tile]!;
      const shade = (c: number): number => 122 + value * (c === bank.colour[cell] ? 128 : 74);
      return [shade(0), shade(1), shade(2)];
    },
  });
}

/** Maps [cells, side, side] of one image, each on a scale of its own from 0: dark is silent. */
export function responseGallery(
  responses: ArrayLike<number>,
  side: number,
  cells: readonly number[],
  columns: number,
): string {
  const area = side * side;
  const largest = cells.map((cell) => {
    let most = 0;
    for (let i = 0; i < area; i++) most = Math.max(most, responses[cell * area + i]!);
    return most || 1;
  });
  return tiles({
    count: cells.length,
    side,
    columns,
    colour: (tile, x, y) => sequentialColour(responses[cells[tile]! * area + y * side + x]! / largest[tile]!),
  });
}

/** A picture as a `data:` address. */
export function pictureUri({ width, height, data }: RgbImage): string {
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  return pngDataUri({ width, height, data: rgba });
}
