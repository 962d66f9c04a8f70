import { describe, expect, it, vi } from "vitest";
import { barChart, heatMap, lineChart, NARROW, renderSvg, WIDE } from "../../src/report/charts.js";
import type {
  BarChartOptions,
  ChartBuilder,
  HeatMapOptions,
  LineChartOptions,
} from "../../src/report/charts.js";
import { CATEGORICAL } from "../../src/draw/index.js";
import { elementsOf } from "./markup.js";

const lines: LineChartOptions = {
  x: { title: "Images & more", format: ",d" },
  y: { title: "Accuracy <%>", format: ".0%" },
  series: [
    {
      name: "One",
      points: [
        { x: 0, y: 0.1, low: 0.05, high: 0.2 },
        { x: 10, y: 0.5, low: 0.4, high: 0.6 },
      ],
    },
    {
      name: "Two",
      points: [
        { x: 0, y: 0.2 },
        { x: 10, y: 0.3 },
      ],
    },
  ],
  references: [{ name: "One", points: [{ x: 5, y: 0.25 }] }],
  rules: [{ y: 0.022, label: "chance" }],
};

const bars: BarChartOptions = {
  series: [{ name: "A" }, { name: "B" }],
  value: { title: "Accuracy", format: ".0%" },
  bars: [
    { group: "clean", series: "A", mean: 0.6, spread: 0.02, values: [0.58, 0.62] },
    { group: "clean", series: "B", mean: 0.2, values: [0.2] },
    { group: "noisy", series: "A", mean: 0.4, spread: 0.01, values: [0.39, 0.41] },
    { group: "noisy", series: "B", mean: 0.1, values: [0.1] },
  ],
};

const cells: HeatMapOptions = {
  x: { title: "x" },
  y: { title: "y" },
  value: { title: "value", format: ".0%", domain: [0, 1] },
  cells: [
    { x: "0", y: "1", value: 0.5 },
    { x: "0", y: "2", value: 0.9 },
    { x: "1", y: "2", value: 0 },
  ],
};

const kinds: [string, ChartBuilder][] = [
  ["line chart", lineChart(lines)],
  ["bar chart", barChart(bars)],
  ["heat map", heatMap(cells)],
];

describe.each(kinds)("%s", (_, build) => {
  it.each([
    ["wide", WIDE],
    ["narrow", NARROW],
  ])("is a clean, well-formed SVG when %s", async (__, layout) => {
    const warned = vi.spyOn(console, "warn");
    const svg = await renderSvg(build(layout), 'A "chart" <of> things', "one");
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
    const [root, ...inner] = elementsOf(svg);
    expect(root!.name).toBe("svg");
    expect(root!.attributes.role).toBe("img");
    expect(root!.attributes["aria-label"]).toBe('A "chart" <of> things');
    expect(root!.attributes.style).toMatch(/^max-width:\d+px$/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg.replace(/xmlns(:\w+)?="[^"]*"/g, "")).not.toMatch(/https?:|href=/);
    for (const { attributes } of inner) if (attributes.id) expect(attributes.id).toMatch(/^one-/);
  });

  it("draws the same image twice", async () => {
    const [one, two] = [await renderSvg(build(WIDE), "d", "x"), await renderSvg(build(WIDE), "d", "x")];
    expect(one).toBe(two);
  });

  it("is described by JSON that survives being copied", () => {
    const spec = build(WIDE);
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(spec.$schema).toMatch(/vega-lite\/v6\.json$/);
  });
});

describe("line chart", () => {
  it("draws a line and a band where asked, in the series' colours, and prints axis titles and rules", async () => {
    const elements = elementsOf(await renderSvg(lineChart(lines)(WIDE), "d", "x"));
    const strokes = elements.flatMap(({ attributes }) => attributes.stroke ?? []);
    expect(strokes).toContain(CATEGORICAL[0]);
    expect(strokes).toContain(CATEGORICAL[1]);
    const areas = elements.filter(
      ({ attributes }) => attributes["fill-opacity"] === "0.18" || attributes.opacity === "0.18",
    );
    expect(
      areas.filter(({ name, attributes }) => name === "path" && attributes.fill !== "none"),
    ).toHaveLength(1);
    const texts = elements.map(({ text }) => text);
    for (const text of ["Images & more", "Accuracy <%>", "chance", "One", "Two"])
      expect(texts).toContain(text);
  });

  it("leaves the legend out on request", async () => {
    const elements = elementsOf(await renderSvg(lineChart({ ...lines, legend: false })(WIDE), "d", "x"));
    expect(elements.map(({ text }) => text)).not.toContain("Two");
  });

  it("keeps a series' style when others are missing", async () => {
    const only = { ...lines, references: [], series: [{ ...lines.series[0]!, style: 3 }] };
    const svg = await renderSvg(lineChart(only)(WIDE), "d", "x");
    expect(svg).toContain(CATEGORICAL[3]);
    expect(svg).not.toContain(CATEGORICAL[0]);
  });

  it("refuses numbers that are none", () => {
    const broken = [{ name: "lost", points: [{ x: 1, y: NaN }] }];
    expect(() => lineChart({ ...lines, series: broken })).toThrow(
      /line "lost": expected a finite number, got NaN/,
    );
  });
});

describe("bar chart", () => {
  it("has a bar per model and condition, a dot per seed, an error bar per spread, all of right size", async () => {
    const elements = elementsOf(await renderSvg(barChart(bars)(WIDE), "d", "x"));
    const filled = elements.filter(
      ({ name, attributes }) =>
        name === "path" &&
        (CATEGORICAL as readonly string[]).includes(attributes.fill!) &&
        attributes.opacity === "0.85",
    );
    expect(filled).toHaveLength(4);
    const dots = elements.filter(({ attributes }) => attributes.stroke === "white");
    expect(dots).toHaveLength(6);
    const errors = elements.filter(
      ({ name, attributes }) => name === "line" && attributes["stroke-width"] === "1.6",
    );
    expect(errors).toHaveLength(2);
    // Error bars of ±0.02 and ±0.01 must have lengths in the ratio 2.
    const length = (i: number) => Math.abs(Number(errors[i]!.attributes.y2));
    expect(length(0) / length(1)).toBeCloseTo(2, 3);
  });

  it("refuses numbers that are none", () => {
    const bar = { group: "g", series: "A", mean: Infinity, values: [] };
    expect(() => barChart({ ...bars, bars: [bar] })).toThrow(/bar "A, g"/);
  });
});

describe("heat map", () => {
  it("prints every cell's number", async () => {
    const texts = elementsOf(await renderSvg(heatMap(cells)(WIDE), "d", "x")).map(({ text }) => text);
    for (const text of ["50%", "90%", "0%"]) expect(texts).toContain(text);
  });
});
