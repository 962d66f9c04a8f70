import { describe, expect, it } from "vitest";
import { cellKey, chooseCells } from "../../src/experiments/cells.js";
import { SCALES } from "../../src/experiments/options.js";
import type { BoardSets } from "../../src/experiments/sudoku/boards.js";
import { boardData, trainingBoards } from "../../src/experiments/sudoku/boards.js";
import { runSudokuCell } from "../../src/experiments/sudoku/cell.js";
import {
  logitsAfter,
  sudokuNetwork,
  readingTask,
  trainingTask,
} from "../../src/experiments/sudoku/networks.js";
import { sudokuPage } from "../../src/experiments/sudoku/page.js";
import type { SudokuCell, SudokuPlan } from "../../src/experiments/sudoku/plan.js";
import {
  sudokuCellName,
  sudokuCells,
  SUDOKU_MODELS,
  SUDOKU_PLANS,
} from "../../src/experiments/sudoku/plan.js";
import { sudokuReport } from "../../src/experiments/sudoku/results.js";
import type { BoardDraws } from "../../src/experiments/sudoku/votes.js";
import {
  energyRanking,
  pairedDifference,
  scoreResults,
  votesAmong,
  votingGain,
} from "../../src/experiments/sudoku/votes.js";
import { parameterCount } from "../../src/experiments/training.js";
import type { TensorData } from "../../src/graph/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { PUZZLE, SOLUTION, SudokuTask } from "../../src/systems/akorn/index.js";
import { Evaluator } from "../../src/train/evaluator.js";
import { initialValues } from "../../src/train/trainer.js";
import { temporaryFolder } from "../support/folders.js";
import { finishedRun } from "./finished-run.js";
import { someBoards } from "./boards.js";

describe("the cells", () => {
  it.each(SCALES)("of scale %s have names and addresses of their own, and starts among them", (scale) => {
    const cells = sudokuCells(SUDOKU_PLANS[scale], [1, 2]);
    expect(new Set(cells.map(sudokuCellName)).size).toBe(cells.length);
    expect(new Set(cells.map(cellKey)).size).toBe(cells.length);
    const seen = new Set<string>();
    for (const cell of cells) {
      if (cell.kind === "voting") expect(seen).toContain(cellKey(cell.start));
      seen.add(cellKey(cell));
    }
    expect(chooseCells(cells, sudokuCellName, "voting/ood/*").map(sudokuCellName)).toEqual([
      "voting/ood/seed1",
      "voting/ood/seed2",
    ]);
  });

  it("of scale paper have the authors' recipe and numbers of parameters", () => {
    const networks = sudokuCells(SUDOKU_PLANS.paper, [1]).filter((cell) => cell.kind === "network");
    const counts = networks.map((cell) => parameterCount(trainingTask(cell).parameters));
    expect(counts).toEqual([2_982_412, 2_155_017, 16_874_505]);
    const [akorn, itrsa] = networks;
    expect(akorn).toMatchObject({ steps: 9000, batchSize: 100, learningRate: 1e-3, clipNorm: 1, hints: 0 });
    expect(akorn!.ema).toEqual({ decay: 0.995, every: 10, after: 100 });
    expect(itrsa!.learningRate).toBe(5e-4);
  });
});

describe("boards", () => {
  it("are easier at first, as they are at last, and the same again at the same step", () => {
    const boards = someBoards(20, 50);
    const data = trainingBoards(boards, { seed: 1, symmetries: true, hints: 0.9, hintedSteps: 100 });
    const at = (step: number) => {
      const fields = { [PUZZLE]: new Float32Array(20 * 81), [SOLUTION]: new Float32Array(20 * 81) };
      data.fill(
        Array.from({ length: 20 }, (_, i) => i),
        fields,
        [1, "training noise", step],
      );
      return fields;
    };
    const blanks = (step: number) => at(step)[PUZZLE].filter((digit) => digit === 0).length;
    expect(blanks(0)).toBeLessThan(0.75 * 20 * 50);
    expect(blanks(100)).toBe(20 * 50);
    expect(at(7)).toEqual(at(7));
    expect(at(7)[SOLUTION]).not.toEqual(at(8)[SOLUTION]);
    const { [PUZZLE]: puzzle, [SOLUTION]: solution } = at(3);
    expect(puzzle.every((digit, cell) => digit === 0 || digit === solution[cell])).toBe(true);
    expect(() => {
      data.fill([0], { [PUZZLE]: new Float32Array(81), [SOLUTION]: new Float32Array(81) });
    }).toThrow(/a label that ends with the number/);
  });
});

describe("votes", () => {
  const draws = (solved: number[], sums: number[], lasts: number[]): BoardDraws => ({
    solved: Uint8Array.from(solved),
    scores: {
      sum: Float32Array.from(sums),
      after16: Float32Array.from(sums),
      after64: Float32Array.from(sums),
      last: Float32Array.from(lasts),
      confidence: Float32Array.from(lasts),
      rules: Float32Array.from(solved, (one) => (one === 1 ? 0 : 3)),
    },
  });
  // Board one: the sum finds the right draw, the last energy does not. Board two: nobody can.
  const boards = [
    draws([0, 1, 1, 0], [-5, -9, -7, -6], [-4, -1, -2, -3]),
    draws([0, 0, 0, 0], [-1, -2, -3, -4], [-1, -2, -3, -4]),
  ];

  it("are held in every disjoint group of K draws", () => {
    expect(votesAmong(boards, 1)).toEqual({
      k: 1,
      sum: [0, 0.5, 0.5, 0],
      last: [0, 0.5, 0.5, 0],
      any: [0, 0.5, 0.5, 0],
    });
    expect(votesAmong(boards, 2)).toEqual({ k: 2, sum: [0.5, 0.5], last: [0, 0], any: [0.5, 0.5] });
    expect(votesAmong(boards, 4)).toEqual({ k: 4, sum: [0.5], last: [0], any: [0.5] });
    // The fourth draw alone makes no group of three.
    expect(votesAmong(boards, 3).sum).toHaveLength(1);
  });

  it("gain over one draw, and energies order right before wrong", () => {
    expect(votingGain(boards)).toEqual({ mean: 0.25, standardError: 0.25 });
    // Pairs of board one: (-9, -5), (-9, -6), (-7, -5), (-7, -6): all lower.
    expect(energyRanking(boards)).toBe(1);
    expect(energyRanking([boards[1]!])).toBeUndefined();
    expect(pairedDifference([1, 1, 1])).toEqual({ mean: 1, standardError: 0 });
    const results = scoreResults(boards);
    const of = (id: string) => results.find(({ score }) => score === id)!;
    expect(of("sum")).toEqual({
      score: "sum",
      ranking: 1,
      solved: 0.5,
      gain: { mean: 0.25, standardError: 0.25 },
    });
    // The last energy of board one is lowest for a wrong answer; of four pairs none is in order.
    expect(of("last")).toMatchObject({ ranking: 0, solved: 0, gain: { mean: -0.25 } });
    expect(of("rules")).toMatchObject({ ranking: 1, solved: 0.5 });
  });
});

const numbers = ({ data }: TensorData): number[] => Array.from(data as Float32Array);

describe("answers after several numbers of steps in one run", () => {
  const shape = { channels: 8, heads: 2, transformerLayers: 2, timesteps: 2 };

  it.each(["akorn", "itrsa"] as const)("are those of runs of so many steps: %s", async (model) => {
    const cell = { model, shape, lossSteps: 1 };
    const boards = someBoards(2, 50);
    const data = boardData(boards);
    const values = initialValues(trainingTask(cell), { seed: 1 });
    const all = await Evaluator.open(readingTask(cell, [2, 5]), 2, new Map(), nodeRuntime);
    const together = await all.run(values, data, [0, 1], [4]);
    await all.close();
    for (const timesteps of [2, 5]) {
      const task = new SudokuTask(sudokuNetwork(cell), { timesteps });
      const alone = await Evaluator.open(task, 2, new Map(), nodeRuntime);
      const answer = await alone.run(values, data, [0, 1], [4]);
      await alone.close();
      const [a, b] = [together[logitsAfter(timesteps)]!, answer.logits!];
      expect(a.shape).toEqual(b.shape);
      const difference = numbers(b).map((value, i) => Math.abs(value - numbers(a)[i]!));
      expect(Math.max(...difference)).toBeLessThan(1e-4);
      if (model === "itrsa") continue;
      const energies = numbers(together.energies!);
      numbers(answer["energies.0"]!).forEach((energy, i) => {
        expect(energies[i]).toBeCloseTo(energy, 2);
      });
    }
  });
});

describe("a run of every kind of cell", () => {
  it("trains, tests, votes, and makes a page", async () => {
    const plan: SudokuPlan = {
      ...SUDOKU_PLANS.smoke,
      shape: { channels: 8, heads: 2, transformerLayers: 2, timesteps: 2 },
      trainBoards: 8,
      steps: 3,
      batchSize: 4,
      validationBoards: 4,
      testBoards: 6,
      testTimesteps: { akorn: [2, 4], itrsa: [2, 3], transformer: [1] },
      shownSteps: 3,
      shownDraws: 2,
      voting: { boards: 2, timesteps: 3, draws: 4, counts: [1, 2, 4] },
    };
    const boards: BoardSets = {
      train: someBoards(8, 40, 1),
      validation: someBoards(4, 40, 2),
      test: { id: someBoards(6, 40, 3), ood: someBoards(6, 60, 4), easy: someBoards(6, 20, 5) },
    };
    const cells = await temporaryFolder();
    const results = new Map<SudokuCell, NonNullable<Awaited<ReturnType<typeof runSudokuCell>>>>();
    for (const config of sudokuCells(plan, [1])) {
      const result = await runSudokuCell(config, {
        cells,
        boards,
        device: "cpu",
        threads: 1,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onWarning: () => undefined,
      });
      results.set(config, result!);
    }
    const report = sudokuReport({ ...finishedRun(plan, results), boards });
    expect(report.models.map(({ id }) => id)).toEqual([...SUDOKU_MODELS]);
    expect(report.accuracies).toHaveLength(9);
    const akorn = report.accuracies.find(({ model, set }) => model === "akorn" && set === "id")!;
    expect(akorn.boards).toHaveLength(plan.testDraws);
    expect(akorn.boards[0]).toHaveLength(2);
    // Nothing is gained by the steps of training over themselves.
    expect(akorn.gains[0]).toEqual({ mean: 0, standardError: 0 });
    expect(report.votings.map(({ votes }) => votes.map(({ k }) => k))).toEqual([
      [1, 2, 4],
      [1, 2, 4],
    ]);
    expect(report.solutions).toHaveLength(3);
    for (const { steps, energies, others } of report.solutions) {
      expect([steps.length, energies.length, others.length]).toEqual([3, 3, 1]);
      const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
      expect(sum(energies)).toBeLessThanOrEqual(sum(others[0]!.energies));
    }
    const page = await sudokuPage(report);
    expect(page).toContain("How a board is solved");
    expect(page).toContain("81.6 ± 1.5");
  });
});
