import type { CellOf } from "../cells.js";
import type { Scale } from "../options.js";
import type { RateConfig } from "../training.js";

/** The networks that are compared. */
export const SUDOKU_MODELS = ["akorn", "itrsa", "transformer"] as const;

export type SudokuModelName = (typeof SUDOKU_MODELS)[number];

/**
 * The sets of test boards: boards as in training, harder ones with fewer given digits, and easier ones, which the paper
 * does not have.
 */
export const SUDOKU_SET_NAMES = ["id", "ood", "easy"] as const;

export type SudokuSetName = (typeof SUDOKU_SET_NAMES)[number];

export const SET_LABELS: Readonly<Record<SudokuSetName, string>> = { id: "ID", ood: "OOD", easy: "easy" };

/** The sets on which the experiment tests voting. */
export const VOTED_SETS = ["id", "ood"] as const satisfies readonly SudokuSetName[];

/** The source of the boards: the files that the paper used, or our generator. */
export type BoardOrigin = "published" | "generated";

export interface NetworkShape {
  /** Number of channels, C in the paper. */
  readonly channels: number;
  readonly heads: number;
  /** Number of blocks of the transformer, L in the paper; AKOrN and ItrSA have one block. */
  readonly transformerLayers: number;
  /** Timesteps T in training. */
  readonly timesteps: number;
}

/** Configuration of a cell that trains one network and tests it with several numbers of timesteps. */
export interface SudokuNetworkCell extends CellOf<"sudoku">, RateConfig {
  readonly kind: "network";
  readonly model: SudokuModelName;
  readonly shape: NetworkShape;
  readonly origin: BoardOrigin;
  /** Number of different boards in training. */
  readonly trainBoards: number;
  /** Whether training permutes the digits, bands, rows, columns and axes of boards at random. */
  readonly symmetries: boolean;
  /**
   * Largest share of the blank cells that training fills in at its start; it falls to 0 over the first part of
   * training.
   */
  readonly hints: number;
  /** Number of outputs over which the loss averages, evenly spaced over the T timesteps; at most T. */
  readonly lossSteps: number;
  readonly batchSize: number;
  readonly clipNorm: number;
  readonly ema: { readonly decay: number; readonly every: number; readonly after: number };
  readonly validationBoards: number;
  readonly evaluateEvery: number;
  readonly testBoards: number;
  /** Numbers of timesteps T in the test. */
  readonly testTimesteps: readonly number[];
  /** Number of noise draws for each test board, if the network has noise. */
  readonly testDraws: number;
  /** Number of timesteps for which the page shows a board. */
  readonly shownSteps: number;
  /** Number of noise draws on each board that the page shows. */
  readonly shownDraws: number;
}

/** Configuration of a cell in which a trained network votes by energy on the boards of one set. */
export interface VotingCell extends CellOf<"sudoku"> {
  readonly kind: "voting";
  readonly set: SudokuSetName;
  readonly boards: number;
  readonly timesteps: number;
  /** The largest number K of draws that vote. */
  readonly draws: number;
  /** The values of K in the report. */
  readonly counts: readonly number[];
  readonly start: SudokuNetworkCell;
}

export type SudokuCell = SudokuNetworkCell | VotingCell;

/** The name of a cell for `--cells`, such as "akorn/seed1" or "voting/ood/seed1". */
export function sudokuCellName(config: SudokuCell): string {
  if (config.kind === "voting") return `voting/${config.set}/seed${config.seed}`;
  return `${config.model}/seed${config.seed}`;
}

export interface SudokuPlan extends Pick<
  SudokuNetworkCell,
  | "shape"
  | "origin"
  | "trainBoards"
  | "symmetries"
  | "hints"
  | "lossSteps"
  | "schedule"
  | "steps"
  | "batchSize"
  | "ema"
  | "validationBoards"
  | "testBoards"
  | "testDraws"
  | "shownSteps"
  | "shownDraws"
> {
  readonly learningRates: Readonly<Record<SudokuModelName, number>>;
  readonly evaluations: number;
  readonly testTimesteps: Readonly<Record<SudokuModelName, readonly number[]>>;
  readonly voting: Pick<VotingCell, "boards" | "timesteps" | "draws" | "counts">;
}

const OVER_STEPS = [16, 32, 48, 64, 96, 128, 192, 256] as const;

/**
 * - smoke: a check that everything works.
 * - laptop: narrow networks on generated boards; training takes most of the time.
 * - paper: the authors' recipe, on their boards if the data cache has them.
 */
export const SUDOKU_PLANS: Readonly<Record<Scale, SudokuPlan>> = {
  smoke: {
    shape: { channels: 16, heads: 4, transformerLayers: 2, timesteps: 4 },
    origin: "generated",
    trainBoards: 64,
    symmetries: true,
    hints: 0.9,
    lossSteps: 2,
    schedule: { warmUp: 4 },
    steps: 16,
    batchSize: 16,
    learningRates: { akorn: 1e-3, itrsa: 5e-4, transformer: 5e-4 },
    ema: { decay: 0.9, every: 2, after: 4 },
    validationBoards: 16,
    evaluations: 2,
    testBoards: 16,
    testTimesteps: { akorn: [2, 4, 8, 16], itrsa: [4, 8], transformer: [1] },
    testDraws: 2,
    shownSteps: 16,
    shownDraws: 4,
    voting: { boards: 4, timesteps: 8, draws: 8, counts: [1, 2, 4, 8] },
  },
  laptop: {
    // Few wide heads, because narrow heads have too few position frequencies to tell rows and columns apart.
    shape: { channels: 64, heads: 4, transformerLayers: 8, timesteps: 16 },
    origin: "generated",
    trainBoards: 9000,
    symmetries: true,
    hints: 0.9,
    lossSteps: 4,
    schedule: { warmUp: 100 },
    steps: 7000,
    batchSize: 25,
    // The best of a few rates, each tried for 600 to 800 steps; AKOrN got worse at twice this rate.
    learningRates: { akorn: 8e-3, itrsa: 8e-3, transformer: 6e-3 },
    ema: { decay: 0.9, every: 10, after: 100 },
    validationBoards: 100,
    evaluations: 14,
    testBoards: 250,
    testTimesteps: { akorn: [4, 8, ...OVER_STEPS], itrsa: [8, 16, 32, 64, 128, 256], transformer: [1] },
    testDraws: 3,
    shownSteps: 128,
    shownDraws: 24,
    voting: { boards: 50, timesteps: 128, draws: 100, counts: [1, 2, 5, 10, 20, 50, 100] },
  },
  paper: {
    shape: { channels: 512, heads: 8, transformerLayers: 8, timesteps: 16 },
    origin: "published",
    trainBoards: 9000,
    symmetries: false,
    hints: 0,
    lossSteps: 1,
    schedule: "constant",
    steps: 9000,
    batchSize: 100,
    learningRates: { akorn: 1e-3, itrsa: 5e-4, transformer: 5e-4 },
    ema: { decay: 0.995, every: 10, after: 100 },
    validationBoards: 500,
    evaluations: 10,
    testBoards: 1000,
    testTimesteps: { akorn: OVER_STEPS, itrsa: OVER_STEPS, transformer: [1] },
    testDraws: 5,
    shownSteps: 128,
    shownDraws: 40,
    voting: { boards: 1000, timesteps: 128, draws: 100, counts: [1, 2, 5, 10, 20, 50, 100] },
  },
};

/** All cells of a run: first the networks, then the cells that start from them. */
export function sudokuCells(plan: SudokuPlan, seeds: readonly number[]): SudokuCell[] {
  const networks = seeds.flatMap((seed) => SUDOKU_MODELS.map((model) => networkCell(plan, model, seed)));
  const votings = networks
    .filter(({ model }) => model === "akorn")
    .flatMap((start) =>
      VOTED_SETS.map((set): VotingCell => ({
        experiment: "sudoku",
        version: 1,
        kind: "voting",
        set,
        ...plan.voting,
        seed: start.seed,
        start,
      })),
    );
  return [...networks, ...votings];
}

function networkCell(plan: SudokuPlan, model: SudokuModelName, seed: number): SudokuNetworkCell {
  const { shape, origin, trainBoards, symmetries, hints, lossSteps, steps, batchSize, schedule, ema } = plan;
  const { validationBoards, evaluations, testBoards, testDraws, shownSteps, shownDraws } = plan;
  return {
    experiment: "sudoku",
    version: 1,
    kind: "network",
    seed,
    model,
    shape,
    origin,
    trainBoards,
    symmetries,
    hints,
    lossSteps,
    steps,
    batchSize,
    learningRate: plan.learningRates[model],
    schedule,
    clipNorm: 1,
    ema,
    validationBoards,
    evaluateEvery: Math.max(1, Math.floor(steps / evaluations)),
    testBoards,
    testTimesteps: plan.testTimesteps[model],
    testDraws: model === "akorn" ? testDraws : 1,
    shownSteps,
    shownDraws,
  };
}
