import type { Boards } from "../../src/data/sudoku/boards.js";
import { drawSymmetry, transformBoard } from "../../src/data/sudoku/symmetry.js";
import { Random } from "../../src/util/random.js";

/** A grid that keeps the rules: each row is the one above moved, by 3 within a band. */
const GRID = Uint8Array.from({ length: 81 }, (_, cell) => {
  const [row, column] = [Math.floor(cell / 9), cell % 9];
  return ((3 * (row % 3) + Math.floor(row / 3) + column) % 9) + 1;
});

/** Symmetric changes of one grid with some cells blank; puzzles may have several solutions. */
export function someBoards(count: number, blanks: number, seed = 1): Boards {
  const random = new Random(seed);
  const solutions = new Uint8Array(81 * count);
  const puzzles = new Uint8Array(81 * count);
  for (let board = 0; board < count; board++) {
    const grid = transformBoard(GRID, drawSymmetry(random));
    solutions.set(grid, 81 * board);
    for (const cell of random.permutation(81).subarray(0, blanks)) grid[cell] = 0;
    puzzles.set(grid, 81 * board);
  }
  return { count, puzzles, solutions, source: "boards for tests" };
}
