import { Random, type RandomLabel } from "../../util/random.js";
import { checkWhole } from "../../util/check.js";
import type { SegmentedScenes } from "./segmented-scenes.js";

/** Options that say how many scenes a generator makes, and from which random seed. */
export interface GeneratedScenesOptions {
  /** Number of scenes. */
  readonly count: number;
  readonly seed: RandomLabel;
  /** Name that separates sets with the same random seed, such as `"train"` and `"test"`. Default `"train"`. */
  readonly stream?: string;
}

/**
 * The 17 pieces with rows from above, "#" for a filled cell: all orientations of I, O, T, L and J, one of S and one of
 * Z. The published set has 17 of the 19 fixed tetrominoes, and it is not known which two are missing.
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

/** Red, green, blue, yellow, magenta and cyan, each as the channels that are at full intensity. */
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
/** Number of rows and columns that are cropped from the upper left of the 35 x 35 image. */
const CROP = 1;
const PIECES = 3;
const FAILURES_BEFORE_A_NEW_SCENE = 50;

interface Piece {
  readonly rows: number;
  readonly columns: number;
  /** Filled cells of a piece in the upper left corner, as positions on the 7 x 7 grid. */
  readonly cells: readonly number[];
}

const PIECE_CELLS: readonly Piece[] = TETROMINOES.map((rows) => ({
  rows: rows.length,
  columns: rows[0]!.length,
  cells: rows.flatMap((row, y) => Array.from(row, (cell, x) => (cell === "#" ? [y * GRID + x] : [])).flat()),
}));

/** The grid cell of every pixel in the cropped image. */
const CELL_OF_PIXEL = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
  const cell = (pixel: number) => Math.floor((pixel + CROP) / CELL);
  return cell(Math.floor(i / SIZE)) * GRID + cell(i % SIZE);
});

/**
 * Scenes in the manner of Tetrominoes (Kabra et al. 2019, Multi-Object Datasets): three of the 17 pieces, each in one
 * of six saturated colours, on black and without overlap; the grid has 7 x 7 cells of 5 pixels and is cropped to 32 x
 * 32, as the authors of AKOrN do. Scene i depends only on the random seed, the stream and i.
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
