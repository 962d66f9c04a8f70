import { beforeAll, describe, expect, it } from "vitest";
import type { DigitsReport } from "../../src/experiments/digits/results.js";
import { chanceLevel } from "../../src/experiments/digits/results.js";
import { sparkline, terminalReport } from "../../src/experiments/digits/terminal.js";
import { budgetRemark, digitsHeadline, judge } from "../../src/experiments/digits/verdict.js";
import { overlappingDigitsPage } from "../../src/experiments/overlapping-digits/page.js";
import { AUTHORS_SHORT_BUDGET } from "../../src/experiments/overlapping-digits/published.js";
import { overSeeds, summariseSeeds } from "../../src/report/over-seeds.js";
import { readHtml } from "../report/markup.js";
import type { FoundElement } from "../report/markup.js";
import { answersOf, sampleReport } from "./digits-sample.js";

/** The sample with given clean set accuracies per seed (1, 2, ...). */
function withClean(accuracies: Readonly<Record<string, readonly number[]>>, images = 2000): DigitsReport {
  const report = sampleReport([1, 2]);
  return {
    ...report,
    rows: Object.entries(accuracies).map(([model, values]) => ({
      model,
      condition: "clean",
      metrics: { setAccuracy: summariseSeeds(values.map((value, i) => ({ seed: i + 1, value }))) },
    })),
    answers: Object.entries(accuracies).flatMap(([model, values]) =>
      values.map((value, i) => answersOf(model, i + 1, "clean", value, images)),
    ),
  };
}

describe("summaries", () => {
  it("are mean and sample deviation", () => {
    expect(
      summariseSeeds([
        { seed: 1, value: 1 },
        { seed: 2, value: 3 },
      ]),
    ).toMatchObject({ mean: 2, std: Math.SQRT2 });
    expect(summariseSeeds([{ seed: 1, value: 1 }]).std).toBeNull();
    expect(() => summariseSeeds([])).toThrow(/at least one value/);
  });

  it("know chance", () => {
    expect(1 / chanceLevel(2)).toBeCloseTo(45, 9);
    expect(1 / chanceLevel(3)).toBeCloseTo(120, 9);
  });

  it("join seeds at the same x, with their range", () => {
    const points = overSeeds([
      [
        { x: 1, y: 2 },
        { x: 2, y: 4 },
      ],
      [{ x: 1, y: 4 }],
    ]);
    expect(points).toEqual([
      { x: 1, y: 3, low: 2, high: 4 },
      { x: 2, y: 4 },
    ]);
  });

  it("thin long curves without moving their mean or end", () => {
    const run = Array.from({ length: 3000 }, (_, x) => ({ x, y: x }));
    const points = overSeeds([run]);
    expect(points.length).toBeLessThanOrEqual(150);
    expect(points.at(-1)!.x).toBe(2999);
    expect(points.reduce((sum, { y }) => sum + y, 0) / points.length).toBeCloseTo(1499.5, 6);
  });
});

describe("verdicts", () => {
  const status = (report: DigitsReport) => judge(report, "clean").map((verdict) => verdict.status);

  it("hold where the difference is large beside its spread", () => {
    const report = withClean({
      kuramoto: [0.65, 0.66],
      random: [0.2, 0.22],
      real: [0.5, 0.52],
      ideal: [0.8, 0.82],
    });
    expect(status(report)).toEqual(["holds", "holds", "holds"]);
    expect(digitsHeadline(report)).toMatch(
      /Ideal phases 81\.0 %, KomplexNet 65\.5 %, Real-valued 51\.0 %.*The predicted ordering holds\.$/,
    );
    const [first] = judge(report, "clean");
    expect(first!.mean).toBeCloseTo(0.445, 9);
    expect(first!.sentence).toContain("seed 1: +45.0, seed 2: +44.0");
  });

  it("say so when the order is reversed", () => {
    const report = withClean({ kuramoto: [0.3, 0.31], random: [0.4, 0.42], real: [0.5, 0.52] });
    expect(status(report)).toEqual(["reversed", "reversed"]);
    expect(digitsHeadline(report)).toMatch(/does not hold: 2 of 2 comparisons came out reversed/);
  });

  it("stay undecided when seeds disagree, the test set is small, or one seed was run", () => {
    expect(status(withClean({ kuramoto: [0.6, 0.4], random: [0.3, 0.5] }))).toEqual(["undecided"]);
    const close = { kuramoto: [0.52, 0.52], random: [0.5, 0.5] };
    expect(status(withClean(close))).toEqual(["undecided"]);
    expect(status(withClean(close, 40_000))).toEqual(["holds"]);
    const single = withClean({ kuramoto: [0.9], random: [0.1] });
    expect(status(single)).toEqual(["undecided"]);
    expect(judge(single, "clean")[0]!.sentence).toMatch(/One seed cannot show/);
  });

  it("compare only seeds that both models have", () => {
    const report = withClean({ kuramoto: [0.6, 0.7, 0.8], random: [0.1, 0.2] });
    expect(judge(report, "clean")[0]!.pairs.map(({ seed }) => seed)).toEqual([1, 2]);
  });

  it("warn when the budget was below the onset", () => {
    const report = sampleReport();
    expect(budgetRemark(report)).toBeUndefined();
    const short = { ...report, provenance: { ...report.provenance, imagesSeen: 12_800 } };
    expect(budgetRemark(short)).toMatch(/12,800 training images.*25,000/);
  });
});

describe("report page", () => {
  let page = "";
  let elements: FoundElement[] = [];
  let errors: string[] = [];
  beforeAll(async () => {
    page = await overlappingDigitsPage(sampleReport());
    ({ elements, errors } = readHtml(page));
  });
  const withClass = (name: string) =>
    elements.filter(({ attributes }) => attributes.class?.split(" ").includes(name));

  it("is valid, self-contained and of modest size", () => {
    expect(errors).toEqual([]);
    expect(page.length).toBeLessThan(3_000_000);
    for (const { name, attributes } of elements) {
      for (const key of ["src", "href"]) expect(attributes[key] ?? "#").toMatch(/^(#|data:)/);
      expect(["link", "iframe", "object", "embed"]).not.toContain(name);
      expect(attributes.style ?? "").not.toMatch(/url\(/);
    }
    const style = elements.find(({ name }) => name === "style")!.text;
    expect(style).not.toMatch(/@import|url\(/);
  });

  it("holds no broken number", () => {
    const visible = elements.filter(
      ({ name }) => !["html", "head", "body", "script", "style"].includes(name),
    );
    for (const { text, attributes } of visible) {
      expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/);
      for (const value of Object.values(attributes))
        expect(value.startsWith("data:") || !/NaN|undefined/.test(value)).toBe(true);
    }
  });

  it("uses every id once", () => {
    const ids = elements.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(target);
  });

  it("names every image", () => {
    const pictures = elements.filter(({ name }) => name === "img");
    expect(pictures.length).toBeGreaterThan(100);
    for (const { attributes } of pictures) expect(attributes.alt).toBeTruthy();
    for (const { attributes } of elements.filter(({ name }) => name === "svg")) {
      expect(attributes["aria-label"] ?? attributes["aria-hidden"]).toBeTruthy();
    }
  });

  it("sets the authors' figures apart, saying what they are not", () => {
    const foreign = withClass("foreign").map(({ text }) => text);
    expect(foreign[0]).toContain(AUTHORS_SHORT_BUDGET.heading);
    expect(foreign.slice(1).map((text) => text.slice(0, 4))).toEqual(["65.8", "21.7", "60.7", "69.7"]);
    const notes = withClass("note")
      .map(({ text }) => text)
      .join(" ");
    expect(notes).toMatch(
      /We measured these numbers with the authors’ code; they are not those of the paper, whose tables were not available/,
    );
  });

  it("shows every sample, model and timestep", () => {
    expect(withClass("player")).toHaveLength(3);
    expect(elements.filter(({ attributes }) => attributes["data-t"] !== undefined)).toHaveLength(3 * 3 * 12);
    expect(withClass("wrong").map(({ text }) => text)).toEqual(["✗ 3 and 5", "✗ 0 and 5"]);
  });

  it("gives the specification of every chart", () => {
    const specs = elements
      .filter(({ name }) => name === "pre")
      .map(({ text }) => JSON.parse(text) as { $schema: string });
    expect(specs).toHaveLength(10);
    for (const spec of specs) expect(spec.$schema).toContain("vega-lite");
  });

  it("is the same when built again", async () => {
    const again = await overlappingDigitsPage(sampleReport());
    expect(again === page).toBe(true);
  });

  it("escapes what comes from outside", async () => {
    const base = sampleReport([1]);
    const hostile = {
      ...base,
      title: "<script>alert(1)</script>",
      provenance: { ...base.provenance, machine: '"><img src=x>' },
    };
    const read = readHtml(await overlappingDigitsPage(hostile));
    expect(read.errors).toEqual([]);
    expect(read.elements.some(({ name, attributes }) => name === "img" && attributes.src === "x")).toBe(
      false,
    );
    expect(read.elements.find(({ name }) => name === "h1")!.text).toBe("<script>alert(1)</script>");
  });

  it("stands with the least that a run can give", async () => {
    const bare: DigitsReport = {
      ...sampleReport([1]),
      learningCurves: [],
      accuracyPerTimestep: [],
      synchronyPerTimestep: [],
      phasePictures: [],
      reference: null,
      onnxCheck: null,
      answers: [],
      rows: [
        {
          model: "real",
          condition: "clean",
          metrics: { setAccuracy: summariseSeeds([{ seed: 1, value: 0.5 }]) },
        },
      ],
    };
    const read = readHtml(await overlappingDigitsPage(bare));
    expect(read.errors).toEqual([]);
    expect(read.elements.some(({ attributes }) => attributes.class === "foreign")).toBe(false);
    expect(read.elements.some(({ attributes }) => attributes.id === "ordering")).toBe(false);
  });

  it("says when the exported model differs between runtimes", async () => {
    const base = sampleReport([1]);
    const onnxCheck = { maximumDifference: 0.3, tolerance: 1e-4, images: 64 };
    const text = readHtml(await overlappingDigitsPage({ ...base, onnxCheck })).elements.find(
      ({ attributes }) => attributes.id === "onnx",
    )!.text;
    expect(text).toMatch(/✗ differs/);
    expect(text).toMatch(/not the same/);
  });

  it("refuses rows about models that it does not list, and broken numbers", async () => {
    const base = sampleReport([1]);
    const row = { model: "vit", condition: "clean", metrics: {} };
    await expect(overlappingDigitsPage({ ...base, rows: [row] })).rejects.toThrow(
      /row model: expected one of kuramoto, random, real, ideal, got "vit"/,
    );
    const broken = {
      model: "real",
      condition: "clean",
      metrics: { setAccuracy: { mean: NaN, std: null, values: [] } },
    };
    await expect(overlappingDigitsPage({ ...base, rows: [broken] })).rejects.toThrow(
      /finite numbers, got mean NaN/,
    );
  });

  it("comes out the same from plain JSON", async () => {
    const report = sampleReport([1]);
    const json = JSON.stringify(report, (_, value: unknown) =>
      value instanceof Float32Array ? Array.from(value) : value,
    );
    const [typed, plain] = [
      await overlappingDigitsPage(report),
      await overlappingDigitsPage(JSON.parse(json) as DigitsReport),
    ];
    expect(typed === plain).toBe(true);
  });
});

describe("terminal", () => {
  it("prints the table beside the authors' figures, and the verdicts", () => {
    const text = terminalReport(sampleReport(), { colour: false, width: 120 });

    expect(text).not.toMatch(/\u001b|NaN|undefined/);
    expect(text).toMatch(/│ KomplexNet +│ 6\d\.\d ± \d\.\d │.*│ +65\.8 │ [▁-█]+ +│/);
    expect(text).toContain("not those of the paper");
    expect(text.match(/✓ holds|✗ reversed|\? undecided/g)).toHaveLength(3);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
  });

  it("leaves the curves out where they do not fit, and colours on request", () => {
    const narrow = terminalReport(sampleReport(), { colour: false, width: 80 });
    expect(narrow).not.toMatch(/[▁▂▃]{3}/);

    expect(terminalReport(sampleReport(), { colour: true })).toMatch(/\u001b\[/);
  });

  it("draws sparklines", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([0, 0, 7, 7], { width: 2 })).toBe("▁█");
    expect(sparkline([0.5], { range: [0, 1] })).toBe("▅");
    expect(sparkline([3, 3])).toBe("▁▁");
    expect(sparkline([])).toBe("");
  });
});
