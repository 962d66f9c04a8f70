import type { CorruptionName, Severity } from "../../robustness/corruptions/index.js";
import { BENCHMARK_CORRUPTIONS, SEVERITIES } from "../../robustness/corruptions/index.js";
import type { CellOf } from "../cells.js";
import type { Scale } from "../options.js";
import type { RateConfig } from "../training.js";

/** The networks that are trained. */
export const RECOGNITION_MODELS = ["akorn", "resnet", "vit"] as const;

export type RecognitionModelName = (typeof RECOGNITION_MODELS)[number];

/**
 * How oscillators start in a test: at random in every pass, as in training, or always from the same draw, so that an
 * attacker knows everything about the network.
 */
export type RecognitionNoise = "fresh" | "fixed";

export interface NetworkShapes {
  readonly akorn: {
    /** Number of channels of the first layer. */
    readonly channels: number;
    readonly timesteps: number;
    /** Sides of the coupling kernels, one for each layer. */
    readonly kernels: readonly number[];
    /** The number n of components of an oscillator. */
    readonly rotatingDimensions: number;
  };
  readonly resnet: { /** Factor of ResNet-18's channels. */ readonly width: number };
  readonly vit: {
    readonly channels: number;
    readonly layers: number;
    readonly heads: number;
    readonly patch: number;
  };
}

/**
 * Augmentation of training images: "light" mirrors and shifts them, "strong" uses the paper's crops, colours
 * and AugMix.
 */
export type Augmentation = "light" | "strong";

/** Configuration of a cell that trains one network. */
export interface RecognitionNetworkCell extends CellOf<"robust-recognition">, RateConfig {
  readonly kind: "network";
  readonly model: RecognitionModelName;
  readonly shapes: NetworkShapes;
  readonly augmentation: Augmentation;
  /**
   * Number of CIFAR-10's training images to train on, from the first on. The last `validationImages` of them
   * all are for validation.
   */
  readonly trainImages: number;
  readonly validationImages: number;
  readonly batchSize: number;
  readonly ema: { readonly decay: number; readonly every: number; readonly after: number };
  readonly evaluateEvery: number;
}

interface TestOf extends CellOf<"robust-recognition"> {
  readonly start: RecognitionNetworkCell;
  readonly noise: RecognitionNoise;
}

/** Configuration of a cell that measures accuracy and calibration on clean or corrupted test images. */
export interface PictureCell extends TestOf {
  readonly kind: "pictures";
  readonly images: number;
  readonly corruptions: readonly CorruptionName[];
  readonly severities: readonly Severity[];
}

export type AttackName = "noise" | "fgsm" | "pgd" | "apgd" | "autoattack";

/** Configuration of a cell that runs one attack at several radii. */
export interface AttackCell extends TestOf {
  readonly kind: "attack";
  readonly attack: AttackName;
  readonly epsilons: readonly number[];
  readonly images: number;
  /** Number of iterations, if the attack has them. */
  readonly steps: number;
  /** Number of noise draws over which every gradient is averaged; 1 for a network without noise. */
  readonly eot: number;
}

export type RecognitionCell = RecognitionNetworkCell | PictureCell | AttackCell;

/** The name of a cell for `--cells`, such as "akorn/seed1" or "akorn-fixed/pgd/seed1". */
export function recognitionCellName(config: RecognitionCell): string {
  const seed = `seed${config.seed}`;
  if (config.kind === "network") return `${config.model}/${seed}`;
  const what =
    config.kind === "attack" ? config.attack : config.corruptions.length > 0 ? "corruptions" : "clean";
  return `${testedName(config)}/${what}/${seed}`;
}

/** The name of a tested network: a trained network, or AKOrN with its noise fixed. */
export function testedName({ start, noise }: Pick<TestOf, "start" | "noise">): string {
  return noise === "fixed" ? `${start.model}-fixed` : start.model;
}

interface AttackPlanOf {
  readonly attack: AttackName;
  readonly epsilons: readonly number[];
  readonly steps?: number;
}

export interface RecognitionPlan extends Pick<
  RecognitionNetworkCell,
  "shapes" | "augmentation" | "trainImages" | "validationImages" | "steps" | "batchSize" | "schedule" | "ema"
> {
  readonly learningRates: Readonly<Record<RecognitionModelName, number>>;
  readonly evaluations: number;
  readonly cleanImages: number;
  readonly corruptedImages: number;
  readonly corruptions: readonly CorruptionName[];
  readonly severities: readonly Severity[];
  readonly attackedImages: number;
  readonly attacks: readonly AttackPlanOf[];
  readonly eot: number;
}

const radii = (...values: readonly number[]): number[] => values.map((value) => value / 255);

/**
 * The attacks that every scale runs: random noise of one radius, and gradient attacks with these numbers of
 * steps.
 */
function attacksAt(
  epsilons: readonly number[],
  steps: { readonly pgd: number; readonly apgd: number },
): AttackPlanOf[] {
  return [
    { attack: "noise", epsilons: radii(64) },
    { attack: "fgsm", epsilons },
    { attack: "pgd", epsilons, steps: steps.pgd },
    { attack: "apgd", epsilons, steps: steps.apgd },
  ];
}

/**
 * - smoke: a check that everything works.
 * - laptop: narrow networks with about equal numbers of parameters; each training image is seen about twice. Oscillators
 *   have 8 components instead of 2: of 16 channels, two oscillators for each position, whose end states depend on the
 *   image rather than on the random start.
 * - paper: the authors' recipe, and AutoAttack.
 */
export const RECOGNITION_PLANS: Readonly<Record<Scale, RecognitionPlan>> = {
  smoke: {
    shapes: {
      akorn: { channels: 8, timesteps: 2, kernels: [3, 3, 3], rotatingDimensions: 2 },
      resnet: { width: 0.1 },
      vit: { channels: 16, layers: 2, heads: 2, patch: 8 },
    },
    augmentation: "strong",
    trainImages: 256,
    validationImages: 16,
    steps: 4,
    batchSize: 8,
    learningRates: { akorn: 1e-3, resnet: 1e-3, vit: 1e-3 },
    schedule: { warmUp: 1 },
    ema: { decay: 0.9, every: 1, after: 1 },
    evaluations: 2,
    cleanImages: 24,
    corruptedImages: 4,
    corruptions: ["gaussian_noise", "contrast"],
    severities: [3],
    attackedImages: 8,
    attacks: attacksAt(radii(8), { pgd: 2, apgd: 2 }),
    eot: 2,
  },
  laptop: {
    shapes: {
      akorn: { channels: 16, timesteps: 3, kernels: [9, 7, 5], rotatingDimensions: 8 },
      resnet: { width: 0.2 },
      vit: { channels: 104, layers: 4, heads: 8, patch: 4 },
    },
    augmentation: "light",
    trainImages: 49_000,
    validationImages: 500,
    steps: 1600,
    batchSize: 64,
    learningRates: { akorn: 3e-3, resnet: 1e-3, vit: 1e-3 },
    schedule: { warmUp: 100 },
    ema: { decay: 0.9, every: 10, after: 100 },
    evaluations: 8,
    cleanImages: 2000,
    corruptedImages: 200,
    corruptions: BENCHMARK_CORRUPTIONS,
    severities: [1, 3, 5],
    attackedImages: 64,
    attacks: attacksAt(radii(2, 8), { pgd: 20, apgd: 30 }),
    eot: 4,
  },
  paper: {
    shapes: {
      akorn: { channels: 64, timesteps: 3, kernels: [9, 7, 5], rotatingDimensions: 2 },
      resnet: { width: 1 },
      vit: { channels: 384, layers: 5, heads: 8, patch: 4 },
    },
    augmentation: "strong",
    trainImages: 50_000,
    validationImages: 1000,
    steps: 400 * Math.floor(50_000 / 128),
    batchSize: 128,
    learningRates: { akorn: 1e-4, resnet: 1e-4, vit: 1e-4 },
    schedule: "constant",
    ema: { decay: 0.99, every: 10, after: 200 },
    evaluations: 40,
    cleanImages: 10_000,
    corruptedImages: 10_000,
    corruptions: BENCHMARK_CORRUPTIONS,
    severities: SEVERITIES,
    attackedImages: 1000,
    attacks: [
      ...attacksAt(radii(2, 8), { pgd: 20, apgd: 100 }),
      { attack: "autoattack", epsilons: radii(8) },
    ],
    eot: 20,
  },
};

/** All cells of a run: first the networks (the slowest one first), then the cells that test them. */
export function recognitionCells(plan: RecognitionPlan, seeds: readonly number[]): RecognitionCell[] {
  const networks = RECOGNITION_MODELS.flatMap((model) => seeds.map((seed) => networkCell(plan, model, seed)));
  const tests = networks.flatMap((start) => {
    const fresh = [...attackCells(plan, start, "fresh"), ...pictureCells(plan, start, "fresh")];
    if (start.model !== "akorn") return fresh;
    const [clean] = pictureCells(plan, start, "fixed");
    return [...fresh, ...attackCells(plan, start, "fixed"), clean!];
  });
  return [...networks, ...tests];
}

function networkCell(
  plan: RecognitionPlan,
  model: RecognitionModelName,
  seed: number,
): RecognitionNetworkCell {
  const { shapes, augmentation, trainImages, validationImages, steps, batchSize, ema } = plan;
  return {
    experiment: "robust-recognition",
    version: 1,
    kind: "network",
    seed,
    model,
    shapes,
    augmentation,
    trainImages,
    validationImages,
    steps,
    batchSize,
    learningRate: plan.learningRates[model],
    schedule: plan.schedule,
    ema,
    evaluateEvery: Math.max(1, Math.floor(steps / plan.evaluations)),
  };
}

function testOf(start: RecognitionNetworkCell, noise: RecognitionNoise): TestOf {
  return { experiment: "robust-recognition", version: 1, seed: start.seed, start, noise };
}

function pictureCells(
  plan: RecognitionPlan,
  start: RecognitionNetworkCell,
  noise: RecognitionNoise,
): PictureCell[] {
  const { corruptions, severities, cleanImages, corruptedImages } = plan;
  const common = { ...testOf(start, noise), kind: "pictures" } as const;
  return [
    { ...common, images: cleanImages, corruptions: [], severities: [] },
    { ...common, images: corruptedImages, corruptions, severities },
  ];
}

/** Random noise is tried only on oscillators that start at random; with a fixed start it would show nothing new. */
function attackCells(
  plan: RecognitionPlan,
  start: RecognitionNetworkCell,
  noise: RecognitionNoise,
): AttackCell[] {
  const stochastic = start.model === "akorn" && noise === "fresh";
  return plan.attacks
    .filter(({ attack }) => noise === "fresh" || attack !== "noise")
    .map(({ attack, epsilons, steps = 1 }) => ({
      ...testOf(start, noise),
      kind: "attack",
      attack,
      epsilons,
      images: plan.attackedImages,
      steps,
      eot: stochastic ? plan.eot : 1,
    }));
}
