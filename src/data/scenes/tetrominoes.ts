import { Random, type RandomLabel } from "../../util/random.js";
import { checkWhole } from "../../util/check.js";
import type { SegmentedScenes } from "./segmented-scenes.js";

/** Options that say how many scenes a generator makes, and from which random seed. */
export interface GeneratedScenesOptions {
  /** Number of scenes. */
  readonly count: number;
  readonly seed: RandomLabel;
  /**
   * Name by which sets with the same random seed differ, such as `"train"` and `"test"`. Default `"train"`.
   */
  readonly stream?: string;
}

/**
 * The 17 pieces, row by row from the top; "#" is a filled cell. They are all orientations of I, O, T, L and
 * J, one orientation of S and one of Z. The published set has 17 of the 19 fixed tetrominoes, and it is not
 * known which two are missing.
 */
export const TETROMINOES: readonly (readonly string[])[] = [
  ["####"],
  ["#", "#", "#", "#"],
  ["##", "##"],
  ["###", " # "],
  [" # ", "###"],
  ["# ", "##", "# "],
  [" #", "##", " #"],
  ["# ", "# ", "##"],
  ["###", "#  "],
  ["##", " #", " #"],
  ["  #", "###"],
  [" #", " #", "##"],
  ["#  ", "###"],
  ["##", "# ", "# "],
  ["###", "  #"],
  [" ##", "## "],
  ["## ", " ##"],
];

/** Red, green, blue, yellow, magenta and cyan. In each colour, 1 marks a channel at full intensity. */
export const TETROMINO_COLOURS = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [1, 0, 1],
  [0, 1, 1],
] as const;

const SIZE = 32;
const GRID = 7;
const CELL = 5;
/** Number of rows cropped from the top, and of columns cropped from the left, of the 35 x 35 image. */
const CROP = 1;
const PIECES = 3;
const FAILURES_BEFORE_A_NEW_SCENE = 50;

interface Piece {
  readonly rows: number;
  readonly columns: number;
  /** The filled cells of the piece, placed in the upper left corner, as indices of the 7 x 7 grid. */
  readonly cells: readonly number[];
}

const PIECE_CELLS: readonly Piece[] = TETROMINOES.map((rows) => ({
  rows: rows.length,
  columns: rows[0]!.length,
  cells: rows.flatMap((row, y) => Array.from(row, (cell, x) => (cell === "#" ? [y * GRID + x] : [])).flat()),
}));

/** For each pixel of the cropped image, the grid cell in which it lies. */
const CELL_OF_PIXEL = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
  const cell = (pixel: number) => Math.floor((pixel + CROP) / CELL);
  return cell(Math.floor(i / SIZE)) * GRID + cell(i % SIZE);
});

/**
 * Makes scenes like those of Tetrominoes (Kabra et al. 2019, Multi-Object Datasets): three of the 17 pieces
 * on black, without overlap, each in one of six saturated colours. The grid has 7 x 7 cells of 5 x 5 pixels;
 * the image is cropped to 32 x 32 pixels, as the authors of AKOrN do. Scene i depends only on the random
 * seed, the stream and i.
 *
 * @throws StriateError for an invalid count.
 */
export function tetrominoes(options: GeneratedScenesOptions): SegmentedScenes {
  const { count, seed, stream = "train" } = options;
  checkWhole("Tetrominoes: count", count);
  const plane = SIZE * SIZE;
  const images = new Uint8Array(count * 3 * plane);
  const labels = new Int8Array(count * plane);
  const grid = new Uint8Array(GRID * GRID);
  const colours = new Uint8Array(PIECES + 1);
  for (let n = 0; n < count; n++) {
    const random = Random.derive(seed, "tetrominoes", stream, n);
    while (!placePieces(grid, colours, random)) grid.fill(0);
    for (let i = 0; i < plane; i++) {
      const label = grid[CELL_OF_PIXEL[i]!]!;
      if (label === 0) continue;
      labels[n * plane + i] = label;
      const colour = TETROMINO_COLOURS[colours[label]!]!;
      for (let c = 0; c < 3; c++) images[(3 * n + c) * plane + i] = 255 * colour[c]!;
    }
    grid.fill(0);
  }
  return { name: `Tetrominoes ${stream}`, count, size: SIZE, objects: PIECES, images, labels };
}

/** Places random pieces in random colours on an empty grid; returns false if they do not fit. */
function placePieces(grid: Uint8Array, colours: Uint8Array, random: Random): boolean {
  let failures = 0;
  for (let label = 1; label <= PIECES;) {
    const { rows, columns, cells } = PIECE_CELLS[random.integer(0, PIECE_CELLS.length)]!;
    const corner = random.integer(0, GRID - rows + 1) * GRID + random.integer(0, GRID - columns + 1);
    if (cells.some((cell) => grid[corner + cell] !== 0)) {
      if (++failures >= FAILURES_BEFORE_A_NEW_SCENE) return false;
      continue;
    }
    for (const cell of cells) grid[corner + cell] = label;
    colours[label++] = random.integer(0, TETROMINO_COLOURS.length);
  }
  return true;
}
