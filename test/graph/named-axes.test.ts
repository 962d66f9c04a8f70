import { describe, expect, it } from "vitest";
import type { Target } from "../../src/graph/index.js";
import { conv, gradients, input, mul, sum, tensorData } from "../../src/graph/index.js";
import { StriateError } from "../../src/util/errors.js";
import { numbers, runGraph } from "../support/run.js";
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

describe("a convolution over named lengths", () => {
  it.each([
    [3, 2, 1, 8],
    [3, 2, 1, 7],
    [3, 2, 0, 9],
    [5, 3, 2, 11],
    [2, 2, 0, 6],
    [1, 2, 0, 8],
  ])(
    "kernel %d, stride %d, padding %d, length %d: twice differentiated",
    async (kernel, stride, padding, length) => {
      const values = (shape: readonly number[], start: number) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return tensorData(
          Float32Array.from({ length: size }, (_, i) => Math.sin(start + 1.7 * i)),
          shape,
        );
      };
      const feeds = { x: values([2, 2, length, length], 0), w: values([3, 2, kernel, kernel], 1) };
      const run = async (space: readonly (number | string)[]) => {
        const [x, w] = [input("x", [2, 2, ...space]), input("w", feeds.w.shape)];
        const y = conv(x, w, undefined, { stride, padding });
        const [dx, dw] = gradients(sum(mul(y, mul(y, y))), [x, w]);
        const [ddx, ddw] = gradients([sum(mul(dx!, dx!)), sum(mul(dw!, dw!))], [x, w]);
        return runGraph({ dx: dx!, dw: dw!, ddx: ddx!, ddw: ddw! }, feeds);
      };
      const [known, named] = [await run([length, length]), await run(["height", "width"])];
      for (const [what, { shape, data }] of Object.entries(known)) {
        const found = numbers(named[what]);
        const scale = Math.max(...Array.from(data as Float32Array, Math.abs));
        const worst = Math.max(...numbers(known[what]).map((value, i) => Math.abs(value - found[i]!)));
        expect([what, named[what]!.shape, worst / scale < 1e-5]).toEqual([what, shape, true]);
      }
    },
  );
});

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
