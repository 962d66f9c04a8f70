import { check } from "../../../util/errors.js";
import type { ReceptiveFields } from "../v1/receptive-fields.js";

/**
 * Edges of the bands of spatial frequency into which Barbulescu et al. 2023 group cells, in cycles per
 * degree.
 */
export const FREQUENCY_BANDS: readonly number[] = [0.5, 1.4, 4, 11.2];
/** Edges of the bands of nx (the width of the receptive field) into which they group cells, in cycles. */
export const WIDTH_BANDS: readonly number[] = [-1, -0.75, -0.5, -0.25, 0].map((exponent) => 10 ** exponent);

/** The two types of cells. */
export const CELL_TYPES = ["simple", "complex"] as const;
/** Whether a cell is simple or complex. */
export type CellType = (typeof CELL_TYPES)[number];

/** The cells of one type in one band of spatial frequency and one band of nx (Barbulescu et al. 2023). */
export interface SubPopulation {
  readonly cellType: CellType;
  /** Index of the band in {@link FREQUENCY_BANDS}, from 0 for the lowest. */
  readonly frequencyBand: number;
  /** Index of the band in {@link WIDTH_BANDS}, from 0 for the narrowest. */
  readonly widthBand: number;
  /** Indices of the cells in the population. */
  readonly cells: readonly number[];
}

/**
 * Groups cells by type, spatial frequency and nx. Returns all 24 groups (2 cell types x 3 bands of spatial frequency x
 * 4 bands of nx), including empty ones, ordered by type (simple cells first), then by frequency, then by width. A band
 * includes its upper edge but not its lower edge.
 */
export function subPopulations({
  simple,
  complex,
  spatialFrequency,
  nx,
}: Pick<ReceptiveFields, "simple" | "complex" | "spatialFrequency" | "nx">): SubPopulation[] {
  const ranges: Readonly<Record<CellType, readonly [number, number]>> = {
    simple: [0, simple],
    complex: [simple, simple + complex],
  };
  const within = (value: number, borders: readonly number[], band: number): boolean =>
    value > borders[band]! && value <= borders[band + 1]!;
  return CELL_TYPES.flatMap((cellType) => {
    const [from, to] = ranges[cellType];
    const all = Array.from({ length: to - from }, (_, i) => from + i);
    return FREQUENCY_BANDS.slice(1).flatMap((_, frequencyBand) =>
      WIDTH_BANDS.slice(1).map((__, widthBand) => ({
        cellType,
        frequencyBand,
        widthBand,
        cells: all.filter(
          (cell) =>
            within(spatialFrequency[cell]!, FREQUENCY_BANDS, frequencyBand) &&
            within(nx[cell]!, WIDTH_BANDS, widthBand),
        ),
      })),
    );
  });
}

/**
 * Returns the mean of a quantity over the cells of each group. Values that are not finite are left out. The
 * mean is NaN if a group has no finite value.
 */
export function groupMeans(groups: readonly SubPopulation[], values: ArrayLike<number>): number[] {
  return groups.map(({ cells }) => {
    const known = cells.map((cell) => values[cell]!).filter(Number.isFinite);
    return known.length === 0 ? NaN : known.reduce((a, b) => a + b, 0) / known.length;
  });
}

/**
 * Computes for each cell type the histogram intersection of two populations, sum_b min(p(b), q(b)). p(b) and
 * q(b) are the shares of the two populations that are in group b; each type has 12 groups. The intersection
 * is 1 if both populations have the same distribution, and NaN if one of them has no cells of the type.
 */
export function overlap(
  one: readonly SubPopulation[],
  other: readonly SubPopulation[],
): Readonly<Record<CellType, number>> {
  check(
    one.length === other.length,
    () => `overlap: expected two lists with the same number of groups, got ${one.length} and ${other.length}`,
  );
  const of = (cellType: CellType): number => {
    const counts = [one, other].map((groups) =>
      groups.filter((group) => group.cellType === cellType).map(({ cells }) => cells.length),
    ) as [number[], number[]];
    const [n, m] = counts.map((list) => list.reduce((a, b) => a + b, 0)) as [number, number];
    return counts[0].reduce((sum, count, i) => sum + Math.min(count / n, counts[1][i]! / m), 0);
  };
  return { simple: of("simple"), complex: of("complex") };
}

/**
 * Computes a measure of each cell's influence on the network: the mean of its |weight| over the outputs of a
 * bottleneck [outputs, cells, 1, 1].
 */
export function downstreamWeights(bottleneck: ArrayLike<number>, cells: number): Float64Array {
  const outputs = bottleneck.length / cells;
  check(
    Number.isInteger(outputs) && outputs > 0,
    () => `downstream weights: expected whole rows of ${cells} cells, got ${bottleneck.length} numbers`,
  );
  return Float64Array.from({ length: cells }, (_, cell) => {
    let sum = 0;
    for (let o = 0; o < outputs; o++) sum += Math.abs(bottleneck[o * cells + cell]!);
    return sum / outputs;
  });
}
