import { existsSync } from "node:fs";
import { join } from "node:path";
import { dataCache } from "../../data/sets/download-node.js";
import type { Boards } from "../../data/sudoku/boards.js";
import { sliceBoards } from "../../data/sudoku/boards.js";
import { SUDOKU_GIVENS, generateSudoku } from "../../data/sudoku/generator.js";
import { loadRrnSudoku, loadSatnetSudoku } from "../../data/sudoku/published-node.js";
import { check } from "../../util/errors.js";
import type { ExperimentOptions } from "../experiment.js";
import type { BoardSets } from "./cell-node.js";
import type { ScalePlan } from "./config.js";

/** Boards are the same for all seeds of a run. */
const SEED = 1;

/**
 * All boards of a run: the paper's files where the scale asks for them and the data cache has them ("sudoku/satnet" with
 * `features` and `labels`, "sudoku/rrn/test.csv"), otherwise generated ones, with a note.
 *
 * @throws StriateError for damaged files, or fewer boards than the scale needs
 */
export async function loadBoards(
  plan: ScalePlan,
  { onNote }: Pick<ExperimentOptions, "onNote">,
): Promise<BoardSets> {
  const cache = join(dataCache(), "sudoku");
  const [satnet, rrn] = [join(cache, "satnet"), join(cache, "rrn", "test.csv")];
  const published = plan.origin === "published" && existsSync(satnet) && existsSync(rrn);
  if (plan.origin === "published" && !published) {
    onNote(
      `The paper's boards are not there ("${satnet}" with features and labels, "${rrn}"): boards are generated.`,
    );
  }
  return published ? publishedBoards(plan, satnet, rrn) : generatedBoards(plan);
}

function generatedBoards({ trainBoards, validationBoards, testBoards, voting }: ScalePlan): BoardSets {
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

/** Not in the paper: boards that narrow networks can be expected to solve. */
const EASY_GIVENS = [46, 58] as const;

function easyBoards(count: number): Boards {
  return generateSudoku({ count, givens: EASY_GIVENS, seed: SEED, stream: "test, many givens" });
}

/** SATNet's last training boards are set aside for validation where the scale leaves any. */
async function publishedBoards(plan: ScalePlan, satnet: string, rrn: string): Promise<BoardSets> {
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
    check(
      boards.count >= count,
      () => `${boards.source}: expected ${count} boards, there are ${boards.count}`,
    );
  }
  // The paper trains on all of them: validation boards are then made here, and only watched.
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

/** Boards spread evenly over a file that may be sorted. */
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
