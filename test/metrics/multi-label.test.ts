import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  binaryAccuracy,
  binaryCrossEntropyWithLogits,
  microF1,
  topKRecall,
  topKSetAccuracy,
  topKSetCorrect,
} from "../../src/metrics/index.js";
import { readSafetensors } from "../../src/util/safetensors-node.js";

const folder = resolve(import.meta.dirname, "../../../shared/goldens/komplexnet");
const present = existsSync(folder);
if (!present) console.log(`skipped: metrics of the reference, no folder ${folder}`);
const cases = present
  ? readdirSync(folder).filter((name) => /^(ff|fb)_.*_?T\d+\.safetensors$/.test(name))
  : [];

describe.skipIf(!present)("metrics of the reference", () => {
  it("has cases", () => {
    expect(cases.length).toBeGreaterThan(5);
  });

  it.each(cases)("%s", async (name) => {
    const { tensors, metadata } = await readSafetensors(resolve(folder, name));
    const tensor = (key: string): Float32Array => tensors.get(key)!.data as Float32Array;
    const tolerance = JSON.parse(metadata.tolerance_abs_by_tensor!) as Record<string, number>;
    const { num_objects: k = 2 } = JSON.parse(metadata.config!) as { num_objects?: number };
    const [steps, batch, classes] = tensors.get("output.logits")!.shape as [number, number, number];
    const step = (t: number): Float32Array =>
      tensor("output.logits").subarray(t * batch * classes, (t + 1) * batch * classes);
    const [logits, y] = [step(steps - 1), tensor("input.y")];
    const near = (key: string, ours: number, index = 0): void => {
      expect(Math.abs(ours - tensor(key)[index]!), key).toBeLessThanOrEqual(tolerance[key]! + 1e-7);
    };
    near("output.acc_topk", topKSetAccuracy(logits, y, classes, k));
    near("output.acc_topk", topKSetAccuracy(logits, y, classes, "trueLabels"));
    near("output.binary_acc", binaryAccuracy(logits, y));
    near("output.f1", microF1(logits, y));
    for (let t = 0; t < steps; t++) near("output.bce_per_step", binaryCrossEntropyWithLogits(step(t), y), t);
  });
});

const eighths = fc.integer({ min: -40, max: 40 }).map((n) => n / 8);

/** Random batches without ties: logits in random order, 1 to 4 true labels of 6 classes. */
const anyBatch = fc
  .array(
    fc.record({
      logits: fc.uniqueArray(eighths, { minLength: 6, maxLength: 6 }),
      labels: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((samples) => ({
    samples,
    logits: samples.flatMap((sample) => sample.logits),
    targets: samples.flatMap(({ labels }) => [0, 1, 2, 3, 4, 5].map((c) => (labels.includes(c) ? 1 : 0))),
  }));

const top = (logits: readonly number[], k: number): number[] =>
  logits
    .map((logit, c) => [logit, c] as const)
    .sort((a, b) => b[0] - a[0])
    .slice(0, k)
    .map(([, c]) => c);

describe("top-k metrics", () => {
  it("agree with sorting, for fixed k and for k = number of true labels", () => {
    fc.assert(
      fc.property(
        anyBatch,
        fc.constantFrom(1, 2, 3, "trueLabels" as const),
        ({ samples, logits, targets }, k) => {
          const expected = samples.map((sample) => {
            const best = top(sample.logits, k === "trueLabels" ? sample.labels.length : k);
            const hits = best.filter((c) => sample.labels.includes(c)).length;
            return {
              exact: hits === sample.labels.length && hits === best.length,
              recall: hits / sample.labels.length,
            };
          });
          expect(Array.from(topKSetCorrect(logits, targets, 6, k), Boolean)).toEqual(
            expected.map(({ exact }) => exact),
          );
          const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
          expect(topKSetAccuracy(logits, targets, 6, k)).toBeCloseTo(
            mean(expected.map(({ exact }) => Number(exact))),
            12,
          );
          expect(topKRecall(logits, targets, 6, k)).toBeCloseTo(
            mean(expected.map(({ recall }) => recall)),
            12,
          );
        },
      ),
    );
  });

  it("stay the same under any rising function, such as the sigmoid", () => {
    fc.assert(
      fc.property(anyBatch, ({ logits, targets }) => {
        const probabilities = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
        expect(topKSetCorrect(probabilities, targets, 6, 2)).toEqual(topKSetCorrect(logits, targets, 6, 2));
      }),
    );
  });

  it("rank equal scores by class number, so a constant answer earns nothing by chance", () => {
    expect(topKSetAccuracy([0, 0, 0, 0], [1, 1, 0, 0], 4, 2)).toBe(1);
    expect(topKSetAccuracy([0, 0, 0, 0], [0, 0, 1, 1], 4, 2)).toBe(0);
  });

  it("refuse what has no meaning", () => {
    expect(() => topKSetAccuracy([1, 2], [1, 0], 2, 3)).toThrow(/k from 1 to 2 or "trueLabels", got 3/);
    expect(() => topKSetAccuracy([1, 2], [0, 0], 2, "trueLabels")).toThrow(/sample 0 has no true label/);
    expect(() => topKRecall([1, 2], [0, 0], 2, 1)).toThrow(/sample 0 has no true label/);
    expect(() => topKSetAccuracy([1, 2, 3], [0, 0, 1], 2, 1)).toThrow(
      /expected whole samples of 2 classes, got 3/,
    );
    expect(() => topKSetAccuracy([NaN, 2], [0, 1], 2, 1)).toThrow(/score 0 is not a number/);
    expect(() => topKSetAccuracy([1, 2], [0, 0.5], 2, 1)).toThrow(/target 1: expected 0 or 1, got 0.5/);
    expect(() => binaryAccuracy([], [])).toThrow(/at least one, got 0 scores and 0 targets/);
    expect(() => microF1([1], [1, 0])).toThrow(/got 1 scores and 2 targets/);
  });
});

describe("entry-wise metrics", () => {
  it("agree with their definitions", () => {
    fc.assert(
      fc.property(anyBatch, ({ logits, targets }) => {
        const positive = logits.map((logit) => 1 / (1 + Math.exp(-logit)) > 0.5);
        const count = (p: boolean, t: number): number =>
          positive.filter((q, i) => q === p && targets[i] === t).length;
        const [tp, fp, fn, tn] = [count(true, 1), count(true, 0), count(false, 1), count(false, 0)];
        expect(binaryAccuracy(logits, targets)).toBeCloseTo((tp + tn) / logits.length, 12);
        expect(microF1(logits, targets)).toBeCloseTo((2 * tp) / (2 * tp + fp + fn), 12);
        const direct = logits.reduce((sum, logit, i) => {
          const p = 1 / (1 + Math.exp(-logit));
          return sum - (targets[i] === 1 ? Math.log(p) : Math.log(1 - p));
        }, 0);
        expect(binaryCrossEntropyWithLogits(logits, targets)).toBeCloseTo(direct / logits.length, 9);
      }),
    );
  });

  it("stay finite and exact at the extremes", () => {
    expect(binaryCrossEntropyWithLogits([1000, -1000], [0, 1])).toBe(1000);
    expect(binaryCrossEntropyWithLogits([1000, -1000], [1, 0])).toBe(0);
    expect(binaryCrossEntropyWithLogits([0], [1])).toBeCloseTo(Math.log(2), 12);
    expect(microF1([-1, -1], [0, 0])).toBe(0);
  });
});
