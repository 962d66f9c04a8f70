import { describe, expect, it } from "vitest";
import { StriateError } from "../../src/util/errors.js";
import type { GradientCase } from "./operators/gradient-check.js";
import { GROUPS, drawnCases, tested } from "./operators/tables.js";
import { differences, results, traced } from "./operators/variant.js";

const TOLERANCE = { float16: 2e-2, float64: 1e-4 };

/** Whether ONNX does not have the operator in this precision, which the operator itself says. */
function isRefused(item: GradientCase, dtype: "float16" | "float64"): boolean {
  try {
    traced(item, "cpu", { dtype, forward: true });
    return false;
  } catch (error) {
    return error instanceof StriateError;
  }
}

/** Values and gradients of a case in another precision against those in single precision. */
async function problems(item: GradientCase, dtype: "float16" | "float64"): Promise<string[]> {
  const expected = await results(item, "cpu", { dtype: "float32" });
  const found: string[] = [];
  for (const target of ["cpu", "portable", "webgpu"] as const) {
    try {
      const got = await results(item, target, { dtype });
      const runs = got !== undefined || (await results(item, target, { dtype, forward: true })) === undefined;
      const lines = got && expected ? differences(got, expected, TOLERANCE[dtype]) : [];
      found.push(...lines.map((line) => `${target}: ${line}`), ...(runs ? [] : [`${target}: no gradient`]));
    } catch (error) {
      if (!isRefused(item, dtype)) found.push(`${target}: ${String(error)}`);
    }
  }
  return found.map((line) => `${item.label}: ${line}`);
}

describe.each(["float16", "float64"] as const)("gradients in %s equal those in single precision", (dtype) => {
  it.each(Object.entries(GROUPS))("%s", async (_group, table) => {
    const found: string[] = [];
    for (const type of tested(table)) {
      for (const item of drawnCases(table, type, 4)) {
        found.push(...(await problems(item, dtype)).map((line) => `${type} ${line}`));
      }
    }
    expect(found).toEqual([]);
  });
});
