import { check } from "../util/errors.js";
import { meanAndSpread } from "./over-seeds.js";

/** Everything that the report on Sudoku shows, as plain data. Accuracies are fractions 0..1. */
export interface SudokuReport {
  readonly title: string;
  readonly subtitle: string;
  /** `smoke`, `laptop`, `paper`. */
  readonly scale: string;
  readonly models: readonly SudokuModel[];
  /** Kinds of boards; the first is what training is like. */
  readonly sets: readonly SudokuSet[];
  readonly accuracies: readonly SudokuAccuracy[];
  readonly votings: readonly SudokuVoting[];
  readonly learning: readonly SudokuLearning[];
  readonly solutions: readonly SudokuSolution[];
  readonly provenance: SudokuProvenance;
}

export interface SudokuModel {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly parameters: number;
  /** Place in the list of chart styles. */
  readonly style: number;
  /** Steps T in training. */
  readonly trainedSteps: number;
  /** Steps for which the paper reports, where it was run for as many; otherwise those of training. */
  readonly reportedSteps: number;
  /** The paper's board accuracy by set (its section of results; mean and deviation in %). */
  readonly paper: readonly { readonly set: string; readonly condition: string; readonly text: string }[];
}

export interface SudokuSet {
  readonly id: string;
  readonly label: string;
  /** Fewest and most given digits. */
  readonly givens: readonly [number, number];
  /** Where the boards come from. */
  readonly source: string;
  /** Boards on which accuracy against T is measured. */
  readonly boards: number;
  /** Boards that are voted on. */
  readonly votedBoards: number;
}

/** Board accuracy of one network on one set. */
export interface SudokuAccuracy {
  readonly model: string;
  readonly set: string;
  readonly seed: number;
  /** T. */
  readonly timesteps: readonly number[];
  /** Share of boards solved, [draw of the noise][T]; one row where a network draws no noise. */
  readonly boards: readonly (readonly number[])[];
  /** Share of blank cells that are right, [T], mean over draws. */
  readonly cells: readonly number[];
  /** Boards solved with T steps minus those solved with the steps of training, paired by board, [T]. */
  readonly gains: readonly PairedDifference[];
}

/** A mean difference over boards and its standard error. */
export interface PairedDifference {
  readonly mean: number;
  readonly standardError: number;
}

/** Energy voting by one network on one set. */
export interface SudokuVoting {
  readonly model: string;
  readonly set: string;
  readonly seed: number;
  readonly timesteps: number;
  /** Draws for each board. */
  readonly draws: number;
  readonly votes: readonly SudokuVote[];
  /** Boards solved by the vote of all draws (score `sum`) minus the share of single draws that solve them, paired by board. */
  readonly gain: PairedDifference;
  /** Of pairs of a right and a wrong answer to the same board: share in which the right one has the lower sum of energies. */
  readonly ranking: number | undefined;
}

/** Votes among K draws: all disjoint groups of K. */
export interface SudokuVote {
  readonly k: number;
  /** Board accuracy of each group when the lowest sum of energies wins ... */
  readonly sum: readonly number[];
  /** ... when the lowest last energy wins ... */
  readonly last: readonly number[];
  /** ... and the share of boards that any draw of the group solves: what no vote can exceed. */
  readonly any: readonly number[];
}

export interface SudokuLearning {
  readonly model: string;
  readonly seed: number;
  readonly points: readonly {
    readonly boards: number;
    readonly loss: number;
    readonly boardAccuracy: number;
    readonly cellAccuracy: number;
  }[];
}

/** One board while it is being solved. */
export interface SudokuSolution {
  readonly title: string;
  /** 81 digits, 0 for blank. */
  readonly puzzle: readonly number[];
  readonly solution: readonly number[];
  /** After each step: 81 digits, and how sure the network is of each (0..1). */
  readonly steps: readonly { readonly digits: readonly number[]; readonly confidence: readonly number[] }[];
  /** Energy of the state before each step. */
  readonly energies: readonly number[];
  /** Energies of other draws of the noise on this board. */
  readonly others: readonly { readonly energies: readonly number[]; readonly solved: boolean }[];
}

export interface SudokuProvenance {
  readonly seeds: readonly number[];
  readonly steps: number;
  readonly batchSize: number;
  /** Different boards in training. */
  readonly trainingBoards: number;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly date: string;
  readonly wallTimeSeconds: number;
  readonly command: string;
  readonly more: Readonly<Record<string, string>>;
}

/** Throws {@link StriateError} where results name a model or a set that the report does not list. */
export function checkSudokuReport(report: SudokuReport): void {
  const models = report.models.map(({ id }) => id);
  const sets = report.sets.map(({ id }) => id);
  for (const { model, set } of [...report.accuracies, ...report.votings]) {
    check(
      models.includes(model),
      () => `Sudoku report: expected one of ${models.join(", ")}; got "${model}"`,
    );
    check(sets.includes(set), () => `Sudoku report: expected one of ${sets.join(", ")}; got "${set}"`);
  }
}

/**
 * Whether something helps: the mean over seeds of paired differences, judged by twice the larger of the boards' and the
 * seeds' standard error.
 */
export function judgeGain(gains: readonly PairedDifference[]): {
  readonly status: "helps" | "hurts" | "undecided";
  readonly mean: number;
  readonly margin: number;
} {
  const { mean, spread = 0 } = meanAndSpread(gains.map((gain) => gain.mean));
  const boards = Math.max(...gains.map(({ standardError }) => standardError));
  const margin = 2 * Math.max(boards, spread / Math.sqrt(gains.length));
  // Where no board changes sides, the standard error is 0 and so is the difference.
  const decided = Math.abs(mean) > margin;
  return { status: !decided ? "undecided" : mean > 0 ? "helps" : "hurts", mean, margin };
}
