import munkres from "munkres";
import { checkPositive } from "../../../util/check.js";
import type { ReceptiveFields } from "../v1/receptive-fields.js";
import type { CellType } from "./sub-populations.js";
import { CELL_TYPES } from "./sub-populations.js";

/** A pair of cells with similar receptive fields, one from each of two populations. */
export interface MatchedCells {
  readonly cellType: CellType;
  /** Index of the cell from the first population. */
  readonly one: number;
  /** Index of the cell from the second population. */
  readonly other: number;
  /**
   * Euclidean distance between the properties of the two cells. Each property is divided by its standard
   * deviation over both populations.
   */
  readonly distance: number;
}

/** Options of `matchCells`. */
export interface MatchOptions {
  /** Largest distance between the cells of a pair. Default 1. */
  readonly largestDistance?: number;
  /** Whether both cells of a pair must see the same colour channel. Default false. */
  readonly sameColour?: boolean;
}

/**
 * Pairs cells of the same type so that the sum of their distances is smallest (optimal assignment, Kuhn
 * 1955). The properties that are compared are log2 of the spatial frequency, log10 of nx and of ny, and the
 * cosine and sine of twice the orientation. Pairs of simple cells come first, then pairs of complex cells,
 * each sorted by distance.
 */
export function matchCells(
  one: ReceptiveFields,
  other: ReceptiveFields,
  { largestDistance = 1, sameColour = false }: MatchOptions = {},
): MatchedCells[] {
  checkPositive("matched cells: largestDistance", largestDistance);
  return CELL_TYPES.flatMap((cellType) => {
    const [a, b] = [cellsOf(one, cellType), cellsOf(other, cellType)];
    if (a.length === 0 || b.length === 0) return [];
    const all = [...a.map((cell) => place(one, cell)), ...b.map((cell) => place(other, cell))];
    const scales = deviations(all);
    const far = 1e6;
    const distances = a.map((_, i) =>
      b.map((__, j) => {
        if (sameColour && one.colour[a[i]!] !== other.colour[b[j]!]) return far;
        const [p, q] = [all[i]!, all[a.length + j]!];
        return Math.hypot(...p.map((value, k) => (value - q[k]!) / scales[k]!));
      }),
    );
    return munkres(distances)
      .map(([i, j]) => ({ cellType, one: a[i]!, other: b[j]!, distance: distances[i]![j]! }))
      .filter(({ distance }) => distance <= largestDistance)
      .sort((p, q) => p.distance - q.distance);
  });
}

function cellsOf({ simple, complex }: ReceptiveFields, cellType: CellType): number[] {
  return cellType === "simple"
    ? Array.from({ length: simple }, (_, i) => i)
    : Array.from({ length: complex }, (_, i) => simple + i);
}

function place(fields: ReceptiveFields, cell: number): readonly number[] {
  const doubled = (fields.orientation[cell]! * Math.PI) / 90;
  return [
    Math.log2(fields.spatialFrequency[cell]!),
    Math.log10(fields.nx[cell]!),
    Math.log10(fields.ny[cell]!),
    Math.cos(doubled),
    Math.sin(doubled),
  ];
}

/** Computes the standard deviation of each column, or 1 if all values of the column are equal. */
function deviations(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, k) => {
    const mean = rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length;
    const squares = rows.reduce((sum, row) => sum + (row[k]! - mean) ** 2, 0);
    return Math.sqrt(squares / Math.max(1, rows.length - 1)) || 1;
  });
}
