import type { Boards } from "../../data/sudoku/boards.js";
import { CELLS, missingDigits, sliceBoards } from "../../data/sudoku/boards.js";
import type { TensorData } from "../../graph/index.js";
import { boardAccuracy } from "../../metrics/board-accuracy.js";
import { warmAverage } from "../../nn/ema.js";
import type { State } from "../../nn/module.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import type { Evaluator } from "../../train/evaluator.js";
import { train } from "../../train/run/run-node.js";
import { filledBoard } from "../../systems/akorn/index.js";
import { byKind, withEvaluator } from "../cell-work.js";
import type { CellOptions } from "../cells.js";
import { cellTraining, learningOf, loadWeights, progressOf, rateOf, saveWeights } from "../training.js";
import type { BoardSets } from "./boards.js";
import { boardData, trainingBoards } from "./boards.js";
import { logitsAfter, readingTask, trainedSteps, trainingTask } from "./networks.js";
import type { SudokuCell, SudokuNetworkCell, SudokuSetName, VotingCell } from "./plan.js";
import { SET_LABELS, SUDOKU_SET_NAMES } from "./plan.js";
import type { Accuracy, SudokuResult, SudokuSolution } from "./results.js";
import type { BoardDraws } from "./votes.js";
import { energyRanking, pairedDifference, scoreResults, votesAmong, votingGain } from "./votes.js";

/** Largest number of boards in one batch. */
const BATCH = 50;

/** Share of the training steps in which boards may be made easier. */
const HINTED = 0.5;

type SudokuOptions = CellOptions & { readonly boards: BoardSets };

/** Trains and tests a network, or lets a trained network vote. Returns undefined if the cell was stopped. */
export const runSudokuCell = byKind<SudokuCell, SudokuResult, SudokuOptions>({
  network: runNetwork,
  voting: runVoting,
});

async function runNetwork(config: SudokuNetworkCell, options: SudokuOptions) {
  const { seed, steps, batchSize, clipNorm, evaluateEvery, ema } = config;
  const { boards, cells } = options;
  const validation = sliceBoards(boards.validation, 0, config.validationBoards);
  const timesteps = trainedSteps(config);
  return withReader(config, [timesteps], validation.count, options, async (validator) => {
    const data = trainingBoards(sliceBoards(boards.train, 0, config.trainBoards), {
      seed,
      symmetries: config.symmetries,
      hints: config.hints,
      hintedSteps: Math.round(HINTED * steps),
    });
    const run = await train(trainingTask(config), data, {
      ...cellTraining(config, options),
      learningRate: rateOf(config),
      clipNorm,
      ema: warmAverage(ema),
      evaluateEvery,
      evaluate: async (values) => {
        const [answer] = await answers(validator, values, validation, [timesteps], [seed, "validation"]);
        return { boardAccuracy: answer!.accuracy, cellAccuracy: answer!.cells, loss: answer!.loss };
      },
    });
    if (!run.finished) return undefined;
    await saveWeights(cells, config, run.values);
    const tested = await testAll(config, run.values, options);
    if (tested === undefined) return undefined;
    return {
      accuracies: tested.map(({ accuracy }) => accuracy),
      learning: learningOf(run, ["loss", "boardAccuracy", "cellAccuracy"], (step) => ({
        boards: step * batchSize,
      })),
      solutions: config.model === "akorn" ? await showSolutions(config, run.values, tested, options) : [],
      boardsPerSecond: run.imagesPerSecond,
    };
  });
}

/**
 * Calls `use` with an evaluator of a network that gives an answer after each number of timesteps in
 * `timesteps`.
 */
function withReader<T>(
  config: SudokuNetworkCell,
  timesteps: readonly number[],
  boards: number,
  options: SessionOptions,
  use: (evaluator: Evaluator) => Promise<T>,
): Promise<T> {
  return withEvaluator(readingTask(config, timesteps), Math.min(BATCH, boards), options, use);
}

/** The scores of a network's answers after a given number of timesteps. */
interface Answered {
  readonly solved: Uint8Array;
  readonly accuracy: number;
  /** Share of the blank cells that are right. */
  readonly cells: number;
  /** Mean cross-entropy over all cells, nats. */
  readonly loss: number;
}

/**
 * Scores the answers to all boards from one draw of the noise. The result has an entry for each number of
 * timesteps.
 */
async function answers(
  evaluator: Evaluator,
  values: State,
  boards: Boards,
  timesteps: readonly number[],
  labels: readonly [number, ...(string | number)[]],
  onBatch?: (boards: number) => void,
): Promise<Answered[]> {
  const data = boardData(boards);
  const logits = timesteps.map(() => new Float32Array(boards.count * CELLS * 9));
  const batch = Math.min(BATCH, boards.count);
  for (let start = 0; start < boards.count; start += batch) {
    // If the last batch is not full, earlier boards fill it up.
    const from = Math.min(start, boards.count - batch);
    const indices = Array.from({ length: batch }, (_, i) => from + i);
    const answer = await evaluator.run(values, data, indices, [...labels, start]);
    timesteps.forEach((t, i) => {
      logits[i]!.set(answer[logitsAfter(t)]!.data as Float32Array, from * CELLS * 9);
    });
    onBatch?.(batch);
  }
  return logits.map((all) => {
    const { solved, accuracy, blanks, rightBlanks } = boardAccuracy(all, boards.solutions, boards.puzzles);
    const total = (counts: Int32Array) => counts.reduce((sum, count) => sum + count, 0);
    return {
      solved,
      accuracy,
      cells: total(rightBlanks) / total(blanks),
      loss: crossEntropyOf(all, boards.solutions),
    };
  });
}

function crossEntropyOf(logits: Float32Array, solutions: Uint8Array): number {
  let sum = 0;
  for (let cell = 0; cell < solutions.length; cell++)
    sum -= Math.log(probabilityOf(logits, cell, solutions[cell]! - 1));
  return sum / solutions.length;
}

function probabilityOf(logits: Float32Array, cell: number, digit: number): number {
  const own = logits.subarray(9 * cell, 9 * cell + 9);
  const top = own.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = own.reduce((sum, value) => sum + Math.exp(value - top), 0);
  return Math.max(1e-12, Math.exp(own[digit]! - top) / total);
}

interface TestedSet {
  readonly accuracy: Accuracy;
  /** Whether each board is solved in the first draw, indexed [number of timesteps][board]. */
  readonly solved: readonly Uint8Array[];
}

function testAll(
  config: SudokuNetworkCell,
  values: State,
  options: SudokuOptions,
): Promise<TestedSet[] | undefined> {
  const { testTimesteps: timesteps, testDraws, testBoards, seed } = config;
  const sets = SUDOKU_SET_NAMES.map(
    (set) => [set, sliceBoards(options.boards.test[set], 0, testBoards)] as const,
  );
  const steps = sets.length * testDraws * testBoards;
  const report = progressOf(options, "testing", steps);
  let step = 0;
  return withReader(config, timesteps, testBoards, options, async (evaluator) => {
    const tested: TestedSet[] = [];
    for (const [set, boards] of sets) {
      const draws: Answered[][] = [];
      for (let draw = 0; draw < testDraws; draw++) {
        if (options.signal.aborted) return undefined;
        draws.push(
          await answers(evaluator, values, boards, timesteps, [seed, "test", set, draw], (count) => {
            step = Math.min(steps, step + count);
            report(step, count);
          }),
        );
      }
      tested.push({ accuracy: summary(config, set, draws), solved: draws[0]!.map(({ solved }) => solved) });
    }
    return tested;
  });
}

function summary(
  config: SudokuNetworkCell,
  set: SudokuSetName,
  draws: readonly (readonly Answered[])[],
): Accuracy {
  const { testTimesteps: timesteps } = config;
  const shareOf = (t: number, board: number) =>
    draws.reduce((sum, draw) => sum + draw[t]!.solved[board]!, 0) / draws.length;
  const base = Math.max(0, timesteps.indexOf(trainedSteps(config)));
  return {
    set,
    timesteps,
    boards: draws.map((draw) => draw.map(({ accuracy }) => accuracy)),
    cells: timesteps.map((_, t) => draws.reduce((sum, draw) => sum + draw[t]!.cells, 0) / draws.length),
    gains: timesteps.map((_, t) =>
      pairedDifference(
        Array.from(draws[0]![0]!.solved, (_, board) => shareOf(t, board) - shareOf(base, board)),
      ),
    ),
  };
}

/**
 * Records every timestep on one board of each set. Of the draws that solve the board, the one with the lowest energy is
 * shown; if no draw solves it, the one with the lowest energy of all.
 */
function showSolutions(
  config: SudokuNetworkCell,
  values: State,
  tested: readonly TestedSet[],
  options: SudokuOptions,
): Promise<SudokuSolution[]> {
  const { shownSteps, shownDraws, seed } = config;
  const every = Array.from({ length: shownSteps }, (_, i) => i + 1);
  return withEvaluator(readingTask(config, every), shownDraws, options, async (evaluator) => {
    const list: SudokuSolution[] = [];
    for (const { accuracy, solved } of tested) {
      const set = accuracy.set as SudokuSetName;
      const { board, why } = boardToShow(solved, config);
      const boards = sliceBoards(options.boards.test[set], board, board + 1);
      const indices = new Uint32Array(shownDraws);
      const answer = await evaluator.run(values, boardData(boards), indices, [seed, "shown", set]);
      list.push(solutionOf(answer, boards, every, shownDraws, `${SET_LABELS[set]}: a board ${why}`));
    }
    return list;
  });
}

/**
 * Chooses a board that needs more timesteps than training had; if there is none, a board that is solved; otherwise the
 * first board.
 */
function boardToShow(
  solved: readonly Uint8Array[],
  config: SudokuNetworkCell,
): { board: number; why: string } {
  const base = Math.max(0, config.testTimesteps.indexOf(trainedSteps(config)));
  const late = solved.at(-1)!.findIndex((one, board) => one === 1 && solved[base]![board] === 0);
  if (late >= 0) {
    return {
      board: late,
      why: `that is unsolved after ${config.testTimesteps[base]!} timesteps and solved after more`,
    };
  }
  const found = solved.at(-1)!.indexOf(1);
  return found >= 0 ? { board: found, why: "that was solved" } : { board: 0, why: "that was not solved" };
}

function solutionOf(
  answer: Readonly<Record<string, TensorData>>,
  boards: Boards,
  every: readonly number[],
  draws: number,
  title: string,
): SudokuSolution {
  const energies = answer.energies!.data as Float32Array;
  // The first entry is always 0; the others are the energies of the states before each timestep.
  const curves = Array.from({ length: draws }, (_, draw) =>
    every.map((t) => Number(energies[t * draws + draw]!.toFixed(2))),
  );
  const sums = curves.map((curve) => curve.reduce((a, b) => a + b, 0));
  const last = answer[logitsAfter(every.at(-1)!)]!.data as Float32Array;
  const solvedBy = (draw: number) => {
    const own = last.subarray(draw * CELLS * 9, (draw + 1) * CELLS * 9);
    return boardAccuracy(own, boards.solutions, boards.puzzles).solved[0] === 1;
  };
  const solved = curves.map((_, draw) => solvedBy(draw));
  const candidates = curves.flatMap((_, draw) => (solved[draw] || !solved.includes(true) ? [draw] : []));
  const best = candidates.reduce((a, b) => (sums[b]! < sums[a]! ? b : a));
  const steps = every.map((t) => {
    const logits = (answer[logitsAfter(t)]!.data as Float32Array).subarray(
      best * CELLS * 9,
      (best + 1) * CELLS * 9,
    );
    const digits = Array.from({ length: CELLS }, (_, cell) => {
      const own = logits.subarray(9 * cell, 9 * cell + 9);
      return own.indexOf(own.reduce((a, b) => Math.max(a, b))) + 1;
    });
    return {
      digits,
      confidence: digits.map((digit, cell) => Number(probabilityOf(logits, cell, digit - 1).toFixed(3))),
    };
  });
  return {
    title,
    puzzle: [...boards.puzzles],
    solution: [...boards.solutions],
    steps,
    energies: curves[best]!,
    others: curves.flatMap((own, draw) => (draw === best ? [] : [{ energies: own, solved: solved[draw]! }])),
  };
}

/**
 * Answers each board with K draws of the noise. The draws run in chunks, so memory grows with the size of a chunk, not
 * with K.
 */
async function runVoting(config: VotingCell, options: SudokuOptions) {
  const { start, set, boards: count, timesteps, draws, counts, seed } = config;
  const values = await loadWeights(options.cells, start);
  const boards = sliceBoards(options.boards.test[set], 0, count);
  const chunk = Math.min(BATCH, draws);
  const report = progressOf(options, "voting", count);
  return withReader(start, [timesteps], chunk, options, async (evaluator) => {
    const all: BoardDraws[] = [];
    for (let board = 0; board < count; board++) {
      if (options.signal.aborted) return undefined;
      all.push(
        await drawsOf(evaluator, values, sliceBoards(boards, board, board + 1), config, chunk, [
          seed,
          "voting",
          set,
          board,
        ]),
      );
      report(board + 1, draws);
    }
    return {
      votes: counts.filter((k) => k <= draws).map((k) => votesAmong(all, k)),
      gain: votingGain(all),
      ranking: energyRanking(all),
      scores: scoreResults(all),
    };
  });
}

async function drawsOf(
  evaluator: Evaluator,
  values: State,
  board: Boards,
  { draws, timesteps }: VotingCell,
  chunk: number,
  labels: readonly [number, ...(string | number)[]],
): Promise<BoardDraws> {
  const result = {
    solved: new Uint8Array(draws),
    scores: {
      sum: new Float32Array(draws),
      after16: new Float32Array(draws),
      after64: new Float32Array(draws),
      last: new Float32Array(draws),
      confidence: new Float32Array(draws),
      rules: new Float32Array(draws),
    },
  };
  const { scores } = result;
  const data = boardData(board);
  for (let from = 0; from < draws; from += chunk) {
    const answer = await evaluator.run(values, data, new Uint32Array(chunk), [...labels, from]);
    const logits = answer[logitsAfter(timesteps)]!.data as Float32Array;
    const energies = answer.energies!.data as Float32Array;
    for (let i = 0; i < Math.min(chunk, draws - from); i++) {
      const own = logits.subarray(i * CELLS * 9, (i + 1) * CELLS * 9);
      result.solved[from + i] = boardAccuracy(own, board.solutions, board.puzzles).solved[0]!;
      const at = from + i;
      for (let t = 1; t <= timesteps; t++) {
        const energy = energies[t * chunk + i]!;
        scores.sum[at]! += energy;
        if (t > 16) scores.after16[at]! += energy;
        if (t > 64) scores.after64[at]! += energy;
      }
      scores.last[at] = energies[timesteps * chunk + i]!;
      const { confidence, missing } = judgedAnswer(own, board.puzzles);
      scores.confidence[at] = -confidence;
      scores.rules[at] = missing;
    }
  }
  return result;
}

/** The mean confidence in the blank cells, and the digits that rows, columns and boxes of the answer miss. */
function judgedAnswer(logits: Float32Array, puzzle: ArrayLike<number>) {
  const digits = filledBoard(puzzle, logits);
  let [confidence, blanks] = [0, 0];
  for (let cell = 0; cell < CELLS; cell++) {
    if (puzzle[cell] !== 0) continue;
    confidence += probabilityOf(logits, cell, digits[cell]! - 1);
    blanks++;
  }
  return { confidence: confidence / blanks, missing: missingDigits(digits) };
}
