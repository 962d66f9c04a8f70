import { checkSlice } from "../../util/check.js";
import { check } from "../../util/errors.js";

/** Number of cells of a board; cells are numbered row by row. */
export const CELLS = 81;

/** Puzzles with their solutions, 81 digits each; a blank cell of a puzzle is 0. */
export interface Boards {
  readonly count: number;
  readonly puzzles: Uint8Array;
  readonly solutions: Uint8Array;
  /** The source of the boards, for error messages. */
  readonly source: string;
}

/** The cells of each of the 27 units: the rows, then the columns, then the boxes. */
export const UNITS: readonly Uint8Array[] = [
  ...Array.from({ length: 9 }, (_, row) => Uint8Array.from({ length: 9 }, (_, i) => 9 * row + i)),
  ...Array.from({ length: 9 }, (_, column) => Uint8Array.from({ length: 9 }, (_, i) => 9 * i + column)),
  ...Array.from({ length: 9 }, (_, box) =>
    Uint8Array.from(
      { length: 9 },
      (_, i) => 9 * (3 * Math.floor(box / 3) + Math.floor(i / 3)) + 3 * (box % 3) + (i % 3),
    ),
  ),
];

/** The name of a unit: "row 3", "column 1" or "box 9". */
function unitName(unit: number): string {
  return `${["row", "column", "box"][Math.floor(unit / 9)]!} ${(unit % 9) + 1}`;
}

/**
 * Throws `StriateError` unless a board has 81 cells, digits from 0 (blank) to 9, and no digit twice in a row,
 * column or box. `what` names the board in the error.
 */
export function checkBoard(board: ArrayLike<number>, what = "Sudoku board"): void {
  check(board.length === CELLS, () => `${what}: expected 9 x 9 cells, got ${board.length}`);
  for (let cell = 0; cell < CELLS; cell++) {
    const digit = board[cell]!;
    check(
      Number.isInteger(digit) && digit >= 0 && digit <= 9,
      () =>
        `${what}: row ${Math.floor(cell / 9) + 1}, column ${(cell % 9) + 1}: ` +
        `expected a digit from 1 to 9 or 0 for a blank, got ${digit}`,
    );
  }
  for (const [i, unit] of UNITS.entries()) {
    let seen = 0;
    for (const cell of unit) {
      const digit = board[cell]!;
      check(digit === 0 || (seen & (1 << digit)) === 0, () => `${what}: ${unitName(i)} has ${digit} twice`);
      seen |= 1 << digit;
    }
  }
}

/**
 * Throws `StriateError` unless a solution is complete, follows the rules and agrees with the given digits of the
 * puzzle.
 */
export function checkSolution(
  puzzle: ArrayLike<number>,
  solution: ArrayLike<number>,
  what = "Sudoku board",
): void {
  checkBoard(puzzle, `${what}, puzzle`);
  checkBoard(solution, `${what}, solution`);
  for (let cell = 0; cell < CELLS; cell++) {
    const place = () => `row ${Math.floor(cell / 9) + 1}, column ${(cell % 9) + 1}`;
    check(solution[cell] !== 0, () => `${what}: the solution is blank at ${place()}`);
    check(
      puzzle[cell] === 0 || puzzle[cell] === solution[cell],
      () =>
        `${what}: ${place()}: expected the puzzle's digit ${puzzle[cell]!} in the solution, got ${solution[cell]!}`,
    );
  }
}

/**
 * The number of digits that rows, columns and boxes miss, summed over all 27 of them: 0 for a filled board that breaks no
 * rule. Blanks count as missing digits.
 */
export function missingDigits(board: ArrayLike<number>): number {
  let missing = 0;
  for (const unit of UNITS) {
    let seen = 0;
    for (const cell of unit) {
      const digit = board[cell]!;
      if (digit !== 0) seen |= 1 << digit;
    }
    for (let digit = 1; digit <= 9; digit++) if ((seen & (1 << digit)) === 0) missing++;
  }
  return missing;
}

/** The number of given cells in a puzzle. */
export function givensOf(puzzle: ArrayLike<number>): number {
  let givens = 0;
  for (const digit of Array.from(puzzle)) if (digit !== 0) givens++;
  return givens;
}

/**
 * Parses a board from text: 81 digits row by row, "0" or "." for a blank; white space is ignored.
 *
 * @throws StriateError for a wrong number of cells, for other characters, and for boards that break the
 * rules.
 */
export function parseBoard(text: string, what = "Sudoku board"): Uint8Array {
  const cells = text.replace(/\s/g, "");
  check(
    /^[0-9.]*$/.test(cells),
    () => `${what}: expected digits and "." for a blank, got "${/[^0-9.]/.exec(cells)![0]}"`,
  );
  const board = Uint8Array.from(cells, (cell) => (cell === "." ? 0 : Number(cell)));
  checkBoard(board, what);
  return board;
}

/** Formats a board as nine lines of text, "." for a blank. */
export function formatBoard(board: ArrayLike<number>): string {
  const cell = (digit: number) => (digit === 0 ? "." : String(digit));
  return Array.from({ length: 9 }, (_, row) =>
    Array.from({ length: 9 }, (_, column) => cell(board[9 * row + column]!)).join(""),
  ).join("\n");
}

/** Returns boards first..end-1 as views that share the memory of `boards`. */
export function sliceBoards(boards: Boards, first: number, end = boards.count): Boards {
  checkSlice(`${boards.source}: boards`, first, end, boards.count);
  return {
    ...boards,
    count: end - first,
    puzzles: boards.puzzles.subarray(first * CELLS, end * CELLS),
    solutions: boards.solutions.subarray(first * CELLS, end * CELLS),
  };
}
