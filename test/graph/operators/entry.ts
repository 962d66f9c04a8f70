import type fc from "fast-check";
import type { GradientCase } from "./gradient-check.js";

/** How an operator's gradient is tested, or why there is none to test. */
export type Entry =
  | {
      readonly cases: fc.Arbitrary<GradientCase>;
      /** How many random cases each run of the tests makes (default 3). */
      readonly count?: number;
    }
  | { readonly reason: string };

export type Table = Readonly<Record<string, Entry>>;

/** Values are whole or piecewise constant: the rule says "zero", which the table test checks. */
export const ZERO = { reason: "zero gradient" } as const;
