import type { Condition } from "../digits/scenes.js";
import type { Scale } from "../experiment.js";

/** The networks that are compared. */
export const MODELS = ["kuramoto", "ideal", "random", "real"] as const;
export type ModelName = (typeof MODELS)[number];

/** Everything that decides one cell: one network, one seed, trained and tested. */
export interface CellConfig {
  readonly experiment: "overlapping-digits";
  readonly version: 1;
  readonly model: ModelName;
  readonly seed: number;
  /** Whether Gabors and coupling are trained ("endtoend") or stay as they start ("channels"). */
  readonly mode: "endtoend" | "channels";
  readonly timesteps: number;
  readonly steps: number;
  readonly batchSize: number;
  /** Different training scenes; with steps * batchSize scenes each is seen once. */
  readonly trainScenes: number;
  readonly validationScenes: number;
  readonly testScenes: number;
  readonly evaluateEvery: number;
  readonly learningRate: number;
  readonly clipNorm: number;
  /** Test with the parameters that validated best instead of the last ones. */
  readonly selectBest: boolean;
}

export const CONDITIONS: readonly Condition[] = [
  { id: "clean", label: "clean", description: "New digits of the MNIST test set, no overlap." },
  {
    id: "noise",
    label: "Gaussian noise",
    description: "Additive noise of variance 0.1, clipped to 0..1.",
    corruption: { kind: "gaussian", variance: 0.1 },
  },
  {
    id: "saltAndPepper",
    label: "salt and pepper",
    description: "5 % of the pixels set to white or black.",
    corruption: { kind: "saltAndPepper", amount: 0.05 },
  },
  {
    id: "overlap",
    label: "overlap up to 50 %",
    description: "Digits may cover each other; training never showed that.",
    maxOverlap: 0.5,
  },
  {
    id: "rotated",
    label: "rotated 25°",
    description: "The whole picture turned counter-clockwise; our addition to the paper's tests.",
    shift: { rotation: 25 },
  },
  {
    id: "smaller",
    label: "scaled to 75 %",
    description: "The whole picture shrunk about its centre; our addition to the paper's tests.",
    shift: { scale: 0.75 },
  },
];

export type ScaleConfig = Omit<CellConfig, "model" | "seed"> & { readonly models: readonly ModelName[] };

const COMMON = {
  experiment: "overlapping-digits",
  version: 1,
  learningRate: 0.01,
  clipNorm: 2,
} as const;

/**
 * - smoke: does everything work?
 * - laptop: the budget at which the authors' code shows that phases decide (section "short-budget learning curves" of
 *   docs/komplexnet.md): 76,800 scenes seen once, Gabors and coupling frozen.
 * - paper: the authors' recipe, end to end.
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
    testScenes: 64,
    evaluateEvery: 20,
    selectBest: false,
  },
  laptop: {
    ...COMMON,
    models: ["kuramoto", "ideal", "random", "real"],
    mode: "channels",
    timesteps: 12,
    steps: 2400,
    batchSize: 32,
    trainScenes: 2400 * 32,
    validationScenes: 256,
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
    testScenes: 10_000,
    evaluateEvery: Math.floor(48_000 / 256),
    selectBest: true,
  },
};
