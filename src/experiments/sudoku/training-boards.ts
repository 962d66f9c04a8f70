import type { Boards } from "../../data/sudoku/boards.js";
import { CELLS } from "../../data/sudoku/boards.js";
import { drawSymmetry, transformBoard } from "../../data/sudoku/symmetry.js";
import { PUZZLE, SOLUTION } from "../../systems/akorn/index.js";
import type { TrainingData } from "../../train/task.js";
import { check } from "../../util/errors.js";
import { Random } from "../../util/random.js";

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
  /** Whether every board is changed by a random symmetry of the game whenever it is shown. */
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
          puzzle.set(transformBoard(puzzle, symmetry));
          solution.set(transformBoard(solution, symmetry));
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
