import type { PreparedImages } from "../../data/images/prepared-images.js";
import { pictureOf } from "../../data/images/prepared-images.js";
import { fromRgb } from "../../draw/index.js";
import { pngDataUri } from "../../report/png.js";
import { filterGallery, galleryOrder, responseGallery } from "../../report/v1-pictures.js";
import type {
  MatchFacts,
  PairReport,
  V1SamplingReport,
  VariantReport,
} from "../../report/v1-sampling-data.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import type { FilterBank, VOneBlock } from "../../systems/vonenet/index.js";
import { matchCells } from "../../systems/vonenet/index.js";
import { formatDuration } from "../../train/progress.js";
import type { Scale } from "../experiment.js";
import { machine, versions } from "../machine-node.js";
import type { Population, Responses, SeedResult } from "./analysis.js";
import { groupFacts, matchFacts, overlapOf, relativeDifference, scoresOf } from "./analysis.js";
import type { NetworkResult } from "./cell-node.js";
import type { ImageSet, NetworkCell, NetworkName, SampledName, ScalePlan } from "./config.js";
import { NETWORKS, NETWORK_LABELS, NETWORK_TEXTS, isSampled } from "./config.js";
import { DATA_TITLES } from "./images-node.js";
import { v1Of } from "./models.js";
import { bankFacts, distributions, tuningCharts } from "./populations.js";
import { fullBatches, openResponses } from "./probe-node.js";

interface Finished {
  readonly scale: Scale;
  readonly plan: ScalePlan;
  readonly data: ImageSet;
  readonly seeds: readonly number[];
  readonly results: ReadonlyMap<NetworkCell, NetworkResult>;
  /** Clean test images. */
  readonly test: PreparedImages;
  readonly session: SessionOptions;
  readonly seconds: number;
  readonly command: string;
}

const GALLERY_COLUMNS = 16;
/** Images that matched cells' responses are compared on. */
const COMPARED_IMAGES = 32;

/** One variant with the V1 of each of its seeds. */
interface Drawn {
  readonly variant: SampledName;
  readonly blocks: ReadonlyMap<number, VOneBlock>;
  readonly populations: readonly Population[];
}

/** What the page shows, out of the cells. */
export async function v1SamplingReport(run: Finished): Promise<V1SamplingReport> {
  const { results, plan, scale, data, seeds, test, seconds, command } = run;
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
    reduced: reductions(plan, scale, data),
    networks: present.map((network) => ({
      id: network,
      label: NETWORK_LABELS[network],
      description: NETWORK_TEXTS[network],
      parameters: of(network)[0]!.result.parameters,
      scores: scoresOf(of(network)),
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
    picture: pngDataUri(fromRgb(pictureOf(test, 0))),
    chance: 1 / test.classes.length,
    testImages: test.count,
    conditions: testing.corruptions.length * testing.severities.length + 1,
    seeds,
    seconds,
    date: new Date().toISOString(),
    provenance: {
      Images: DATA_TITLES[data],
      "Degrees of visual angle": "2 for 64 pixels (32 pixels per degree)",
      V1: `${architecture.simple} simple and ${architecture.complex} complex cells, kernel ${architecture.kernelSize}, stride ${architecture.stride}, gain ${architecture.gain}, no noise`,
      "Back end": `ResNet-18, ${architecture.width === 1 ? "full width" : `${architecture.width} of its channels`}`,
      Training: `${plan.steps} steps of ${plan.batchSize}, ${plan.trainImages.toLocaleString("en-GB")} images; SGD, rate ${plan.learningRate}, momentum ${plan.momentum}, weight decay ${plan.weightDecay}, ${plan.rateRule === "plateau" ? "a tenth on a plateau" : "down a cosine"}`,
      Augmentation: "turns to 30°, shifts to 5 %, 1 to 1.2 times the size, mirror images",
      Corruptions: `${testing.corruptions.length} of Hendrycks & Dietterich 2019, constants for 64 pixels, severities ${testing.severities.join(", ")}, made afresh`,
      Silencing: `${Math.min(testing.probeImages, test.count)} images, corruptions at severity ${testing.probeSeverity}`,
      Seeds: seeds.join(", "),
      Machine: machine(),
      Versions: Object.entries(versions())
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
      "Time of this call": formatDuration(seconds),
      Command: command,
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
      { title: `${complex} complex cells (one of their two filters)`, cells: complexCells },
    ]
      .filter(({ cells }) => cells.length > 0)
      .map(({ title, cells }) => ({ title, uri: filterGallery(bank, cells, GALLERY_COLUMNS) })),
    responses: responseGallery(shown, outputSize, [...simpleCells, ...complexCells], mapColumns(bank)),
    facts: bankFacts([...blocks.values()]),
    tuning: tuningCharts(block),
    groups: groupFacts(populations),
  };
}

/** Responses of every V1 to the first test images. */
async function allResponses(
  drawn: readonly Drawn[],
  { test, session }: Finished,
): Promise<Map<VOneBlock, Responses>> {
  const count = Math.min(COMPARED_IMAGES, test.count);
  const found = new Map<VOneBlock, Responses>();
  for (const { blocks } of drawn) {
    for (const block of blocks.values()) {
      const probe = await openResponses(block, count, session);
      try {
        const [indices] = fullBatches(count, count) as unknown as [number[]];
        const { data } = await probe.responses(test, indices);
        found.set(block, {
          data: data as Float32Array,
          cells: block.cells,
          positions: block.outputSize ** 2,
        });
      } finally {
        await probe.close();
      }
    }
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

/** Means over seeds. */
function meanMatches(perSeed: readonly (readonly MatchFacts[])[]): MatchFacts[] {
  return (perSeed[0] ?? []).map(({ cellType }) => {
    const own = perSeed.flatMap((list) => list.filter((match) => match.cellType === cellType));
    const mean = (pick: (match: MatchFacts) => number) =>
      own.reduce((sum, match) => sum + pick(match), 0) / own.length;
    return {
      cellType,
      pairs: mean(({ pairs }) => pairs),
      distance: mean(({ distance }) => distance),
      correlation: mean(({ correlation }) => correlation),
      unmatchedCorrelation: mean(({ unmatchedCorrelation }) => unmatchedCorrelation),
      weights: mean(({ weights }) => weights),
      weightRatio: mean(({ weightRatio }) => weightRatio),
    };
  });
}

function reductions(plan: ScalePlan, scale: Scale, data: ImageSet): string[] {
  if (scale === "paper") return [];
  const { architecture, testing, steps, batchSize, trainImages } = plan;
  const passes = (steps * batchSize) / trainImages;
  return [
    `${DATA_TITLES[data]} instead of Tiny ImageNet's 200 classes;`,
    `${architecture.simple} + ${architecture.complex} cells with stride ${architecture.stride} instead of 256 + 256 with stride 2;`,
    `${architecture.width} of the back end's channels;`,
    `${passes.toFixed(1)} passes over ${trainImages.toLocaleString("en-GB")} images, down a cosine, instead of 60 epochs of 100,000;`,
    `${testing.severities.length === 1 ? "1 severity" : `${testing.severities.length} severities`} instead of 5 and ${testing.images} test images instead of 10,000.`,
    "What holds here need not hold there, nor the other way round.",
  ];
}

/** So many columns that few maps do not end as one thin line: 8 for 32 maps, 32 from 256 on. */
function mapColumns({ simple, complex }: FilterBank): number {
  return Math.min(2 * GALLERY_COLUMNS, 2 ** (1 + Math.floor(Math.log2(simple + complex) / 2)));
}
