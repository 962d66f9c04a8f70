import type { VerdictStatus } from "../../metrics/judgement.js";
import { percent } from "../../report/html.js";
import { meanAndSpread } from "../../report/over-seeds.js";
import type { ResultTable } from "../experiment.js";
import { defineExperiment } from "../experiment.js";
import { loadBoards } from "./boards.js";
import { SUDOKU_CLAIMS, sudokuClaims } from "./claims.js";
import { runSudokuCell } from "./cell.js";
import { sudokuFindings, sudokuPage } from "./page.js";
import { sudokuCellName, sudokuCells, SUDOKU_PLANS } from "./plan.js";
import type { SudokuResult, SudokuReport } from "./results.js";
import { sudokuReport } from "./results.js";

/** Tests of the claims of AKOrN's paper on Sudoku (ICLR 2025): more timesteps at test time, and voting by energy. */
export const sudokuExperiment = defineExperiment({
  name: "sudoku",
  explorerView: "sudoku",
  claims: SUDOKU_CLAIMS,
  summary: "AKOrN against ItrSA and a transformer on Sudoku: do more timesteps and votes by energy help?",
  scales: {
    smoke: {
      summary:
        "a few steps of every training run and every test, to check that everything works. Under half a minute.",
      seeds: 1,
    },
    laptop: { summary: "three narrow networks, generated boards. About 30 minutes on 2 cores.", seeds: 1 },
    paper: {
      summary: "the authors’ width and timesteps. Days for each network; --cells runs only some of them.",
      seeds: 3,
    },
  },
  choosesCells: true,
  plan: ({ scale }) => SUDOKU_PLANS[scale],
  cellsOf: (plan, { seeds }) => sudokuCells(plan, seeds),
  load: async (plan, options) => ({ boards: await loadBoards(plan, options) }),
  nameOf: sudokuCellName,
  runCell: runSudokuCell,
  describe,
  report: async (run) => {
    const report = sudokuReport(run);
    const numbers = { ...report, solutions: [] };
    return {
      page: await sudokuPage(report),
      numbers,
      claims: sudokuClaims(report),
      tables: tablesOf(report),
    };
  },
});

const meanPercent = (values: readonly number[]): string => percent(meanAndSpread(values).mean);

function describe(result: SudokuResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  if (result.kind === "voting") {
    const [first, last] = [result.votes[0]!, result.votes.at(-1)!];
    return `one draw solves ${meanPercent(first.sum)} % of the boards, the vote of ${last.k} draws solves ${meanPercent(last.sum)} %, in ${seconds}`;
  }
  const parts = result.accuracies.map(({ set, timesteps, boards }) => {
    const shares = timesteps.map((_, t) => meanAndSpread(boards.map((draw) => draw[t]!)).mean);
    const best = shares.indexOf(Math.max(...shares));
    return `${set} ${percent(shares[best]!)} % at T = ${timesteps[best]!}`;
  });
  return `boards solved: ${parts.join(", ")}; ${seconds}, ${Math.round(result.boardsPerSecond)} boards/s`;
}

function tablesOf(report: SudokuReport): ResultTable[] {
  const { models, sets, accuracies, votings } = report;
  const rows = models.flatMap(({ id, label }) =>
    sets.map((set) => {
      const runs = accuracies.filter((one) => one.model === id && one.set === set.id);
      const parts = runs[0]!.timesteps.map((t, i) => {
        const draws = runs.flatMap(({ boards }) => boards.map((draw) => draw[i]!));
        return `${meanPercent(draws)} (${t})`;
      });
      return [label, set.label, parts.join("  ")];
    }),
  );
  const papers = models.flatMap(({ label, paper }) =>
    [...new Set(paper.map(({ condition }) => condition))].map((condition) => [
      label,
      condition,
      ...sets.map(({ id }) => paper.find((one) => one.set === id && one.condition === condition)?.text ?? ""),
    ]),
  );
  return [
    { title: "Boards solved in % (timesteps T)", columns: ["network", "boards", "accuracy (T)"], rows },
    {
      title: "AKOrN, vote by the sum of energies: boards solved in % (draws K)",
      columns: ["boards", "seed", "accuracy (K)"],
      rows: votings.map(({ set, seed, votes }) => [
        sets.find(({ id }) => id === set)!.label,
        String(seed),
        votes.map(({ k, sum }) => `${meanPercent(sum)} (${k})`).join("  "),
      ]),
      notes: sudokuFindings(report).map(
        ({ question, status, sentence }) => `${question}: ${STATUS_WORDS[status]}. ${sentence}`,
      ),
    },
    {
      title: "Boards solved in the paper, in %",
      columns: ["network", "condition", ...sets.map(({ label }) => label)],
      rows: papers,
      notes: [
        "C = 512, 100 epochs on SATNet’s 9,000 boards; OOD (out of distribution): RRN’s harder boards.",
      ],
    },
  ];
}

const STATUS_WORDS: Readonly<Record<VerdictStatus, string>> = {
  holds: "helps",
  reversed: "hurts",
  undecided: "undecided",
};
