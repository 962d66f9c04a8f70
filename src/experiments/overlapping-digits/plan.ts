import { KomplexNet } from "../../systems/komplexnet/model.js";
import { RealBaseline } from "../../systems/komplexnet/baselines/real-baseline.js";
import type { KomplexNetTaskOptions } from "../../systems/komplexnet/training/tasks.js";
import { KomplexNetTask, RealBaselineTask } from "../../systems/komplexnet/training/tasks.js";
import type { Task } from "../../train/task.js";
import type { CellOf } from "../cells.js";
import type { DigitsNetworkConfig } from "../digits/cell.js";
import type { DigitsModelDescription } from "../digits/results.js";
import { BASELINE_TEXTS } from "../digits/results.js";
import type { DigitsCondition, SceneSet } from "../digits/scenes.js";
import type { Scale } from "../options.js";

/** The networks that are compared. */
export const OVERLAP_MODELS = ["kuramoto", "ideal", "random", "real"] as const;

export type OverlapModelName = (typeof OVERLAP_MODELS)[number];

/** Configuration of a cell that trains one network with one seed and tests it. */
export interface OverlapCell extends CellOf<"overlapping-digits">, DigitsNetworkConfig {
  readonly model: OverlapModelName;
  /** Whether Gabors and coupling are trained ("endtoend") or keep their initial values ("channels"). */
  readonly mode: "endtoend" | "channels";
  readonly timesteps: number;
  /** Number of clean test scenes; the other conditions have `testScenes`. */
  readonly cleanScenes: number;
}

export const SCENES: SceneSet = { digits: 2 };

export const CONDITIONS: readonly DigitsCondition[] = [
  { id: "clean", label: "clean", description: "New digits of the MNIST test set, no overlap." },
  {
    id: "noise",
    label: "Gaussian noise",
    description: "Gaussian noise of variance 0.1 is added, and the result clipped to 0..1.",
    corruption: { kind: "gaussian", variance: 0.1 },
  },
  {
    id: "saltAndPepper",
    label: "salt and pepper",
    description: "5 % of the pixels are set to white or black.",
    corruption: { kind: "saltAndPepper", amount: 0.05 },
  },
  {
    id: "overlap",
    label: "overlap up to 50 %",
    description: "Digits may cover each other, which they never do in training.",
    maxOverlap: 0.5,
  },
  {
    id: "rotated",
    label: "rotated 25°",
    description: "The whole image is rotated counter-clockwise; our addition to the paper's tests.",
    shift: { rotation: 25 },
  },
  {
    id: "smaller",
    label: "scaled to 75 %",
    description: "The whole image is scaled about its centre; our addition to the paper's tests.",
    shift: { scale: 0.75 },
  },
];

export type ScaleConfig = Omit<OverlapCell, "model" | "seed"> & {
  readonly models: readonly OverlapModelName[];
  /** Networks that need fewer seeds, because they differ so much from the others: the largest number of their seeds. */
  readonly mostSeeds?: Partial<Readonly<Record<OverlapModelName, number>>>;
};

const COMMON = {
  experiment: "overlapping-digits",
  version: 1,
  learningRate: 0.01,
  clipNorm: 2,
} as const;

/**
 * - smoke: a check that everything works.
 * - laptop: a budget at which phases make a difference in the authors' code, too (published.ts): 76,800 scenes, each
 *   seen once, with frozen Gabors and coupling. 16 timesteps, because synchrony needs them: at 12, KomplexNet is 6 points
 *   above the real-valued network.
 * - paper: the authors' recipe, trained end to end.
 */
export const SCALE_CONFIGS: Readonly<Record<Scale, ScaleConfig>> = {
  smoke: {
    ...COMMON,
    models: ["kuramoto", "random", "real"],
    mode: "channels",
    timesteps: 6,
    steps: 40,
    batchSize: 32,
    trainScenes: 40 * 32,
    validationScenes: 64,
    cleanScenes: 64,
    testScenes: 64,
    evaluateEvery: 20,
    selectBest: false,
  },
  laptop: {
    ...COMMON,
    models: ["kuramoto", "ideal", "random", "real"],
    mode: "channels",
    timesteps: 16,
    mostSeeds: { ideal: 2, random: 2 },
    steps: 2400,
    batchSize: 32,
    trainScenes: 2400 * 32,
    validationScenes: 256,
    cleanScenes: 2048,
    testScenes: 1024,
    evaluateEvery: 400,
    selectBest: false,
  },
  paper: {
    ...COMMON,
    models: ["kuramoto", "ideal", "random", "real"],
    mode: "endtoend",
    timesteps: 15,
    steps: 30 * Math.floor(48_000 / 256),
    batchSize: 256,
    trainScenes: 48_000,
    validationScenes: 12_000,
    cleanScenes: 10_000,
    testScenes: 10_000,
    evaluateEvery: Math.floor(48_000 / 256),
    selectBest: true,
  },
};

/** All cells of a run; the seeds of a network follow each other. */
export function overlapCells(
  { models, mostSeeds, ...common }: ScaleConfig,
  seeds: readonly number[],
): OverlapCell[] {
  return models.flatMap((model) =>
    seeds.slice(0, mostSeeds?.[model]).map((seed): OverlapCell => ({ ...common, model, seed })),
  );
}

/** The name that the user sees, such as "KomplexNet, seed 1". */
export const overlapCellName = ({ model, seed }: OverlapCell): string =>
  `${OVERLAP_MODEL_TEXTS[model].label}, seed ${seed}`;

/** Builds the network of a cell and returns a function that makes tasks for it. */
export function overlapNetwork({
  model,
  mode,
  timesteps,
}: Pick<OverlapCell, "model" | "mode" | "timesteps">): (options?: KomplexNetTaskOptions) => Task {
  if (model === "real") {
    const task = new RealBaselineTask(new RealBaseline());
    return () => task;
  }
  const network = new KomplexNet({ timesteps, kuramotoMode: mode, phaseMode: model });
  return (options) => new KomplexNetTask(network, options);
}

export const OVERLAP_MODEL_TEXTS: Readonly<
  Record<OverlapModelName, Omit<DigitsModelDescription, "parameters">>
> = {
  kuramoto: {
    id: "kuramoto",
    label: "KomplexNet",
    role: "kuramoto",
    description:
      "A complex-valued network whose phases start at random and synchronise by Kuramoto dynamics.",
  },
  ...BASELINE_TEXTS,
};
