import type { Population } from "../compute/v1-frame.js";
import type { Table } from "../parts/save.js";
import { kindOf, responseAt } from "./drawings.js";

/** The preferences of all cells, and their responses at a position. Undefined before there are responses. */
export function cellTable(
  population: Population | undefined,
  responses: Float32Array | undefined,
  { column, row }: { readonly column: number; readonly row: number },
): Table | undefined {
  if (population === undefined || responses === undefined) return undefined;
  const { orientation, spatialFrequency, phase, nx, ny } = population;
  return {
    columns: [
      ...["cell", "kind", "orientation_deg", "frequency_cpd", "phase_deg"],
      ...["nx_cycles", "ny_cycles", `response_at_${column + 1}_${row + 1}`],
    ],
    rows: Array.from(orientation, (degrees, cell) => [
      cell + 1,
      kindOf(population, cell),
      ...[degrees, spatialFrequency[cell]!, phase[cell]!, nx[cell]!, ny[cell]!],
      responseAt(responses, cell, column, row),
    ]),
  };
}
