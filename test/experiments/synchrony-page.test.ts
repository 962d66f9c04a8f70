import { describe, expect, it } from "vitest";
import { scatterChart } from "../../src/report/scatter-chart.js";
import type { DigitsReport } from "../../src/experiments/digits/results.js";
import { compare, judge } from "../../src/experiments/digits/verdict.js";
import { synchronyPage } from "../../src/experiments/synchrony/page.js";
import type { SynchronyReport } from "../../src/experiments/synchrony/results.js";
import { rankCorrelation, synchronyPoints } from "../../src/experiments/synchrony/results.js";
import { answersOf, sampleReport } from "./digits-sample.js";

/** The sample as one set, its networks with synchrony that follows accuracy, and complex layers. */
function set(id: string, title: string): DigitsReport {
  const report = sampleReport();
  return {
    ...report,
    id,
    title,
    reference: null,
    rows: report.rows.map((row) => {
      const { setAccuracy } = row.metrics;
      return setAccuracy ? { ...row, metrics: { ...row.metrics, ari: setAccuracy } } : row;
    }),
    phasePictures: report.phasePictures.map((picture) => ({
      ...picture,
      phases: picture.phases.map((network) => ({
        ...network,
        layers: [
          { name: "convolution", real: new Float32Array(2048).fill(0.5), imaginary: new Float32Array(2048) },
          { name: "hidden", real: new Float32Array(50).fill(1), imaginary: new Float32Array(50).fill(-1) },
          { name: "readout", real: new Float32Array(10).fill(1), imaginary: new Float32Array(10).fill(1) },
        ],
      })),
    })),
  };
}

const seeds = sampleReport().provenance.seeds;
const sample: SynchronyReport = {
  title: "Synchrony",
  subtitle: "Sample",
  sets: [set("digits2", "Two digits"), set("digits3", "Three digits")],
  ablation: [
    {
      label: "timesteps 10",
      trained: true,
      runs: seeds.map((seed) => ({ seed, setAccuracy: 0.6, ari: 0.8, right: "1110011010" })),
    },
    {
      label: "epsilon 0",
      trained: false,
      runs: seeds.map((seed) => ({ seed, setAccuracy: 0.1, ari: 0.1, right: "0000001000" })),
    },
    {
      label: "timesteps 6",
      trained: false,
      runs: seeds.map((seed) => ({ seed, setAccuracy: 0.6, ari: 0.7, right: "1110011001" })),
    },
  ],
  kernels: [{ set: "Two digits", seed: 1, before: [0.8, 0.5], after: [0.7, 0.2] }],
  sheets: [{ title: "Two digits", uri: "data:image/png;base64,AAAA" }],
};

describe("the synchrony report", () => {
  it("has every part for every set, ids once, and no network requests", async () => {
    const html = await synchronyPage(sample);
    for (const id of [
      "digits2-phases",
      "digits3-phases",
      "digits2-layers",
      "digits3-accuracy",
      "synchrony",
      "ablation",
      "kernels",
      "conditions",
    ]) {
      expect(html).toContain(`id="${id}"`);
    }
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(html).not.toMatch(/(src|href)="https?:/);
    expect(html.match(/data-player/g)!.length).toBeGreaterThan(1);
  });

  it("says of each setting of the ablation whether it differs", async () => {
    const html = (await synchronyPage(sample)).replace(/\s+/g, " ");
    const row = (label: string) => html.slice(html.indexOf(`${label}</th>`)).split("</tr>")[0]!;
    expect(row("epsilon 0")).toMatch(/−50\.0 ± [\d.]+ points</);
    expect(row("timesteps 6")).toMatch(/0\.0 ± [\d.]+ points \(undecided\)/);
  });
});

describe("synchrony against accuracy", () => {
  it("has a point for every network with phases and condition", () => {
    const points = synchronyPoints(sample);
    const { models, conditions } = sample.sets[0]!;
    expect(points.length).toBe(2 * sample.sets[0]!.rows.length);
    expect(points[0]).toMatchObject({
      set: "Two digits",
      model: models[0]!.label,
      condition: conditions[0]!.label,
    });
  });

  it("is judged by ranks", () => {
    expect(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 1000])).toBeCloseTo(1, 12);
    expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
    // Ties share their ranks: by hand, 4.5 / sqrt(4.5 x 5).
    expect(rankCorrelation([1, 1, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeUndefined();
    expect(rankCorrelation([1, 2], [1, 2])).toBeUndefined();
  });

  it("refuses points that are not finite", () => {
    const axes = { x: { title: "x" }, y: { title: "y" } };
    expect(() => scatterChart({ ...axes, points: [{ group: "a", name: "b", x: NaN, y: 0 }] })).toThrow(
      /b: expected finite/,
    );
  });
});

describe("verdicts on feedback", () => {
  const report = set("digits2", "Two digits");
  const [first] = report.models;
  const as = (role: "feedback" | "continued" | "kuramoto") => ({ ...first!, id: role, role, label: role });
  const rows = (["feedback", "continued", "kuramoto"] as const).map((model, i) => ({
    model,
    condition: report.conditions[0]!.id,
    metrics: {
      setAccuracy: {
        mean: 0.9 - 0.1 * i,
        std: 0,
        values: [1, 2].map((seed) => ({ seed, value: 0.9 - 0.1 * i })),
      },
    },
  }));
  const answers = rows.flatMap(({ model, condition, metrics }) =>
    metrics.setAccuracy.values.map(({ seed, value }) => answersOf(model, seed, condition, value)),
  );
  const pairs = (models: DigitsReport["models"]) =>
    judge({ ...report, models, rows, answers }, report.conditions[0]!.id).map(({ better, worse, status }) => [
      better.id,
      worse.id,
      status,
    ]);

  it("compare with the control where there is one, else with the feed-forward network", () => {
    expect(pairs([as("feedback"), as("continued"), as("kuramoto")])).toEqual([
      ["feedback", "continued", "holds"],
    ]);
    expect(pairs([as("feedback"), as("kuramoto")])).toEqual([["feedback", "kuramoto", "holds"]]);
    expect(
      compare({ ...report, rows, answers }, as("kuramoto"), as("feedback"), report.conditions[0]!.id)?.status,
    ).toBe("reversed");
  });
});
