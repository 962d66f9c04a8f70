import { checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

const CELLS = 81;
const DIGITS = 9;

export interface BoardAccuracy {
  /** Number of blank cells of each board. */
  readonly blanks: Int32Array;
  /** Number of blank cells of each board with the correct answer. */
  readonly rightBlanks: Int32Array;
  /** 1 for each board with correct answers in all blank cells, otherwise 0; answers in given cells are ignored. */
  readonly solved: Uint8Array;
  /** Share of solved boards. */
  readonly accuracy: number;
}

/**
 * Board accuracy of Sudoku: a cell's digit is the one with the highest logit. `logits` are `[boards, 9, 9, 9]`, digits
 * last; `solutions` and `puzzles` `[boards, 81]` digits from 1 to 9, with 0 for a blank cell of a puzzle.
 *
 * @throws StriateError for data that are not whole boards, digits outside 1 to 9, and logits that are NaN.
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

/** The digit with the highest logit for a cell; the lowest one if several are equal. */
function likeliest(logits: ArrayLike<number>, cell: number): number {
  let best = 0;
  for (let d = 0; d < DIGITS; d++) {
    check(!Number.isNaN(logits[cell * DIGITS + d]), () => `board accuracy: a logit of cell ${cell} is NaN`);
    if (logits[cell * DIGITS + d]! > logits[cell * DIGITS + best]!) best = d;
  }
  return best + 1;
}
