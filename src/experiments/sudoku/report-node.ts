import type { Boards } from "../../data/sudoku/boards.js";
import { CELLS, givensOf } from "../../data/sudoku/boards.js";
import type { SudokuModel, SudokuReport } from "../../report/sudoku-data.js";
import type { Scale } from "../experiment.js";
import { machine, versions } from "../machine-node.js";
import { scheduleText } from "../rate-schedule.js";
import type { BoardSets, CellResult, NetworkResult, VotingResult } from "./cell-node.js";
import type { CellConfig, ModelName, NetworkCell, ScalePlan, VotingCell } from "./config.js";
import { MODELS, SET_LABELS, SET_NAMES } from "./config.js";
import { MODEL_TEXTS, parameterCount, trainedSteps } from "./models.js";

interface Finished {
  readonly plan: ScalePlan;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly results: ReadonlyMap<CellConfig, CellResult>;
  readonly boards: BoardSets;
  readonly device: string;
  readonly seconds: number;
}

/** Board accuracy as the authors' repository reports it (arXiv:2410.13821, scripts/sudoku), in %. */
const PAPER: Readonly<Record<ModelName, SudokuModel["paper"]>> = {
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

/** The T that the paper reports. */
const REPORTED: Readonly<Record<ModelName, number>> = { akorn: 128, itrsa: 32, transformer: 1 };

/** What the page shows, out of the cells. */
export function sudokuReport(run: Finished): SudokuReport {
  const { plan, scale, seeds, boards, device, seconds } = run;
  const networks = [...run.results].filter(
    (pair): pair is [NetworkCell, NetworkResult] => pair[1].kind === "network",
  );
  const votings = [...run.results].filter(
    (pair): pair is [VotingCell, VotingResult] => pair[1].kind === "voting",
  );
  const models = MODELS.filter((model) => networks.some(([config]) => config.model === model));
  return {
    title: "Sudoku by oscillators",
    subtitle:
      "Cells of a board as coupled oscillators: does a network solve more when it runs longer than it was trained to, and when its lowest energy chooses among several tries?",
    scale,
    models: models.map((model) => modelOf(model, networks.find(([config]) => config.model === model)![0])),
    sets: SET_NAMES.map((set) => ({
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
    votings: votings.map(([{ set, seed, timesteps, draws }, { votes, gain, ranking }]) => ({
      model: "akorn",
      set,
      seed,
      timesteps,
      draws,
      votes,
      gain,
      ranking,
    })),
    learning: networks.map(([{ model, seed }, { learning }]) => ({ model, seed, points: learning })),
    solutions: networks.find(([config]) => config.model === "akorn")?.[1].solutions ?? [],
    provenance: {
      seeds,
      steps: plan.steps,
      batchSize: plan.batchSize,
      trainingBoards: plan.trainBoards,
      machine: machine(),
      versions: versions(),
      date: new Date().toISOString(),
      wallTimeSeconds: seconds,
      command: `striate run sudoku --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
      more: recipeOf(plan, boards, device),
    },
  };
}

function modelOf(model: ModelName, config: NetworkCell): SudokuModel {
  return {
    id: model,
    ...MODEL_TEXTS[model],
    parameters: parameterCount(config),
    trainedSteps: trainedSteps(config),
    reportedSteps: REPORTED[model],
    paper: PAPER[model],
  };
}

/** Fewest and most given digits of the boards there are. */
function givenRange({ puzzles, count }: Boards): readonly [number, number] {
  const counts = Array.from({ length: count }, (_, board) =>
    givensOf(puzzles.subarray(CELLS * board, CELLS * (board + 1))),
  );
  return [Math.min(...counts), Math.max(...counts)];
}

function recipeOf(plan: ScalePlan, boards: BoardSets, device: string): Record<string, string> {
  const { shape, hints, symmetries, ema, learningRates, lossSteps, schedule } = plan;
  const rates = MODELS.map((model) => `${learningRates[model]} (${MODEL_TEXTS[model].label})`).join(", ");
  return {
    "Training boards": boards.train.source,
    "Changes of training boards": symmetries
      ? "a random symmetry of the game each time (digits, bands, rows, stacks, columns, axes)"
      : "none",
    "Easier boards at first":
      hints > 0
        ? `up to ${100 * hints} % of the blank cells filled in, falling to none over the first half of training (not in the paper’s recipe)`
        : "no",
    Width: `${shape.channels} channels, ${shape.heads} heads; transformer of ${shape.transformerLayers} blocks`,
    Optimiser: `Adam, rate ${rates}${scheduleText(schedule)}; gradients clipped to norm 1`,
    Loss:
      lossSteps === 1
        ? "of the answer after the last step"
        : `mean over ${lossSteps} answers evenly spaced over the steps (the paper’s: the last alone)`,
    "Averaged weights": `decay up to ${ema.decay}, every ${ema.every} steps after ${ema.after}; all tests use them`,
    "Steps T in training": String(shape.timesteps),
    Device: device,
  };
}
