import { checkPixels, checkSizes, checkSome, checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";
import type { Rgb } from "./colours/colour.js";
import { blend, checkRgbaImage, fillRectangle, imageFor } from "./rgba-image.js";
import type { MapSize, ReuseOptions, RgbaImage } from "./rgba-image.js";

/** Options for arranging images of equal size in a grid. */
export interface GridOptions {
  /** Number of columns. Default: about the same as the number of rows. */
  readonly columns?: number;
  /** Gap between images in pixels. Default 2. */
  readonly gap?: number;
  /** Colour of the background. Default: transparent. */
  readonly background?: Rgb;
}

/** Size of a grid and the positions of its tiles. */
export interface GridLayout extends MapSize {
  readonly columns: number;
  readonly left: (tile: number) => number;
  readonly top: (tile: number) => number;
}

/** Computes the positions of `count` tiles, row by row. Throws `StriateError` for a grid without tiles or columns. */
export function gridLayout(what: string, count: number, tile: MapSize, options: GridOptions): GridLayout {
  checkSome(what, count, "image");
  const { columns = Math.ceil(Math.sqrt(count)), gap = 2 } = options;
  checkSizes(what, { columns });
  checkWhole(`${what}: gap`, gap, { from: 0 });
  const [across, down] = [tile.width + gap, tile.height + gap];
  return {
    columns,
    width: Math.min(columns, count) * across - gap,
    height: Math.ceil(count / columns) * down - gap,
    left: (i) => (i % columns) * across,
    top: (i) => Math.floor(i / columns) * down,
  };
}

/**
 * Returns an empty grid, painted with the background: `into` if it is given, otherwise a new image. Throws
 * `StriateError` if `into` does not have the given size.
 */
export function gridImage(
  what: string,
  { width, height }: MapSize,
  background: Rgb | undefined,
  into: RgbaImage | undefined,
): RgbaImage {
  const image = imageFor(what, width, height, into);
  const [red, green, blue] = background ?? [0, 0, 0];
  fillRectangle(image, 0, 0, width, height, red, green, blue, background === undefined ? 0 : 255);
  return image;
}

/**
 * Arranges images of equal size row by row in one image; transparent parts show the background.
 *
 * @throws StriateError without images, or if they differ in size
 */
export function imageGrid(images: readonly RgbaImage[], options: GridOptions & ReuseOptions = {}): RgbaImage {
  const { background, into } = options;
  const first = images[0];
  check(first, () => "image grid: expected at least one image, got none");
  const layout = gridLayout("image grid", images.length, first, options);
  const grid = gridImage("image grid", layout, background, into);
  images.forEach((image, i) => {
    checkRgbaImage(`image grid, image ${i}`, image);
    checkPixels(`image grid, image ${i}`, image, first.width, first.height);
    for (let p = 0; p < image.width * image.height; p++) {
      const [x, y] = [layout.left(i) + (p % image.width), layout.top(i) + Math.floor(p / image.width)];
      const to = 4 * (y * grid.width + x);
      const alpha = image.data[4 * p + 3]!;
      for (let c = 0; c < 3; c++) {
        const value = image.data[4 * p + c]!;
        grid.data[to + c] = background ? blend(value, background[c]!, alpha / 255) : value;
      }
      grid.data[to + 3] = background ? 255 : alpha;
    }
  });
  return grid;
}
