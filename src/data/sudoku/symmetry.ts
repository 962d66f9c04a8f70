import type { Random } from "../../util/random.js";
import { CELLS } from "./boards.js";

/** A change of boards that preserves the rules, so that a puzzle with one solution still has one. */
export interface Symmetry {
  /** The new digit for each digit; entry 0, for blanks, is 0. */
  readonly digits: readonly number[];
  /** For each cell, the cell from which its digit comes. */
  readonly cells: Uint8Array;
}

/**
 * Draws one of the 9! x 2 x 6^8 symmetries of Sudoku uniformly: digits are renamed; bands (three rows) and
 * the rows in each band are permuted; stacks (three columns) and the columns in each stack are permuted; and
 * rows and columns may be swapped.
 */
export function drawSymmetry(random: Random): Symmetry {
  const digits = [0, ...random.shuffle([1, 2, 3, 4, 5, 6, 7, 8, 9])];
  const lines = () =>
    random.shuffle([0, 1, 2]).flatMap((band) => random.shuffle([0, 1, 2]).map((line) => 3 * band + line));
  const [rows, columns] = [lines(), lines()];
  const swapped = random.uniform() < 0.5;
  const cells = Uint8Array.from({ length: CELLS }, (_, cell) => {
    const [row, column] = [rows[Math.floor(cell / 9)]!, columns[cell % 9]!];
    return swapped ? 9 * column + row : 9 * row + column;
  });
  return { digits, cells };
}

/** Applies a symmetry to a board of 81 digits. */
export function transformBoard(board: ArrayLike<number>, { digits, cells }: Symmetry): Uint8Array {
  return Uint8Array.from(cells, (from) => digits[board[from]!]!);
}
