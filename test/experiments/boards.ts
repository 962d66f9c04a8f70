import type { Boards } from "../../src/experiments/sudoku/training-boards.js";
import { applySymmetry, drawSymmetry } from "../../src/experiments/sudoku/training-boards.js";
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
    const grid = GRID.slice();
    applySymmetry(drawSymmetry(random), grid);
    solutions.set(grid, 81 * board);
    for (const cell of random.permutation(81).subarray(0, blanks)) grid[cell] = 0;
    puzzles.set(grid, 81 * board);
  }
  return { count, puzzles, solutions, source: "boards for tests" };
}

/** Every row, column and box holds every digit once. */
export function keepsRules(grid: ArrayLike<number>): boolean {
  const units = Array.from({ length: 9 }, (_, unit) => [
    Array.from({ length: 9 }, (_, i) => 9 * unit + i),
    Array.from({ length: 9 }, (_, i) => 9 * i + unit),
    Array.from(
      { length: 9 },
      (_, i) => 9 * (3 * Math.floor(unit / 3) + Math.floor(i / 3)) + 3 * (unit % 3) + (i % 3),
    ),
  ]).flat();
  return units.every((cells) => new Set(cells.map((cell) => grid[cell])).size === 9);
}
