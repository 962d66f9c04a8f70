import type { StimulusNorm } from "../../systems/akorn/index.js";
import type { CellOf } from "../cells.js";
import type { Scale } from "../options.js";

/** The networks that are compared. */
export const DISCOVERY_MODELS = [
  "akorn-attn",
  "akorn-conv",
  "itrsa",
  "itrconv",
  "akorn-attn-2",
  "akorn-attn-large",
  "itrsa-2",
  "vit",
] as const;

export type DiscoveryModelName = (typeof DISCOVERY_MODELS)[number];

export interface DiscoveryModelDescription {
  readonly label: string;
  /** One line that says how the network differs from the others. */
  readonly description: string;
  readonly kind: "oscillators" | "iterative";
  readonly mixing: "attention" | "convolution";
  /** Number of layers. Default 1. */
  readonly layers?: number;
  /** Timesteps of each layer. Default 8. */
  readonly timesteps?: number;
  /** Factor by which the set's number of channels is multiplied. */
  readonly widening?: number;
}

const OSCILLATORS = "Kuramoto oscillators of 4 dimensions";

export const DISCOVERY_MODEL_TEXTS: Readonly<Record<DiscoveryModelName, DiscoveryModelDescription>> = {
  "akorn-attn": {
    label: "AKOrN (attn)",
    description: `${OSCILLATORS}, coupled by self-attention.`,
    kind: "oscillators",
    mixing: "attention",
  },
  "akorn-conv": {
    label: "AKOrN (conv)",
    description: `${OSCILLATORS}, coupled by a convolution.`,
    kind: "oscillators",
    mixing: "convolution",
  },
  itrsa: {
    label: "ItrSA",
    description:
      "The control: the same self-attention, repeated with residual connections, without oscillators.",
    kind: "iterative",
    mixing: "attention",
  },
  itrconv: {
    label: "own ItrConv",
    description:
      "The same convolution, repeated with residual connections. The authors' code for this network is not public.",
    kind: "iterative",
    mixing: "convolution",
  },
  "akorn-attn-2": {
    label: "AKOrN (attn, L = 2)",
    description: `Two layers of ${OSCILLATORS}, coupled by self-attention.`,
    kind: "oscillators",
    mixing: "attention",
    layers: 2,
  },
  "akorn-attn-large": {
    label: "Large AKOrN (attn, L = 2)",
    description: "Two layers, twice as many channels.",
    kind: "oscillators",
    mixing: "attention",
    layers: 2,
    widening: 2,
  },
  "itrsa-2": {
    label: "ItrSA (L = 2)",
    description: "Two blocks of repeated self-attention.",
    kind: "iterative",
    mixing: "attention",
    layers: 2,
  },
  vit: {
    label: "ViT",
    description: "Eight blocks, each used once. The depth is our choice, since the paper does not give it.",
    kind: "iterative",
    mixing: "attention",
    layers: 8,
    timesteps: 1,
  },
};

export const DISCOVERY_SET_NAMES = ["tetrominoes", "dsprites", "shapes", "clevr", "clevrtex"] as const;

export type DiscoverySetName = (typeof DISCOVERY_SET_NAMES)[number];

/** The authors' recipe for a set. */
export interface PaperRecipe {
  readonly channels: number;
  /** Side of a patch in pixels. */
  readonly patch: number;
  /** Side of the convolution's kernel. */
  readonly kernel: number;
  readonly stimulusNorm: StimulusNorm;
  readonly trainScenes: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** The recipe of the large network, if it differs. */
  readonly large?: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly learningRate: number;
  };
}

export interface DiscoverySetDescription {
  readonly title: string;
  /** One line that says what the scenes show. */
  readonly description: string;
  /** Side of the images in pixels. */
  readonly size: number;
  /** Largest number of segments into which features are clustered: objects and background. */
  readonly clusters: number;
  /** Whether Striate can generate the scenes; those of other sets are read from files. */
  readonly generated: boolean;
  /** The networks in the paper's table. */
  readonly models: readonly DiscoveryModelName[];
  readonly recipe: PaperRecipe;
}

const SYNTHETIC = ["akorn-attn", "akorn-conv", "itrsa", "itrconv"] as const;

const RECIPE = {
  channels: 128,
  patch: 4,
  stimulusNorm: "none",
  trainScenes: 60_000,
  epochs: 50,
  batchSize: 256,
  learningRate: 1e-3,
} as const;

export const DISCOVERY_SETS: Readonly<Record<DiscoverySetName, DiscoverySetDescription>> = {
  tetrominoes: {
    title: "Tetrominoes",
    description: "Three of 17 pieces on black, each in one of six colours; pieces may share a colour.",
    size: 32,
    clusters: 4,
    generated: true,
    models: SYNTHETIC,
    recipe: { ...RECIPE, kernel: 5 },
  },
  dsprites: {
    title: "multi-dSprites",
    description: "Two to five sprites of any colour on grey; sprites may hide each other.",
    size: 64,
    clusters: 7,
    generated: true,
    models: SYNTHETIC,
    recipe: { ...RECIPE, kernel: 7 },
  },
  shapes: {
    title: "Shapes",
    description:
      "Two to four hollow white shapes on grey. The paper has no table for this set; the recipe is that of multi-dSprites.",
    size: 40,
    clusters: 5,
    generated: true,
    models: SYNTHETIC,
    recipe: { ...RECIPE, kernel: 7, trainScenes: 40_000 },
  },
  clevr: {
    title: "CLEVR",
    description: "Up to six rendered solids.",
    size: 128,
    clusters: 11,
    generated: false,
    models: SYNTHETIC,
    recipe: { ...RECIPE, channels: 256, patch: 8, kernel: 7, trainScenes: 70_000, epochs: 300 },
  },
  clevrtex: {
    title: "CLEVRTex",
    description: "Three to ten rendered, textured solids on a textured background.",
    size: 128,
    clusters: 11,
    generated: false,
    models: ["akorn-attn", "akorn-attn-2", "akorn-attn-large", "itrsa", "itrsa-2", "vit"],
    recipe: {
      ...RECIPE,
      channels: 256,
      patch: 8,
      kernel: 7,
      stimulusNorm: "group",
      trainScenes: 40_000,
      epochs: 500,
      large: { epochs: 1024, batchSize: 512, learningRate: 5e-4 },
    },
  },
};

/**
 * Configuration of a cell that trains one network on one set of scenes without labels, and tests how well its
 * features separate the objects.
 */
export interface DiscoveryCell extends CellOf<"object-discovery"> {
  readonly set: DiscoverySetName;
  /** Path of a published set; absent for generated scenes. */
  readonly data?: string;
  readonly model: DiscoveryModelName;
  readonly network: DiscoveryNetworkConfig;
  readonly steps: number;
  /** Images in one training step; each has two views. */
  readonly batchSize: number;
  /** Number of different training scenes. */
  readonly trainScenes: number;
  readonly learningRate: number;
  readonly temperature: number;
  readonly average: { readonly decay: number; readonly every: number; readonly after: number };
  readonly evaluateEvery: number;
  readonly validationScenes: number;
  readonly testScenes: number;
  /** Up-tiling factors of the tests, beginning with 1. */
  readonly upTiling: readonly number[];
}

export interface DiscoveryNetworkConfig {
  readonly channels: number;
  readonly layers: number;
  readonly timesteps: number;
  readonly heads: number;
  /** The number n of components of an oscillator. */
  readonly rotatingDimensions: number;
  readonly imageSize: number;
  readonly patch: number;
  /** Side of the convolution's kernel, if there is one. */
  readonly kernel: number;
  readonly stimulusNorm: StimulusNorm;
}

export interface DiscoveryPlan {
  /** Sets and networks that run unless the user names others. */
  readonly sets: readonly DiscoverySetName[];
  readonly models?: readonly DiscoveryModelName[];
  /** Channels of the networks; undefined for the paper's number for each set. */
  readonly channels?: number;
  /** Training steps for each set; undefined for the paper's epochs. */
  readonly steps?: number;
  readonly batchSize?: number;
  /** Largest number of training scenes; undefined for the paper's number. */
  readonly trainScenes?: number;
  readonly average: DiscoveryCell["average"];
  readonly evaluations: number;
  readonly validationScenes: number;
  readonly testScenes: number;
  readonly upTiling: number;
}

/**
 * The moving average of the weights: decay 0.998, updated every 10 steps, a plain copy of the weights up to
 * step 200.
 */
const AVERAGE = { decay: 0.998, every: 10, after: 200 } as const;

/**
 * - smoke: a check that everything works.
 * - laptop: half the paper's width on Tetrominoes, with a small part of the images.
 * - paper: the authors' recipe.
 */
export const DISCOVERY_PLANS: Readonly<Record<Scale, DiscoveryPlan>> = {
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

/** What the user may choose, such as sets, networks and seeds. */
export interface Choice {
  readonly seeds: readonly number[];
  readonly sets?: readonly DiscoverySetName[];
  readonly models?: readonly DiscoveryModelName[];
  readonly upTiling?: number;
  readonly data?: string;
}

/** All cells of a run. Seeds are the outermost loop, so that even a stopped run can compare networks. */
export function discoveryCells(plan: DiscoveryPlan, choice: Choice): DiscoveryCell[] {
  const { seeds, sets = plan.sets } = choice;
  return sets.flatMap((set) => {
    const models = choice.models ?? plan.models ?? DISCOVERY_SETS[set].models;
    const ordered = DISCOVERY_MODELS.filter((model) => models.includes(model));
    return seeds.flatMap((seed) => ordered.map((model) => cellOf(plan, choice, set, model, seed)));
  });
}

function cellOf(
  plan: DiscoveryPlan,
  { upTiling = plan.upTiling, data }: Choice,
  set: DiscoverySetName,
  model: DiscoveryModelName,
  seed: number,
): DiscoveryCell {
  const { recipe } = DISCOVERY_SETS[set];
  const large = DISCOVERY_MODEL_TEXTS[model].widening !== undefined;
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

function networkOf(
  plan: DiscoveryPlan,
  set: DiscoverySetName,
  model: DiscoveryModelName,
): DiscoveryNetworkConfig {
  const { size, recipe } = DISCOVERY_SETS[set];
  const { layers = 1, timesteps = 8, widening = 1 } = DISCOVERY_MODEL_TEXTS[model];
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

/** The name of a cell for `--cells`, such as "tetrominoes/akorn-attn/seed1". */
export function discoveryCellName({
  set,
  model,
  seed,
}: Pick<DiscoveryCell, "set" | "model" | "seed">): string {
  return `${set}/${model}/seed${seed}`;
}

/** Number of training views that the network sees: two of each image. */
export function viewsSeen({ steps, batchSize }: Pick<DiscoveryCell, "steps" | "batchSize">): number {
  return 2 * steps * batchSize;
}
