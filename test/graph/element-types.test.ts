import { describe, expect, it } from "vitest";
import { StriateError } from "../../src/util/errors.js";
import type { GradientCase } from "./operators/gradient-check.js";
import { GROUPS, drawnCases, tested } from "./operators/tables.js";
import type { Variant } from "./operators/variant.js";
import { differences, results, traced } from "./operators/variant.js";

const KINDS = {
  "in float16": [{ dtype: "float16" }, 2e-2],
  "in float16 between float32 ends": [{ dtype: "float32", inside: "float16" }, 2e-2],
  "in float64": [{ dtype: "float64" }, 1e-4],
} as const satisfies Record<string, readonly [Variant, number]>;

/** Whether ONNX does not have the operator in this precision, which the operator itself says. */
function isRefused(item: GradientCase, variant: Variant): boolean {
  try {
    traced(item, "cpu", { ...variant, forward: true });
    return false;
  } catch (error) {
    return error instanceof StriateError;
  }
}

/** Values and gradients of a case in another precision against those in single precision. */
async function problems(item: GradientCase, variant: Variant, tolerance: number): Promise<string[]> {
  const expected = await results(item, "cpu", { dtype: "float32" });
  const found: string[] = [];
  for (const target of ["cpu", "portable", "webgpu"] as const) {
    try {
      const got = await results(item, target, variant);
      const forward = { ...variant, forward: true };
      const runs = got !== undefined || (await results(item, target, forward)) === undefined;
      const lines = got && expected ? differences(got, expected, tolerance) : [];
      found.push(...lines.map((line) => `${target}: ${line}`), ...(runs ? [] : [`${target}: no gradient`]));
    } catch (error) {
      if (!isRefused(item, variant)) found.push(`${target}: ${String(error)}`);
    }
  }
  return found.map((line) => `${item.label}: ${line}`);
}

describe.each(Object.entries(KINDS))(
  "gradients %s equal those in single precision",
  (_kind, [variant, tolerance]) => {
    it.each(Object.entries(GROUPS))("%s", async (_group, table) => {
      const found: string[] = [];
      for (const type of tested(table)) {
        for (const item of drawnCases(table, type, 3)) {
          found.push(...(await problems(item, variant, tolerance)).map((line) => `${type} ${line}`));
        }
      }
      expect(found).toEqual([]);
    });
  },
);
