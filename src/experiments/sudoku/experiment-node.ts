import { percent } from "../../report/html.js";
import { sudokuFindings, sudokuPage } from "../../report/sudoku.js";
import type { SudokuReport } from "../../report/sudoku-data.js";
import { meanAndSpread } from "../../report/over-seeds.js";
import { chooseCells } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult, ResultTable } from "../experiment.js";
import { writeReport } from "../report-files-node.js";
import { INTERRUPTED, partialResult, runStages, withStarts } from "../stages-node.js";
import { loadBoards } from "./boards-node.js";
import type { CellResult } from "./cell-node.js";
import { runCell } from "./cell-node.js";
import { cellName, cellsOf, PLANS } from "./config.js";
import { sudokuReport } from "./report-node.js";

/** What AKOrN's paper claims on Sudoku (ICLR 2025): test-time extension of T and energy voting. */
export const sudokuExperiment: Experiment = {
  name: "sudoku",
  summary: "AKOrN against ItrSA and a transformer on Sudoku: do more steps and votes by energy help?",
  scales: {
    smoke: {
      summary: "a few steps of every kind of cell: does everything work? Under half a minute.",
      seeds: 1,
    },
    laptop: { summary: "three narrow networks, boards of our own. About 30 minutes on 2 cores.", seeds: 1 },
    paper: { summary: "the authors’ width and steps. Days for each network; see --cells.", seeds: 3 },
  },
  choosesCells: true,
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device } = options;
  const plan = PLANS[scale];
  const all = cellsOf(plan, seeds);
  const chosen = withStarts(chooseCells(all, cellName, options.cells), all);
  const boards = await loadBoards(plan, options);
  const results = await runStages(options, chosen, {
    nameOf: cellName,
    run: (config, common) => runCell(config, { ...common, boards }),
    describe,
  });
  if (results === undefined) return INTERRUPTED;
  if (chosen.length < all.length)
    return partialResult(results, all, (config, result) => [[cellName(config), describe(result)]]);

  const seconds = (performance.now() - started) / 1000;
  const report = sudokuReport({ plan, scale, seeds, results, boards, device, seconds });
  const files = await writeReport(out, await sudokuPage(report), { ...report, solutions: [] });
  return { interrupted: false, tables: tablesOf(report), files };
}

function describe(result: CellResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  if (result.kind === "voting") {
    const [first, last] = [result.votes[0]!, result.votes.at(-1)!];
    const mean = (values: readonly number[]) => percent(meanAndSpread(values).mean);
    return `one draw solves ${mean(first.sum)} %, the vote of ${last.k} ${mean(last.sum)} %, in ${seconds}`;
  }
  const parts = result.accuracies.map(({ set, timesteps, boards }) => {
    const shares = timesteps.map((_, t) => meanAndSpread(boards.map((draw) => draw[t]!)).mean);
    const best = shares.indexOf(Math.max(...shares));
    return `${set} ${percent(shares[best]!)} % at T = ${timesteps[best]!}`;
  });
  return `boards solved ${parts.join(", ")}; ${seconds}, ${Math.round(result.boardsPerSecond)} boards/s`;
}

function tablesOf(report: SudokuReport): ResultTable[] {
  const rows = report.models.flatMap(({ id, label }) =>
    report.sets.map((set) => {
      const runs = report.accuracies.filter((one) => one.model === id && one.set === set.id);
      const { timesteps } = runs[0]!;
      const parts = timesteps.map((t, i) => {
        const draws = runs.flatMap(({ boards }) => boards.map((draw) => draw[i]!));
        return `${percent(meanAndSpread(draws).mean)} (${t})`;
      });
      return [label, set.label, parts.join("  ")];
    }),
  );
  const votes = report.votings.map(({ set, seed, votes: list }) => [
    report.sets.find(({ id }) => id === set)!.label,
    String(seed),
    list.map(({ k, sum }) => `${percent(meanAndSpread(sum).mean)} (${k})`).join("  "),
  ]);
  const papers = report.models.flatMap(({ label, paper }) =>
    [...new Set(paper.map(({ condition }) => condition))].map((condition) => [
      label,
      condition,
      ...report.sets.map(
        ({ id }) => paper.find((one) => one.set === id && one.condition === condition)?.text ?? "",
      ),
    ]),
  );
  return [
    { title: "Boards solved in % (steps T)", columns: ["network", "boards", "accuracy (T)"], rows },
    {
      title: "AKOrN, voting by the sum of energies: boards solved in % (draws K)",
      columns: ["boards", "seed", "accuracy (K)"],
      rows: votes,
      notes: sudokuFindings(report).map(
        ({ question, status, sentence }) => `${question}: ${status}. ${sentence}`,
      ),
    },
    {
      title: "The paper’s boards solved in %",
      columns: ["network", "condition", ...report.sets.map(({ label }) => label)],
      rows: papers,
      notes: ["C = 512, 100 epochs of SATNet’s 9,000 boards; OOD: RRN’s harder boards."],
    },
  ];
}
