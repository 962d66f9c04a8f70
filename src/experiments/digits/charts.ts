import type { ChartBlock } from "../../report/chart-block.js";
import { chartBlock, lineBlock, multiples, seriesLegend } from "../../report/chart-block.js";
import type { Bar, BarChartOptions, LineChartOptions, LineSeries } from "../../report/charts.js";
import { barChart, heatMap } from "../../report/charts.js";
import { number, percent } from "../../report/html.js";
import { ends, seriesOverSeeds } from "../../report/over-seeds.js";
import type { DigitsReport, LearningCurve, DigitsModelDescription, TimestepSeries } from "./results.js";
import { chanceLevel, result } from "./results.js";

/** The number of a model's style, which decides the model's colour, dash and marker in every chart. */
export function styleOf(report: DigitsReport, model: DigitsModelDescription): number {
  const fixed = { kuramoto: 0, real: 1, ideal: 2, random: 3, feedback: 4, transformer: 5, continued: 6 };
  if (model.role !== "other") return fixed[model.role];
  return 7 + report.models.filter((one) => one.role === "other").indexOf(model);
}

function idOf({ id }: DigitsReport, name: string): string {
  return id === undefined ? name : `${id}-${name}`;
}

function seriesPerModel(
  report: DigitsReport,
  runsOf: (model: DigitsModelDescription) => readonly (readonly { x: number; y: number }[])[],
): LineSeries[] {
  const models = report.models.map((model) => ({ ...model, style: styleOf(report, model) }));
  return seriesOverSeeds(models, runsOf);
}

const share = (value: number): string => `${percent(value)} %`;

function referenceSeries(report: DigitsReport): LineSeries[] {
  return (report.reference?.curves ?? []).flatMap(({ role, points }) => {
    const model = report.models.find((one) => one.role === role);
    if (!model || !report.learningCurves.some((curve) => curve.model === model.id)) return [];
    return [
      { name: model.label, points: points.map((point) => ({ x: point.images, y: point.setAccuracy })) },
    ];
  });
}

/** The texts of the learning charts. */
const LEARNING = {
  setAccuracy: {
    id: "learning-accuracy",
    y: { title: "Set accuracy", format: ".0%" },
    words: "Set accuracy while training",
    heading: "Set accuracy on validation images",
    show: share,
  },
  loss: {
    id: "learning-loss",
    y: { title: "Cross-entropy", format: ".2f" },
    words: "Cross-entropy on validation images",
    heading: "Cross-entropy on validation images",
    show: (value: number): string => number(value),
  },
} as const;

/** Chart of a measure on validation images against training images seen, or `undefined` if no curve has the measure. */
export async function learningChart(
  report: DigitsReport,
  measure: "setAccuracy" | "loss",
): Promise<ChartBlock | undefined> {
  const points = (curve: LearningCurve) =>
    curve.points.flatMap(({ images: x, [measure]: y }) => (y === undefined ? [] : [{ x, y }]));
  const series = seriesPerModel(report, (model) =>
    report.learningCurves.filter((curve) => curve.model === model.id).map(points),
  );
  if (series.length === 0) return undefined;
  const { id, y, words, heading, show } = LEARNING[measure];
  const options: LineChartOptions = {
    x: { title: "Training images seen", format: ",d" },
    y,
    series,
    ...(measure === "setAccuracy" && {
      references: referenceSeries(report),
      rules: [{ y: chanceLevel(report.digits), label: "chance" }],
    }),
  };
  return lineBlock(idOf(report, id), options, `${words}. ${ends(series, show)}.`, { heading });
}

function perTimestep(report: DigitsReport, list: readonly TimestepSeries[], condition: string): LineSeries[] {
  return seriesPerModel(report, (model) =>
    list
      .filter((one) => one.model === model.id && one.condition === condition)
      .map(({ values }) => values.map((y, t) => ({ x: t + 1, y }))),
  );
}

/**
 * Charts of the accuracy of the read-out, or of how well the phases separate the digits, at every timestep.
 * There is one small chart for each condition, and all have the same axes.
 */
export async function timestepCharts(
  report: DigitsReport,
  kind: "accuracy" | "synchrony",
): Promise<ChartBlock | undefined> {
  const accuracy = kind === "accuracy";
  const list = accuracy ? report.accuracyPerTimestep : report.synchronyPerTimestep;
  const measure = report.synchronyMeasure ?? { label: "Synchrony loss", better: "lower" };
  const present = report.conditions.filter(({ id }) => list.some((one) => one.condition === id));
  if (present.length === 0) return undefined;
  const largest = Math.max(...list.flatMap((one) => one.values));
  const least = Math.min(0, ...list.flatMap((one) => one.values));
  const longest = Math.max(...list.map((one) => one.values.length));
  const alone = present.length === 1;
  const charts = await Promise.all(
    present.map(({ id, label }) => {
      const series = perTimestep(report, list, id);
      const options: LineChartOptions = {
        x: { title: "Timestep", format: "d", domain: [1, Math.max(2, longest)] },
        y: {
          title: accuracy ? "Set accuracy" : measure.label,
          format: accuracy ? ".0%" : ".2~f",
          domain: [
            Math.floor(least * 20) / 20,
            Math.max(accuracy ? 0.1 : 0.01, Math.ceil(largest * 10.5) / 10),
          ],
        },
        series,
        rules: accuracy ? [{ y: chanceLevel(report.digits), label: "chance" }] : [],
      };
      const words = `${accuracy ? "Set accuracy" : measure.label} per timestep, ${label}. ${ends(series, accuracy ? share : number)}.`;
      return lineBlock(
        idOf(report, `${kind}-${id}`),
        options,
        words,
        alone ? {} : { small: true, heading: label },
      );
    }),
  );
  if (alone) return charts[0]!;
  return multiples(
    charts,
    present.flatMap(({ id }) => perTimestep(report, list, id)),
  );
}

/** Bar chart of set accuracy: a group for each condition, a bar for each model, a dot for each seed. */
export async function accuracyBars(report: DigitsReport): Promise<ChartBlock | undefined> {
  const bars = report.conditions.flatMap((condition) =>
    report.models.flatMap((model): Bar[] => {
      const summary = result(report, model.id, condition.id);
      if (!summary) return [];
      const bar = { group: condition.label, series: model.label, mean: summary.mean };
      const values = summary.values.map(({ value }) => value);
      return [summary.std === null ? { ...bar, values } : { ...bar, values, spread: summary.std }];
    }),
  );
  if (bars.length === 0) return undefined;
  const series = report.models.map((model) => ({ name: model.label, style: styleOf(report, model) }));
  const options: BarChartOptions = {
    bars,
    series,
    value: { title: "Set accuracy", format: ".0%" },
    rules: [{ y: chanceLevel(report.digits), label: "chance" }],
  };
  const words = bars.map((bar) => `${bar.series}, ${bar.group}: ${share(bar.mean)}`).join("; ");
  return chartBlock(
    idOf(report, "accuracy-bars"),
    barChart({ ...options, legend: false }),
    `Set accuracy by condition and model. ${words}.`,
    { legend: seriesLegend(series, "bar"), standalone: barChart(options) },
  );
}

/** Heat map of the set accuracy for every pair of digits; it shows the lower triangle only. */
export async function pairChart(report: DigitsReport): Promise<ChartBlock | undefined> {
  const pairs = report.pairAccuracy;
  if (!pairs) return undefined;
  const cells = pairs.values.flatMap((row, y) =>
    row.flatMap((value, x) => (value === null || x >= y ? [] : [{ x: String(x), y: String(y), value }])),
  );
  if (cells.length === 0) return undefined;
  const build = heatMap({
    x: { title: "One digit" },
    y: { title: "The other digit" },
    cells,
    value: { title: "Set accuracy", format: ".0%", domain: [0, 1] },
  });
  const worst = cells.reduce((least, cell) => (cell.value < least.value ? cell : least));
  const words = `Hardest pair: ${worst.x} and ${worst.y} at ${share(worst.value)}.`;
  return chartBlock(idOf(report, "pair-accuracy"), build, `Set accuracy for every pair of digits. ${words}`);
}
