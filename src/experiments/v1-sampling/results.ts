import { pictureOf } from "../../data/images/prepared-images.js";
import { fromRgb } from "../../draw/index.js";
import { average } from "../../metrics/statistics.js";
import { pngDataUri } from "../../report/png.js";
import { versionsText } from "../../report/provenance-node.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import type { FilterBank, VOneBlock } from "../../systems/vonenet/index.js";
import { matchCells } from "../../systems/vonenet/index.js";
import { closing } from "../../util/closing.js";
import { formatDuration } from "../../train/progress.js";
import type { FinishedRun } from "../experiment.js";
import type { Scale } from "../options.js";
import type {
  MatchFacts,
  NetworkScores,
  Population,
  RelativeDifference,
  Responses,
  SeedResult,
  VariantGroups,
} from "./analysis.js";
import { groupFacts, matchFacts, overlapOf, relativeDifference, v1Scores } from "./analysis.js";
import type { V1NetworkResult, StudyData } from "./cell.js";
import { DATA_TITLES } from "./images.js";
import { openResponses, v1Of } from "./networks.js";
import type { V1NetworkCell, NetworkName, SampledName, V1Plan } from "./plan.js";
import { isSampled, NETWORK_LABELS, NETWORK_TEXTS, NETWORKS } from "./plan.js";
import type { Distribution, TuningChart } from "./populations.js";
import {
  bankFacts,
  distributions,
  filterGallery,
  galleryOrder,
  responseGallery,
  tuningCharts,
} from "./populations.js";

export interface NetworkReport {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly parameters: number;
  readonly scores: NetworkScores;
  readonly learning: readonly {
    readonly seed: number;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

/** Images of a variant's filters and responses, as `data:` URIs. */
export interface VariantReport {
  readonly id: string;
  readonly label: string;
  readonly filters: readonly { readonly title: string; readonly uri: string }[];
  readonly responses: string;
  readonly facts: readonly { readonly name: string; readonly value: number }[];
  readonly tuning: readonly TuningChart[];
  readonly groups: VariantGroups;
}

/** Comparison of two variants, cell by cell and group by group. */
export interface PairReport {
  readonly one: string;
  readonly other: string;
  readonly relative: RelativeDifference;
  readonly overlap: { readonly simple: number; readonly complex: number };
  readonly matches: readonly MatchFacts[];
}

export interface V1SamplingReport {
  readonly title: string;
  readonly scale: string;
  /** Sentences on how this run differs from the paper's study; empty for the paper's own recipe. */
  readonly reduced: readonly string[];
  readonly networks: readonly NetworkReport[];
  readonly variants: readonly VariantReport[];
  /** Comparisons of BIOL with each uniform variant. */
  readonly pairs: readonly PairReport[];
  readonly distributions: readonly Distribution[];
  /** The image that evokes the responses, as a `data:` URI. */
  readonly picture: string;
  readonly chance: number;
  readonly testImages: number;
  readonly conditions: number;
  readonly provenance: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  readonly seconds: number;
  readonly date: string;
}

/**
 * Relative advantage of biological over uniform sampling in mean corruption accuracy, from the abstract of Barbulescu
 * et al. 2023 (arXiv:2310.10575).
 */
export const PAPER_RELATIVE = 0.0872;

export const BAND_NAMES = {
  frequency: ["0.5–1.4", "1.4–4", "4–11.2"],
  width: ["0.10–0.18", "0.18–0.32", "0.32–0.56", "0.56–1"],
} as const;

type Run = FinishedRun<V1Plan, V1NetworkCell, V1NetworkResult> &
  StudyData & { readonly session: SessionOptions };

const GALLERY_COLUMNS = 16;

/** Number of images on which the responses of matched cells are compared. */
const COMPARED_IMAGES = 32;

/** One variant, with the V1 of each of its seeds. */
interface Drawn {
  readonly variant: SampledName;
  readonly blocks: ReadonlyMap<number, VOneBlock>;
  readonly populations: readonly Population[];
}

/** Makes the report from the results of all cells. */
export async function v1SamplingReport(run: Run): Promise<V1SamplingReport> {
  const { results, plan, scale, provenance } = run;
  const { seeds, date, wallTimeSeconds: seconds } = provenance;
  const { clean } = run.test;
  const of = (network: NetworkName): SeedResult[] =>
    [...results].flatMap(([config, result]) =>
      config.network === network ? [{ seed: config.seed, result }] : [],
    );
  const present = NETWORKS.filter((network) => of(network).length > 0);
  const drawn = present.filter(isSampled).map((variant): Drawn => {
    const own = of(variant);
    const blocks = new Map(own.map(({ seed }) => [seed, v1Of(variant, seed, plan.architecture)]));
    const populations = own.map(({ seed, result }) => ({ seed, result, fields: blocks.get(seed)!.fields }));
    return { variant, blocks, populations };
  });
  const responses = await allResponses(drawn, run);
  const biological = drawn.find(({ variant }) => variant === "biol");
  const pairs = drawn.flatMap((other) => {
    if (!biological || other === biological) return [];
    const pair = pairReport(biological, other, of, responses);
    return pair ? [pair] : [];
  });
  const { architecture, testing } = plan;
  return {
    title: "How V1 is sampled",
    scale,
    reduced: reductions(plan, scale),
    networks: present.map((network) => ({
      id: network,
      label: NETWORK_LABELS[network],
      description: NETWORK_TEXTS[network],
      parameters: of(network)[0]!.result.parameters,
      scores: v1Scores(of(network)),
      learning: of(network).map(({ seed, result }) => ({
        seed,
        points: result.learningCurve.map(({ images, accuracy }) => ({ x: images, y: accuracy })),
      })),
    })),
    variants: drawn.map((one) => variantReport(one, responses)),
    pairs,
    distributions: distributions(
      drawn.flatMap(({ variant, populations }) => populations.map(({ fields }) => ({ variant, fields }))),
    ),
    picture: pngDataUri(fromRgb(pictureOf(clean, 0))),
    chance: 1 / clean.classes.length,
    testImages: clean.count,
    conditions: testing.corruptions.length * testing.severities.length + 1,
    seeds,
    seconds,
    date,
    provenance: {
      Images: DATA_TITLES[plan.data],
      "Degrees of visual angle": "2 for 64 pixels (32 pixels per degree)",
      V1: `${architecture.simple} simple and ${architecture.complex} complex cells, kernel ${architecture.kernelSize}, stride ${architecture.stride}, gain ${architecture.gain}; noise only in “BIOL, noise”`,
      "Back end": `ResNet-18, ${architecture.width === 1 ? "full width" : `${architecture.width} of its channels`}`,
      Training: `${plan.steps} steps of ${plan.batchSize} images, out of ${plan.trainImages.toLocaleString("en-GB")}; SGD, rate ${plan.learningRate}, momentum ${plan.momentum}, weight decay ${plan.weightDecay}, ${plan.rateRule === "plateau" ? "divided by ten on a plateau" : "falling along a cosine"}`,
      Augmentation: "rotations up to 30°, shifts up to 5 %, scaling by 1 to 1.2, mirroring",
      Corruptions: `${testing.corruptions.length} of Hendrycks & Dietterich 2019, constants for 64 pixels, severities ${testing.severities.join(", ")}, computed by Striate`,
      Silencing: `${Math.min(testing.probeImages, clean.count)} images, corruptions at severity ${testing.probeSeverity}`,
      Seeds: seeds.join(", "),
      Machine: provenance.machine,
      Versions: versionsText(provenance.versions),
      "Duration of this call": formatDuration(seconds),
      Command: provenance.command,
    },
  };
}

function variantReport(
  { variant, blocks, populations }: Drawn,
  responses: ReadonlyMap<VOneBlock, Responses>,
): VariantReport {
  const [block] = blocks.values() as unknown as [VOneBlock];
  const { simple, complex, fields, bank, outputSize } = block;
  const sorted = (from: number, count: number) =>
    galleryOrder(
      Array.from({ length: count }, (_, i) => from + i),
      GALLERY_COLUMNS,
      fields,
    );
  const [simpleCells, complexCells] = [sorted(0, simple), sorted(simple, complex)];
  const first = responses.get(block)!;
  const shown = first.data.subarray(0, first.cells * first.positions);
  return {
    id: variant,
    label: NETWORK_LABELS[variant],
    filters: [
      { title: `${simple} simple cells`, cells: simpleCells },
      { title: `${complex} complex cells (each shown by one of its two filters)`, cells: complexCells },
    ]
      .filter(({ cells }) => cells.length > 0)
      .map(({ title, cells }) => ({ title, uri: filterGallery(bank, cells, GALLERY_COLUMNS) })),
    responses: responseGallery(shown, outputSize, [...simpleCells, ...complexCells], mapColumns(bank)),
    facts: bankFacts([...blocks.values()]),
    tuning: tuningCharts(block),
    groups: groupFacts(populations),
  };
}

/** Computes the responses of every V1 to the first test images. */
async function allResponses(
  drawn: readonly Drawn[],
  { test: { clean }, session }: Run,
): Promise<Map<VOneBlock, Responses>> {
  const count = Math.min(COMPARED_IMAGES, clean.count);
  const found = new Map<VOneBlock, Responses>();
  const indices = Array.from({ length: count }, (_, i) => i);
  for (const block of drawn.flatMap(({ blocks }) => [...blocks.values()])) {
    const opened = openResponses(block, count, session);
    const { data } = await closing(opened, (probe) => probe.responses(clean, indices));
    found.set(block, { data: data as Float32Array, cells: block.cells, positions: block.outputSize ** 2 });
  }
  return found;
}

function pairReport(
  one: Drawn,
  other: Drawn,
  of: (network: NetworkName) => SeedResult[],
  responses: ReadonlyMap<VOneBlock, Responses>,
): PairReport | undefined {
  const relative = relativeDifference(of(one.variant), of(other.variant));
  if (!relative) return undefined;
  const perSeed = relative.values.map(({ seed }) => {
    const [a, b] = [one, other].map(({ blocks, populations }) => ({
      block: blocks.get(seed)!,
      weights: populations.find((population) => population.seed === seed)!.result.dissection!.weights,
    })) as [Matched, Matched];
    return matchFacts(
      matchCells(a.block.fields, b.block.fields),
      [responses.get(a.block)!, responses.get(b.block)!],
      [a.weights, b.weights],
    );
  });
  return {
    one: NETWORK_LABELS[one.variant],
    other: NETWORK_LABELS[other.variant],
    relative,
    overlap: overlapOf(one.populations, other.populations),
    matches: meanMatches(perSeed),
  };
}

interface Matched {
  readonly block: VOneBlock;
  readonly weights: readonly number[];
}

/** Averages the measures over seeds. */
function meanMatches(perSeed: readonly (readonly MatchFacts[])[]): MatchFacts[] {
  return (perSeed[0] ?? []).map(({ cellType, ...measures }) => {
    const own = perSeed.flatMap((list) => list.filter((match) => match.cellType === cellType));
    const names = Object.keys(measures) as (keyof typeof measures)[];
    const means = names.map((name) => [name, average(own.map((match) => match[name]))]);
    return { cellType, ...(Object.fromEntries(means) as typeof measures) };
  });
}

function reductions(plan: V1Plan, scale: Scale): string[] {
  if (scale === "paper") return [];
  const { architecture, testing, steps, batchSize, trainImages } = plan;
  const passes = (steps * batchSize) / trainImages;
  return [
    `${DATA_TITLES[plan.data]} instead of Tiny ImageNet's 200 classes;`,
    `${architecture.simple} + ${architecture.complex} cells with stride ${architecture.stride} instead of 256 + 256 with stride 2;`,
    `${architecture.width} of the back end's channels;`,
    `${passes.toFixed(1)} passes over ${trainImages.toLocaleString("en-GB")} images with a cosine schedule instead of 60 epochs of 100,000;`,
    `${testing.severities.length === 1 ? "1 severity" : `${testing.severities.length} severities`} instead of 5 and ${testing.images} test images instead of 10,000.`,
    "The results of one study need not hold in the other.",
  ];
}

/** Number of columns: 8 for 32 maps, and 32 for 256 maps or more, so that few maps do not form one thin line. */
function mapColumns({ simple, complex }: FilterBank): number {
  return Math.min(2 * GALLERY_COLUMNS, 2 ** (1 + Math.floor(Math.log2(simple + complex) / 2)));
}
