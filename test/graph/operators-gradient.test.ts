import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import { input, operatorTypes, topologicalOrder } from "../../src/graph/index.js";
import { apply, operatorOf } from "../../src/graph/operator.js";
import type { Table } from "./operators/entry.js";
import type { GradientCase } from "./operators/gradient-check.js";
import { failures } from "./operators/gradient-check.js";
import { FLOAT_PORTS, WITHOUT_SLOPE } from "./operators/signatures.js";
import { GROUPS, OPERATORS, SEED, drawnCases, tested } from "./operators/tables.js";
import { runGraph } from "./operators/run-graph.js";
import { uniform } from "./operators/values.js";

const labelled = (table: Table, type: string): GradientCase[] =>
  drawnCases(table, type).map((item) => ({ ...item, label: `${type} ${item.label}` }));

describe("gradients against differences of values", () => {
  for (const [group, table] of Object.entries(GROUPS)) {
    it(`${group}: every element, every target, optimised or not`, async () => {
      const drawn = Object.keys(table).flatMap((type) => labelled(table, type));
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
  it("has a test or a reason, and a signature, for every operator", () => {
    expect(operatorTypes().filter((type) => !(type in OPERATORS))).toEqual([]);
    expect(operatorTypes().filter((type) => !FLOAT_PORTS.has(type))).toEqual([]);
    const known = [...Object.keys(OPERATORS), ...FLOAT_PORTS.keys()];
    expect(known.filter((type) => operatorOf(type) === undefined)).toEqual([]);
  });

  it("says zero where the rule does, and tests every other rule", () => {
    for (const [type, entry] of Object.entries(OPERATORS)) {
      const rule = operatorOf(type)?.gradient;
      const claimed = "reason" in entry ? entry.reason : "tested";
      if (claimed === "zero gradient") expect([type, rule]).toEqual([type, "zero"]);
      else if (claimed === "tested") expect([type, typeof rule]).toEqual([type, "function"]);
    }
  });

  it("differentiates every float operand and every float result of each tested operator", () => {
    const seen = new Set(
      Object.values(GROUPS).flatMap((table) =>
        tested(table).flatMap((type) => drawnCases(table, type).flatMap(differentiatedPorts)),
      ),
    );
    const missing = tested(OPERATORS).flatMap((type) => {
      const { inputs, outputs } = FLOAT_PORTS.get(type)!;
      return [
        ...inputs.filter(({ index }) => !seen.has(`${type} in ${index}`)),
        ...outputs.filter(({ index }) => !seen.has(`${type} out ${index}`)),
      ].map(({ name }) => `${type} ${name}`);
    });
    expect(missing.filter((port) => !(port in WITHOUT_SLOPE))).toEqual([]);
  });

  it("lists no operand without a slope that has one", () => {
    const ports = new Set(
      [...FLOAT_PORTS].flatMap(([type, { inputs }]) => inputs.map(({ name }) => `${type} ${name}`)),
    );
    expect(Object.keys(WITHOUT_SLOPE).filter((port) => !ports.has(port))).toEqual([]);
  });

  it("finds no difference where operators from floats to floats claim a zero gradient", async () => {
    const types = operatorTypes().filter((type) => {
      const { inputs, outputs } = FLOAT_PORTS.get(type)!;
      const flows = inputs.some(({ name }) => !(`${type} ${name}` in WITHOUT_SLOPE)) && outputs.length > 0;
      return operatorOf(type)?.gradient === "zero" && flows;
    });
    expect(types).toContain("Floor");
    const x = uniform([64], 3, -4, 4, "float32");
    const moved = { ...x, data: x.data.map((value) => value + 1e-4) };
    const results = await Promise.all(
      [x, moved].map((values) =>
        runGraph([values], (leaf) => Object.fromEntries(types.map((type) => [type, valueOf(type, leaf)])), {
          target: "cpu",
          optimisation: "disabled",
        }),
      ),
    );
    for (const type of types) expect([type, results[0]![type]]).toEqual([type, results[1]![type]]);
  });
});

function valueOf(type: string, x: Tensor): Tensor {
  const { inputs } = FLOAT_PORTS.get(type)!;
  return apply(
    type,
    inputs.map(() => x),
  )[0]!;
}

/** "type in i" and "type out k" for all that the gradient of a case passes through, by the names of the operators. */
function differentiatedPorts(item: GradientCase): string[] {
  const leaves = item.inputs.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype));
  const y = item.build(...leaves);
  const moving = new Set(leaves.filter((_, i) => item.inputs[i]!.fixed !== true));
  const order = topologicalOrder([y]);
  for (const node of order) {
    if (operatorOf(node.type)?.gradient === "zero") continue;
    if (node.inputs.some((tensor) => tensor && moving.has(tensor)))
      for (const output of node.outputs) moving.add(output);
  }
  const wanted = new Set([y]);
  return order.toReversed().flatMap((node) => {
    const used = node.outputs.filter((output) => wanted.has(output));
    if (used.length === 0) return [];
    const isFloat = (tensor: Tensor | undefined) => tensor?.dtype.startsWith("float") === true;
    for (const tensor of node.inputs) if (tensor) wanted.add(tensor);
    return [
      ...node.inputs.flatMap((tensor, i) =>
        isFloat(tensor) && moving.has(tensor!) ? [`${node.type} in ${i}`] : [],
      ),
      ...used.filter(isFloat).map(({ index }) => `${node.type} out ${index}`),
    ];
  });
}
