import munkres from "munkres";
import { check } from "../../../util/errors.js";
import type { ReceptiveFields } from "../v1/receptive-fields.js";
import type { CellType } from "./sub-populations.js";
import { CELL_TYPES } from "./sub-populations.js";

/** Two cells of two populations with receptive fields alike. */
export interface MatchedCells {
  readonly cellType: CellType;
  /** Number of the cell in the one population and in the other. */
  readonly one: number;
  readonly other: number;
  /** Euclidean, every property scaled by its deviation over both populations. */
  readonly distance: number;
}

/** Which cells of two populations may be paired. */
export interface MatchOptions {
  /** Pairs that are further apart are left out. Default 1. */
  readonly largestDistance?: number;
  /** Pair only cells that see the same colour channel. Default false. */
  readonly sameColour?: boolean;
}

/**
 * Pairs cells of the same type by the smallest sum of distances (optimal assignment, Kuhn 1955) over log2 of the spatial
 * frequency, log10 of nx and ny, and cos and sin of twice the orientation. Simple cells first, closest pairs first.
 */
export function matchCells(
  one: ReceptiveFields,
  other: ReceptiveFields,
  { largestDistance = 1, sameColour = false }: MatchOptions = {},
): MatchedCells[] {
  check(
    largestDistance > 0,
    () => `matched cells: expected a largest distance above 0, got ${largestDistance}`,
  );
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

/** Of each column; 1 where all values are the same. */
function deviations(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, k) => {
    const mean = rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length;
    const squares = rows.reduce((sum, row) => sum + (row[k]! - mean) ** 2, 0);
    return Math.sqrt(squares / Math.max(1, rows.length - 1)) || 1;
  });
}
