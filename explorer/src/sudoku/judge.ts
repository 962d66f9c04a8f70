import { solutionsOf } from "striate";
import { sudokuConflicts } from "striate/draw";
import type { SudokuFrame } from "../compute/sudoku-frame.js";
import { STARTS } from "../compute/sudoku-frame.js";
import { digitsOf, followsRules } from "./state.js";

/** The solution of a board. Undefined if the board breaks the rules, or has no solution or several. */
export function uniqueSolution(board: string): Uint8Array | undefined {
  if (!followsRules(board)) return undefined;
  const found = solutionsOf(digitsOf(board));
  return found.length === 1 ? found[0] : undefined;
}

/** A full board: the given digits, and the answers in the blank cells. */
export const filled = (puzzle: Uint8Array, answers: Uint8Array): Uint8Array =>
  puzzle.map((given, cell) => (given === 0 ? answers[cell]! : given));

/** Number of cells whose digit occurs twice in a row, column or box: 0 if the board is solved. */
export const conflictsIn = (puzzle: Uint8Array, answers: Uint8Array): number =>
  sudokuConflicts(filled(puzzle, answers)).reduce((sum, flag) => sum + flag, 0);

/** For each start, the sum of its energies over all timesteps, by which starts are ranked. */
export function energySums(frames: readonly SudokuFrame[]): readonly number[] {
  return Array.from({ length: STARTS }, (_, start) =>
    frames.reduce((sum, { starts }) => sum + starts[start]!.energy, 0),
  );
}

/** Index of the start that is shown: the chosen one, or the first of those that end with the fewest conflicts. */
export function shownStart(frames: readonly SudokuFrame[], puzzle: Uint8Array, chosen: number): number {
  if (chosen > 0) return chosen - 1;
  const ends = frames.at(-1)?.starts.map(({ digits }) => conflictsIn(puzzle, digits)) ?? [0];
  return ends.indexOf(Math.min(...ends));
}
