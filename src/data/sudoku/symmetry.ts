import type { Random } from "../../util/random.js";
import { CELLS } from "./boards.js";

/** A change of boards that keeps every rule: a puzzle with one solution stays one. */
export interface Symmetry {
  /** The new digit of each digit; the first entry, of blanks, is 0. */
  readonly digits: readonly number[];
  /** The cell that each cell's digit comes from. */
  readonly cells: Uint8Array;
}

/**
 * One of the 9! x 2 x 6^8 symmetries of Sudoku, each as likely: digits renamed; bands, and rows within bands, exchanged; stacks
 * and columns likewise; rows and columns perhaps swapped.
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

/** A board of 81 digits after a symmetry. */
export function transformBoard(board: ArrayLike<number>, { digits, cells }: Symmetry): Uint8Array {
  return Uint8Array.from(cells, (from) => digits[board[from]!]!);
}
