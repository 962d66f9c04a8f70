import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PreparedImages } from "../../src/data/images/prepared-images.js";
import { cellFolder, cellKey } from "../../src/experiments/cells.js";
import { SCALES } from "../../src/experiments/options.js";
import {
  groupFacts,
  matchFacts,
  meanCorruptionAccuracy,
  relativeDifference,
} from "../../src/experiments/v1-sampling/analysis.js";
import type { V1NetworkResult, V1TestResult } from "../../src/experiments/v1-sampling/cell.js";
import { runV1Cell } from "../../src/experiments/v1-sampling/cell.js";
import { testImages } from "../../src/experiments/v1-sampling/images.js";
import { v1Claims } from "../../src/experiments/v1-sampling/claims.js";
import { v1Of } from "../../src/experiments/v1-sampling/networks.js";
import { relativeText, v1SamplingPage } from "../../src/experiments/v1-sampling/page.js";
import type { V1NetworkCell, V1Plan } from "../../src/experiments/v1-sampling/plan.js";
import { isSampled, v1CellName, v1Cells, V1_PLANS } from "../../src/experiments/v1-sampling/plan.js";
import { bankFacts, distributions } from "../../src/experiments/v1-sampling/populations.js";
import { v1SamplingReport } from "../../src/experiments/v1-sampling/results.js";
import { summariseSeeds } from "../../src/report/over-seeds.js";
import { matchCells } from "../../src/systems/vonenet/index.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { finishedRun } from "./finished-run.js";

/** Images of two classes: dark and light ones. */
function pictures(count: number, seed: number): PreparedImages {
  const random = new Random(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const size = 3 * 64 * 64;
  const pixels = Uint8Array.from(
    { length: count * size },
    (_, i) => random.integer(0, 120) + 120 * labels[Math.floor(i / size)]!,
  );
  return { count, shape: [3, 64, 64], pixels, labels, classes: ["dark", "light"] };
}

const PLAN: V1Plan = {
  ...V1_PLANS.smoke,
  networks: ["biol", "unif1", "biol-noise", "plain"],
  architecture: { simple: 4, complex: 4, kernelSize: 15, stride: 8, gain: 23, width: 1 / 16 },
  trainImages: 8,
  steps: 2,
  batchSize: 4,
  validationImages: 4,
  evaluations: 1,
  testing: {
    images: 4,
    corruptions: ["gaussian_noise", "contrast"],
    severities: [3],
    probeImages: 4,
    probeSeverity: 3,
  },
};
const never = new AbortController().signal;

describe("the cells of v1-sampling", () => {
  it.each(SCALES)(
    "of scale %s have names and addresses of their own, equal budgets, the standard ones first",
    (scale) => {
      const cells = v1Cells(V1_PLANS[scale], [1, 2]);
      expect(new Set(cells.map(v1CellName)).size).toBe(12);
      expect(new Set(cells.map(cellKey)).size).toBe(12);
      const budget = ({ network: _, seed: __, ...rest }: V1NetworkCell) => rest;
      for (const cell of cells) expect(budget(cell)).toEqual(budget(cells[0]!));
      expect(cells.slice(0, 3).map(({ network }) => network)).toEqual([
        "biol",
        "unif1",
        { smoke: "plain", laptop: "biol-noise", paper: "unif2" }[scale],
      ]);
    },
  );

  it("of scale laptop have more seeds where the claim is, and fewer elsewhere", () => {
    const cells = v1Cells(V1_PLANS.laptop, [1, 2, 3, 4, 5]);
    const seedsOf = (name: string) => cells.filter(({ network }) => network === name).length;
    expect(["biol", "unif1", "unif2", "unif3", "biol-noise", "plain"].map(seedsOf)).toEqual([
      5, 5, 2, 2, 2, 2,
    ]);
  });

  it("train, are tested, taken apart and reported; corrupted images are made once", async () => {
    const folder = await temporaryFolder();
    const images = { training: pictures(8, 1), validation: pictures(4, 2), test: pictures(4, 3) };
    const made: string[] = [];
    const makeTest = () =>
      testImages(images.test, {
        folder: join(folder, "images"),
        data: "cifar10",
        testing: PLAN.testing,
        threads: 1,
        signal: never,
        onProgress: (task) => made.push(task),
      });
    const test = await makeTest();
    expect(made).toHaveLength(4);
    await makeTest();
    expect(made).toHaveLength(4);
    expect(test.conditions.map(({ corruption }) => corruption)).toEqual([
      "clean",
      "gaussian_noise",
      "contrast",
    ]);
    expect((await test.load(test.conditions[1]!)).pixels).not.toEqual(images.test.pixels);

    const cells = join(folder, "cells");
    const results = new Map<V1NetworkCell, V1NetworkResult>();
    for (const config of v1Cells(PLAN, [1]).filter(({ network }) => PLAN.networks.includes(network))) {
      const result = await runV1Cell(config, {
        cells,
        images,
        test,
        device: "cpu",
        threads: 1,
        signal: never,
        onProgress: () => undefined,
        onWarning: () => undefined,
      });
      expect(result?.tested).toHaveLength(3);
      expect(existsSync(join(cellFolder(cells, config), "model.onnx"))).toBe(true);
      expect(result?.dissection === undefined).toBe(!isSampled(config.network));
      results.set(config, result!);
    }
    const [biol] = results.values() as unknown as [V1NetworkResult];
    const { whole, silenced, weights } = biol.dissection!;
    expect(weights).toHaveLength(8);
    expect(new Set(silenced.map(({ group }) => group)).size * 2).toBe(silenced.length);
    expect(silenced.reduce((sum, { cells: n }) => sum + n, 0)).toBe(16);
    expect(Object.keys(whole.corrupted).sort()).toEqual(["digital", "noise"]);
    expect(silenced.every(({ held, moved }) => held === "mean" || (moved > 0 && moved <= 4))).toBe(true);

    const report = await v1SamplingReport({
      ...finishedRun(PLAN, results),
      images,
      test,
      session: { threads: 1 },
    });
    expect(report.networks.map(({ id }) => id)).toEqual(["biol", "unif1", "biol-noise", "plain"]);
    expect(v1Claims(report)).toMatchObject([
      {
        id: "biological-over-uniform",
        differences: [{ seed: 1 }],
        compared: [{ label: "BIOL" }, { label: "UNIF1" }],
      },
    ]);
    const page = await v1SamplingPage(report);
    expect(page.length).toBeLessThan(5e6);
    expect(page).toContain("A reduced study");
    expect(page).toContain("+8.7 %");
  });
});

it("gives relative differences an interval over the seeds that both networks have", () => {
  const over = (...values: number[]) => summariseSeeds(values.map((value, i) => ({ seed: i + 1, value })));
  // Differences of 10 and 20 % have a standard error of 5 %; t is 12.7 for one degree of freedom.
  expect(relativeText(over(0.55, 0.6), over(0.5, 0.5, 0.4))).toBe("+15.0 % ± 63.5");
  expect(relativeText(over(0.55), over(0.5, 0.5))).toBe("+10.0 %");
  expect(relativeText(over(0.55), over(0))).toBe("–");
});

describe("the study's numbers", () => {
  const tested = (clean: number, noise: readonly number[], blur: readonly number[]): V1TestResult[] => [
    { corruption: "clean", severity: 0, ...scored(clean) },
    ...noise.map(
      (accuracy, i) =>
        ({ corruption: "gaussian_noise", severity: (i + 1) as 1, ...scored(accuracy) }) as const,
    ),
    ...blur.map(
      (accuracy, i) => ({ corruption: "defocus_blur", severity: (i + 1) as 1, ...scored(accuracy) }) as const,
    ),
  ];
  /** The first images of ten are right. */
  const scored = (accuracy: number) => ({
    accuracy,
    top5: 1,
    right: "1".repeat(Math.round(10 * accuracy)).padEnd(10, "0"),
  });
  const result = (list: V1TestResult[]) => ({ tested: list }) as unknown as V1NetworkResult;

  it("are means over severities, then over corruptions, and differences relative to the other", () => {
    expect(meanCorruptionAccuracy(tested(0.9, [0.6, 0.4], [0.8]))).toBeCloseTo(0.65, 12);
    const one = [1, 2].map((seed) => ({ seed, result: result(tested(0.9, [0.6], [0.6])) }));
    const other = [2, 3].map((seed) => ({ seed, result: result(tested(0.9, [0.5], [0.3])) }));
    expect(relativeDifference(one, other)).toMatchObject({ values: [{ seed: 2 }], std: null });
    expect(relativeDifference(one, other)!.mean).toBeCloseTo(0.5, 12);
    expect(relativeDifference(one, [])).toBeUndefined();
  });

  it("of the banks are those of the specification", () => {
    const architecture = { ...V1_PLANS.paper.architecture };
    const facts = (["biol", "unif1", "unif2", "unif3"] as const).map((variant) =>
      bankFacts([v1Of(variant, 0, architecture)]).map(({ value }) => value),
    );
    const expected = [
      [0.988, 0.453],
      [0.624, 0.136],
      [0.609, 0.103],
      [0.94, 0.243],
    ];
    facts.forEach(([, , tenth, least], i) => {
      expect(tenth).toBeCloseTo(expected[i]![0]!, 2);
      expect(least).toBeCloseTo(expected[i]![1]!, 2);
    });
    expect(facts[0]![4]).toBeCloseTo(0.032, 3);
    expect(facts[1]![4]).toBeCloseTo(0.064, 2);
  });

  it("spread drawn cells over the measured bins", () => {
    const { fields } = v1Of("biol", 0, V1_PLANS.paper.architecture);
    const [orientation, simple] = distributions([{ variant: "biol", fields }]);
    for (const { series } of [orientation!, simple!])
      for (const { shares } of series) expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(orientation!.series[0]!.shares[0]).toBeCloseTo(66 / 246, 12);
    expect(simple!.series[1]!.shares[4]).toBeCloseTo(33 / 148, 1);
  });

  it("compare matched cells by their responses: the same cells answer the same", () => {
    const { fields } = v1Of("biol", 1, { ...PLAN.architecture, simple: 6, complex: 6 });
    const random = new Random(4);
    const responses = {
      data: Float32Array.from({ length: 3 * 12 * 9 }, () => random.uniform()),
      cells: 12,
      positions: 9,
    };
    const weights = Array.from({ length: 12 }, (_, i) => i + 1);
    const facts = matchFacts(matchCells(fields, fields), [responses, responses], [weights, weights]);
    expect(facts.map(({ cellType, pairs }) => [cellType, pairs])).toEqual([
      ["simple", 6],
      ["complex", 6],
    ]);
    for (const { correlation, unmatchedCorrelation, weights: agreement, weightRatio } of facts) {
      expect(correlation).toBeCloseTo(1, 6);
      expect(Math.abs(unmatchedCorrelation)).toBeLessThan(0.6);
      expect([agreement, weightRatio]).toEqual([expect.closeTo(1, 9), 1]);
    }
    const groups = groupFacts([
      {
        seed: 1,
        fields,
        result: {
          dissection: {
            weights,
            responses: weights.map(() => ({
              mean: 2,
              deviation: 1,
              variation: null,
              sparseness: 0.5,
              silent: 1,
            })),
            whole: { clean: 0.8, corrupted: { noise: 0.6 } },
            silenced: [
              { group: 0, cells: 2, held: "zero", clean: 0.7, corrupted: { noise: 0.4 }, moved: 0.1 },
            ],
          },
        } as unknown as V1NetworkResult,
      },
    ]);
    expect(groups.silentPositions).toBe(12);
    expect(groups.groups.reduce((sum, { weightShare }) => sum + weightShare, 0)).toBeCloseTo(1, 9);
    expect(groups.groups[0]!.zero).toMatchObject({ moved: 0.1 });
    expect(groups.groups[0]!.zero.clean).toBeCloseTo(0.1, 12);
    expect(groups.groups[0]!.zero.corruptedPerCell).toBeCloseTo(0.1, 12);
    expect(groups.groups[1]!.zero.clean).toBeNaN();
  });
});
