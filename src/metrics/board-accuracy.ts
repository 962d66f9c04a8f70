import { checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

const CELLS = 81;
const DIGITS = 9;

export interface BoardAccuracy {
  /** For each board, the number of blank cells. */
  readonly blanks: Int32Array;
  /** For each board, the number of blank cells that were filled in correctly. */
  readonly rightBlanks: Int32Array;
  /**
   * For each board, 1 if all blank cells were filled in correctly, otherwise 0. Answers in given cells are
   * ignored.
   */
  readonly solved: Uint8Array;
  /** Share of boards that are solved. */
  readonly accuracy: number;
}

/**
 * Computes the board accuracy of Sudoku. The answer in a cell is the digit with the highest logit. `logits`
 * has the shape `[boards, 9, 9, 9]` with the digits on the last axis. `solutions` and `puzzles` have the
 * shape `[boards, 81]` and contain digits from 1 to 9; a blank cell of a puzzle is 0.
 *
 * @throws StriateError if the data are not whole boards, a digit of a solution is not from 1 to 9, or a logit
 * is NaN.
 */
export function boardAccuracy(
  logits: ArrayLike<number>,
  solutions: ArrayLike<number>,
  puzzles: ArrayLike<number>,
): BoardAccuracy {
  const boards = solutions.length / CELLS;
  check(
    Number.isInteger(boards) &&
      boards > 0 &&
      puzzles.length === solutions.length &&
      logits.length === boards * CELLS * DIGITS,
    () =>
      `board accuracy: expected boards of 9x9 cells with 9 logits each, got ${logits.length} logits, ` +
      `${solutions.length} cells of solutions and ${puzzles.length} of puzzles`,
  );
  const blanks = new Int32Array(boards);
  const rightBlanks = new Int32Array(boards);
  for (let cell = 0; cell < solutions.length; cell++) {
    const [digit, given] = [solutions[cell]!, puzzles[cell]!];
    checkWhole(`board accuracy: cell ${cell} of the solutions`, digit, { to: DIGITS });
    if (given !== 0) continue;
    const board = Math.floor(cell / CELLS);
    blanks[board]!++;
    if (likeliest(logits, cell) === digit) rightBlanks[board]!++;
  }
  const solved = Uint8Array.from(blanks, (count, board) => (rightBlanks[board] === count ? 1 : 0));
  return { blanks, rightBlanks, solved, accuracy: solved.reduce((sum, one) => sum + one, 0) / boards };
}

/**
 * The digit with the highest logit in a cell. If several digits share the highest logit, it is the smallest
 * of them.
 */
function likeliest(logits: ArrayLike<number>, cell: number): number {
  let best = 0;
  for (let d = 0; d < DIGITS; d++) {
    check(!Number.isNaN(logits[cell * DIGITS + d]), () => `board accuracy: a logit of cell ${cell} is NaN`);
    if (logits[cell * DIGITS + d]! > logits[cell * DIGITS + best]!) best = d;
  }
  return best + 1;
}
