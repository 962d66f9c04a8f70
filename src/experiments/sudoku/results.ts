import type { Boards } from "../../data/sudoku/boards.js";
import { CELLS, givensOf } from "../../data/sudoku/boards.js";
import type { Judgement } from "../../metrics/judgement.js";
import { judgeDifferences } from "../../metrics/judgement.js";
import { average } from "../../metrics/statistics.js";
import type { Provenance } from "../../report/provenance-node.js";
import { checkOneOf } from "../../util/check.js";
import type { FinishedRun } from "../experiment.js";
import { ofKind } from "../experiment.js";
import { parameterCount, scheduleText } from "../training.js";
import type { BoardSets } from "./boards.js";
import { SUDOKU_MODEL_TEXTS, trainedSteps, trainingTask } from "./networks.js";
import type { SudokuCell, SudokuModelName, SudokuNetworkCell, SudokuPlan } from "./plan.js";
import { SUDOKU_MODELS, SET_LABELS, SUDOKU_SET_NAMES } from "./plan.js";
import type { PairedDifference, ScoreResult, SudokuVote } from "./votes.js";

/** Board accuracy of one network on one set; accuracies are fractions 0..1. */
export interface Accuracy {
  readonly set: string;
  /** The numbers of timesteps T. */
  readonly timesteps: readonly number[];
  /** Share of boards solved, indexed [draw of the noise][T]; a network without noise has one row. */
  readonly boards: readonly (readonly number[])[];
  /** Share of the blank cells that are right for each T, mean over draws. */
  readonly cells: readonly number[];
  /**
   * For each T, the share of boards solved with T timesteps minus the share solved with the timesteps of
   * training, paired by board.
   */
  readonly gains: readonly PairedDifference[];
}

/** Measurements on validation boards while a network is trained. */
export interface SudokuLearningPoint {
  /** Number of training boards seen. */
  readonly boards: number;
  readonly loss: number;
  readonly boardAccuracy: number;
  readonly cellAccuracy: number;
}

/** A network's answers to one board, timestep by timestep. */
export interface SudokuSolution {
  readonly title: string;
  /** 81 digits, with 0 for blank cells. */
  readonly puzzle: readonly number[];
  readonly solution: readonly number[];
  /** The 81 digits after each step, and the network's confidence in each, from 0 to 1. */
  readonly steps: readonly { readonly digits: readonly number[]; readonly confidence: readonly number[] }[];
  /** Energies of the state before each step. */
  readonly energies: readonly number[];
  /** Energies of other draws of the noise on this board. */
  readonly others: readonly { readonly energies: readonly number[]; readonly solved: boolean }[];
}

/** The results of one network's votes on one set. */
interface Votes {
  readonly votes: readonly SudokuVote[];
  /**
   * Share of boards that the vote of all draws solves (score `sum`) minus the share that single draws solve, paired by
   * board.
   */
  readonly gain: PairedDifference;
  /**
   * Pair each right answer with each wrong answer to the same board: the share of pairs in which the right
   * answer has the lower sum of energies. Undefined if there is no such pair.
   */
  readonly ranking: number | undefined;
  /** What other scores than the sum of energies tell. */
  readonly scores: readonly ScoreResult[];
}

export interface SudokuNetworkResult {
  readonly kind: "network";
  readonly accuracies: readonly Accuracy[];
  readonly learning: readonly SudokuLearningPoint[];
  readonly solutions: readonly SudokuSolution[];
  readonly boardsPerSecond: number;
  readonly seconds: number;
}

export interface VotingResult extends Votes {
  readonly kind: "voting";
  readonly seconds: number;
}

/** The result of a cell. */
export type SudokuResult = SudokuNetworkResult | VotingResult;

/** A network and its seed. */
interface Run {
  readonly model: string;
  readonly seed: number;
}

export interface SudokuVoting extends Run, Votes {
  readonly set: string;
  readonly timesteps: number;
  /** Number of draws for each board. */
  readonly draws: number;
}

/** The contents of the page and of results.json. */
export interface SudokuReport {
  readonly title: string;
  readonly subtitle: string;
  /** The scale: `smoke`, `laptop` or `paper`. */
  readonly scale: string;
  readonly models: readonly SudokuModel[];
  /** The sets of boards; the first one resembles the training boards. */
  readonly sets: readonly SudokuSet[];
  readonly accuracies: readonly (Accuracy & Run)[];
  readonly votings: readonly SudokuVoting[];
  readonly learning: readonly (Run & { readonly points: readonly SudokuLearningPoint[] })[];
  readonly solutions: readonly SudokuSolution[];
  readonly provenance: Provenance & {
    readonly steps: number;
    readonly batchSize: number;
    /** Number of different boards in training. */
    readonly trainingBoards: number;
    readonly more: Readonly<Record<string, string>>;
  };
}

export interface SudokuModel {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly parameters: number;
  /** Index into the list of chart styles. */
  readonly style: number;
  /** Timesteps T in training. */
  readonly trainedSteps: number;
  /** The number of timesteps T in the paper's table. */
  readonly reportedSteps: number;
  /** The paper's board accuracy by set: mean and standard deviation in %. */
  readonly paper: readonly { readonly set: string; readonly condition: string; readonly text: string }[];
}

export interface SudokuSet {
  readonly id: string;
  readonly label: string;
  /** Smallest and largest number of given digits. */
  readonly givens: readonly [number, number];
  /** The source of the boards. */
  readonly source: string;
  /** Number of boards on which accuracy against T is measured. */
  readonly boards: number;
  /** Number of boards in the votes. */
  readonly votedBoards: number;
}

/** Board accuracies in the authors' repository (arXiv:2410.13821, scripts/sudoku), in %. */
const PAPER: Readonly<Record<SudokuModelName, SudokuModel["paper"]>> = {
  akorn: [
    { condition: "T = 128", set: "id", text: "100.0 ± 0.0" },
    { condition: "T = 128", set: "ood", text: "51.7 ± 3.3" },
    { condition: "T = 128, K = 100", set: "id", text: "100.0 ± 0.0" },
    { condition: "T = 128, K = 100", set: "ood", text: "81.6 ± 1.5" },
    { condition: "T = 128, K = 4096", set: "id", text: "100.0 ± 0.0" },
    { condition: "T = 128, K = 4096", set: "ood", text: "89.5 ± 2.5" },
  ],
  itrsa: [
    { condition: "T = 32", set: "id", text: "95.7 ± 8.5" },
    { condition: "T = 32", set: "ood", text: "34.4 ± 5.4" },
  ],
  transformer: [
    { condition: "T = 1", set: "id", text: "98.6 ± 0.3" },
    { condition: "T = 1", set: "ood", text: "5.2 ± 0.2" },
  ],
};

/** The number of timesteps T in the paper's table. */
const REPORTED: Readonly<Record<SudokuModelName, number>> = { akorn: 128, itrsa: 32, transformer: 1 };

/** Makes the report from the results of all cells. */
export function sudokuReport({
  plan,
  scale,
  boards,
  device,
  provenance,
  results,
}: FinishedRun<SudokuPlan, SudokuCell, SudokuResult> & { readonly boards: BoardSets }): SudokuReport {
  const networks = ofKind(results, "network");
  const votings = ofKind(results, "voting");
  return {
    title: "Sudoku by oscillators",
    subtitle:
      "Cells of a board as coupled oscillators: does a network solve more boards if it runs for more timesteps than in training, and if the answer with the lowest energy is chosen from several?",
    scale,
    models: SUDOKU_MODELS.flatMap((model) => {
      const cell = networks.find(([config]) => config.model === model)?.[0];
      return cell ? [modelOf(model, cell)] : [];
    }),
    sets: SUDOKU_SET_NAMES.map((set) => ({
      id: set,
      label: SET_LABELS[set],
      givens: givenRange(boards.test[set]),
      source: boards.test[set].source,
      boards: plan.testBoards,
      votedBoards: plan.voting.boards,
    })),
    accuracies: networks.flatMap(([{ model, seed }, { accuracies }]) =>
      accuracies.map((one) => ({ ...one, model, seed })),
    ),
    votings: votings.map(([{ set, seed, timesteps, draws }, { votes, gain, ranking, scores }]) => ({
      model: "akorn",
      set,
      seed,
      timesteps,
      draws,
      votes,
      gain,
      ranking,
      scores,
    })),
    learning: networks.map(([{ model, seed }, { learning }]) => ({ model, seed, points: learning })),
    solutions: networks.find(([config]) => config.model === "akorn")?.[1].solutions ?? [],
    provenance: {
      ...provenance,
      steps: plan.steps,
      batchSize: plan.batchSize,
      trainingBoards: plan.trainBoards,
      more: recipeOf(plan, boards, device),
    },
  };
}

function modelOf(model: SudokuModelName, config: SudokuNetworkCell): SudokuModel {
  return {
    id: model,
    ...SUDOKU_MODEL_TEXTS[model],
    // The authors' count includes AKOrN's x0, which the network does not use.
    parameters: parameterCount(trainingTask(config).parameters),
    trainedSteps: trainedSteps(config),
    reportedSteps: REPORTED[model],
    paper: PAPER[model],
  };
}

/** The smallest and the largest number of given digits among the boards. */
function givenRange({ puzzles, count }: Boards): readonly [number, number] {
  const counts = Array.from({ length: count }, (_, board) =>
    givensOf(puzzles.subarray(CELLS * board, CELLS * (board + 1))),
  );
  return [Math.min(...counts), Math.max(...counts)];
}

function recipeOf(plan: SudokuPlan, boards: BoardSets, device: string): Record<string, string> {
  const { shape, hints, symmetries, ema, learningRates, lossSteps, schedule } = plan;
  const rates = SUDOKU_MODELS.map(
    (model) => `${learningRates[model]} (${SUDOKU_MODEL_TEXTS[model].label})`,
  ).join(", ");
  return {
    "Training boards": boards.train.source,
    "Augmentation of training boards": symmetries
      ? "a random symmetry of the game each time (digits, bands, rows, stacks, columns, axes)"
      : "none",
    "Easier boards at the start":
      hints > 0
        ? `up to ${100 * hints} % of the blank cells filled in, falling to 0 % over the first half of training (not in the paper’s recipe)`
        : "no",
    Width: `${shape.channels} channels, ${shape.heads} heads; transformer of ${shape.transformerLayers} blocks`,
    Optimiser: `Adam, rate ${rates}${scheduleText(schedule)}; gradients clipped to norm 1`,
    Loss:
      lossSteps === 1
        ? "of the output after the last timestep"
        : `mean over ${lossSteps} outputs evenly spaced over the timesteps (the paper’s recipe: only the last output)`,
    "Averaged weights": `decay up to ${ema.decay}, every ${ema.every} steps after ${ema.after}; all tests use them`,
    "Timesteps T in training": String(shape.timesteps),
    Device: device,
  };
}

/** Throws `StriateError` if results name a model or a set that the report does not list. */
export function checkSudokuReport(report: SudokuReport): void {
  const models = report.models.map(({ id }) => id);
  const sets = report.sets.map(({ id }) => id);
  for (const { model, set } of [...report.accuracies, ...report.votings]) {
    checkOneOf("Sudoku report", model, models);
    checkOneOf("Sudoku report", set, sets);
  }
}

/** Judges whether something helps, by paired differences over boards, one mean difference for each seed. */
export function judgeGain(gains: readonly PairedDifference[]): Judgement {
  // All seeds have the same boards.
  const overBoards = Math.sqrt(average(gains.map(({ standardError }) => standardError ** 2)));
  return judgeDifferences(
    gains.map(({ mean }) => mean),
    overBoards,
  );
}
