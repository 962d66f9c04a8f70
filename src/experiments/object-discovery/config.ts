import type { StimulusNorm } from "../../systems/akorn/index.js";
import type { Scale } from "../experiment.js";
import type { ModelName } from "./models.js";
import { MODEL_TEXTS, MODELS } from "./models.js";
import type { SetName } from "./sets.js";
import { SETS } from "./sets.js";

/** One network, trained on one set of scenes without labels and tested on how well its features show the objects. */
export interface CellConfig {
  readonly experiment: "object-discovery";
  readonly version: 1;
  readonly set: SetName;
  /** Where a published set lies; absent for generated scenes. */
  readonly data?: string;
  readonly model: ModelName;
  readonly seed: number;
  readonly network: NetworkConfig;
  readonly steps: number;
  /** Pictures in one step; two views of each. */
  readonly batchSize: number;
  /** Different training scenes. */
  readonly trainScenes: number;
  readonly learningRate: number;
  readonly temperature: number;
  readonly average: { readonly decay: number; readonly every: number; readonly after: number };
  readonly evaluateEvery: number;
  readonly validationScenes: number;
  readonly testScenes: number;
  /** Up-tiling factors to test with, 1 first. */
  readonly upTiling: readonly number[];
}

export interface NetworkConfig {
  readonly channels: number;
  readonly layers: number;
  readonly timesteps: number;
  readonly heads: number;
  /** n, dimensions of an oscillator. */
  readonly rotatingDimensions: number;
  readonly imageSize: number;
  readonly patch: number;
  /** Side of the convolution's kernel, where there is one. */
  readonly kernel: number;
  readonly stimulusNorm: StimulusNorm;
}

export interface ScalePlan {
  /** Sets and networks that are run unless the user names others. */
  readonly sets: readonly SetName[];
  readonly models?: readonly ModelName[];
  /** Channels of the networks; undefined: the paper's of each set. */
  readonly channels?: number;
  /** Steps for each set, or the paper's epochs. */
  readonly steps?: number;
  readonly batchSize?: number;
  /** At most so many training scenes; undefined: the paper's. */
  readonly trainScenes?: number;
  readonly average: CellConfig["average"];
  readonly evaluations: number;
  readonly validationScenes: number;
  readonly testScenes: number;
  readonly upTiling: number;
}

/** beta 0.998, every 10 steps, copies up to step 200. */
const AVERAGE = { decay: 0.998, every: 10, after: 200 } as const;

/**
 * - smoke: does everything work?
 * - laptop: half the paper's width on Tetrominoes, a small part of its pictures.
 * - paper: the authors' recipe.
 */
export const PLANS: Readonly<Record<Scale, ScalePlan>> = {
  smoke: {
    sets: ["tetrominoes"],
    models: ["akorn-attn", "akorn-conv", "itrsa", "itrconv"],
    channels: 32,
    steps: 12,
    batchSize: 8,
    trainScenes: 96,
    average: { ...AVERAGE, after: 4, every: 2 },
    evaluations: 2,
    validationScenes: 8,
    testScenes: 8,
    upTiling: 4,
  },
  laptop: {
    sets: ["tetrominoes"],
    models: ["akorn-attn", "itrsa"],
    channels: 64,
    steps: 5000,
    batchSize: 32,
    trainScenes: 20_000,
    average: AVERAGE,
    evaluations: 10,
    validationScenes: 64,
    testScenes: 320,
    upTiling: 4,
  },
  paper: {
    sets: ["tetrominoes", "dsprites", "shapes"],
    average: AVERAGE,
    evaluations: 25,
    validationScenes: 256,
    testScenes: 320,
    upTiling: 4,
  },
};

/** What the user may choose. */
export interface Choice {
  readonly seeds: readonly number[];
  readonly sets?: readonly SetName[];
  readonly models?: readonly ModelName[];
  readonly upTiling?: number;
  readonly data?: string;
}

/** All cells of a run: seeds outermost, so that a run that is stopped has compared some networks. */
export function cellsOf(plan: ScalePlan, choice: Choice): CellConfig[] {
  const { seeds, sets = plan.sets } = choice;
  return sets.flatMap((set) => {
    const models = choice.models ?? plan.models ?? SETS[set].models;
    const ordered = MODELS.filter((model) => models.includes(model));
    return seeds.flatMap((seed) => ordered.map((model) => cellOf(plan, choice, set, model, seed)));
  });
}

function cellOf(
  plan: ScalePlan,
  { upTiling = plan.upTiling, data }: Choice,
  set: SetName,
  model: ModelName,
  seed: number,
): CellConfig {
  const { recipe } = SETS[set];
  const large = MODEL_TEXTS[model].widening !== undefined;
  const published = large && recipe.large ? { ...recipe, ...recipe.large } : recipe;
  const batchSize = plan.batchSize ?? published.batchSize;
  const steps = plan.steps ?? published.epochs * Math.ceil(recipe.trainScenes / batchSize);
  return {
    experiment: "object-discovery",
    version: 1,
    set,
    ...(data !== undefined && { data }),
    model,
    seed,
    network: networkOf(plan, set, model),
    steps,
    batchSize,
    trainScenes: Math.min(plan.trainScenes ?? Infinity, recipe.trainScenes),
    learningRate: published.learningRate,
    temperature: 0.1,
    average: plan.average,
    evaluateEvery: Math.max(1, Math.floor(steps / plan.evaluations)),
    validationScenes: plan.validationScenes,
    testScenes: plan.testScenes,
    upTiling: upTiling === 1 ? [1] : [1, upTiling],
  };
}

function networkOf(plan: ScalePlan, set: SetName, model: ModelName): NetworkConfig {
  const { size, recipe } = SETS[set];
  const { layers = 1, timesteps = 8, widening = 1 } = MODEL_TEXTS[model];
  return {
    channels: (plan.channels ?? recipe.channels) * widening,
    layers,
    timesteps,
    heads: 8,
    rotatingDimensions: 4,
    imageSize: size,
    patch: recipe.patch,
    kernel: recipe.kernel,
    stimulusNorm: recipe.stimulusNorm,
  };
}

/** "tetrominoes/akorn-attn/seed1": what `--cells` chooses from. */
export function cellName({ set, model, seed }: Pick<CellConfig, "set" | "model" | "seed">): string {
  return `${set}/${model}/seed${seed}`;
}

/** Training pictures as the network sees them: two views of each. */
export function viewsSeen({ steps, batchSize }: Pick<CellConfig, "steps" | "batchSize">): number {
  return 2 * steps * batchSize;
}
