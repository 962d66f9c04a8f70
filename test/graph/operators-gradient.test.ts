import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { operatorTypes } from "../../src/graph/index.js";
import { operatorOf } from "../../src/graph/operator.js";
import type { Table } from "./operators/entry.js";
import type { GradientCase } from "./operators/gradient-check.js";
import { failures } from "./operators/gradient-check.js";
import { ELEMENTWISE } from "./operators/table-elementwise.js";
import { LINEAR } from "./operators/table-linear.js";
import { GROUP_NORM, NORMALISE } from "./operators/table-normalise.js";
import { REDUCE, SELECT } from "./operators/table-reduce.js";
import { SHAPE } from "./operators/table-shape.js";
import { ADAPTIVE, SPACE } from "./operators/table-space.js";

/** Draws other cases: STRIATE_TEST_SEED=7 npx vitest run test/graph/operators-gradient.test.ts */
const SEED = Number(process.env.STRIATE_TEST_SEED ?? 20240607);

const OPERATORS: Table = {
  ...ELEMENTWISE,
  ...REDUCE,
  ...SELECT,
  ...SHAPE,
  ...LINEAR,
  ...SPACE,
  ...NORMALISE,
};

const GROUPS: Readonly<Record<string, Table>> = {
  elementwise: ELEMENTWISE,
  reductions: REDUCE,
  "reads and writes by index": SELECT,
  "shape and order": SHAPE,
  "products and convolutions": LINEAR,
  "pooling and resizing": { ...SPACE, ...ADAPTIVE },
  normalisation: { ...NORMALISE, ...GROUP_NORM },
};

describe("gradients against differences of values", () => {
  for (const [group, table] of Object.entries(GROUPS)) {
    it(`${group}: every element, every target, optimised or not`, async () => {
      const drawn = Object.entries(table).flatMap(([operator, entry]) => {
        if ("reason" in entry) return [];
        const cases = fc.sample(entry.cases, { numRuns: entry.count ?? 3, seed: SEED });
        return cases.map((item): GradientCase => ({ ...item, label: `${operator} ${item.label}` }));
      });
      const found = await failures(drawn).catch((error: unknown) => [String(error)]);
      if (found.length > 0) await shrink(table);
      expect(found).toEqual([]);
    });
  }
});

/** Something in the table fails: throws the smallest case of the first operator that fails alone. */
async function shrink(table: Table): Promise<void> {
  for (const [operator, entry] of Object.entries(table)) {
    if ("reason" in entry) continue;
    const property = fc.asyncProperty(entry.cases, async (item) => {
      const found = await failures([{ ...item, label: `${operator} ${item.label}` }]);
      if (found.length > 0) throw new Error(found.join("\n"));
    });
    await fc.assert(property, { numRuns: entry.count ?? 3, seed: SEED, interruptAfterTimeLimit: 30_000 });
  }
}

describe("the table of operators", () => {
  it("has a test or a reason for every operator", () => {
    expect(operatorTypes().filter((type) => !(type in OPERATORS))).toEqual([]);
    expect(Object.keys(OPERATORS).filter((type) => operatorOf(type) === undefined)).toEqual([]);
  });

  it("says zero where the rule does, and tests every other rule", () => {
    for (const [type, entry] of Object.entries(OPERATORS)) {
      const rule = operatorOf(type)?.gradient;
      const claimed = "reason" in entry ? entry.reason : "tested";
      if (claimed === "zero gradient") expect([type, rule]).toEqual([type, "zero"]);
      else if (claimed === "tested") expect([type, typeof rule]).toEqual([type, "function"]);
    }
  });
});
