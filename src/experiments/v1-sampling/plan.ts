import type { CorruptionName, Severity } from "../../robustness/corruptions/kinds.js";
import { BENCHMARK_CORRUPTIONS, SEVERITIES } from "../../robustness/corruptions/kinds.js";
import type { CellOf } from "../cells.js";
import type { Scale } from "../options.js";

/**
 * The networks that are compared: VOneResNet-18 with receptive fields drawn in four ways, one of them also with
 * neuronal noise, and ResNet-18 without V1.
 */
export const NETWORKS = ["biol", "unif1", "unif2", "unif3", "biol-noise", "plain"] as const;

export type NetworkName = (typeof NETWORKS)[number];

/** The networks whose receptive fields are compared with each other; none of them has noise. */
export type SampledName = "biol" | "unif1" | "unif2" | "unif3";

export const isSampled = (name: NetworkName): name is SampledName =>
  name !== "plain" && name !== "biol-noise";

export const NETWORK_LABELS: Readonly<Record<NetworkName, string>> = {
  biol: "BIOL",
  unif1: "UNIF1",
  unif2: "UNIF2",
  unif3: "UNIF3",
  "biol-noise": "BIOL, noise",
  plain: "ResNet-18",
};

export const NETWORK_TEXTS: Readonly<Record<NetworkName, string>> = {
  biol: "receptive fields as measured in macaque V1, widths correlated with spatial frequency",
  unif1: "all properties uniform and independent",
  unif2: "ny close to nx, other properties uniform and independent",
  unif3: "like UNIF2, but with nx correlated with spatial frequency",
  "biol-noise": "like BIOL, with the noise of cortical cells in training and testing, as in VOneNet of 2020",
  plain: "the same network behind a learned first stage instead of V1",
};

/** The data sets. All images are resized to 64 x 64 pixels, which span 2 degrees of visual angle. */
export type ImageSet = "cifar10" | "mnist" | "tiny-imagenet";

export const IMAGE_SIZE = 64;

export const VISUAL_DEGREES = 2;

/** Sizes of V1 and of the network behind it. */
export interface Architecture {
  readonly simple: number;
  readonly complex: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly gain: number;
  /** Factor by which the back end's number of channels is multiplied. */
  readonly width: number;
}

/** How the learning rate falls: by the study's plateau rule, or along a cosine in a short training. */
export type RateRule = "plateau" | "cosine";

/** The images and corruptions of the tests. */
export interface Testing {
  readonly images: number;
  readonly corruptions: readonly CorruptionName[];
  readonly severities: readonly Severity[];
  /** Number of images on which responses are measured and groups of cells are silenced. */
  readonly probeImages: number;
  /** Severity of the corruptions while groups of cells are silenced. */
  readonly probeSeverity: Severity;
}

/** Configuration of a cell that trains, tests and analyses one network. */
export interface V1NetworkCell extends CellOf<"v1-sampling"> {
  readonly network: NetworkName;
  /** Random seed of the receptive fields, the weights and the order of images. */
  readonly seed: number;
  readonly data: ImageSet;
  readonly architecture: Architecture;
  readonly trainImages: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly rateRule: RateRule;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly validationImages: number;
  readonly evaluateEvery: number;
  readonly testing: Testing;
}

/** The name of a cell for `--cells`, such as "biol/seed1". */
export const v1CellName = ({ network, seed }: Pick<V1NetworkCell, "network" | "seed">): string =>
  `${network}/seed${seed}`;

export interface V1Plan extends Omit<
  V1NetworkCell,
  "experiment" | "version" | "network" | "seed" | "data" | "evaluateEvery"
> {
  readonly data: ImageSet;
  /** Networks that run unless the user chooses cells. */
  readonly networks: readonly NetworkName[];
  /** Networks that get fewer seeds: the largest number of their seeds. */
  readonly mostSeeds?: Partial<Readonly<Record<NetworkName, number>>>;
  readonly evaluations: number;
}

/** Steps in one epoch of Tiny ImageNet's 100,000 training images in batches of 128. */
const EPOCH = Math.floor(100_000 / 128);

/**
 * - smoke: a check that everything works.
 * - laptop: a reduced study with five seeds of BIOL and UNIF1. CIFAR-10 enlarged to 64 pixels, 128 + 128 cells on a grid of 16 x 16 (stride 4 instead of
 *   2), a quarter of the back end's channels, a few epochs with a cosine schedule, 3 of 5 severities. `--cells "*"`
 *   adds UNIF2 and UNIF3.
 * - paper: the authors' recipe on Tiny ImageNet.
 */
export const V1_PLANS: Readonly<Record<Scale, V1Plan>> = {
  smoke: {
    data: "cifar10",
    networks: ["biol", "unif1", "plain"],
    architecture: { simple: 16, complex: 16, kernelSize: 31, stride: 4, gain: 23, width: 0.0625 },
    trainImages: 256,
    steps: 8,
    batchSize: 16,
    learningRate: 0.05,
    rateRule: "cosine",
    momentum: 0.9,
    weightDecay: 5e-4,
    validationImages: 32,
    evaluations: 2,
    testing: {
      images: 32,
      corruptions: ["gaussian_noise", "defocus_blur", "fog", "contrast"],
      severities: [3],
      probeImages: 16,
      probeSeverity: 3,
    },
  },
  laptop: {
    data: "cifar10",
    networks: ["biol", "unif1", "biol-noise", "plain"],
    mostSeeds: { unif2: 2, unif3: 2, "biol-noise": 2, plain: 2 },
    architecture: { simple: 128, complex: 128, kernelSize: 31, stride: 4, gain: 23, width: 0.25 },
    trainImages: 25_000,
    steps: 1500,
    batchSize: 64,
    learningRate: 0.1,
    rateRule: "cosine",
    momentum: 0.9,
    weightDecay: 5e-4,
    validationImages: 512,
    evaluations: 6,
    testing: {
      images: 500,
      corruptions: BENCHMARK_CORRUPTIONS,
      severities: [1, 3, 5],
      probeImages: 160,
      probeSeverity: 3,
    },
  },
  paper: {
    data: "tiny-imagenet",
    networks: NETWORKS,
    architecture: { simple: 256, complex: 256, kernelSize: 31, stride: 2, gain: 23, width: 1 },
    trainImages: 100_000,
    steps: 60 * EPOCH,
    batchSize: 128,
    learningRate: 0.1,
    rateRule: "plateau",
    momentum: 0.9,
    weightDecay: 5e-4,
    validationImages: 10_000,
    evaluations: 60,
    testing: {
      images: 10_000,
      corruptions: BENCHMARK_CORRUPTIONS,
      severities: SEVERITIES,
      probeImages: 1000,
      probeSeverity: 3,
    },
  },
};

/** All cells of a run: all networks for each seed, the standard networks first. */
export function v1Cells(plan: V1Plan, seeds: readonly number[]): V1NetworkCell[] {
  const { networks, mostSeeds, evaluations, ...common } = plan;
  const ordered = [...networks, ...NETWORKS.filter((name) => !networks.includes(name))];
  return seeds.flatMap((seed, i) =>
    ordered
      .filter((network) => i < (mostSeeds?.[network] ?? Infinity))
      .map((network) => ({
        experiment: "v1-sampling" as const,
        version: 1 as const,
        network,
        seed,
        ...common,
        evaluateEvery: Math.max(1, Math.floor(common.steps / evaluations)),
      })),
  );
}
