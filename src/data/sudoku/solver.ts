import { CELLS, UNITS, checkBoard } from "./boards.js";

/** For each cell, the indices (0 to 26) of its three units: its row, column and box. */
const UNITS_OF = Uint8Array.from({ length: 3 * CELLS }, (_, i) => {
  const cell = Math.floor(i / 3);
  const [row, column] = [Math.floor(cell / 9), cell % 9];
  return [row, 9 + column, 18 + 3 * Math.floor(row / 3) + Math.floor(column / 3)][i % 3]!;
});

const ALL = 0b1111111110;
const BITS = Uint8Array.from({ length: 1024 }, (_, mask) => {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
});

/** Receives a solution; returning true ends the search. */
type Visit = (solution: Uint8Array) => boolean;

/**
 * A depth-first search that always branches where the fewest choices remain: on a blank cell with the fewest
 * possible digits or, if that cell has two or more, on a digit that has even fewer possible cells in a row,
 * column or box. Sets of digits are bit masks.
 */
class Search {
  readonly #board: Uint8Array;
  /** Digits already placed in each of the 27 units, as bit masks. */
  readonly #taken = new Uint16Array(27);

  constructor(
    puzzle: ArrayLike<number>,
    /** Puts the possible digits of a cell in the order in which to try them; lowest first by default. */
    private readonly order?: (digits: number[]) => number[],
  ) {
    this.#board = Uint8Array.from(puzzle);
    this.#board.forEach((digit, cell) => {
      if (digit !== 0) this.#set(cell, 1 << digit);
    });
  }

  /** Runs the search. Returns whether `visit` ended it. */
  run(visit: Visit): boolean {
    let [best, fewest] = [-1, 10];
    for (let cell = 0; cell < CELLS && fewest > 1; cell++) {
      if (this.#board[cell] !== 0) continue;
      const count = BITS[this.free(cell)]!;
      if (count < fewest) [best, fewest] = [cell, count];
    }
    if (best < 0) return visit(this.#board);
    if (fewest > 1) {
      const place = this.#fewestPlaces(fewest);
      if (place !== undefined) return place.cells.some((cell) => this.#try(cell, place.digit, visit));
    }
    const digits: number[] = [];
    for (let free = this.free(best); free !== 0; free &= free - 1) digits.push(31 - Math.clz32(free & -free));
    return (this.order?.(digits) ?? digits).some((digit) => this.#try(best, digit, visit));
  }

  /** The digits that are possible in a blank cell, as a bit mask. */
  free(cell: number): number {
    const at = 3 * cell;
    const taken =
      this.#taken[UNITS_OF[at]!]! | this.#taken[UNITS_OF[at + 1]!]! | this.#taken[UNITS_OF[at + 2]!]!;
    return ALL & ~taken;
  }

  #try(cell: number, digit: number, visit: Visit): boolean {
    this.#board[cell] = digit;
    this.#set(cell, 1 << digit);
    if (this.run(visit)) return true;
    this.#board[cell] = 0;
    this.#set(cell, 1 << digit);
    return false;
  }

  /**
   * Marks a digit as placed in the three units of a cell, or removes this mark. `bit` is the digit's bit
   * mask.
   */
  #set(cell: number, bit: number): void {
    for (let i = 3 * cell; i < 3 * cell + 3; i++) this.#taken[UNITS_OF[i]!]! ^= bit;
  }

  /**
   * Finds a digit that has fewer than `below` possible cells in some unit, and these cells; undefined if
   * there is none.
   */
  #fewestPlaces(below: number): { readonly digit: number; readonly cells: number[] } | undefined {
    let found: { readonly digit: number; readonly cells: number[] } | undefined;
    let fewest = below;
    const counts = new Uint8Array(10);
    for (const [u, unit] of UNITS.entries()) {
      counts.fill(0);
      for (const cell of unit) {
        if (this.#board[cell] !== 0) continue;
        for (let free = this.free(cell); free !== 0; free &= free - 1)
          counts[31 - Math.clz32(free & -free)]!++;
      }
      for (let digit = 1; digit <= 9; digit++) {
        if ((this.#taken[u]! & (1 << digit)) !== 0 || counts[digit]! >= fewest) continue;
        fewest = counts[digit]!;
        const fits = (cell: number) => this.#board[cell] === 0 && (this.free(cell) & (1 << digit)) !== 0;
        found = { digit, cells: Array.from(unit).filter(fits) };
        if (fewest <= 1) return found;
      }
    }
    return found;
  }
}

/**
 * Finds the solutions of a puzzle, at most `most` of them. The default of 2 is enough to decide whether there
 * is exactly one.
 *
 * @throws StriateError for a board that is not 9 x 9 or breaks the rules.
 */
export function solutionsOf(puzzle: ArrayLike<number>, most = 2): Uint8Array[] {
  checkBoard(puzzle, "Sudoku puzzle");
  const found: Uint8Array[] = [];
  new Search(puzzle).run((solution) => found.push(solution.slice()) >= most);
  return found;
}

/** Finds one solution, trying the digits of each cell in the order that `order` gives; undefined if there is none. */
export function solveIn(
  puzzle: ArrayLike<number>,
  order: (digits: number[]) => number[],
): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  new Search(puzzle, order).run((solution) => {
    found = solution.slice();
    return true;
  });
  return found;
}

/**
 * Whether a puzzle with one solution still has only that one after the given digit of a cell is removed, that is,
 * whether no other digit in the cell leads to a solution.
 */
export function canBlank(puzzle: Uint8Array, cell: number): boolean {
  const given = puzzle[cell]!;
  const board = puzzle.slice();
  board[cell] = 0;
  const others = new Search(board).free(cell) & ~(1 << given);
  for (let free = others; free !== 0; free &= free - 1) {
    board[cell] = 31 - Math.clz32(free & -free);
    if (new Search(board).run(() => true)) return false;
  }
  return true;
}
