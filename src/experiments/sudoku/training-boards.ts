import { PUZZLE, SOLUTION } from "../../systems/akorn/index.js";
import type { TrainingData } from "../../train/task.js";
import { check } from "../../util/errors.js";
import { Random } from "../../util/random.js";

const CELLS = 81;

/** Puzzles with their solutions, 81 digits each, 0 for a blank cell. */
export interface Boards {
  readonly count: number;
  readonly puzzles: Uint8Array;
  readonly solutions: Uint8Array;
  /** For people: where they come from. */
  readonly source: string;
}

/** Some of the boards, sharing their memory. */
export function sliceBoards(boards: Boards, from: number, to: number): Boards {
  check(
    from >= 0 && to <= boards.count && from < to,
    () => `Sudoku: expected boards ${from} to ${to} of ${boards.source}, there are ${boards.count}`,
  );
  return {
    ...boards,
    count: to - from,
    puzzles: boards.puzzles.subarray(from * CELLS, to * CELLS),
    solutions: boards.solutions.subarray(from * CELLS, to * CELLS),
  };
}

/** Boards as they are, in the fields that networks read. */
export function boardData({ count, puzzles, solutions }: Boards): TrainingData {
  const copy = (from: Uint8Array, to: Float32Array | undefined, indices: ArrayLike<number>) => {
    if (to === undefined) return;
    for (let n = 0; n < indices.length; n++)
      to.set(from.subarray(indices[n]! * CELLS, (indices[n]! + 1) * CELLS), n * CELLS);
  };
  return {
    count,
    fill: (indices, fields) => {
      copy(puzzles, fields[PUZZLE], indices);
      copy(solutions, fields[SOLUTION], indices);
    },
  };
}

export interface TrainingBoardOptions {
  readonly seed: number;
  /** See {@link drawSymmetry}. */
  readonly symmetries: boolean;
  /** Largest share of blank cells that is filled in at step 0. */
  readonly hints: number;
  /** Steps over which that share falls to 0. */
  readonly hintedSteps: number;
}

/**
 * Boards for training. Those whose numbers lie in the order of training can be made easier at first: some of the blank cells
 * are filled in, for each board a share drawn uniformly up to a largest one that falls linearly to 0.
 */
export function trainingBoards(boards: Boards, options: TrainingBoardOptions): TrainingData {
  const { seed, symmetries, hints, hintedSteps } = options;
  const plain = boardData(boards);
  if (!symmetries && hints === 0) return plain;
  return {
    count: boards.count,
    fill: (indices, fields, draw = []) => {
      plain.fill(indices, fields);
      const step = stepOf(draw);
      const random = Random.derive(seed, "boards", step);
      const most = hintedSteps > 0 ? hints * Math.max(0, 1 - step / hintedSteps) : 0;
      for (let n = 0; n < indices.length; n++) {
        const part = (all: Float32Array) => all.subarray(n * CELLS, (n + 1) * CELLS);
        const [puzzle, solution] = [part(fields[PUZZLE]!), part(fields[SOLUTION]!)];
        if (symmetries) {
          const symmetry = drawSymmetry(random);
          applySymmetry(symmetry, puzzle);
          applySymmetry(symmetry, solution);
        }
        if (most > 0) addHints(puzzle, solution, random.uniformRange(0, most), random);
      }
    },
  };
}

/** The trainer's labels end with the number of the step. */
function stepOf(draw: readonly (string | number)[]): number {
  const last = draw.at(-1);
  check(typeof last === "number", () => "Sudoku: training boards need the number of the step");
  return last;
}

function addHints(puzzle: Float32Array, solution: Float32Array, share: number, random: Random): void {
  for (let cell = 0; cell < CELLS; cell++)
    if (puzzle[cell] === 0 && random.uniform() < share) puzzle[cell] = solution[cell]!;
}

/** A change of boards that leaves every rule intact. */
export interface Symmetry {
  /** New digit of each digit (from 1; the first entry, of blanks, is 0). */
  readonly digits: readonly number[];
  /** The cell that each cell comes from. */
  readonly cells: Uint8Array;
}

/**
 * A uniformly drawn symmetry of the game: digits renamed, bands and the rows inside them exchanged, stacks and columns
 * likewise, rows and columns perhaps swapped.
 */
export function drawSymmetry(random: Random): Symmetry {
  const digits = [0, ...random.shuffle([1, 2, 3, 4, 5, 6, 7, 8, 9])];
  const lines = () =>
    random.shuffle([0, 1, 2]).flatMap((band) => random.shuffle([0, 1, 2]).map((line) => 3 * band + line));
  const [rows, columns] = [lines(), lines()];
  const swapped = random.uniform() < 0.5;
  const cells = Uint8Array.from({ length: CELLS }, (_, cell) => {
    const [row, column] = [rows[Math.floor(cell / 9)]!, columns[cell % 9]!];
    return swapped ? 9 * column + row : 9 * row + column;
  });
  return { digits, cells };
}

/** In place, on 81 digits. */
export function applySymmetry({ digits, cells }: Symmetry, board: Float32Array | Uint8Array): void {
  const before = board.slice();
  for (let cell = 0; cell < CELLS; cell++) board[cell] = digits[before[cells[cell]!]!]!;
}
