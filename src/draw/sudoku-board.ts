import { checkEveryWhole, checkLength, checkSizes } from "../util/check.js";
import { FONT, withStyles } from "./context.js";
import type { DrawingContext } from "./context.js";

/** A partly or fully solved board. All arrays have 81 entries, one for each cell, row by row. */
export interface SudokuBoard {
  /** The given digits, 1..9; 0 for a blank cell. */
  readonly givens: ArrayLike<number>;
  /**
   * The answers, 1..9; 0 for a cell without an answer. The answers of given cells are ignored. Default: none.
   */
  readonly answers?: ArrayLike<number>;
  /** The correct digits. Default: unknown. */
  readonly solution?: ArrayLike<number>;
  /** Confidence in each answer, 0..1. Less confident answers are paler, but always legible. Default: 1. */
  readonly confidence?: ArrayLike<number>;
}

/** CSS colours of a board. */
export interface SudokuColours {
  /** Colour of the lines and the given digits. */
  readonly ink: string;
  /** Colour behind given digits. */
  readonly given: string;
  /** Colour of correct answers, and of all answers if the solution is unknown. */
  readonly right: string;
  /** Colour of answers that differ from the solution. */
  readonly wrong: string;
  /** Colour of the rings around digits that occur twice in a row, column or block. */
  readonly conflict: string;
}

/** Options of {@link drawSudokuBoard}. */
export interface SudokuBoardOptions {
  /** Side of the board in pixels. Default 360. The outer lines extend beyond it by 1/300 of the side. */
  readonly size?: number;
  /** Colours that replace the default ones, which are dark on light. */
  readonly colours?: Partial<SudokuColours>;
  /**
   * Whether digits that occur twice in a row, column or block are ringed. Default: true if the solution is
   * unknown.
   */
  readonly conflicts?: boolean;
}

const COLOURS: SudokuColours = {
  ink: "#1a1d23",
  given: "#e4eaf1",
  right: "#0a7a56",
  wrong: "#b3400a",
  conflict: "#b3400a",
};

/** Returns the opacity with which an answer of this confidence is drawn. */
export function answerOpacity(confidence: number): number {
  return 0.3 + 0.7 * Math.min(1, Math.max(0, confidence));
}

/**
 * Finds the cells whose digit occurs again in the same row, column or block. Returns 1 for these cells, and 0
 * for all others.
 *
 * @throws StriateError unless there are 81 digits from 0 to 9
 */
export function sudokuConflicts(digits: ArrayLike<number>): Uint8Array {
  checkDigits("Sudoku digits", digits);
  const found = new Uint8Array(81);
  for (let one = 0; one < 81; one++) {
    for (let other = 0; other < one; other++) {
      if (digits[one] === 0 || digits[one] !== digits[other] || !related(one, other)) continue;
      found[one] = 1;
      found[other] = 1;
    }
  }
  return found;
}

function related(one: number, other: number): boolean {
  const [row, column] = [Math.floor(one / 9), one % 9];
  const [otherRow, otherColumn] = [Math.floor(other / 9), other % 9];
  const block = (r: number, c: number) => 3 * Math.floor(r / 3) + Math.floor(c / 3);
  return row === otherRow || column === otherColumn || block(row, column) === block(otherRow, otherColumn);
}

function checkDigits(what: string, digits: ArrayLike<number>): void {
  checkLength(what, digits, 81);
  checkEveryWhole(what, digits, { from: 0, to: 9 });
}

/**
 * Draws a Sudoku board: given digits are bold on a tinted cell, correct and wrong answers have different
 * colours, wrong answers are struck through, and digits that conflict are ringed.
 *
 * In SVG, the text of the answer in cell k has the class `cell-k`, and a line that strikes an answer through
 * has the class `strike`.
 *
 * @throws StriateError unless all arrays have 81 cells with digits from 0 to 9
 * @example
 * ```ts
 * import { drawSudokuBoard, svg } from "striate/draw";
 *
 * const givens = new Int32Array(81);
 * givens[40] = 5;
 * const board = svg({ width: 360, height: 360, label: "Sudoku" }, (context) => {
 *   drawSudokuBoard(context, { givens });
 * });
 * console.log(board.startsWith("<svg")); // true
 * ```
 */
export function drawSudokuBoard(
  context: DrawingContext,
  board: SudokuBoard,
  options: SudokuBoardOptions = {},
): void {
  const { givens, answers, solution, confidence } = board;
  const { size = 360, conflicts = solution === undefined } = options;
  const colours = { ...COLOURS, ...options.colours };
  checkSizes("Sudoku board", { size });
  checkDigits("Sudoku givens", givens);
  if (answers) checkDigits("Sudoku answers", answers);
  if (solution) checkDigits("Sudoku solution", solution);
  if (confidence) checkLength("Sudoku confidence", confidence, 81);
  const cell = size / 9;
  const digits = Array.from({ length: 81 }, (_, k) => givens[k]! || (answers?.[k] ?? 0));
  withStyles(context, () => {
    context.fillStyle = colours.given;
    for (let k = 0; k < 81; k++)
      if (givens[k]! > 0) context.fillRect((k % 9) * cell, Math.floor(k / 9) * cell, cell, cell);
    context.textAlign = "center";
    for (const [k, digit] of digits.entries()) {
      const given = givens[k]! > 0;
      if (digit === 0) continue;
      const [x, y] = [((k % 9) + 0.5) * cell, (Math.floor(k / 9) + 0.5) * cell];
      const wrong = !given && solution !== undefined && solution[k] !== digit;
      context.font = `${given ? "700 " : ""}${0.525 * cell}px ${FONT}`;
      context.fillStyle = given ? colours.ink : wrong ? colours.wrong : colours.right;
      context.globalAlpha = given ? 1 : answerOpacity(confidence?.[k] ?? 1);
      if (!given) context.mark?.(`cell-${k}`);
      context.fillText(String(digit), x, y + 0.1875 * cell);
      if (!wrong) continue;
      context.strokeStyle = colours.wrong;
      context.lineWidth = 0.035 * cell;
      context.beginPath();
      context.moveTo(x - 0.2 * cell, y);
      context.lineTo(x + 0.2 * cell, y);
      context.mark?.("strike");
      context.stroke();
    }
    context.globalAlpha = 1;
    if (conflicts) drawConflicts(context, sudokuConflicts(digits), cell, colours.conflict);
    context.strokeStyle = colours.ink;
    for (let i = 0; i < 10; i++) {
      context.lineWidth = (i % 3 === 0 ? 0.055 : 0.0175) * cell;
      context.beginPath();
      context.moveTo(0, i * cell);
      context.lineTo(size, i * cell);
      context.moveTo(i * cell, 0);
      context.lineTo(i * cell, size);
      context.stroke();
    }
  });
}

function drawConflicts(context: DrawingContext, conflicts: Uint8Array, cell: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 0.05 * cell;
  for (const [k, flag] of conflicts.entries()) {
    if (flag === 0) continue;
    context.beginPath();
    context.arc(((k % 9) + 0.5) * cell, (Math.floor(k / 9) + 0.5) * cell, 0.4 * cell, 0, 2 * Math.PI);
    context.mark?.("conflict");
    context.stroke();
  }
}
