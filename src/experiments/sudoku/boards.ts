import { existsSync } from "node:fs";
import { join } from "node:path";
import { dataCache } from "../../data/sets/download-node.js";
import type { Boards } from "../../data/sudoku/boards.js";
import { CELLS, sliceBoards } from "../../data/sudoku/boards.js";
import { generateSudoku, SUDOKU_GIVENS } from "../../data/sudoku/generator.js";
import { loadRrnSudoku, loadSatnetSudoku } from "../../data/sudoku/published-node.js";
import { drawSymmetry, transformBoard } from "../../data/sudoku/symmetry.js";
import { PUZZLE, SOLUTION } from "../../systems/akorn/index.js";
import type { MemoryData } from "../../train/task.js";
import { check } from "../../util/errors.js";
import { Random } from "../../util/random.js";
import type { ExperimentOptions } from "../options.js";
import type { SudokuPlan, SudokuSetName } from "./plan.js";

/** All boards of a run. */
export interface BoardSets {
  readonly train: Boards;
  readonly validation: Boards;
  readonly test: Readonly<Record<SudokuSetName, Boards>>;
}

/** Random seed of the boards, which are the same for all random seeds of a run. */
const SEED = 1;

/**
 * Loads or generates all boards of a run. The boards come from the paper's files if the scale asks for them
 * and the data cache has them ("sudoku/satnet" with `features` and `labels`, "sudoku/rrn/test.csv").
 * Otherwise they are generated, and a note says so.
 *
 * @throws StriateError if a file is damaged or has fewer boards than the scale needs
 */
export async function loadBoards(
  plan: SudokuPlan,
  { onNote }: Pick<ExperimentOptions, "onNote">,
): Promise<BoardSets> {
  const cache = join(dataCache(), "sudoku");
  const [satnet, rrn] = [join(cache, "satnet"), join(cache, "rrn", "test.csv")];
  const published = plan.origin === "published" && existsSync(satnet) && existsSync(rrn);
  if (plan.origin === "published" && !published) {
    onNote(
      `The paper's boards were not found, so Striate generates boards. Expected "${satnet}", with features and labels, and "${rrn}".`,
    );
  }
  return published ? publishedBoards(plan, satnet, rrn) : generatedBoards(plan);
}

function generatedBoards({ trainBoards, validationBoards, testBoards, voting }: SudokuPlan): BoardSets {
  const tested = Math.max(testBoards, voting.boards);
  const make = (stream: string, count: number, givens: readonly [number, number]) =>
    generateSudoku({ count, givens, seed: SEED, stream });
  const { id, ood } = SUDOKU_GIVENS;
  return {
    train: make("train", trainBoards, id),
    validation: make("validation", validationBoards, id),
    test: {
      id: make("test", tested, id),
      ood: make("test, few givens", tested, ood),
      easy: easyBoards(testBoards),
    },
  };
}

/**
 * Range of the number of givens on easy boards, which narrow networks should be able to solve. The paper has
 * no such boards.
 */
const EASY_GIVENS = [46, 58] as const;

function easyBoards(count: number): Boards {
  return generateSudoku({ count, givens: EASY_GIVENS, seed: SEED, stream: "test, many givens" });
}

/**
 * Reads the paper's boards. If training does not use all of SATNet's training boards, the boards after the
 * used ones are held out for validation.
 */
async function publishedBoards(plan: SudokuPlan, satnet: string, rrn: string): Promise<BoardSets> {
  const [train, id, ood] = await Promise.all([
    loadSatnetSudoku(satnet, "train"),
    loadSatnetSudoku(satnet, "test"),
    loadRrnSudoku(rrn),
  ]);
  const { trainBoards, validationBoards, testBoards, voting } = plan;
  const tested = Math.max(testBoards, voting.boards);
  for (const [boards, count] of [
    [train, trainBoards],
    [id, tested],
    [ood, tested],
  ] as const) {
    check(boards.count >= count, () => `${boards.source}: expected ${count} boards, got ${boards.count}`);
  }
  // The paper trains on all boards. If too few are left for validation, validation boards are generated; they are
  // used only to monitor training.
  const validation =
    train.count >= trainBoards + validationBoards
      ? sliceBoards(train, trainBoards, trainBoards + validationBoards)
      : generateSudoku({
          count: validationBoards,
          givens: SUDOKU_GIVENS.id,
          seed: SEED,
          stream: "validation",
        });
  return { train, validation, test: { id, ood: chosen(ood, tested), easy: easyBoards(testBoards) } };
}

/** Picks boards spread evenly over a file, because the file may be sorted. */
function chosen(boards: Boards, count: number): Boards {
  const every = Math.floor(boards.count / count);
  const pick = (from: Uint8Array) => {
    const picked = new Uint8Array(81 * count);
    for (let n = 0; n < count; n++) picked.set(from.subarray(81 * n * every, 81 * (n * every + 1)), 81 * n);
    return picked;
  };
  return {
    count,
    puzzles: pick(boards.puzzles),
    solutions: pick(boards.solutions),
    source: `${boards.source}, every ${every}th`,
  };
}

/** Boards without augmentation, in the fields that networks read. */
export function boardData({ count, puzzles, solutions }: Boards): MemoryData {
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
  /** Whether training changes every board by a random symmetry of the game each time that it uses the board. */
  readonly symmetries: boolean;
  /** Largest share of the blank cells that training fills in at step 0. */
  readonly hints: number;
  /** Steps over which that share falls to 0. */
  readonly hintedSteps: number;
}

/**
 * Boards for training. Early boards can be made easier by filling in some of their blank cells: for each board, a share
 * is drawn uniformly between 0 and a maximum that falls linearly to 0 over training.
 */
export function trainingBoards(boards: Boards, options: TrainingBoardOptions): MemoryData {
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

/** Returns the number of the training step, which is the last part of the trainer's random label. */
function stepOf(draw: readonly (string | number)[]): number {
  const last = draw.at(-1);
  check(
    typeof last === "number",
    () => `Sudoku: expected a label that ends with the number of the training step, got "${String(last)}"`,
  );
  return last;
}

function addHints(puzzle: Float32Array, solution: Float32Array, share: number, random: Random): void {
  for (let cell = 0; cell < CELLS; cell++)
    if (puzzle[cell] === 0 && random.uniform() < share) puzzle[cell] = solution[cell]!;
}
