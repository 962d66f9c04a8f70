import fc from "fast-check";
import type { Table } from "./entry.js";
import type { GradientCase } from "./gradient-check.js";
import { ELEMENTWISE } from "./table-elementwise.js";
import { LINEAR } from "./table-linear.js";
import { GROUP_NORM, NORMALISE } from "./table-normalise.js";
import { FORMS, PLACES } from "./table-places.js";
import { REDUCE, SELECT } from "./table-reduce.js";
import { SHAPE } from "./table-shape.js";
import { ADAPTIVE, SPACE } from "./table-space.js";

/** Draws other cases: STRIATE_TEST_SEED=7 npx vitest run test/graph */
export const SEED = Number(process.env.STRIATE_TEST_SEED ?? 20240607);

/** One entry for each operator. */
export const OPERATORS: Table = {
  ...ELEMENTWISE,
  ...REDUCE,
  ...SELECT,
  ...PLACES,
  ...SHAPE,
  ...LINEAR,
  ...SPACE,
  ...NORMALISE,
};

/** The same by family, with functions made of several operators that have properties of their own. */
export const GROUPS: Readonly<Record<string, Table>> = {
  elementwise: ELEMENTWISE,
  reductions: REDUCE,
  "reads and writes by index": SELECT,
  "places, spectra and determinants": { ...PLACES, ...FORMS },
  "shape and order": SHAPE,
  "products and convolutions": LINEAR,
  "pooling and resizing": { ...SPACE, ...ADAPTIVE },
  normalisation: { ...NORMALISE, ...GROUP_NORM },
};

/** The cases that a run of the tests draws for one entry, none for one with a reason; `most` limits their number. */
export function drawnCases(table: Table, type: string, most = Infinity): GradientCase[] {
  const entry = table[type]!;
  if ("reason" in entry) return [];
  return fc.sample(entry.cases, { numRuns: Math.min(entry.count ?? 3, most), seed: SEED });
}

/** Entries that have cases. */
export function tested(table: Table): string[] {
  return Object.keys(table).filter((type) => !("reason" in table[type]!));
}
