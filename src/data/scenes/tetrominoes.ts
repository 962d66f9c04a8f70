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

/** A piece on the grid of 7 x 7 cells. */
export interface PlacedTetromino {
  /** Index in {@link TETROMINOES}. */
  readonly kind: number;
  /** Index in {@link TETROMINO_COLOURS}. */
  readonly colour: number;
  /** Column and row of the piece's upper left cell, from 0. */
  readonly column: number;
  readonly row: number;
}

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
  for (let n = 0; n < count; n++) {
    const pieces = placeTetrominoes(Random.derive(seed, "tetrominoes", stream, n));
    const scene = tetrominoScene(pieces);
    images.set(scene.image, 3 * n * plane);
    labels.set(scene.labels, n * plane);
  }
  return { name: `Tetrominoes ${stream}`, count, size: SIZE, objects: PIECES, images, labels };
}

/** Draws three random pieces in random colours that do not overlap. */
export function placeTetrominoes(random: Random): PlacedTetromino[] {
  for (;;) {
    const pieces = triedPlaces(random);
    if (pieces !== undefined) return pieces;
  }
}

/** Places random pieces one after another; returns undefined if they do not fit. */
function triedPlaces(random: Random): PlacedTetromino[] | undefined {
  const taken = new Set<number>();
  const pieces: PlacedTetromino[] = [];
  let failures = 0;
  while (pieces.length < PIECES) {
    const kind = random.integer(0, TETROMINOES.length);
    const { rows, columns, cells } = PIECE_CELLS[kind]!;
    const row = random.integer(0, GRID - rows + 1);
    const column = random.integer(0, GRID - columns + 1);
    const covered = cells.map((cell) => row * GRID + column + cell);
    if (covered.some((cell) => taken.has(cell))) {
      if (++failures >= FAILURES_BEFORE_A_NEW_SCENE) return undefined;
      continue;
    }
    for (const cell of covered) taken.add(cell);
    pieces.push({ kind, colour: random.integer(0, TETROMINO_COLOURS.length), column, row });
  }
  return pieces;
}

/**
 * Draws one scene: the image [3, 32, 32] with values 0 or 255, and the labels [32, 32], where 0 is the background and i
 * the i-th piece. Later pieces cover earlier ones.
 *
 * @throws StriateError for a piece that does not exist or leaves the grid
 * @example
 * ```ts
 * import { tetrominoScene } from "striate";
 *
 * const { image, labels } = tetrominoScene([{ kind: 0, colour: 2, column: 1, row: 3 }]);
 * console.log(image.length, labels[15 * 32 + 10]); // 3072 1
 * ```
 */
export function tetrominoScene(pieces: readonly PlacedTetromino[]): {
  readonly image: Uint8Array;
  readonly labels: Int8Array;
} {
  const grid = new Uint8Array(GRID * GRID);
  pieces.forEach(({ kind, colour, column, row }, i) => {
    checkWhole("tetromino: kind", kind, { from: 0, to: TETROMINOES.length - 1 });
    checkWhole("tetromino: colour", colour, { from: 0, to: TETROMINO_COLOURS.length - 1 });
    const { rows, columns, cells } = PIECE_CELLS[kind]!;
    checkWhole("tetromino: column", column, { from: 0, to: GRID - columns });
    checkWhole("tetromino: row", row, { from: 0, to: GRID - rows });
    for (const cell of cells) grid[row * GRID + column + cell] = i + 1;
  });
  const plane = SIZE * SIZE;
  const image = new Uint8Array(3 * plane);
  const labels = new Int8Array(plane);
  for (let i = 0; i < plane; i++) {
    const label = grid[CELL_OF_PIXEL[i]!]!;
    if (label === 0) continue;
    labels[i] = label;
    const colour = TETROMINO_COLOURS[pieces[label - 1]!.colour]!;
    for (let c = 0; c < 3; c++) image[c * plane + i] = 255 * colour[c]!;
  }
  return { image, labels };
}
