import type { CellOf } from "../cells.js";
import type { DigitsNetworkConfig } from "../digits/cell.js";
import type { DigitsCondition, SceneSet } from "../digits/scenes.js";
import type { Scale } from "../options.js";

/** The networks that are compared. */
export const SYNCHRONY_MODELS = [
  "kuramoto",
  "feedback",
  "continued",
  "pretrained",
  "randomKernel",
  "ideal",
  "random",
  "real",
  "transformer",
] as const;

export type SynchronyModelName = (typeof SYNCHRONY_MODELS)[number];

export const SYNCHRONY_SET_NAMES = ["digits2", "digits3", "colour", "grey"] as const;

export type SynchronySetName = (typeof SYNCHRONY_SET_NAMES)[number];

/** The settings of the oscillators' dynamics. */
export interface Dynamics {
  readonly timesteps: number;
  /** Side of the coupling kernel. */
  readonly couplingSize: number;
  /** Strength of the global repulsion, epsilon. */
  readonly desynchrony: number;
}

interface Budget
  extends CellOf<"synchrony">, Omit<DigitsNetworkConfig, "model" | "testScenes" | "selectBest"> {
  readonly set: SynchronySetName;
  readonly dynamics: Dynamics;
}

/** Configuration of a cell that trains one coupling kernel on the synchrony loss alone. */
export interface KernelCell extends Budget {
  readonly kind: "kernel";
}

/**
 * Configuration of a cell that trains one network on one set of scenes and tests it under all conditions of
 * the set.
 */
export interface SynchronyNetworkCell extends Budget, DigitsNetworkConfig {
  readonly kind: "network";
  readonly model: SynchronyModelName;
  /** Whether Gabors and coupling are trained ("endtoend") or keep their initial values ("channels"). */
  readonly mode: "endtoend" | "channels";
  /** Number of scenes of each condition whose phases are measured. */
  readonly measuredScenes: number;
  /** The cell from which this one takes its initial values or its coupling kernel. */
  readonly start?: SynchronyNetworkCell | KernelCell;
}

/** Configuration of a cell that tests a trained network with other dynamics. */
export interface AblationCell extends CellOf<"synchrony"> {
  readonly kind: "ablation";
  readonly changes: readonly Partial<Dynamics>[];
  readonly testScenes: number;
  readonly measuredScenes: number;
  readonly start: SynchronyNetworkCell;
}

export type SynchronyCell = SynchronyNetworkCell | KernelCell | AblationCell;

/** The name of a cell for `--cells`, such as "digits2/kuramoto/seed1". */
export function synchronyCellName(config: SynchronyCell): string {
  const { seed } = config;
  if (config.kind === "ablation") return `${config.start.set}/ablation/seed${seed}`;
  return `${config.set}/${config.kind === "kernel" ? "kernel" : config.model}/seed${seed}`;
}

const CLEAN: DigitsCondition = {
  id: "clean",
  label: "clean",
  description: "New digits of the MNIST test set, no overlap.",
};

const noise = (variance: number): DigitsCondition => ({
  id: "noise",
  label: "Gaussian noise",
  description: `Gaussian noise of variance ${variance} is added, and the result clipped to 0..1; there was no noise in training.`,
  corruption: { kind: "gaussian", variance },
});

const overlap = (percent: number): DigitsCondition => ({
  id: `overlap${percent}`,
  label: `overlap to ${percent} %`,
  description: "Digits may cover each other, which they never do in training.",
  maxOverlap: percent / 100,
});

const SALT: DigitsCondition = {
  id: "saltAndPepper",
  label: "salt and pepper",
  description: "5 % of the pixels are set to white or black.",
  corruption: { kind: "saltAndPepper", amount: 0.05 },
};

const ROTATED: DigitsCondition = {
  id: "rotated",
  label: "rotated 25°",
  description: "The whole image is rotated; our addition to the paper's tests.",
  shift: { rotation: 25 },
};

const SMALLER: DigitsCondition = {
  id: "smaller",
  label: "scaled to 75 %",
  description: "The whole image is scaled down; our addition to the paper's tests.",
  shift: { scale: 0.75 },
};

const MOVED: DigitsCondition = {
  id: "moved",
  label: "moved 4 pixels",
  description: "The whole image is shifted down and right; our addition to the paper's tests.",
  shift: { translation: [4, 4] },
};

const digits = (count: 2 | 3): DigitsCondition => ({
  id: `digits${count}`,
  label: `${count} digits`,
  description: "The number of digits differs from training.",
  digits: count,
});

export interface SynchronySetDescription extends SceneSet {
  readonly title: string;
  readonly conditions: readonly DigitsCondition[];
}

export const SYNCHRONY_SETS: Readonly<Record<SynchronySetName, SynchronySetDescription>> = {
  digits2: {
    title: "Two digits",
    digits: 2,
    conditions: [CLEAN, noise(0.1), SALT, overlap(25), overlap(50), digits(3), ROTATED, SMALLER, MOVED],
  },
  digits3: {
    title: "Three digits",
    digits: 3,
    conditions: [CLEAN, noise(0.1), SALT, overlap(25), digits(2), ROTATED, SMALLER],
  },
  colour: {
    title: "Two digits on CIFAR-10 images",
    digits: 2,
    background: "colour",
    conditions: [CLEAN, noise(0.05), overlap(25), digits(3), ROTATED],
  },
  grey: {
    title: "Two digits on grey CIFAR-10 images",
    digits: 2,
    background: "grey",
    conditions: [CLEAN, noise(0.05), overlap(25), digits(3), ROTATED],
  },
};

/** The changes to the dynamics that the ablation tests one by one, beside the dynamics of training. */
export const CHANGES: readonly Partial<Dynamics>[] = [
  { timesteps: 3 },
  { timesteps: 6 },
  { timesteps: 20 },
  { desynchrony: 0 },
  { desynchrony: 0.1 },
  { desynchrony: 0.4 },
  { couplingSize: 5 },
  { couplingSize: 9 },
  { couplingSize: 17 },
];

interface SetPlan {
  readonly set: SynchronySetName;
  readonly models: readonly SynchronyModelName[];
  readonly steps: number;
  /**
   * Cells that need fewer seeds, because their scores differ so much from those of other networks: the largest number
   * of their seeds.
   */
  readonly mostSeeds?: Partial<Readonly<Record<SynchronyModelName | "ablation", number>>>;
}

export interface SynchronyPlan {
  readonly sets: readonly SetPlan[];
  readonly mode: "endtoend" | "channels";
  readonly dynamics: Dynamics;
  readonly batchSize: number;
  /**
   * Training steps of the network with feedback and of its control, both of which start from the trained
   * feed-forward network; 0 if both are trained from scratch.
   */
  readonly furtherSteps: number;
  readonly kernelSteps: number;
  /**
   * Learning rate of the transformer. The authors train all networks at 0.01, but at that rate the transformer stays at
   * chance within the steps of the laptop scale.
   */
  readonly learningRate: { readonly transformer: number; readonly others: number };
  /** Number of training scenes; undefined if every scene is seen once. */
  readonly trainScenes?: number;
  readonly validationScenes: number;
  readonly testScenes: number;
  readonly measuredScenes: number;
  readonly evaluations: number;
  readonly selectBest: boolean;
  readonly changes: readonly Partial<Dynamics>[];
}

const BASE = ["kuramoto", "ideal", "random", "real", "transformer"] as const;

const EPOCH = Math.floor(48_000 / 256);

/**
 * - smoke: a check that everything works.
 * - laptop: Gabors and coupling are frozen; every scene is seen once. The network with feedback starts from
 *   the trained feed-forward network; so does a control that is trained for as many further steps without
 *   feedback.
 * - paper: the authors' recipe, end to end, with all networks trained from scratch.
 */
export const SYNCHRONY_PLANS: Readonly<Record<Scale, SynchronyPlan>> = {
  smoke: {
    sets: [
      {
        set: "digits2",
        models: ["kuramoto", "feedback", "continued", "pretrained", "random", "real", "transformer"],
        steps: 12,
      },
      { set: "digits3", models: ["kuramoto", "ideal"], steps: 6 },
      { set: "colour", models: ["kuramoto", "real"], steps: 6 },
    ],
    mode: "channels",
    dynamics: { timesteps: 4, couplingSize: 13, desynchrony: 0.202 },
    batchSize: 16,
    furtherSteps: 3,
    kernelSteps: 3,
    learningRate: { transformer: 0.001, others: 0.01 },
    validationScenes: 16,
    testScenes: 16,
    measuredScenes: 16,
    evaluations: 2,
    selectBest: false,
    changes: [{ timesteps: 2 }, { desynchrony: 0 }, { couplingSize: 5 }],
  },
  laptop: {
    sets: [
      {
        set: "digits2",
        models: ["kuramoto", "feedback", "continued", "pretrained", "ideal", "random", "real", "transformer"],
        steps: 2400,
        mostSeeds: { pretrained: 2, ideal: 1, random: 1, transformer: 1, ablation: 2 },
      },
      {
        set: "digits3",
        models: BASE,
        steps: 1200,
        mostSeeds: { ideal: 1, random: 1, transformer: 1 },
      },
      {
        set: "colour",
        models: ["kuramoto", "ideal", "real"],
        steps: 1200,
        mostSeeds: { kuramoto: 2, ideal: 2, real: 2 },
      },
    ],
    mode: "channels",
    dynamics: { timesteps: 16, couplingSize: 13, desynchrony: 0.202 },
    batchSize: 32,
    furtherSteps: 400,
    kernelSteps: 120,
    learningRate: { transformer: 0.001, others: 0.01 },
    validationScenes: 256,
    testScenes: 1024,
    measuredScenes: 192,
    evaluations: 6,
    selectBest: false,
    changes: CHANGES,
  },
  paper: {
    sets: [
      { set: "digits2", models: [...BASE, "feedback", "pretrained", "randomKernel"], steps: 30 * EPOCH },
      { set: "digits3", models: [...BASE, "feedback"], steps: 30 * EPOCH },
      { set: "colour", models: [...BASE, "feedback"], steps: 30 * EPOCH },
      { set: "grey", models: [...BASE, "feedback"], steps: 30 * EPOCH },
    ],
    mode: "endtoend",
    dynamics: { timesteps: 15, couplingSize: 13, desynchrony: 0.202 },
    batchSize: 256,
    furtherSteps: 0,
    kernelSteps: 10 * EPOCH,
    learningRate: { transformer: 0.01, others: 0.01 },
    trainScenes: 48_000,
    validationScenes: 12_000,
    testScenes: 10_000,
    measuredScenes: 1024,
    evaluations: 30,
    selectBest: true,
    changes: CHANGES,
  },
};

/** All cells of a run, in an order in which they can run: each cell comes after the one that it starts from. */
export function synchronyCells(plan: SynchronyPlan, seeds: readonly number[]): SynchronyCell[] {
  const cells = plan.sets.flatMap((set) =>
    seeds.flatMap((seed, i): SynchronyCell[] => {
      const wanted = (name: SynchronyModelName | "ablation") => i < (set.mostSeeds?.[name] ?? Infinity);
      const networks = set.models.filter(wanted).map((model) => networkCell(plan, set, model, seed));
      const kernels = networks.flatMap(({ start }) => (start?.kind === "kernel" ? [start] : []));
      const trained = networks.find(({ model }) => model === "kuramoto");
      const ablation =
        set.set === "digits2" && trained && wanted("ablation") ? [ablationCell(plan, trained)] : [];
      return [...kernels, ...networks, ...ablation];
    }),
  );
  const later = (cell: SynchronyCell) => cell.kind !== "kernel" && cell.start !== undefined;
  return [...cells.filter((cell) => !later(cell)), ...cells.filter(later)];
}

function budget(plan: SynchronyPlan, { set }: SetPlan, seed: number, steps: number): Budget {
  return {
    experiment: "synchrony",
    version: 1,
    seed,
    set,
    dynamics: plan.dynamics,
    steps,
    batchSize: plan.batchSize,
    trainScenes: plan.trainScenes ?? steps * plan.batchSize,
    validationScenes: plan.validationScenes,
    evaluateEvery: Math.max(1, Math.floor(steps / plan.evaluations)),
    learningRate: plan.learningRate.others,
    clipNorm: 2,
  };
}

function networkCell(
  plan: SynchronyPlan,
  set: SetPlan,
  model: SynchronyModelName,
  seed: number,
): SynchronyNetworkCell {
  const further = (model === "feedback" || model === "continued") && plan.furtherSteps > 0;
  const start = further
    ? networkCell(plan, set, "kuramoto", seed)
    : model === "pretrained"
      ? ({ ...budget(plan, set, seed, plan.kernelSteps), kind: "kernel" } as const)
      : undefined;
  return {
    ...budget(plan, set, seed, further ? plan.furtherSteps : set.steps),
    ...(model === "transformer" && { learningRate: plan.learningRate.transformer }),
    kind: "network",
    model,
    mode: model === "pretrained" ? "channels" : plan.mode,
    selectBest: plan.selectBest,
    testScenes: plan.testScenes,
    measuredScenes: plan.measuredScenes,
    ...(start && { start }),
  };
}

function ablationCell(plan: SynchronyPlan, start: SynchronyNetworkCell): AblationCell {
  const { seed, testScenes, measuredScenes } = start;
  const { changes } = plan;
  return {
    experiment: "synchrony",
    version: 1,
    kind: "ablation",
    seed,
    changes,
    testScenes,
    measuredScenes,
    start,
  };
}
