import type { Judgement } from "../../metrics/judgement.js";
import { errorOverImages, judgeDifferences } from "../../metrics/judgement.js";
import { average, correlation, median } from "../../metrics/statistics.js";
import type { SeedSummary, SeedValue } from "../../report/over-seeds.js";
import { summariseSeeds } from "../../report/over-seeds.js";
import type { CorruptionGroup } from "../../robustness/corruptions/index.js";
import { corruptionGroup } from "../../robustness/corruptions/index.js";
import type { CellType, MatchedCells, ReceptiveFields } from "../../systems/vonenet/index.js";
import { CELL_TYPES, overlap, subPopulations } from "../../systems/vonenet/index.js";
import type { V1NetworkResult, V1TestResult } from "./cell.js";

/** Mean and spread of a value over seeds. */
export type Spread = SeedSummary;

/** Accuracies of a network, as fractions. */
export interface NetworkScores {
  readonly clean: Spread;
  /** Mean corruption accuracy, mCA: the mean over corruptions. */
  readonly mean: Spread;
  /** Mean corruption accuracy divided by clean accuracy. */
  readonly retention: Spread;
  readonly corruptions: readonly {
    readonly name: string;
    readonly kind: string;
    readonly accuracy: Spread;
  }[];
  readonly kinds: readonly { readonly name: string; readonly accuracy: Spread }[];
}

/**
 * What silencing a group costs. Losses of accuracy are fractions of the images, above 0 if accuracy falls.
 * All values are NaN for an empty group.
 */
export interface Effect {
  readonly clean: number;
  readonly corrupted: number;
  readonly corruptedPerCell: number;
  /** Losses by kind of corruption. */
  readonly kinds: Readonly<Record<string, number>>;
  /**
   * Mean relative change of the bottleneck's output, |W (r - r')| / |W r|: W is the bottleneck, and r and r'
   * are the responses before and after silencing.
   */
  readonly moved: number;
}

/** Facts about one of the 24 groups of cells. */
export interface GroupFacts {
  readonly cellType: CellType;
  readonly frequencyBand: number;
  readonly widthBand: number;
  /** Number of cells, mean over seeds. */
  readonly cells: number;
  /** Mean absolute weight with which the bottleneck reads a cell of the group. */
  readonly weight: number;
  /** The group's share of the absolute weights of all cells. */
  readonly weightShare: number;
  readonly mean: number;
  readonly variation: number;
  readonly sparseness: number;
  /** Losses when the group is silenced (`zero`), and when it is held at its mean response (`held`). */
  readonly zero: Effect;
  readonly held: Effect;
}

export interface VariantGroups {
  readonly groups: readonly GroupFacts[];
  /** Number of positions at which a cell responds to no image, summed over cells, mean over seeds. */
  readonly silentPositions: number;
}

/** Comparison of the matched cells of two variants, for one cell type. */
export interface MatchFacts {
  readonly cellType: CellType;
  readonly pairs: number;
  readonly distance: number;
  /** Median correlation of responses, for matched cells and for unmatched cells. */
  readonly correlation: number;
  readonly unmatchedCorrelation: number;
  /** Correlation of the downstream weights over pairs, and the ratio of their means. */
  readonly weights: number;
  readonly weightRatio: number;
}

/** The result of a network trained with one seed. */
export interface SeedResult {
  readonly seed: number;
  readonly result: V1NetworkResult;
}

/** Accuracy under each corruption c, A(c) = mean over severities s of A(c, s). */
function corruptionMeans(tested: readonly V1TestResult[]): Map<string, number> {
  const names = [...new Set(tested.map(({ corruption }) => corruption))].filter((name) => name !== "clean");
  return new Map(
    names.map((name) => [
      name,
      average(tested.filter(({ corruption }) => corruption === name).map(({ accuracy }) => accuracy)),
    ]),
  );
}

/** Mean corruption accuracy (mCA): the mean over corruptions of the mean over severities. */
export function meanCorruptionAccuracy(tested: readonly V1TestResult[]): number {
  return average([...corruptionMeans(tested).values()]);
}

export function cleanAccuracy(tested: readonly V1TestResult[]): number {
  return tested.find(({ corruption }) => corruption === "clean")?.accuracy ?? NaN;
}

const over = (results: readonly SeedResult[], value: (tested: readonly V1TestResult[]) => number): Spread =>
  summariseSeeds(results.map(({ seed, result }): SeedValue => ({ seed, value: value(result.tested) })));

/** The scores of a network over its seeds. */
export function v1Scores(results: readonly SeedResult[]): NetworkScores {
  const corruptions = [...corruptionMeans(results[0]!.result.tested).keys()];
  const kind = (name: string): CorruptionGroup =>
    corruptionGroup(name as Parameters<typeof corruptionGroup>[0]);
  const kinds = [...new Set(corruptions.map(kind))];
  return {
    clean: over(results, cleanAccuracy),
    mean: over(results, meanCorruptionAccuracy),
    retention: over(results, (tested) => meanCorruptionAccuracy(tested) / cleanAccuracy(tested)),
    corruptions: corruptions.map((name) => ({
      name,
      kind: kind(name),
      accuracy: over(results, (tested) => corruptionMeans(tested).get(name)!),
    })),
    kinds: kinds.map((name) => ({
      name,
      accuracy: over(results, (tested) =>
        average([...corruptionMeans(tested)].filter(([one]) => kind(one) === name).map(([, a]) => a)),
      ),
    })),
  };
}

/** The relative difference of two networks, over the seeds that both have. */
export interface RelativeDifference extends Spread {
  readonly judged: Judgement;
  /** Standard error of the mean over the test images. */
  readonly imageError: number;
}

/** Relative difference in mean corruption accuracy, (mCA_one - mCA_other) / mCA_other; undefined without a common seed. */
export function relativeDifference(
  one: readonly SeedResult[],
  other: readonly SeedResult[],
): RelativeDifference | undefined {
  const pairs = one.flatMap(({ seed, result }) => {
    const partner = other.find((candidate) => candidate.seed === seed)?.result.tested;
    if (!partner) return [];
    const base = meanCorruptionAccuracy(partner);
    const value = (meanCorruptionAccuracy(result.tested) - base) / base;
    const [own, theirs] = [imageShares(result.tested), imageShares(partner)];
    return [{ seed, value, images: own.map((share, i) => (share - theirs[i]!) / base) }];
  });
  if (pairs.length === 0) return undefined;
  const values = pairs.map(({ seed, value }): SeedValue => ({ seed, value }));
  const imageError = errorOverImages(pairs.map(({ images }) => images));
  const judged = judgeDifferences(
    values.map(({ value }) => value),
    imageError,
  );
  return { ...summariseSeeds(values), judged, imageError };
}

/** For each test image, the share of corruptions and severities under which the network is right. */
function imageShares(tested: readonly V1TestResult[]): number[] {
  const corrupted = tested.filter(({ corruption }) => corruption !== "clean");
  return Array.from(corrupted[0]?.right ?? "", (_, i) =>
    average(corrupted.map(({ right }) => Number(right[i]))),
  );
}

/** The population of one seed and the result of its network. */
export interface Population {
  readonly seed: number;
  readonly fields: ReceptiveFields;
  readonly result: V1NetworkResult;
}

/** Facts about the 24 groups of cells. The cells of all seeds are taken together; effects are means over seeds. */
export function groupFacts(populations: readonly Population[]): VariantGroups {
  const bySeed = populations.map(({ fields, result }) => ({
    groups: subPopulations(fields),
    dissection: result.dissection!,
  }));
  const totalWeight = bySeed.map(({ dissection }) => dissection.weights.reduce((a, b) => a + b, 0));
  const groups = bySeed[0]!.groups.map(({ cellType, frequencyBand, widthBand }, g): GroupFacts => {
    const cells = bySeed.flatMap(({ groups: own, dissection }, s) =>
      own[g]!.cells.map((cell) => ({
        weight: dissection.weights[cell]!,
        share: dissection.weights[cell]! / totalWeight[s]!,
        ...dissection.responses[cell]!,
      })),
    );
    const known = (values: readonly (number | null)[]): number => {
      const finite = values.filter((value): value is number => Number.isFinite(value));
      return finite.length === 0 ? NaN : average(finite);
    };
    const effects = (held: "zero" | "mean") =>
      bySeed.flatMap(({ dissection }) => {
        const found = dissection.silenced.find((one) => one.group === g && one.held === held);
        if (!found) return [];
        const { whole } = dissection;
        const kinds = Object.keys(found.corrupted);
        const lost = Object.fromEntries(
          kinds.map((kind) => [kind, whole.corrupted[kind]! - found.corrupted[kind]!]),
        );
        return [
          {
            cells: found.cells,
            clean: whole.clean - found.clean,
            corrupted: average(Object.values(lost)),
            lost,
            moved: found.moved,
          },
        ];
      });
    const effect = (held: "zero" | "mean"): GroupFacts["zero"] => {
      const list = effects(held);
      const kinds = Object.keys(list[0]?.lost ?? {});
      return {
        clean: known(list.map(({ clean }) => clean)),
        corrupted: known(list.map(({ corrupted }) => corrupted)),
        corruptedPerCell: known(list.map(({ corrupted, cells: n }) => corrupted / n)),
        kinds: Object.fromEntries(kinds.map((kind) => [kind, known(list.map(({ lost }) => lost[kind]!))])),
        moved: known(list.map(({ moved }) => moved)),
      };
    };
    return {
      cellType,
      frequencyBand,
      widthBand,
      cells: cells.length / populations.length,
      weight: known(cells.map(({ weight }) => weight)),
      weightShare: cells.reduce((sum, { share }) => sum + share, 0) / populations.length,
      mean: known(cells.map(({ mean }) => mean)),
      variation: known(cells.map(({ variation }) => variation)),
      sparseness: known(cells.map(({ sparseness }) => sparseness)),
      zero: effect("zero"),
      held: effect("mean"),
    };
  });
  const silent = bySeed.map(({ dissection }) => dissection.responses.reduce((n, { silent: s }) => n + s, 0));
  return { groups, silentPositions: average(silent) };
}

/** Histogram intersection of the populations of two variants, mean over their common seeds. */
export function overlapOf(
  one: readonly Population[],
  other: readonly Population[],
): { readonly simple: number; readonly complex: number } {
  const pairs = one.flatMap(({ seed, fields }) => {
    const partner = other.find((candidate) => candidate.seed === seed);
    return partner ? [overlap(subPopulations(fields), subPopulations(partner.fields))] : [];
  });
  const [simple, complex] = CELL_TYPES.map((type) => average(pairs.map((pair) => pair[type])));
  return { simple: simple!, complex: complex! };
}

/** Responses of all cells [images, cells, positions]. */
export interface Responses {
  readonly data: Float32Array;
  readonly cells: number;
  readonly positions: number;
}

/** Returns all responses of one cell. */
function tracesOf({ data, cells, positions }: Responses, cell: number): Float32Array {
  const images = data.length / cells / positions;
  const out = new Float32Array(images * positions);
  for (let n = 0; n < images; n++) {
    const from = (n * cells + cell) * positions;
    out.set(data.subarray(from, from + positions), n * positions);
  }
  return out;
}

/** Compares responses and downstream weights in pairs of matched cells, and responses in pairs of unmatched cells. */
export function matchFacts(
  pairs: readonly MatchedCells[],
  responses: readonly [Responses, Responses],
  weights: readonly [readonly number[], readonly number[]],
): MatchFacts[] {
  return CELL_TYPES.flatMap((cellType): MatchFacts[] => {
    const own = pairs.filter((pair) => pair.cellType === cellType);
    if (own.length === 0) return [];
    const traces = own.map(
      ({ one, other }) => [tracesOf(responses[0], one), tracesOf(responses[1], other)] as const,
    );
    const matched = own.map((_, i) => correlation(traces[i]![0], traces[i]![1])).filter(Number.isFinite);
    // Compare each cell with the partner of another cell, half the list further on.
    const shift = Math.max(1, Math.floor(own.length / 2));
    const unmatched = own
      .map((_, i) => correlation(traces[i]![0], traces[(i + shift) % own.length]![1]))
      .filter(Number.isFinite);
    return [
      {
        cellType,
        pairs: own.length,
        distance: median(own.map(({ distance }) => distance)),
        correlation: median(matched),
        unmatchedCorrelation: median(unmatched),
        weights: correlation(
          own.map(({ one }) => weights[0][one]!),
          own.map(({ other }) => weights[1][other]!),
        ),
        weightRatio:
          average(own.map(({ one }) => weights[0][one]!)) /
          average(own.map(({ other }) => weights[1][other]!)),
      },
    ];
  });
}
