import { describe, expect, it } from "vitest";
import type { Target } from "../../src/graph/index.js";
import { StriateError } from "../../src/util/errors.js";
import type { GradientCase } from "./operators/gradient-check.js";
import { GROUPS, drawnCases, tested } from "./operators/tables.js";
import type { Variant } from "./operators/variant.js";
import { differences, results, traced } from "./operators/variant.js";

/** Names for equal lengths are equal, so that what has to fit still fits. */
const name = (length: number) => (length === 1 ? 1 : `n${length}`);
const NAMED: Readonly<Record<string, Variant>> = {
  "every axis": { axis: (_input, _axis, length) => name(length) },
  "the space of the first operand": {
    axis: (input, axis, length) => (input === 0 && axis >= 2 ? name(length) : length),
  },
};

/** Operators that have a gradient whatever the names of their spatial axes. */
const ALWAYS = new Set([
  "Conv",
  "ConvTranspose",
  "MaxPool",
  "MaxPoolSelect",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "Slice",
]);

/** Whether names are refused with a clear error, while the graph is built or lowered. */
function isRefused(item: GradientCase, target: Target, variant: Variant): boolean {
  try {
    traced(item, target, variant);
    return false;
  } catch (error) {
    if (error instanceof StriateError) return true;
    throw error;
  }
}

describe.each(Object.entries(NAMED))("with names for %s", (_what, variant) => {
  it.each(Object.entries(GROUPS))(
    "%s: gradients are those of known lengths, or refused",
    async (_g, table) => {
      const found: string[] = [];
      for (const type of tested(table)) {
        for (const item of drawnCases(table, type, 8)) {
          const expected = await results(item, "cpu", {});
          for (const target of ["cpu", "portable"] as const) {
            const where = `${type} ${item.label} ${target}`;
            if (isRefused(item, target, variant)) {
              const mustBeGiven = variant === NAMED["the space of the first operand"] && target === "cpu";
              if (mustBeGiven && ALWAYS.has(type)) found.push(`${where}: refused`);
              continue;
            }
            const got = await results(item, target, variant).catch((error: unknown) => String(error));
            const lines = typeof got === "string" ? [got] : differences(got!, expected!, 1e-3);
            found.push(...lines.map((line) => `${where}: ${line}`));
          }
        }
      }
      expect(found).toEqual([]);
    },
  );
});
