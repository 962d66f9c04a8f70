import { check } from "../../../util/errors.js";
import type { ReceptiveFields } from "../v1/receptive-fields.js";

/** Borders of the bands of spatial frequency that the study groups cells by, cycles per degree. */
export const FREQUENCY_BANDS: readonly number[] = [0.5, 1.4, 4, 11.2];
/** Borders of the bands of nx, cycles. */
export const WIDTH_BANDS: readonly number[] = [-1, -0.75, -0.5, -0.25, 0].map((exponent) => 10 ** exponent);

/** The two types of cells. */
export const CELL_TYPES = ["simple", "complex"] as const;
/** Whether a cell is simple or complex. */
export type CellType = (typeof CELL_TYPES)[number];

/** Cells of one type in one band of spatial frequency and one of nx (Barbulescu et al. 2023). */
export interface SubPopulation {
  readonly cellType: CellType;
  /** Number of the band in {@link FREQUENCY_BANDS}, from 0 (low). */
  readonly frequencyBand: number;
  /** Number of the band in {@link WIDTH_BANDS}, from 0 (narrow). */
  readonly widthBand: number;
  /** Numbers of the cells in the population. */
  readonly cells: readonly number[];
}

/**
 * All 24 groups (2 cell types x 3 bands of spatial frequency x 4 bands of nx), empty ones too: simple cells first, then by
 * frequency, then by width. A band holds its upper border, not its lower one.
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

/** Mean of a quantity over the cells of each group; NaN for an empty one. Values that are not finite are left out. */
export function groupMeans(groups: readonly SubPopulation[], values: ArrayLike<number>): number[] {
  return groups.map(({ cells }) => {
    const known = cells.map((cell) => values[cell]!).filter(Number.isFinite);
    return known.length === 0 ? NaN : known.reduce((a, b) => a + b, 0) / known.length;
  });
}

/**
 * Histogram intersection sum_b min(p_u(b), p_v(b)) over the 12 groups of each cell type: 1 where two populations are spread
 * alike. A cell type that one of them lacks gives NaN.
 */
export function overlap(
  one: readonly SubPopulation[],
  other: readonly SubPopulation[],
): Readonly<Record<CellType, number>> {
  check(one.length === other.length, () => `overlap: ${one.length} and ${other.length} groups`);
  const of = (cellType: CellType): number => {
    const counts = [one, other].map((groups) =>
      groups.filter((group) => group.cellType === cellType).map(({ cells }) => cells.length),
    ) as [number[], number[]];
    const [n, m] = counts.map((list) => list.reduce((a, b) => a + b, 0)) as [number, number];
    return counts[0].reduce((sum, count, i) => sum + Math.min(count / n, counts[1][i]! / m), 0);
  };
  return { simple: of("simple"), complex: of("complex") };
}

/** Mean |weight| over the outputs of a bottleneck [outputs, cells, 1, 1], for each cell: how much the network listens to it. */
export function downstreamWeights(bottleneck: ArrayLike<number>, cells: number): Float64Array {
  const outputs = bottleneck.length / cells;
  check(
    Number.isInteger(outputs) && outputs > 0,
    () => `downstream weights: ${bottleneck.length} numbers are not whole rows of ${cells} cells`,
  );
  return Float64Array.from({ length: cells }, (_, cell) => {
    let sum = 0;
    for (let o = 0; o < outputs; o++) sum += Math.abs(bottleneck[o * cells + cell]!);
    return sum / outputs;
  });
}
