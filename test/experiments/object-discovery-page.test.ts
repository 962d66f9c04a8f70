import { describe, expect, it } from "vitest";
import {
  budgetText,
  comparisonText,
  discoveryHeadline,
  objectDiscoveryPage,
} from "../../src/experiments/object-discovery/page.js";
import type { DiscoverySet, ObjectDiscoveryReport } from "../../src/experiments/object-discovery/results.js";
import { judgeDifferences } from "../../src/metrics/judgement.js";
import { summariseSeeds } from "../../src/report/over-seeds.js";

const score = (...values: number[]) => summariseSeeds(values.map((value, i) => ({ seed: i + 1, value })));
const grey = (size: number) => ({ width: size, height: size, data: new Uint8Array(3 * size * size) });

function sampleSet(changes: Partial<DiscoverySet> = {}): DiscoverySet {
  const row = (model: string, upTiling: number, mean: number) => ({
    model,
    upTiling,
    parameters: 1234,
    foregroundAri: score(mean - 0.01, mean + 0.01),
    bestOverlap: score(0.5, 0.6),
    untrained: { foregroundAri: score(0.3), bestOverlap: score(0.4) },
  });
  const compared = (upTiling: number, values: number[]) => ({
    model: "waves",
    control: "plain",
    upTiling,
    judged: judgeDifferences(values, 0.0102),
    differences: values.map((value, i) => ({ seed: i + 1, value })),
    imageError: 0.0102,
  });
  const paper = { foregroundAri: [88.6, 1.7], bestOverlap: [56.4, 0.9] } as const;
  const curve = (model: string) => ({
    model,
    seed: 1,
    scores: [0, 64].map((views) => ({ views, foregroundAri: 0.5 + views / 1000 })),
    losses: [32, 64].map((views) => ({ views, loss: 2 })),
  });
  return {
    id: "toys",
    title: "Toys",
    description: "Toys on a <table>.",
    source: "The scenes are made here.",
    testScenes: 20,
    rows: [
      { ...row("waves", 1, 0.7), paper },
      row("waves", 4, 0.8),
      row("plain", 1, 0.6),
      row("plain", 4, 0.75),
    ],
    colourControl: { foregroundAri: 0.79, bestOverlap: 0.84 },
    comparisons: [compared(1, [0.1, 0.1]), compared(4, [0.05, 0.07])],
    groups: ["apart", "alike"].map((label) => ({
      label,
      scenes: 10,
      scores: [{ model: "waves", upTiling: 1, foregroundAri: 0.7 }],
    })),
    learningCurves: [curve("waves"), curve("plain")],
    energies: [{ model: "waves", seed: 1, layer: 1, trained: [0, -1, -2], untrained: [0, -0.5, -0.7] }],
    scenes: [
      {
        image: grey(2),
        truth: [0, 1, 2, -1],
        models: [
          {
            model: "waves",
            segments: [1, 4].map((upTiling) => ({ upTiling, labels: [3, 1, 2, 2], foregroundAri: 1 })),
            features: grey(2),
            fields: [grey(2), grey(2), grey(2)],
          },
          {
            model: "plain",
            segments: [1, 4].map((upTiling) => ({ upTiling, labels: [1, 1, 1, 1], foregroundAri: 0 })),
            features: grey(2),
            fields: [],
          },
        ],
      },
    ],
    budget: {
      steps: 2,
      batchSize: 16,
      trainScenes: 100,
      channels: 32,
      views: 64,
      temperature: 0.1,
      paper: { views: 6400, channels: 128 },
    },
    paperGoal: { label: "waves in the paper", foregroundAri: 0.886 },
    ...changes,
  };
}

function sampleReport(sets: readonly DiscoverySet[]): ObjectDiscoveryReport {
  return {
    title: "Objects",
    subtitle: "Sample",
    scale: "smoke",
    models: ["waves", "plain"].map((id, style) => ({ id, label: id, description: `The ${id}.`, style })),
    sets,
    provenance: {
      seeds: [1, 2],
      machine: "a machine",
      versions: { striate: "1" },
      date: "2026-01-02T03:04:05Z",
      wallTimeSeconds: 61,
      command: "striate run object-discovery",
      more: { Device: "cpu" },
    },
  };
}

describe("the object-discovery report", () => {
  it("has every part for every set, ids once, images with words, no requests", async () => {
    const other = sampleSet({ id: "others", title: "Others", scenes: [], energies: [], groups: [] });
    const html = await objectDiscoveryPage(sampleReport([sampleSet(), other]));
    for (const part of ["segments", "fields", "energies", "learning", "colours"])
      expect(html).toContain(`id="toys-${part}"`);
    for (const part of ["segments", "fields", "energies", "colours"])
      expect(html).not.toContain(`id="others-${part}"`);
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    const images = html.match(/<img [^>]*>/g)!;
    // Scene, truth and four segmentations; scene and three steps; scene and two feature maps.
    expect(images).toHaveLength(6 + 4 + 3);
    for (const image of images) expect(image).toMatch(/alt="Scene 1[^"]*"/);
    expect(html).toContain("Toys on a &lt;table&gt;.");
    expect(html).not.toMatch(/(src|href)="https?:/);
    expect(html).toContain("88.6 ± 1.7");
    expect(html).toContain("colour alone");
  });

  it("says what was best, what differs and what the budget is", () => {
    const set = sampleSet();
    const report = sampleReport([set]);
    expect(discoveryHeadline(report, set)).toContain("waves, up-tiling × 4, with FG-ARI 80.0 %");
    expect(comparisonText(report, set.comparisons[0]!)).toBe(
      "waves against plain: +10.0 ± 2.0 points of FG-ARI",
    );
    expect(set.comparisons.map(({ judged }) => judged.status)).toEqual(["holds", "undecided"]);
    expect(budgetText(set)).toMatch(/saw 64 views, 1 % of the 6,400 .* with 32 channels instead of 128/);
    const { budget } = set;
    expect(budgetText({ ...set, budget: { ...budget, views: 6400, channels: 128 } })).toBeUndefined();
  });

  it("refuses networks that it does not know and scores that are not numbers", async () => {
    const [first, ...others] = sampleSet().rows;
    const unknown = sampleSet({ rows: [{ ...first!, model: "particles" }] });
    await expect(objectDiscoveryPage(sampleReport([unknown]))).rejects.toThrow(
      /waves, plain, got "particles"/,
    );
    const empty = sampleSet({ rows: [{ ...first!, foregroundAri: score(NaN) }, ...others] });
    await expect(objectDiscoveryPage(sampleReport([empty]))).rejects.toThrow(
      "foreground ARI of waves: expected a finite number, got NaN",
    );
  });
});
