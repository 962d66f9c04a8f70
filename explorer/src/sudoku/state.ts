import { generateSudoku, parseBoard } from "striate";
import type { AddressFormat, ViewState } from "../address.js";
import { readLanguage, within } from "../address.js";
import { CELLS, STARTS } from "../compute/sudoku-frame.js";

/** The complete state of the view. The address stores it, so that a link restores the same state. */
export interface SudokuState extends ViewState {
  /** 81 digits row by row, "." for a blank cell. */
  readonly board: string;
  /** Random seed of the oscillators. */
  readonly seed: number;
  readonly timesteps: number;
  /** The random start that is shown, from 1; 0 for one with the fewest conflicts. */
  readonly start: number;
  /** The chosen cell, 0 to 80. */
  readonly cell: number;
  /** Speed in timesteps per second. */
  readonly speed: number;
}

export const LIMITS = {
  seed: [1, 999],
  timesteps: [8, 128],
  start: [0, STARTS],
  cell: [0, CELLS - 1],
  speed: [1, 30],
} as const;

/** A board with 33 given digits, which not every start has solved after 64 timesteps. */
export const START: SudokuState = {
  board: "....9.....8...73.63.6.85.4.7....916.56..2...9...561..44.2.5.6.16.8..2.....3.1...2",
  seed: 1,
  timesteps: 64,
  start: 0,
  cell: 11,
  speed: 8,
  language: "en",
};

/** A board with 28 given digits: newBoard(28, 10). */
export const HARD_BOARD = "5..7......6.58.7.4...9.658...86.2.49439.......7...........97.6.3..8...9....4..8..";

/** The digits of a board, 0 for a blank cell. */
export const digitsOf = (board: string): Uint8Array =>
  Uint8Array.from(board, (character) => Number(character === "." ? 0 : character));

export const boardText = (digits: ArrayLike<number>): string =>
  Array.from(digits, (digit) => (digit === 0 ? "." : String(digit))).join("");

/** A new board with some given digits and one solution. */
export const newBoard = (givens: number, seed: number): string =>
  boardText(generateSudoku({ count: 1, givens, seed, stream: "explorer" }).puzzles);

/** Whether no row, column or box of a board has a digit twice. */
export function followsRules(board: string): boolean {
  try {
    parseBoard(board);
    return true;
  } catch {
    return false;
  }
}

export const SUDOKU_ADDRESS: AddressFormat<SudokuState> = {
  start: START,
  readers: {
    board: (text) => (/^[1-9.]{81}$/.test(text) ? text : undefined),
    seed: within(LIMITS.seed, true),
    timesteps: within(LIMITS.timesteps, true),
    start: within(LIMITS.start, true),
    cell: within(LIMITS.cell, true),
    speed: within(LIMITS.speed),
    language: readLanguage,
  },
  textOf: (state, key) => String(state[key]),
};
