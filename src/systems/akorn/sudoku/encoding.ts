import { CELLS } from "../../../data/sudoku/boards.js";
import { check } from "../../../util/errors.js";

/*
 * A board is 81 digits, row by row, with 0 for a blank cell. In the authors' files, boards are one-hot: each
 * cell has 9 numbers, which are all 0 for a blank.
 */

const DIGITS = 9;

/**
 * Converts one or several boards to one-hot boards, with 9 numbers for each cell. Throws `StriateError` if
 * the digits do not form whole boards or one is not from 0 to 9.
 */
export function oneHotBoards(digits: ArrayLike<number>): Float32Array {
  checkBoards(digits);
  const encoded = new Float32Array(digits.length * DIGITS);
  for (let cell = 0; cell < digits.length; cell++)
    if (digits[cell] !== 0) encoded[cell * DIGITS + digits[cell]! - 1] = 1;
  return encoded;
}

/**
 * Converts one-hot boards to digits, with 0 for a cell whose numbers are all 0. Throws `StriateError` if the
 * numbers do not form whole boards or those of a cell are not one-hot.
 */
export function boardDigits(oneHot: ArrayLike<number>): Int32Array {
  check(
    oneHot.length > 0 && oneHot.length % (CELLS * DIGITS) === 0,
    () => `Sudoku: expected one-hot boards of 9 x 9 cells with 9 numbers each, got ${oneHot.length} numbers`,
  );
  return Int32Array.from({ length: oneHot.length / DIGITS }, (_, cell) => {
    const numbers = Array.from({ length: DIGITS }, (_, d) => oneHot[cell * DIGITS + d]!);
    const set = numbers.filter((value) => value !== 0);
    check(
      set.length === 0 || (set.length === 1 && set[0] === 1),
      () => `Sudoku: cell ${cell}: expected one-hot numbers, got [${numbers.join(", ")}]`,
    );
    return numbers.indexOf(1) + 1;
  });
}

/** Returns 1 for every given cell and 0 for every blank. */
export function givenCells(digits: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(digits, (digit) => (digit === 0 ? 0 : 1));
}

function checkBoards(digits: ArrayLike<number>): void {
  check(
    digits.length > 0 && digits.length % CELLS === 0,
    () => `Sudoku: expected boards of 9 x 9 cells, got ${digits.length} numbers`,
  );
  for (let cell = 0; cell < digits.length; cell++) {
    const digit = digits[cell]!;
    check(
      Number.isInteger(digit) && digit >= 0 && digit <= DIGITS,
      () => `Sudoku: cell ${cell}: expected a digit from 1 to 9 or 0 for a blank, got ${digit}`,
    );
  }
}
