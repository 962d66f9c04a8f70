import type { ChartBlock } from "../../report/chart-block.js";
import { lineBlock, multiples } from "../../report/chart-block.js";
import type { AxisOptions, LinePoint, LineSeries } from "../../report/charts.js";
import { number, percent } from "../../report/html.js";
import { overSeeds } from "../../report/over-seeds.js";
import type { NoiseRow, PredictiveCodingReport, SettingDescription } from "./results.js";
import { mcePerTimestep } from "./results.js";

type Family = SettingDescription["family"];

/** Styles of lines. A style depends on what the setting leaves out, not on the source of its values. */
const STYLES = { all: 0, feedback: 1, error: 2 } as const;

const overTime = (values: readonly number[]) => values.map((y, x) => ({ x, y }));

/** Divides a curve by its value at timestep 0. */
const relative = (values: readonly number[]): number[] => values.map((value) => value / values[0]!);

const timestepAxis = (last: number): AxisOptions => ({
  title: "Timestep",
  format: "d",
  domain: [0, Math.max(1, last)],
});

/**
 * The range of an axis: from the smallest to the largest value with some margin, and at least `span` wide. It
 * contains `include` if that is given.
 */
function domainOf(
  series: readonly LineSeries[],
  { include, span = 0 }: { readonly include?: number; readonly span?: number } = {},
): readonly [number, number] {
  const values = series.flatMap(({ points }) =>
    points.flatMap(({ y, low = y, high = y }: LinePoint) => [low, high]),
  );
  if (include !== undefined) values.push(include);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.04 * (most - least), (span - (most - least)) / 2, 1e-3);
  return [least - room, most + room];
}

function ends(series: readonly LineSeries[], format: (value: number) => string): string {
  return series
    .map(({ name, points }) => `${name}: ${format(points[0]!.y)} to ${format(points.at(-1)!.y)}`)
    .join("; ");
}

export function lastTimestep({ noise }: PredictiveCodingReport): number {
  return noise[0]!.accuracy.length - 1;
}

/** The rows of all seeds for one setting under one condition. */
export function noiseRows(report: PredictiveCodingReport, setting: string, condition: string): NoiseRow[] {
  return report.noise.filter((row) => row.setting === setting && row.condition === condition);
}

/** Charts of accuracy against timestep, one for each condition, each with its own range. */
export async function accuracyCharts(report: PredictiveCodingReport, family: Family): Promise<ChartBlock> {
  const settings = report.settings.filter((setting) => setting.family === family);
  const seriesFor = (condition: string): LineSeries[] =>
    settings.map(({ id, label, without }) => ({
      name: label,
      style: STYLES[without ?? "all"],
      points: overSeeds(noiseRows(report, id, condition).map(({ accuracy }) => overTime(accuracy))),
    }));
  const charts = await Promise.all(
    report.conditions.map(({ id, label }) => {
      const series = seriesFor(id);
      const start = series[0]!.points[0]!.y;
      return lineBlock(
        `accuracy-${family}-${id.replace(".", "-")}`,
        {
          x: timestepAxis(lastTimestep(report)),
          y: { title: "Accuracy", format: ".1%", domain: domainOf(series, { span: 0.04 }) },
          series,
          rules: [{ y: start, label: "the network alone" }],
        },
        `Accuracy per timestep, ${label}. ${ends(series, (value) => `${percent(value)} %`)}.`,
        { small: true, heading: label },
      );
    }),
  );
  return multiples(charts, seriesFor(report.conditions[0]!.id));
}

/**
 * Chart of the mCE (mean corruption error over the common corruptions) relative to timestep 0, with the
 * authors' values and with tuned ones.
 */
export async function mceChart(report: PredictiveCodingReport): Promise<ChartBlock | undefined> {
  if (report.corruptions.length === 0) return undefined;
  const series = report.settings
    .filter(({ without }) => without === undefined)
    .map(({ id, family }, i): LineSeries => {
      const own = report.corruptions.filter(({ setting }) => setting === id);
      const seeds = [...new Set(own.map(({ seed }) => seed))];
      return {
        name: family === "authors" ? "the authors’ values" : "tuned values",
        style: i === 0 ? 3 : 0,
        points: overSeeds(
          seeds.map((seed) => overTime(mcePerTimestep(own.filter((row) => row.seed === seed)))),
        ),
      };
    });
  return lineBlock(
    "relative-mce",
    {
      x: timestepAxis(lastTimestep(report)),
      y: { title: "mCE relative to timestep 0", format: ".3f", domain: domainOf(series, { include: 1 }) },
      series,
      rules: [{ y: 1, label: "the network alone" }],
    },
    `Mean corruption error at each timestep, relative to timestep 0. ${ends(series, (value) => number(value, 4))}.`,
  );
}

/**
 * Charts of a quantity relative to timestep 0, one for each PCoder, with a line for each condition: the correlation
 * distances between noisy and clean representations, or the prediction errors.
 */
export async function pcoderCharts(
  report: PredictiveCodingReport,
  kind: "distances" | "errors",
  family: Family,
): Promise<ChartBlock> {
  const { conditions } = report;
  const seriesFor = (i: number): LineSeries[] =>
    conditions.flatMap(({ id, label }, style) => {
      const runs = noiseRows(report, family, id)
        .map((row) => row[kind][i])
        .filter((values) => values?.every((value) => Number.isFinite(value / values[0]!)) === true)
        .map((values) => overTime(relative(values!)));
      return runs.length === 0 ? [] : [{ name: label, style, points: overSeeds(runs) }];
    });
  const what = kind === "distances" ? "Distance, relative" : "Error, relative";
  const all = report.pcoders.map((_, i) => seriesFor(i));
  const domain = domainOf(all.flat(), { include: 1 });
  const charts = await Promise.all(
    all.map((series, i) =>
      lineBlock(
        `${kind}-${family}-${i + 1}`,
        {
          x: timestepAxis(lastTimestep(report)),
          y: { title: what, format: ".2f", domain },
          series,
          rules: [{ y: 1, label: "timestep 0" }],
        },
        `${what} to timestep 0, PCoder ${i + 1}. ${ends(series, (value) => number(value))}.`,
        { small: true, heading: `PCoder ${i + 1}` },
      ),
    ),
  );
  return multiples(charts, all.flat());
}

/**
 * Chart of the share of the target's variance that each PCoder leaves unexplained, against training steps.
 */
export async function decoderChart(report: PredictiveCodingReport): Promise<ChartBlock> {
  const series = report.pcoders.map((_, i): LineSeries => ({
    name: `PCoder ${i + 1}`,
    points: overSeeds(
      report.decoders.map(({ curve, targetVariances }) =>
        curve.map(({ step, errors }) => ({ x: step, y: errors[i]! / targetVariances[i]! })),
      ),
    ),
  }));
  return lineBlock(
    "decoders",
    {
      x: { title: "Step", format: ",d" },
      y: { title: "Unexplained variance", format: ".0%", domain: [0, domainOf(series)[1]] },
      series,
    },
    `Prediction error divided by the target’s variance while the decoders are trained. ${ends(series, (value) => `${percent(value)} %`)}.`,
  );
}

/** Chart of the accuracy of the feed-forward network during training; undefined if the user gave a network. */
export async function trainingChart({ network }: PredictiveCodingReport): Promise<ChartBlock | undefined> {
  const runs = network.runs.filter(({ curve }) => curve.length > 0);
  if (runs.length === 0) return undefined;
  const points = overSeeds(
    runs.map(({ curve }) => curve.map(({ step, accuracy }) => ({ x: step, y: accuracy }))),
  );
  return lineBlock(
    "training",
    {
      x: { title: "Step", format: ",d" },
      y: { title: "Accuracy", format: ".0%", domain: [0, 1] },
      series: [{ name: network.name, points }],
    },
    `Accuracy on held-out images, ${percent(points.at(-1)!.y)} % at the end.`,
  );
}
