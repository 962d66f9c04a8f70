import type { SudokuReport } from "../../src/experiments/sudoku/results.js";
import { Random } from "../../src/util/random.js";
import { someBoards } from "./boards.js";

const PAPER = {
  akorn: [
    { condition: "T = 128", set: "id", text: "100.0 ± 0.0" },
    { condition: "T = 128", set: "ood", text: "51.7 ± 3.3" },
    { condition: "T = 128, K = 100", set: "ood", text: "81.6 ± 1.5" },
  ],
  transformer: [{ condition: "T = 1", set: "ood", text: "5.2 ± 0.2" }],
};

/** A report with made-up numbers: more steps help on OOD boards, votes too, on ID boards nothing is left to gain. */
export function sudokuSample(steps = 24): SudokuReport {
  const timesteps = [16, 32, 64, 128];
  const random = new Random(5);
  const solution = (title: string, seed: number, solves: boolean) => {
    const { puzzles, solutions } = someBoards(1, 50, seed);
    const energy = (t: number, shift: number) => -800 - 500 * (1 - Math.exp(-t / 6)) + shift;
    return {
      title,
      puzzle: [...puzzles],
      solution: [...solutions],
      steps: Array.from({ length: steps }, (_, t) => ({
        digits: Array.from(solutions, (digit, cell) =>
          puzzles[cell]! > 0 || (cell * 7) % steps <= t - (solves ? 0 : 6) ? digit : ((digit + cell) % 9) + 1,
        ),
        confidence: Array.from({ length: 81 }, () => random.uniformRange(0.3, 1)),
      })),
      energies: Array.from({ length: steps }, (_, t) => (t < 2 ? 20 - 300 * t : energy(t, 0))),
      others: Array.from({ length: 6 }, (_, i) => ({
        energies: Array.from({ length: steps }, (_, t) => energy(t, 12 * (i + 1))),
        solved: i < 4,
      })),
    };
  };
  return {
    title: "Sudoku by oscillators",
    subtitle: "Made-up numbers",
    scale: "laptop",
    models: [
      {
        id: "akorn",
        label: "AKOrN",
        description: "Oscillators.",
        parameters: 204_940,
        style: 0,
        trainedSteps: 16,
        reportedSteps: 128,
        paper: PAPER.akorn,
      },
      {
        id: "transformer",
        label: "Transformer",
        description: "Blocks.",
        parameters: 300_000,
        style: 3,
        trainedSteps: 1,
        reportedSteps: 1,
        paper: PAPER.transformer,
      },
    ],
    sets: [
      { id: "id", label: "ID", givens: [31, 42], source: "generated", boards: 250, votedBoards: 50 },
      { id: "ood", label: "OOD", givens: [17, 34], source: "generated", boards: 250, votedBoards: 50 },
    ],
    accuracies: [1, 2].flatMap((seed) => [
      {
        model: "akorn",
        set: "id",
        seed,
        timesteps,
        boards: [
          [0.98, 1, 1, 1],
          [0.96, 0.99, 1, 1],
        ],
        cells: [0.99, 1, 1, 1],
        gains: [0, 0.02, 0.03, 0.03].map((mean) => ({ mean, standardError: 0.012 })),
      },
      {
        model: "akorn",
        set: "ood",
        seed,
        timesteps,
        boards: [
          [0.1, 0.2, 0.32, 0.44],
          [0.12, 0.24, 0.36, 0.4],
        ],
        cells: [0.7, 0.8, 0.85, 0.9],
        gains: [0, 0.1, 0.2, 0.31].map((mean) => ({ mean, standardError: 0.03 })),
      },
      ...(["id", "ood"] as const).map((set) => ({
        model: "transformer",
        set,
        seed,
        timesteps: [1],
        boards: [[set === "id" ? 0.9 : 0.02]],
        cells: [0.95],
        gains: [{ mean: 0, standardError: 0 }],
      })),
    ]),
    votings: [1, 2].flatMap((seed) =>
      (["id", "ood"] as const).map((set) => ({
        model: "akorn",
        set,
        seed,
        timesteps: 128,
        draws: 100,
        votes: [1, 10, 100].map((k, i) => ({
          k,
          sum: k === 100 ? [0.8] : [0.42 + 0.15 * i, 0.46 + 0.15 * i],
          last: k === 100 ? [0.7] : [0.42 + 0.1 * i, 0.46 + 0.1 * i],
          any: k === 100 ? [0.96] : [0.42 + 0.3 * i, 0.46 + 0.3 * i],
        })),
        gain: set === "id" ? { mean: 0, standardError: 0 } : { mean: 0.36, standardError: 0.05 },
        ranking: set === "id" ? undefined : 0.87,
        scores: (["sum", "rules"] as const).map((score) => ({
          score,
          ranking: set === "id" ? undefined : { sum: 0.87, rules: 1 }[score],
          solved: { sum: 0.8, rules: 0.96 }[score],
          gain: { mean: 0.36, standardError: 0.05 },
        })),
      })),
    ),
    learning: ["akorn", "transformer"].map((model) => ({
      model,
      seed: 1,
      points: [1, 2, 3, 4].map((i) => ({
        boards: 25_000 * i,
        loss: 1 / i,
        boardAccuracy: 1 - 1 / i,
        cellAccuracy: 1 - 0.5 / i,
      })),
    })),
    solutions: [
      solution("OOD board that was solved", 3, true),
      solution("OOD board that was not solved", 4, false),
    ],
    provenance: {
      seeds: [1],
      steps: 1000,
      batchSize: 100,
      trainingBoards: 9000,
      machine: "a machine",
      versions: { striate: "0.1.0" },
      date: "2026-11-22T00:00:00Z",
      wallTimeSeconds: 1000,
      command: "striate run sudoku --scale laptop",
      more: {},
    },
  };
}
