import type { StimulusNorm } from "../../systems/akorn/index.js";
import type { ModelName } from "./models.js";

export const SET_NAMES = ["tetrominoes", "dsprites", "shapes", "clevr", "clevrtex"] as const;
export type SetName = (typeof SET_NAMES)[number];

/** How the authors train on a set. */
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
  /** Where the large network is trained in another way. */
  readonly large?: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly learningRate: number;
  };
}

export interface SetDescription {
  readonly title: string;
  /** One line on what the scenes show. */
  readonly description: string;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** Most segments that are looked for: objects and background. */
  readonly clusters: number;
  /** Whether scenes can be made here; others are read from files. */
  readonly generated: boolean;
  /** Networks of the paper's table. */
  readonly models: readonly ModelName[];
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

export const SETS: Readonly<Record<SetName, SetDescription>> = {
  tetrominoes: {
    title: "Tetrominoes",
    description: "Three of 17 pieces in one of six colours on black; pieces may share a colour.",
    size: 32,
    clusters: 4,
    generated: true,
    models: SYNTHETIC,
    recipe: { ...RECIPE, kernel: 5 },
  },
  dsprites: {
    title: "multi-dSprites",
    description: "Two to five sprites of any colour on grey, hiding each other.",
    size: 64,
    clusters: 7,
    generated: true,
    models: SYNTHETIC,
    recipe: { ...RECIPE, kernel: 7 },
  },
  shapes: {
    title: "Shapes",
    description:
      "Two to four hollow white shapes on grey. The paper has no table for it; the recipe is that of multi-dSprites.",
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
    description: "Three to ten rendered solids with textures, on textures.",
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
